"""お客様ページへの招待 on the console: made with a reason, shown once, listed, revoked (S1, S5)."""

from __future__ import annotations

import datetime as dt
import logging
import re
from typing import Any

import pytest
from httpx import Response

from renkei.orchestration.public.inviting import invitations
from renkei.storage import once, records
from renkei.storage.audit import AuditEntry
from renkei.storage.versions import Origin
from renkei.web.customer.invitations import CustomerRight, Invitation
from renkei.web.tenant_sheet import Actor
from scripts.page_forms import field_of
from tests.contract.console.world import BASE, LINK, NOW, RUN_ID, ConsoleWorld, body, dag, text_of

PAGE = f"/dag/{dag('acme')}/invitations"
GIVEN = {"label": "総務部 ご担当者様", "reason": "シートの提出", "days": "7", "allows": "sheet"}


def invite(world: ConsoleWorld, user: str = "yuki", path: str = PAGE, **form: str) -> Response:
    return world.browser(user).post(
        BASE + path, data={"token": world.token(user), "once": once.new(NOW)} | GIVEN | form
    )


def link_in(answer: Response) -> str:
    found = re.search(r'value="(http[^"]+)"', answer.text)
    assert found, text_of(answer.text)
    return found[1]


def listed(tenant: str = "acme") -> list[Invitation]:
    return invitations().listed(LINK, tenant)


def audit_lines(world: ConsoleWorld) -> list[Any]:
    folder = f"console/audit/{NOW.date()}"
    return [records.read(world.store, f"{folder}/{name}", AuditEntry) for name in world.store.names(folder)]


def test_s5_the_link_is_shown_once_and_lets_its_company_in(
    world: ConsoleWorld, caplog: pytest.LogCaptureFixture
) -> None:
    """Its token stands behind `#`, which no browser sends; nothing of it, nor of for whom it is, is in a log."""
    with caplog.at_level(logging.DEBUG):
        answer = invite(world)
    assert answer.status_code == 200
    page, _, token = link_in(answer).partition("#")
    assert page.endswith("/renkei/customer/enter")
    assert answer.headers["Cache-Control"] == "no-store"
    entered = invitations().enter(token, NOW)
    assert entered
    assert (entered[0].invitation.tenant, entered[0].invitation.allows) == ("acme", {CustomerRight.SHEET})
    shown = body(world, PAGE, "yuki")
    assert token not in shown
    assert "総務部 ご担当者様" in shown
    assert "使用中" in shown
    assert token not in caplog.text
    assert "ご担当者様" not in caplog.text
    assert [(one.by, one.dag_id, one.what) for one in audit_lines(world)] == [("yuki", dag("acme"), "invite")]


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"label": ""}, "「だれに」と「理由」"),
        ({"reason": " "}, "「だれに」と「理由」"),
        ({"label": "kato@example.jp"}, "メールアドレスは書かない"),
        ({"reason": "kato＠example.jp が希望"}, "メールアドレスは書かない"),
        ({"days": "400"}, "有効期間"),
        ({"days": ""}, "有効期間"),
        ({"allows": "everything"}, "「できること」"),
        ({"label": "あ" * 61}, "読み取れません"),
    ],
)
def test_what_is_no_invitation_is_refused_beside_what_was_given(
    world: ConsoleWorld, form: dict[str, str], said: str
) -> None:
    answer = invite(world, **form)
    assert answer.status_code == 400
    assert said in text_of(answer.text)
    assert listed() == []


def test_s5_who_reloads_the_page_of_an_invitation_makes_no_second_one(world: ConsoleWorld) -> None:
    """Nor who presses twice: both see the same link. Another form, or somebody else's, is another invitation."""
    form = once.new(NOW)
    first, again = invite(world, once=form), invite(world, once=form)
    assert link_in(first) == link_in(again)
    assert len(listed()) == 1
    assert invite(world, once=form, label="経理部").status_code == 409
    assert "開いてから時間がたった" in invite(world, once=once.new(NOW - dt.timedelta(days=7))).text
    assert len(listed()) == 1
    assert link_in(invite(world, "omar", once=form)) != link_in(first)
    drawn = field_of(body(world, PAGE, "yuki"), "once")
    assert link_in(invite(world, once=drawn)) != link_in(first)
    assert len(listed()) == 3
    world.browser("yuki").post(f"{BASE}{PAGE}/1/revoke", data={"token": world.token("yuki")})
    assert "既に招待1を作りました" in invite(world, once=form).text


