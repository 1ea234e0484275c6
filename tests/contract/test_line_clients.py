"""The clients of LINE, LINE Login and LINE WORKS against the simulated services (N1, N4, N5)."""

from __future__ import annotations

import re
import time
import uuid
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from renkei.systems import chat as chat_module
from renkei.systems.delivery import Delivery, Message, Verdict
from renkei.systems.line.client import LineMessenger
from renkei.systems.line.login import UNPROVEN, USED_UP, LineLogin, LineLoginError
from renkei.systems.lineworks.auth import LineWorksCredentials
from renkei.systems.lineworks.client import LineWorksBot
from renkei.systems.pkce import pkce
from scripts.page_forms import field_of
from tests.harness.chat import Chat
from tests.harness.patience import within

MESSAGE = Message("連携が失敗しました 𠮷😀", ("部署 3件", "社員 0件"), "https://airflow.example.jp/runs/1")
SHOWN = "連携が失敗しました 𠮷😀\n部署 3件\n社員 0件\n実行結果を開く: https://airflow.example.jp/runs/1"
LONG = Message("題", tuple("部署😀" * 20 for _ in range(300)), "https://airflow.example.jp/runs/1")
BACK = "http://127.0.0.1:8080/renkei/line/callback"


def key() -> str:
    return str(uuid.uuid4())


def texts(chat: Chat, service: str) -> list[str]:
    return [message["text"] for message in chat.messages(service)]


# LINE


def line(chat: Chat, token: str | None = None) -> LineMessenger:
    given = chat.registrations["line"]
    return LineMessenger(token or given["token"], given["base_url"])


def friend(chat: Chat) -> str:
    return str(chat.registrations["line"]["friends"][0])


def test_n1_line_message_arrives(chat: Chat) -> None:
    """N1: whole, with the id that LINE gave it."""
    delivery = line(chat).send(MESSAGE, friend(chat), key())
    [received] = chat.messages("line")
    assert (delivery.verdict, delivery.status) == (Verdict.ACCEPTED, 200)
    assert delivery.message_id == received["raw"]["id"]
    assert received["text"] == SHOWN


def test_n1_line_takes_the_longest_message(chat: Chat) -> None:
    """N1: 5,000 UTF-16 units."""
    assert line(chat).send(LONG, friend(chat), key()).accepted
    assert texts(chat, "line")[0].endswith(LONG.link)


def test_n1_line_message_whose_answer_was_lost_arrives_once(chat: Chat) -> None:
    """N1: LATER, and the repetition with the same key is told that the first was accepted."""
    same = key()
    chat.fault(service="line", kind="drop_after")
    first = line(chat).send(MESSAGE, friend(chat), same)
    second = line(chat).send(MESSAGE, friend(chat), same)
    assert (first.verdict, second.verdict, second.status) == (Verdict.LATER, Verdict.ACCEPTED, 409)
    assert re.fullmatch(r"[0-9a-f-]{36}", second.message_id)
    assert texts(chat, "line") == [SHOWN]


@pytest.mark.parametrize("status", [500, 502, 503])
def test_n1_line_in_trouble_is_asked_once_and_again_later(chat: Chat, status: int) -> None:
    """N1: the fault is played once; a hidden repetition would get through."""
    chat.fault(service="line", kind="status", status=status)
    assert line(chat).send(MESSAGE, friend(chat), key()).verdict is Verdict.LATER
    assert texts(chat, "line") == []


def test_n1_line_monthly_limit_and_rate_limit_differ(chat: Chat) -> None:
    """N1: the one is over for this month, the other in a moment."""
    chat.sim("POST", "line", {"quota": 0})
    month = line(chat).send(MESSAGE, friend(chat), key())
    chat.sim("POST", "line", {"quota": None, "limited": True})
    moment = line(chat).send(MESSAGE, friend(chat), key())
    assert (month.verdict, month.dead, moment.verdict) == (Verdict.REFUSED, False, Verdict.LATER)
    assert "今月の送信数の上限" in month.reason


