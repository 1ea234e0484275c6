"""A sheet looked at before it is used: with its neighbours, with SmartHR's custom fields, and on a day (E17, E24, E27)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from renkei.errors import Problem
from renkei.links.smarthr_emc.sheet import SHEETS
from renkei.links.smarthr_emc.sheet import review as module
from renkei.links.smarthr_emc.sheet.review import Review
from renkei.sheets.bounded import Compiler
from renkei.sheets.grants import Grants
from renkei.sheets.load import load, load_all

COMPILER = Compiler(SHEETS)  # one for all of these tests
SHEET = """
smarthr_url: https://{tenant}.smarthr.jp
result_addresses: [soumu@acme.example.jp]
link_start_on: 2026-04-01
id_prefix: '{prefix}'
emc_account: '{account}'
departments: {{yomi: ブショ}}
users:
  - {{item: ユーザID, source: 社員番号}}
  - {{item: パスワード, source: 秘密:first__acme}}
  - {{item: 氏名, source: 氏名}}
  - {{item: 氏名(ヨミ), source: 氏名(ヨミガナ)}}
  - {{item: 緊急連絡1 媒体, source: 固定値「メールアドレス」}}
  - {{item: 緊急連絡1 アドレス, source: メールアドレス}}
  - {{item: '検索ワード1:勤務形態', source: カスタム項目:勤務形態 or 雇用形態}}
"""
review = partial(module.review, grants=Grants(frozenset({"group"})), compiler=COMPILER)
URL, PREFIX, ACCOUNT = "acme.yaml smarthr_url", "acme.yaml id_prefix", "acme.yaml emc_account"


@pytest.fixture(scope="module", autouse=True)
def ended() -> Iterator[None]:
    with COMPILER:
        yield


def write(folder: Path, tenant: str, prefix: str = "", account: str = "group", text: str = SHEET) -> Path:
    path = folder / f"{tenant}.yaml"
    path.write_text(text.format(tenant=tenant, prefix=prefix, account=account), encoding="utf-8")
    return path


def texts(problems: tuple[Problem, ...]) -> list[str]:
    return [f"{problem.found} {problem.remedy}" for problem in problems]


def with_neighbours(tmp_path: Path, mine: str, *others: tuple[str, str, str]) -> Review:
    """acme with the prefix `mine`, beside tenants with a prefix and an account."""
    path = write(tmp_path, "acme", mine)
    return review(path, "acme", neighbours=[path, *(write(tmp_path, *other) for other in others)])


def test_e15_a_sound_sheet_is_what_airflow_loads(tmp_path: Path) -> None:
    """E15: the mapping, problems and warnings are those of `load`; the content is the file's."""
    path = write(tmp_path, "acme", "ac-")

    found, loaded = review(path, "acme"), load(SHEETS, path, "acme")

    assert found.mapping == loaded.mapping is not None
    assert (found.problems, found.warnings) == (loaded.problems, loaded.warnings) == ((), ())
    assert found.content == path.read_bytes()


@pytest.mark.parametrize("name", ["none.yaml", "none.xlsx", "folder.xlsx"])
def test_l5_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path, name: str) -> None:
    """L5: nothing is raised for what is or is not there."""
    (tmp_path / "folder.xlsx").mkdir()
    found = review(tmp_path / name, "acme", neighbours=[tmp_path / "gone.xlsx"], templates=[])
    assert found.mapping is None
    assert [problem.where for problem in found.problems] == [name]
    assert found.content == b""


def test_l5_a_broken_sheet_is_compared_all_the_same(tmp_path: Path) -> None:
    """L8: what is wrong with a sheet alone does not hide what is wrong beside its neighbours and SmartHR."""
    path = write(tmp_path, "acme", "ac-", text=SHEET.replace("source: 氏名}", "source: 指名}"))

    found = review(path, "acme", neighbours=[write(tmp_path, "beta", "ac-")], templates=["勤務場所"])

    assert found.mapping is None
    assert [problem.where for problem in found.problems] == ["acme.yaml users[2].source", "acme.yaml users[6].source"]
    assert [warning.where for warning in found.beside] == [PREFIX]