def test_s5_revoked_is_void_and_says_by_whom(world: ConsoleWorld) -> None:
    token = link_in(invite(world)).partition("#")[2]
    entered = invitations().enter(token, NOW)
    assert entered
    answer = world.browser("yuki").post(f"{BASE}{PAGE}/1/revoke", data={"token": world.token("yuki")})
    assert answer.status_code == 303
    assert invitations().session(entered[1], NOW) is None
    assert "取り消し" in body(world, PAGE, "yuki")
    again = world.browser("yuki").post(f"{BASE}{PAGE}/1/revoke", data={"token": world.token("yuki")})
    assert again.status_code == 409
    assert [one.what for one in audit_lines(world)] == ["invite", "invitation revoked 1", "invitation revoked 1"]


def test_s1_only_who_may_edit_the_company_invites(world: ConsoleWorld) -> None:
    invite(world)
    for user, path, status in (("ken", PAGE, 403), ("yuki", PAGE.replace("acme", "beta"), 404)):
        assert invite(world, user, path).status_code == status
        assert world.browser(user).get(BASE + path).status_code == status
        sent = world.browser(user).post(f"{BASE}{path}/1/revoke", data={"token": world.token(user)})
        assert sent.status_code == status
    assert world.browser("yuki").post(BASE + PAGE, data=GIVEN).status_code == 403, "no token of the form"
    assert (len(listed()), listed("beta")) == (1, [])
    assert listed()[0].revoked_at is None


def test_s1_who_may_not_change_the_connection_invites_nobody_to_connect(world: ConsoleWorld) -> None:
    """A customer's grant stands in for the Connection `smarthr__acme`."""
    world.door.register = set()
    assert "SmartHRの接続" not in body(world, PAGE, "yuki")
    assert invite(world, allows="connection").status_code == 400
    world.door.register = {"yuki"}
    assert "SmartHRの接続" in body(world, PAGE, "yuki")
    assert invite(world, allows="connection").status_code == 200
    assert [one.allows for one in listed()] == [{CustomerRight.CONNECTION}]


def test_a_customers_upload_is_shown_to_the_operator_until_he_has_decided(world: ConsoleWorld) -> None:
    page, content = f"/dag/{dag('acme')}", (world.sheets / "acme.yaml").read_bytes() + b"\n"
    invite(world)
    sheet = world.services.sheets.of(dag("acme"))
    assert "確認を待っています" not in body(world, page, "yuki")
    number = sheet.keep(content, "新しい.yaml", Origin.CUSTOMER, Actor("invitation 1", "総務部"), NOW)
    shown = body(world, page, "yuki")
    assert "お客様がアップロードしたシートが、確認を待っています" in shown
    assert f"/sheets/{number}" in shown
    assert "確認を待っています" not in body(world, page, "ken")
    sheet.enable(number, sheet.file().digest, Actor("yuki", "結城"), "確認した", NOW)
    assert "確認を待っています" not in body(world, page, "yuki")


def test_s2_a_customers_upload_with_errors_is_said_to_have_some(world: ConsoleWorld) -> None:
    """Once somebody, or the watch, has looked: on the company's page and in the list of versions."""
    page = f"/dag/{dag('acme')}"
    invite(world)
    sheet = world.services.sheets.of(dag("acme"))
    number = sheet.keep(b"[", "x.yaml", Origin.CUSTOMER, Actor("invitation 1", "総務部"), NOW)
    body(world, f"{page}/sheets/{number}", "yuki")
    shown = text_of(body(world, page, "yuki"))
    assert re.search(
        "お客様がアップロードしたシートに、誤りが[1-9][0-9]*件あります。お客様の修正を待っています。", shown
    )
    assert "確認を待っています" not in shown
    assert "下書き 誤り " in text_of(body(world, f"{page}/sheets", "yuki"))


def test_its_history_stands_among_the_companys_runs(world: ConsoleWorld) -> None:
    """For those who may edit; for whom it was is on its own page alone."""
    token = link_in(invite(world)).partition("#")[2]
    invitations().enter(token, NOW)
    for path in (f"/dag/{dag('acme')}", f"/dag/{dag('acme')}/runs"):
        shown = text_of(body(world, path, "yuki"))
        assert "お客様ページの招待1を作成（yukiさん）" in shown
        assert "お客様ページの招待1が初めて使われました" in shown
        assert "ご担当者様" not in shown
        assert "お客様ページの招待1" not in body(world, path, "ken")
    assert "お客様ページの招待" not in body(world, f"/dag/{dag('beta')}/runs", "omar")
    assert RUN_ID in body(world, f"/dag/{dag('acme')}/runs", "yuki").replace("%3A", ":").replace("%2B", "+")
