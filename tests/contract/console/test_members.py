"""メンバー: who is reached where, 一括インポート with its preview, invitations that are shown once (N4, L2, L6, L7)."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest

from renkei import settings
from renkei.notifications.members.linking import Linking
from renkei.notifications.members.own import OwnEntries
from renkei.storage import records
from renkei.storage.audit import AuditEntry
from renkei.storage.database.database import open_database
from renkei.storage.tenant_folder import TenantFolder
from scripts.page_forms import field_of
from tests.contract.console.workplace_world import DAG as WORKPLACE
from tests.contract.console.workplace_world import WorkplaceWorld
from tests.contract.console.world import BASE, LINK, NOW, ConsoleWorld, body, dag, text_of

HERE = f"/dag/{dag('acme')}/members"
FILE = "ユーザID,LINE WORKS ID,SlackメンバーID\ne1,sato@acme,U012ABCDEF\ne2,suzuki@acme,\n"
LINE = "U" + "a" * 32
LOGIN = {"conn_type": "line_login", "login": "2000000002", "password": "0123456789abcdef"}


@pytest.fixture(autouse=True)
def own_database(world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RENKEI_DATABASE", raising=False)


def uploaded(world: ConsoleWorld, text: str = FILE, user: str = "yuki", status: int = 200) -> str:
    files = {"file": ("members.csv", text.encode(), "text/csv")}
    answer = world.browser(user).post(f"{BASE}{HERE}/import", data={"token": world.token(user)}, files=files)
    assert answer.status_code == status, text_of(answer.text)
    return answer.text


def sent(world: ConsoleWorld, path: str, user: str = "yuki", status: int = 303, **form: str) -> str:
    answer = world.browser(user).post(BASE + path, data={**form, "token": world.token(user)})
    assert answer.status_code == status, text_of(answer.text)
    return answer.text if status != 303 else str(answer.headers["location"])


def confirmed(world: ConsoleWorld, shown: str, status: int = 303, **form: str) -> str:
    given = {name: field_of(shown, name) for name in ("digest", "excel")}
    return sent(world, f"{HERE}/import/confirm", status=status, **given | form)


def linking(world: ConsoleWorld) -> Linking:
    return Linking(TenantFolder(world.store, LINK, "acme"))


def test_n4_a_line_link_is_undone_with_its_invitation(world: ConsoleWorld) -> None:
    """By who may edit the Dag, with a button that says what follows; whose it was stands in no address and no log."""
    confirmed(
        world,
        uploaded(
            world, FILE.replace("LINE WORKS ID", "LINEユーザID").replace("sato@acme", LINE).replace("suzuki@acme", "")
        ),
    )
    own = linking(world)
    own.members.link_line("e2", "U" + "b" * 32, now=NOW)
    own.members.link_line("e1", "U" + "c" * 32, now=NOW)
    own.invite(["e2"], 7, NOW)
    shown = text_of(body(world, HERE, "yuki"))
    assert shown.count("LINE連携を取り消す") == 2
    assert "もう一度連携するには、新しい招待が必要です" in shown
    sent(world, f"{HERE}/undo-line", "ken", 403, who="e2")
    assert sorted(own.members.line_links()) == ["e1", "e2"]
    page = sent(world, f"{HERE}/undo-line", who="e2")
    assert page.endswith("/members?undone=1")
    assert (sorted(own.members.line_links()), own.invited(NOW)) == (["e1"], {})
    assert "LINE連携を取り消しました。" in text_of(world.browser("yuki").get(page).text)
    page = sent(world, f"{HERE}/undo-line", who="e1")
    assert "インポートしたLINEユーザーIDが残っている" in text_of(world.browser("yuki").get(page).text)
    assert "本人が連携したLINEはありません" in text_of(sent(world, f"{HERE}/undo-line", status=409, who="e1"))
    looks = [records.read(world.store, key, AuditEntry) for key in world.store.files("console/audit")]
    assert [one.by for one in looks if one.what == "members undo line"] == ["yuki"] * 3


def test_n4_an_import_is_looked_at_before_it_is_taken_over(world: ConsoleWorld) -> None:
    shown = uploaded(world)
    assert "追加 2名 変更 0名 削除 0名 登録した後 2名" in text_of(shown)
    assert linking(world).members.imported().empty
    assert confirmed(world, shown).endswith("/members?saved=2")
    page = text_of(body(world, f"{HERE}?saved=2", "yuki"))
    assert "2名を登録しました。" in page
    assert "e1 ○ ○ – – – e2 ○ – – – –" in page
    again = uploaded(world, FILE.replace("suzuki", "suzuki2"))
    assert "追加 0名 変更 1名 削除 0名" in text_of(again)


def test_l6_marks_and_never_the_ids_stand_on_the_page(world: ConsoleWorld) -> None:
    confirmed(world, uploaded(world))
    shown = body(world, HERE, "yuki")
    assert not re.search(r"sato@acme|U012ABCDEF", shown)


def test_n4_one_of_many_is_found_and_so_are_those_who_lack_something(world: ConsoleWorld) -> None:
    """By the user id, which stands in no address (L6); and by what is not registered yet, page by page."""
    many = "ユーザID,LINE WORKS ID\n" + "".join(f"E{n:04},{f'u{n}@acme' if n > 150 else ''}\n" for n in range(300))
    confirmed(world, uploaded(world, many))
    found = text_of(sent(world, f"{HERE}/find", status=200, text=" e0123 "))
    assert "「e0123」: 1名" in found
    assert ("E0123 –" in found, "E0124" in found) == (True, False)
    assert "「x」: 0名" in text_of(sent(world, f"{HERE}/find", status=200, text="x"))
    assert "「e0」: 300名（はじめの100名を表示しています）" in text_of(
        sent(world, f"{HERE}/find", status=200, text="e0")
    )
    everybody = body(world, HERE, "yuki")
    assert "LINE WORKS ID 149名 未登録 151名" in text_of(everybody)
    lacking = body(world, f"{HERE}?lacks=lineworks_id&at=2", "yuki")
    assert "LINE WORKS IDが未登録: 151名" in text_of(lacking)
    assert "101～151 / 151名" in text_of(lacking)
    assert "members?at=1&amp;lacks=lineworks_id" in lacking
    assert "300名" in text_of(body(world, f"{HERE}?lacks=nothing", "yuki"))
    refused = sent(world, f"{HERE}/invite", status=409, kind="line", days="14", who="nobody")
    assert f'href="{BASE}{HERE}">メンバーに戻る' in refused


def test_l2_any_mistake_and_nothing_changes(world: ConsoleWorld) -> None:
    shown = text_of(uploaded(world, FILE + "e2,,slack\n", status=400))
    assert "ファイル.csv 4行目" in shown
    assert "まだ何も登録していません" in shown
    assert "同じです" in shown
    sent(world, f"{HERE}/import/confirm", status=409, digest="0" * 64)
    assert linking(world).members.imported().empty


def test_l7_webhooks_go_into_no_store_without_a_key(world: ConsoleWorld) -> None:
    """They are secrets: neither the table nor the file that waits for its confirmation."""
    url = "https://chat.googleapis.com/v1/spaces/AAAA/messages?key=K123456&token=T123456"
    assert "暗号化していない保存先には登録できません" in uploaded(
        world, f"ユーザID,Google Chat Webhook\ne1,{url}\n", status=409
    )
    assert not any("imports" in key for key in world.store.files(f"{LINK}/tenants/acme"))


def test_n4_what_was_not_shown_is_not_taken_over(world: ConsoleWorld) -> None:
    first = uploaded(world)
    uploaded(world, FILE.replace("e2", "e3"))
    assert "確認した後に変わりました" in confirmed(world, first, status=409)
    assert linking(world).members.imported().empty


def test_n4_that_many_would_go_is_asked_about(world: ConsoleWorld) -> None:
    many = "ユーザID\n" + "".join(f"e{n}\n" for n in range(10))
    confirmed(world, uploaded(world, many))
    few = uploaded(world, "ユーザID\ne1\ne2\n")
    assert "10名のうち8名の登録が消えます" in text_of(few)
    confirmed(world, few, status=409)
    assert len(linking(world).members.imported()) == 10
    few = uploaded(world, "ユーザID\ne1\ne2\n")
    confirmed(world, few, removing="1")
    assert len(linking(world).members.imported()) == 2


def test_n4_the_table_comes_as_a_file_that_is_taken_back(world: ConsoleWorld) -> None:
    confirmed(world, uploaded(world))
    for kind in ("csv", "xlsx"):
        answer = world.browser("yuki").get(f"{BASE}{HERE}.{kind}")
        assert (answer.status_code, "attachment" in answer.headers["content-disposition"]) == (200, True)
        files = {"file": (f"m.{kind}", answer.content)}
        again = world.browser("yuki").post(f"{BASE}{HERE}/import", data={"token": world.token("yuki")}, files=files)
        assert "追加 0名 変更 0名 削除 0名" in text_of(again.text)


def test_n4_line_is_invited_to_once_and_what_members_did_themselves_is_seen(
    world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    confirmed(world, uploaded(world))
    assert "招待していません" in sent(world, f"{HERE}/invite", status=409, kind="line", days="14")
    monkeypatch.setenv("AIRFLOW_CONN_LINE_LOGIN__ACME", json.dumps(LOGIN))
    linking(world).members.link_line("e2", LINE, now=NOW)
    text = sent(world, f"{HERE}/invite", status=200, kind="line", days="14")
    rows = list(csv.reader(io.StringIO(text.lstrip("\ufeff"))))
    assert [row[0] for row in rows] == ["ユーザID", "e1"]  # e2 has linked himself
    token = rows[1][1].rpartition("/")[2]
    assert linking(world).invitation(token).user_id == "e1"
    shown = body(world, HERE, "yuki")
    assert token not in shown
    assert "招待中 12/14(月) 10:00まで" in text_of(shown)
    assert "LINEユーザーID 11/30(月) 10:00に本人が登録" in text_of(shown)
    sent(world, f"{HERE}/invite", status=200, kind="line", days="14", who="e2")
    for form in ({"who": "nobody"}, {"kind": "my"}, {"days": "91"}, {"kind": "x"}):
        assert sent(world, f"{HERE}/invite", status=400 if form == {"days": "91"} else 409, **{"kind": "line", **form})


def test_s1_it_is_for_who_may_edit_and_comes_from_pages_of_ours(world: ConsoleWorld) -> None:
    for path in (HERE, f"{HERE}.csv"):
        body(world, path, "ken", 403)
        body(world, path.replace("acme", "beta"), "yuki", 404)
    for path in ("/find", "/import", "/import/confirm", "/invite"):
        files = {"file": ("m.csv", FILE.encode())} if path == "/import" else None
        for user, headers, token, status in (
            ("ken", {}, world.token("ken"), 403),
            ("yuki", {"Sec-Fetch-Site": "cross-site"}, world.token("yuki"), 403),
            ("yuki", {}, world.token("ken"), 403),
        ):
            answer = world.browser(user, **headers).post(f"{BASE}{HERE}{path}", data={"token": token}, files=files)
            assert answer.status_code == status
    body(world, f"{HERE}.exe", status=404)
    assert linking(world).members.imported().empty


@pytest.fixture
def workplace(place: Path) -> WorkplaceWorld:
    return WorkplaceWorld(place)


def test_n4_my_page_is_invited_to_where_the_link_has_one(workplace: WorkplaceWorld) -> None:
    """W2: by a file, one address each; what he registered is told without what it is."""
    here, found = f"/dag/{WORKPLACE}/members", Linking(workplace.services.knowledge.folder(WORKPLACE))
    found.members.replace(found.members.imported().reindex([0]).assign(user_id="e1").fillna(""))
    text = sent(workplace, f"{here}/invite", status=200, kind="my", days="14")
    token = text.strip().rpartition("/")[2]
    own = OwnEntries(open_database(settings.database_url()), found.folder)
    invited = own.invited(token)
    assert invited
    assert f"/renkei/my/acme/{token}" in text
    assert "招待中" in text_of(body(workplace, here, "yuki"))
    own.register(invited, "slack_member_id", "U012ABCDEF", NOW)
    shown = text_of(body(workplace, here, "yuki"))
    assert "SlackメンバーID 11/30(月) 10:00に本人が登録" in shown
    assert "U012ABCDEF" not in shown