@pytest.mark.parametrize(
    ("mine", "others", "where", "words"),
    [
        ("ac-", [("beta", "ac-", "group")], PREFIX, ["同じEMCアカウント「group」の「beta」と同じです"]),
        ("ac-", [("beta", "ac", "group")], PREFIX, ["「beta:ac」は、片方がもう片方の先頭"]),
        ("ac", [("beta", "ac-", "group")], PREFIX, ["「beta:ac-」は、片方がもう片方の先頭"]),
        ("ac-", [("beta", "", "group")], PREFIX, ["「beta:空白」は"]),
        ("", [("beta", "", "group")], ACCOUNT, ["ID付与コード(空白)が"]),
        ("ac-", [(f"beta{n}", "ac-", "group") for n in range(7)], PREFIX, ["「beta4」ほか2社"]),
    ],
)
def test_e27_prefixes_that_begin_each_other_are_warned_of(
    tmp_path: Path, mine: str, others: list[tuple[str, str, str]], where: str, words: list[str]
) -> None:
    """E24, E27: in one EMC account, at the cell of ID付与コード or, without one, of EMCアカウント."""
    found = with_neighbours(tmp_path, mine, *others)

    assert found.mapping is not None
    assert [warning.where for warning in found.beside] == [where] * len(words)
    assert found.warnings == ()
    for warning, word in zip(found.beside, words, strict=True):
        assert word in warning.found


@pytest.mark.parametrize(
    "others", [[("beta", "be-", "group")], [("beta", "ac-", "other"), ("gamma", "", "")], [("acme", "ac-", "group")]]
)
def test_e27_neighbours_that_do_not_clash_are_not_mentioned(tmp_path: Path, others: list[tuple[str, str, str]]) -> None:
    """E27: another prefix, another account, and the sheet itself."""
    assert with_neighbours(tmp_path, "ac-", *others).beside == ()


def test_e24_one_smarthr_linked_twice_to_an_account_is_warned_of(tmp_path: Path) -> None:
    """E24: everybody would be there twice; an operator's stand-in may serve several tenants."""
    path = write(tmp_path, "acme", "ac-")
    same = write(tmp_path, "beta", "be-", text=SHEET.replace("{tenant}.smarthr", "ACME.smarthr"))
    assert [warning.where for warning in review(path, "acme", neighbours=[same]).beside] == [URL]

    local = SHEET.replace("https://{tenant}.smarthr.jp", "http://127.0.0.1:8181")
    path, same = write(tmp_path, "acme", "ac-", text=local), write(tmp_path, "beta", "be-", text=local)
    assert review(path, "acme", neighbours=[same], allowed_hosts=("127.0.0.1",)).beside == ()


def test_e27_a_broken_neighbour_is_counted_and_not_named_where_an_account_is_shared(tmp_path: Path) -> None:
    """E27: its prefix is not known, so nothing was compared."""
    (broken := tmp_path / "beta.yaml").write_text("x", encoding="utf-8")

    (warning,) = review(write(tmp_path, "acme", "ac-"), "acme", neighbours=[broken]).beside

    assert (warning.where, "シート1件に誤り" in warning.found) == (ACCOUNT, True)
    assert "beta" not in str(warning)  # a marked copy goes to a customer, who need not know the others
    assert review(write(tmp_path, "acme", "ac-", ""), "acme", neighbours=[broken]).beside == ()


def test_l5_a_second_file_of_the_tenant_is_a_problem(tmp_path: Path) -> None:
    """L5: with two files Airflow uses neither; the file itself is no second one."""
    path = write(tmp_path, "acme", "ac-")
    twin = tmp_path / "acme.xlsx"
    twin.write_bytes(b"x")

    found = review(path, "acme", neighbours=[path, twin])

    assert not found.usable
    assert found.problems == ()  # a customer's copy is not the place
    assert [problem.where for problem in found.misplaced] == ["acme.yaml"]
    assert "acme.xlsx" in found.misplaced[0].found