def test_n1_n5_line_void_token_is_dead(chat: Chat) -> None:
    """N1, N5: at a message and at a check, which sends nothing."""
    assert line(chat).check() == Delivery(Verdict.ACCEPTED, 200)
    chat.sim("POST", "line", {"token_valid": False})
    for delivery in (line(chat).check(), line(chat).send(MESSAGE, friend(chat), key())):
        assert (delivery.verdict, delivery.status, delivery.dead) == (Verdict.REFUSED, 401, True)
        assert re.search(r"Authentication failed.* \(x-line-request-id: [0-9a-f-]{36}\)$", delivery.reason)
    assert chat.messages("line") == []


def test_n5_line_says_which_part_of_a_request_is_wrong(chat: Chat) -> None:
    """N5: LINE's list of faults is in the reason."""
    delivery = line(chat).send(Message(" "), friend(chat), key())
    assert (delivery.verdict, delivery.status, delivery.dead) == (Verdict.REFUSED, 400, False)
    assert "messages[0].text: May not be empty" in delivery.reason


# LINE WORKS


def credentials(chat: Chat) -> LineWorksCredentials:
    given = chat.registrations["lineworks"]
    names = ("client_id", "client_secret", "service_account", "private_key", "bot_id")
    return LineWorksCredentials(*(given[name] for name in names))


def works(chat: Chat, **changed: str) -> LineWorksBot:
    return LineWorksBot(replace(credentials(chat), **changed), chat.registrations["lineworks"]["base_url"])


def member(chat: Chat) -> str:
    return str(chat.registrations["lineworks"]["users"][0])


def test_n1_n4_lineworks_message_arrives_by_id_address_and_room(chat: Chat) -> None:
    """N1, N4: the three ways to name a place."""
    room = chat.registrations["lineworks"]["channels"][0]
    sender = works(chat)
    for to in (member(chat), "sato@acme.example", f"channel:{room}"):
        assert sender.send(MESSAGE, to, key()) == Delivery(Verdict.ACCEPTED, 201)
    assert texts(chat, "lineworks") == [SHOWN] * 3
    assert [message["place"] for message in chat.messages("lineworks")] == [
        "佐藤 花子",
        "佐藤 花子",
        "人事システム連携",
    ]


def test_n1_lineworks_takes_the_longest_message_and_mentions_nobody(chat: Chat) -> None:
    """N1: 2,000 characters; markup of an error's text stays text."""
    sender = works(chat)
    assert sender.send(LONG, member(chat), key()).accepted
    assert sender.send(Message('<m userId="all">'), member(chat), key()).accepted
    long, mention = texts(chat, "lineworks")
    assert long.endswith(LONG.link)
    assert mention == '＜m userId="all">'


def test_n1_lineworks_token_revoked_meanwhile_is_renewed(chat: Chat) -> None:
    """N1: the message goes out once, with a new token."""
    sender = works(chat)
    assert sender.check() == Delivery(Verdict.ACCEPTED, 200)
    chat.sim("DELETE", "lineworks/tokens")
    assert sender.send(MESSAGE, member(chat), key()).accepted
    assert texts(chat, "lineworks") == [SHOWN]


def test_n1_lineworks_token_is_asked_for_once(chat: Chat) -> None:
    """N1: the second message needs none; a token endpoint in trouble does not matter then."""
    sender = works(chat)
    assert sender.send(MESSAGE, member(chat), key()).accepted
    chat.fault(service="lineworks", kind="status", status=503, path="*/token", times=None)
    assert sender.send(MESSAGE, member(chat), key()).accepted
    assert works(chat).send(MESSAGE, member(chat), key()).verdict is Verdict.LATER


def test_n1_lineworks_key_pasted_into_one_line_works(chat: Chat) -> None:
    """N1: as it comes out of a form of one line, and out of a JSON text."""
    pem = credentials(chat).private_key
    for pasted in ("".join(pem.splitlines()), pem.replace("\n", "\\n")):
        assert works(chat, private_key=pasted).check().accepted


