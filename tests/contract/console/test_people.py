"""予定と社員を探す and なぜEMCに（い）ないのか over HTTP: who may, what is found, and what is left behind of a look."""

from __future__ import annotations

import json
import logging
import re
import shutil
from html import unescape
from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem

from renkei.errors import StoreError
from renkei.links.smarthr_emc.people.index import PAGE
from renkei.storage import audit
from renkei.storage.store import Store
from renkei.web.services import Right
from tests.builders import crew
from tests.contract.console.world import BASE, ConsoleWorld, dag
from tests.unit.links.smarthr_emc.people.test_explain import day
from tests.unit.links.smarthr_emc.rehearsal.test_rehearsal import person

SEARCH, WHY = f"/dag/{dag('acme')}/people", f"/dag/{dag('acme')}/person"


@pytest.fixture(scope="module")
def two_loads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store: 3 has left, 4 was renumbered, 5 is new."""
    folder = tmp_path_factory.mktemp("two_loads")
    store = Store(LocalFileSystem(), str(folder))
    day(store, 0, [person(1), person(2), person(3, 姓="小鳥遊"), person(4)])
    day(store, 1, [person(1), crew("c2", "2", "retired"), person(4, 社員番号="44"), person(5, 姓="<b>五</b>")])
    return folder


@pytest.fixture
def world(empty: ConsoleWorld, two_loads: Path) -> ConsoleWorld:
    """acme with two loads; beta was never read."""
    empty.company("acme", "株式会社アクメ")
    empty.company("beta", "ベータ商事")
    shutil.copytree(two_loads, empty.folder / "store")
    return empty


def asked(world: ConsoleWorld, path: str, user: str = "yuki", status: int = 200, **form: str) -> str:
    """What a reader sees of the answer, without blanks between tags."""
    answer = world.browser(user).post(BASE + path, data=form | {"token": world.token(user)})
    assert answer.status_code == status, answer.text[:2000]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def looks(world: ConsoleWorld) -> list[dict[str, str]]:
    return [json.loads(world.store.read(name)) for name in world.store.files("console/audit")]


@pytest.mark.parametrize(
    ("text", "ids"),
    [("小鳥遊", ["3"]), ("44", ["44"]), ("4", ["44"]), ("P1@ACME", ["1"]), ("c2", ["2"]), ("nobody", []), ("  ", ["1", "2", "44", "5", "3"])],
)  # fmt: skip
def test_s4_people_are_found_by_a_form(world: ConsoleWorld, text: str, ids: list[str]) -> None:
    """S4: by id, old id, number, name, mail address and crew id; of each the kind and the reason."""
    answer = world.browser("yuki").post(BASE + SEARCH, data={"token": world.token("yuki"), "text": text})
    assert re.findall(r'<th scope="row">(\S+?)<', answer.text) == ids
    assert f"{len(ids)}人" in answer.text


def test_s4_a_list_is_narrowed_and_paged(world: ConsoleWorld) -> None:
    """S4: each kind with its count; a page holds a hundred."""
    shown = asked(world, SEARCH)
    for words in ("全員 5", "新規 1", "更新 1", "削除 2", "ID変更 1", "対象外 0", "誤り 0"):
        assert words in shown
    assert "小鳥遊" in asked(world, SEARCH, only="削除")
    assert "小鳥遊" not in asked(world, SEARCH, only="新規")
    day(world.store, 2, [person(n) for n in range(1, PAGE + 2)], until="diff")
    first, second = asked(world, SEARCH), asked(world, SEARCH, start=str(PAGE))
    assert "次の100人" in first
    assert "前の100人" in second
    asked(world, SEARCH, status=400, only="何か")
    asked(world, SEARCH, status=400, start="-1")
    asked(world, SEARCH, status=400, text="x" * 201)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1", "EMCに登録されています"),
        ("小鳥遊", "SmartHRの受信データにいなくなったため、EMCから削除しました"),
        ("3", "EMCに登録されていません（2026/04/03 13:30 から）"),
        ("4", "ID変更 4 → 44"),
        ("c2", "退職していない場合は、SmartHRの在籍状況を直してください"),
        ("5", "SmartHRで開く"),
    ],
)
def test_s4_why_somebody_is_or_is_not_in_emc(world: ConsoleWorld, text: str, says: str) -> None:
    """S4: one sentence, the eight steps with their remedies, what happened before."""
    shown = asked(world, WHY, text=text)
    assert says in shown
    steps = ("受信", "在籍", "ユーザID", "差分", "検査", "保留", "登録", "EMC")
    assert re.search(".*".join(f" {step} [✓✕–] " for step in steps), shown)


def test_s4_several_are_listed_and_nobody_is_said(world: ConsoleWorld) -> None:
    """S4, L8: of one name, each can be asked for; of none, how far was looked."""
    several = world.browser("yuki").post(BASE + WHY, data={"token": world.token("yuki"), "text": "山田"}).text
    assert "3人が当てはまります" in several
    assert re.findall(r'name="text" value="(c\d)"', several) == ["c1", "c2", "c4"]
    assert "過去の登録2回分の記録を見ました" in asked(world, WHY, text="nobody")


def test_s4_a_list_says_which_items_change(world: ConsoleWorld) -> None:
    """S4: of those who are updated, what EMC gets otherwise than it had; a value that is cleared too."""
    day(world.store, 2, [person(1, 姓="佐藤", 事業所=""), person(4, 社員番号="44"), person(6)], until="plan")
    shown = asked(world, SEARCH, text="c1")
    assert "更新 氏名、検索ワード1 詳しく見る" in shown
    assert "更新 詳しく見る" in asked(world, SEARCH, text="c4")
    assert "新規 詳しく見る" in asked(world, SEARCH, text="c6")


def test_s1_names_are_only_for_those_who_may_change_the_dag(world: ConsoleWorld) -> None:
    """S1: a viewer is refused and sees no way there; another company answers as none."""
    for path in (SEARCH, WHY):
        for method in ("GET", "POST"):
            form = {"token": world.token("ken"), "text": "小鳥遊"}
            answer = world.browser("ken").request(method, BASE + path, data=form if method == "POST" else None)
            assert answer.status_code == 403
            assert "小鳥遊" not in answer.text
        theirs = world.browser("yuki").get(BASE + path.replace("acme", "beta"))
        nobodys = world.browser("yuki").get(BASE + path.replace("acme", "nosuch"))
        assert (theirs.status_code, theirs.text) == (404, nobodys.text)
    assert "予定と社員を探す" not in world.browser("ken").get(f"{BASE}/dag/{dag('acme')}").text
    assert SEARCH in world.browser("yuki").get(f"{BASE}/dag/{dag('acme')}").text
    assert Right.EDIT not in world.door.rights["ken"]["acme"]
    assert looks(world) == []


def test_l6_a_look_is_noted_without_names_and_leaves_none_anywhere(
    world: ConsoleWorld, caplog: pytest.LogCaptureFixture
) -> None:
    """L6: who, when, which company and page; neither address, log nor record holds what was asked for or found."""
    caplog.set_level(logging.DEBUG)
    for path in (SEARCH, WHY):
        world.browser("yuki").get(BASE + path)  # names nobody
        assert "小鳥遊" not in world.browser("yuki").get(BASE + path).text
        asked(world, path, text="小鳥遊")
    noted = looks(world)
    assert [(one["by"], one["dag_id"], one["what"]) for one in noted] == [
        ("yuki", dag("acme"), "search"),
        ("yuki", dag("acme"), "person"),
    ]
    assert all(set(one) == {"at", "by", "dag_id", "what"} for one in noted)
    assert "小鳥遊" not in caplog.text + json.dumps(noted, ensure_ascii=False)


def test_l1_who_cannot_be_noted_is_shown_nothing(world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """L1: a store that takes no note gives no name."""

    def refuse(*_: object) -> None:
        raise StoreError("保存先に書き込めません。")

    monkeypatch.setattr(audit, "note", refuse)
    assert "小鳥遊" not in asked(world, SEARCH, status=503, text="小鳥遊")


def test_l8_a_company_that_was_never_read_says_so(world: ConsoleWorld) -> None:
    """L8: on both pages."""
    for path in (SEARCH, WHY):
        assert "まだありません" in asked(world, path.replace("acme", "beta"), "omar", text="1")


def test_names_are_text_and_no_markup(world: ConsoleWorld) -> None:
    """A name with tags in it is shown as it is."""
    for path in (SEARCH, WHY):
        answer = world.browser("yuki").post(BASE + path, data={"token": world.token("yuki"), "text": "5"})
        assert "&lt;b&gt;五&lt;/b&gt;" in answer.text
        assert "<b>五" not in answer.text