def test_e27_a_neighbour_is_read_once_and_again_when_it_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand sheets beside each other are a thousand readings, not a million."""
    path, other = write(tmp_path, "acme", "ac-"), write(tmp_path, "beta", "be-")
    read = []
    monkeypatch.setattr(
        module, "load_all", lambda kind, files, *rest: read.extend(files) or load_all(kind, files, *rest)
    )
    for _ in range(3):
        assert review(path, "acme", neighbours=[other]).beside == ()
    assert [file.path for file in read] == [other]

    write(tmp_path, "beta", "ac-changed")

    assert len(review(path, "acme", neighbours=[other]).beside) == 1


@pytest.mark.parametrize(
    ("templates", "words"),
    [
        (["勤務形態", "資格"], []),
        ([" 勤務形態 "], []),
        (["勤務形体", "資格"], ["SmartHRにありません", "「勤務形体」「資格」です。使う項目を"]),
        (["勤務 形態"], ["SmartHRにありません", "「カスタム項目:勤務 形態」と、"]),
        (["資格"], ["SmartHRにありません", "「資格」です。使う項目を"]),
        ([], ["SmartHRにありません", "1つもありません"]),
        ([f"項目{n}" for n in range(30)], ["SmartHRにありません", "など30個です"]),
        (["勤務形態", "勤務形態"], ["2つあり", "どちらかの項目の名前を変えて"]),
    ],
)
def test_e17_a_custom_field_that_smarthr_lacks_is_named_at_its_cell(
    tmp_path: Path, templates: list[str], words: list[str]
) -> None:
    """E17: as the read would refuse it, but with the cell and the nearest name."""
    found = review(write(tmp_path, "acme"), "acme", templates=templates)

    assert [problem.where for problem in found.problems] == (["acme.yaml users[6].source"] if words else [])
    for word in words:
        assert word in texts(found.problems)[0]


def test_e1_the_start_is_looked_at_only_with_a_day(tmp_path: Path) -> None:
    """E1: no clock decides but the caller's."""
    path = write(tmp_path, "acme")

    assert review(path, "acme").warnings == ()
    (warning,) = review(path, "acme", today=dt.date(2025, 3, 1)).warnings
    assert warning.where == "acme.yaml link_start_on"


def test_l5_a_customers_copy_tells_nothing_of_other_companies(tmp_path: Path) -> None:
    """L5: whatever is wrong beside a sheet, what its customer is shown is what it would be alone."""
    path = write(tmp_path, "acme", "ac-")
    others = [
        write(tmp_path, "beta", "ac-"),
        write(tmp_path, "gamma", "ac"),
        write(tmp_path, "delta", "d-", text=SHEET.replace("{tenant}.smarthr", "acme.smarthr")),
    ]
    (broken := tmp_path / "omega.yaml").write_text("x", encoding="utf-8")
    (twin := tmp_path / "acme.xlsx").write_bytes(b"x")

    alone, among = review(path, "acme"), review(path, "acme", neighbours=[path, *others, broken, twin])

    assert (among.problems, among.warnings) == (alone.problems, alone.warnings)
    assert len(among.beside) == 4
    assert len(among.misplaced) == 1


def test_e17_custom_fields_are_looked_for_in_a_sheet_with_other_mistakes(tmp_path: Path) -> None:
    """L8: a policy word that cannot be read hides no custom field that there is not."""
    line = "{{item: '検索ワード1:勤務形態', source: カスタム項目:勤務形態 or 雇用形態"
    path = write(tmp_path, "acme", "ac-", text=SHEET.replace(line, f"{line}, on_create: {{{{when_blank: NO}}}}"))

    found = review(path, "acme", templates=["資格"])

    assert found.smarthr_url == "https://acme.smarthr.jp"
    assert [problem.where for problem in found.problems] == [
        "acme.yaml users[6].on_create.when_blank",
        "acme.yaml users[6].source",
    ]


@pytest.mark.parametrize("broken", [False, True], ids=["sound", "broken"])
def test_e41_what_the_tenant_has_no_right_to_is_a_problem_at_its_cell(tmp_path: Path, broken: bool) -> None:
    """In the first round, whatever else is wrong with the sheet."""
    text = SHEET.replace("first__acme", "smarthr__beta").replace("{account}", "beta")
    text += "notifications:\n  - {{name: 店長会, service: SLACK_WEBHOOK, connection: slack_all}}\n"
    path = write(tmp_path, "acme", text=text.replace("source: 氏名}", "source: 指名}") if broken else text)
    found = module.review(path, "acme")
    assert found.mapping is None
    refused = {problem.where for problem in found.problems if "許可されていません" in problem.found}
    assert refused == {ACCOUNT, "acme.yaml users[1].source", "acme.yaml notifications[0].connection"}
