"""マイ情報: one member, by an invitation, sees and changes what is his, and of others nothing."""

from __future__ import annotations

import datetime as dt
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.routing import Mount
from starlette.testclient import TestClient

from renkei.channel import Service
from renkei.inbox import lease
from renkei.links.workplace_lineworks.sheet.mapping import CHANNELS
from renkei.notifications.members import own as own_module
from renkei.notifications.registration import webhook_fault
from renkei.orchestration.members import my_page
from renkei.orchestration.members.my_page import MyPageContext, slack_fault
from renkei.outbox.tables import State
from renkei.public import app
from tests.harness.workplace_events import AT, EventWorld, an_event

WEBHOOK = "https://chat.googleapis.com/v1/spaces/KATO/messages?key=k&token=kato-token"
OURS = "https://renkei.example.jp/renkei"


class MyWorld(EventWorld):
    """`browse` is a browser; `kato` has an invitation."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.invited: list[str] = []
        self.token = self.own.invite(["kato"], 7, AT)["kato"]
        mine = my_page.build(lambda tenant: [self.surroundings()] if tenant == "acme" else [], lambda: OURS, self._now)
        self.browser = TestClient(app.build([Mount("/my", app=mine)], lambda: None), OURS.removesuffix("/renkei"))

    def _now(self) -> dt.datetime:
        return self.now

    def surroundings(self) -> MyPageContext:
        return MyPageContext(
            own=self.own,
            outbox=self.outbox,
            database=self.database,
            channels=CHANNELS,
            company="Acme",
            slack_fault=slack_fault,
            webhook_fault=lambda url: webhook_fault(Service.GOOGLE_CHAT, url),
            line_invitation=lambda user: self.invited.append(user) or f"{OURS}/line/acme/token",  # type: ignore[func-returns-value]
        )

    def get(self, token: str = "", tenant: str = "acme") -> tuple[int, str]:
        answer = self.browser.get(f"/renkei/my/{tenant}/{token or self.token}")
        return answer.status_code, answer.text

    def post(self, action: str, value: str = "", token: str = "", site: str = "same-origin") -> tuple[int, str]:
        answer = self.browser.post(
            f"/renkei/my/acme/{token or self.token}",
            data={"action": action, "value": value},
            headers={"Sec-Fetch-Site": site},
            follow_redirects=False,
        )
        return answer.status_code, answer.text if answer.status_code != 303 else answer.headers["location"]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MyWorld]:
    monkeypatch.setattr(lease, "LASTS_S", 1000.0)
    for limit in ("CHANGES_PER_S", "TESTS_PER_S"):  # however long a test takes, nothing is allowed again
        monkeypatch.setattr(my_page, limit, 1e-9)
    found = MyWorld(tmp_path)
    with found.leases:
        yield found
        found.worker.close()


def test_w2_a_member_registers_what_is_his_and_the_next_event_reaches_him_there(world: MyWorld) -> None:
    """With a test at once, whose outcome the page shows."""
    status, text = world.get()
    assert status == 200
    assert text.count("<strong>未登録</strong>") == 3
    assert [world.post("slack", " U0KATO ")[0], world.post("google_chat", WEBHOOK)[0]] == [200, 200]
    world.all_sent()
    assert [(to, message.title) for to, message in world.told["slack"].sent] == [
        ("U0KATO", "【テスト】通知の受け取りの確認")
    ]
    text = world.get()[1]
    assert text.count("<strong>登録済み</strong>") == 3  # with LINE WORKS
    assert text.count("サービスが受け付けました") == 2
    assert "末尾 …KATO、2026-04-01 に自分で登録" in text
    assert "kato-token" not in text
    world.push(an_event(recipients=["kato"]))
    world.all_sent()
    assert [world.told[channel].sent[-1][0] for channel in ("slack", "google_chat")] == ["U0KATO", WEBHOOK]


def test_w2_his_own_entry_counts_until_he_takes_it_back(world: MyWorld) -> None:
    """An import of the administrator's file changes nothing of it."""
    world.post("slack", "U0OWN")
    world.register(kato={"slack_member_id": "U0FILE"})
    member = world.own.find("kato")
    assert member is not None
    assert member.slack_member_id == "U0OWN"
    assert "自分の登録を消しました" in world.post("slack-clear")[1]
    member = world.own.find("kato")
    assert member is not None
    assert member.slack_member_id == "U0FILE"