@pytest.mark.parametrize(
    ("changed", "reason", "dead"),
    [
        ({"client_secret": "wrong"}, "invalid_client", True),
        ({"client_id": "wrong"}, "invalid_client", True),
        ({"service_account": "other"}, "invalid_grant", False),
        ({"bot_id": "1"}, "NOT_FOUND", False),
        ({"private_key": "-----BEGIN PRIVATE KEY-----"}, "Private Key", True),
    ],
    ids=["secret", "client", "account", "bot", "key"],
)
def test_n5_lineworks_wrong_registration_is_told(chat: Chat, changed: dict[str, str], reason: str, dead: bool) -> None:
    """N5: in the service's own words, or by the field's name."""
    for delivery in (works(chat, **changed).check(), works(chat, **changed).send(MESSAGE, member(chat), key())):
        assert (delivery.verdict, delivery.dead) == (Verdict.REFUSED, dead)
        assert delivery.reason.startswith(reason)
    assert chat.messages("lineworks") == []


def test_n1_lineworks_clock_of_ours_behind_is_a_refusal(chat: Chat) -> None:
    """N1: an assertion of yesterday; not dead, because mending the clock is enough."""
    chat.sim("POST", "lineworks", {"ahead_s": 86400})
    delivery = works(chat).check()
    assert (delivery.verdict, delivery.status, delivery.dead) == (Verdict.REFUSED, 400, False)


@pytest.mark.parametrize("to", ["nobody@acme.example", "takahashi@acme.example", "channel:none"])
def test_n4_l6_lineworks_unreachable_place_is_refused_without_its_name(chat: Chat, to: str) -> None:
    """N4, L6: unknown or suspended."""
    delivery = works(chat).send(MESSAGE, to, key())
    assert (delivery.verdict, delivery.dead) == (Verdict.REFUSED, False)
    assert to not in delivery.reason
    assert delivery.status in (403, 404)


def test_n1_lineworks_without_scope_is_refused(chat: Chat) -> None:
    """N1: the app was not given `bot` in the console; no new registration is needed to mend that."""
    chat.sim("POST", "lineworks", {"scopes": ["user.read"]})
    delivery = works(chat).check()
    assert (delivery.verdict, delivery.dead) == (Verdict.REFUSED, False)
    assert delivery.reason.startswith("invalid_scope")


def test_n1_lineworks_rate_limit_is_later(chat: Chat) -> None:
    """N1: the sixty-first message of a minute, on the Free plan."""
    chat.sim("POST", "lineworks", {"strict": True})
    sender = works(chat)
    for _ in range(130):  # a minute may end meanwhile
        delivery = sender.send(MESSAGE, member(chat), key())
        if not delivery.accepted:
            break
    assert (delivery.verdict, delivery.status) == (Verdict.LATER, 429)
    assert delivery.retry_after_s is not None
    assert 0 < delivery.retry_after_s <= 60


@pytest.mark.parametrize(
    ("kind", "verdict", "arrived"),
    [("drop", Verdict.UNKNOWN, 0), ("drop_after", Verdict.UNKNOWN, 1)],
)
def test_n1_lineworks_lost_answer_is_unknown(chat: Chat, kind: str, verdict: Verdict, arrived: int) -> None:
    """N1: from here both look alike, so nothing is repeated."""
    chat.fault(service="lineworks", kind=kind, path="*/messages")
    assert works(chat).send(MESSAGE, member(chat), key()).verdict is verdict
    assert len(chat.messages("lineworks")) == arrived


def test_n1_lineworks_silence_is_bounded(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    """N1: no answer within the time."""
    monkeypatch.setattr(chat_module, "ANSWER_S", 0.5)
    chat.fault(service="lineworks", kind="hang", path="*/messages")
    with within(20):
        assert works(chat).send(MESSAGE, member(chat), key()).verdict is Verdict.UNKNOWN


# LINE Login


def login(chat: Chat, **changed: str) -> LineLogin:
    return LineLogin(**{**chat.registrations["line_login"], **changed})


class Visit:
    """A member who goes to LINE's page and comes back."""

    def __init__(self, chat: Chat, person: int = 0, decision: str = "allow", add_friend: bool = True) -> None:
        self.login = login(chat)
        self.verifier, challenge = pkce()
        self.nonce = key()
        address = self.login.authorize_url(BACK, "state-1", self.nonce, challenge)
        with requests.Session() as browser:
            page = browser.get(address, timeout=20)
            assert page.status_code == 200, page.text
            self.user_id = re.findall(r'name="user_id" value="([^"]+)"', page.text)[person]
            form = {"request": field_of(page.text, "request"), "user_id": self.user_id, "decision": decision}
            form |= {"add_friend": "on"} if add_friend else {}
            consent = address.partition("/authorize")[0] + "/consent"
            answer = browser.post(consent, form, allow_redirects=False, timeout=20)
        self.location = answer.headers["location"]
        self.query = {name: values[0] for name, values in parse_qs(urlsplit(self.location).query).items()}

    def user(self) -> str:
        """What the callback does with the code."""
        tokens = self.login.exchange(self.query["code"], BACK, self.verifier)
        return self.login.verify(tokens.id_token, self.nonce, time.time())


def test_n4_login_gives_the_user_id_that_push_takes(chat: Chat) -> None:
    """N4: the id that login proves is the one that messages go to."""
    visit = Visit(chat)
    assert visit.location.startswith(BACK + "?")
    assert visit.query["state"] == "state-1"
    assert visit.user() == visit.user_id
    assert line(chat).send(MESSAGE, visit.user_id, key()).accepted
    assert texts(chat, "line") == [SHOWN]


@pytest.mark.parametrize(("add_friend", "friends"), [(True, True), (False, False)])
def test_n4_login_tells_whether_messages_will_arrive(chat: Chat, add_friend: bool, friends: bool) -> None:
    """N4: the third person is no friend before."""
    visit = Visit(chat, person=2, add_friend=add_friend)
    tokens = visit.login.exchange(visit.query["code"], BACK, visit.verifier)
    assert visit.login.is_friend(tokens.access_token) is friends
    assert visit.login.is_friend("no-such-token") is None


def test_n4_a_code_is_good_once(chat: Chat) -> None:
    """N4: a page loaded again says what to do."""
    visit = Visit(chat)
    visit.user()
    with pytest.raises(LineLoginError, match="最初からやり直してください") as caught:
        visit.user()
    assert str(caught.value) == USED_UP


@pytest.mark.parametrize("changed", [{"verifier": pkce()[0]}, {"redirect": BACK + "/other"}])
def test_n4_a_stolen_code_is_worth_nothing(chat: Chat, changed: dict[str, Any]) -> None:
    """N4: without this browser's verifier, or for another address."""
    visit = Visit(chat)
    with pytest.raises(LineLoginError):
        visit.login.exchange(
            visit.query["code"], changed.get("redirect", BACK), changed.get("verifier", visit.verifier)
        )


def test_n4_a_wrong_channel_secret_is_the_administrators_matter(chat: Chat) -> None:
    """N4, L8: the member can do nothing but tell."""
    visit = Visit(chat)
    with pytest.raises(LineLoginError, match="管理者に連絡") as caught:
        login(chat, channel_secret="0" * 32).exchange(visit.query["code"], BACK, visit.verifier)
    assert "invalid_client" in caught.value.reason


@pytest.mark.parametrize("fault", ["nonce", "signature", "audience", "issuer", "expired", "unsigned"])
def test_n4_a_token_that_proves_nothing_links_nobody(chat: Chat, fault: str) -> None:
    """N4: each in the one way in which it is wrong."""
    chat.sim("POST", "line/login", {"faults": [fault]})
    with pytest.raises(LineLoginError) as caught:
        Visit(chat).user()
    assert str(caught.value) == UNPROVEN


def test_n4_who_declines_comes_back_without_a_code(chat: Chat) -> None:
    """N4: an error in the address, for the page to read."""
    visit = Visit(chat, decision="cancel")
    assert visit.query["error"] == "access_denied"
    assert "code" not in visit.query