@pytest.mark.parametrize(
    ("action", "value", "said"),
    [
        ("slack", "", "SlackのメンバーIDを入力してください"),
        ("slack", "kato@example.jp", "SlackのメンバーIDの形"),
        ("slack", "C012ABCDEF", "SlackのメンバーIDの形"),
        ("slack", "U0SATO", "このIDは登録できません"),  # who has it is not said
        ("google_chat", "https://evil.example/v1/spaces/x/messages?key=k&token=t", "Google Chat"),
        ("google_chat", "https://chat.googleapis.com/v1/spaces/x", "途中で切れている"),
        ("google_chat", "http://169.254.169.254/", "Google Chat"),
    ],
)
def test_what_is_no_registration_of_his_is_refused_beside_its_field(
    world: MyWorld, action: str, value: str, said: str
) -> None:
    status, text = world.post(action, value)
    assert (status, world.own.of("kato")) == (400, {})
    assert said in text
    assert 'role="alert"' in text
    assert "sato" not in text
    assert world.outbox.next() == {}


def test_two_members_cannot_have_one_slack_account(world: MyWorld) -> None:
    other = world.own.invite(["sato"], 7, AT)["sato"]
    assert world.post("slack", "U0BOTH")[0] == 200
    assert world.post("slack", "U0BOTH", token=other)[0] == 400


def test_w6_line_is_linked_on_its_own_pages(world: MyWorld) -> None:
    assert world.post("line") == (303, f"{OURS}/line/acme/token")
    assert world.invited == ["kato"]


def test_s5_only_what_the_invitation_allows_and_only_until_its_end(world: MyWorld) -> None:
    """An unknown one, another tenant's and a former member's answer alike; a newer one makes it void."""
    unknown = [world.get("x" * 43), world.get(tenant="other"), world.get("../../etc"), world.get(tenant="A__B")]
    assert [status for status, _ in unknown] == [404] * 4
    world.now += dt.timedelta(days=7)
    assert world.get()[0] == 410
    assert world.post("slack", "U0LATE")[0] == 410
    world.now = AT
    newer = world.own.invite(["kato"], 7, AT)["kato"]
    assert (world.get()[0], world.get(newer)[0]) == (404, 200)
    world.own.withdraw("kato", AT)
    assert world.get(newer)[0] == 410
    token = world.own.invite(["kato"], 7, AT)["kato"]
    world.register(sato={})
    assert world.get(token) == unknown[0]
    assert own_module.forget(world.database, AT + dt.timedelta(days=30)) == 0
    assert own_module.forget(world.database, AT + dt.timedelta(days=38)) == 1


def test_a_button_of_another_page_changes_nothing(world: MyWorld) -> None:
    assert world.post("slack", "U0EVIL", site="cross-site")[0] == 403
    answer = world.browser.post(f"/renkei/my/acme/{world.token}", data={"action": "slack", "value": "U0EVIL"})
    assert (answer.status_code, world.own.of("kato")) == (403, {})
    for action in ("", "lineworks", "slack-x", "unknown"):
        assert world.post(action, "x")[0] == 400
    assert world.browser.post(f"/renkei/my/acme/{world.token}", content=b"x" * 9_000).status_code == 413


def test_nobody_is_flooded_with_tests_nor_we_with_changes(world: MyWorld) -> None:
    for _ in range(10):
        world.post("test")
    assert len(world.outbox.listed(State.WAITING, most=99, purpose="test")) == my_page.TESTS_AT_ONCE
    found = [world.post("slack-clear")[0] for _ in range(20)]
    assert found[:10] == [200] * 10
    assert found[10:] == [429] * 10


def test_l7_the_address_is_in_no_log_and_the_page_allows_no_script(
    world: MyWorld, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    world.post("google_chat", WEBHOOK)
    answer = world.browser.get(f"/renkei/my/acme/{world.token}")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "<script" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    ours = " ".join(entry.getMessage() for entry in caplog.records if entry.name.startswith(("renkei", "uvicorn")))
    assert "channel=google_chat registered" in ours
    assert not any(word in ours for word in (world.token, "kato", "token="))
    labels = set(re.findall(r'<label for="([^"]+)"', answer.text))
    assert labels == set(re.findall(r'<input id="([^"]+)"', answer.text)) != set()
