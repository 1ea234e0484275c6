"""LINE WORKS' accounts and the bot's menu, asked for by our client over the simulator."""

from __future__ import annotations

from typing import Any

import pytest

from renkei.systems.delivery import Delivery, Verdict
from renkei.systems.lineworks.api import LineWorksApi
from renkei.systems.lineworks.auth import LineWorksCredentials
from renkei.systems.lineworks.menu import put_menu
from renkei.systems.lineworks.users import SCOPES, User, UserStatus, find_user
from tests.harness.chat import Chat


def api_of(chat: Chat, scopes: str = SCOPES) -> LineWorksApi:
    said = chat.registrations["lineworks"]
    names = ("client_id", "client_secret", "service_account", "private_key", "bot_id")
    return LineWorksApi(LineWorksCredentials(*(said[name] for name in names)), said["base_url"], scopes=scopes)


def grant(chat: Chat, *scopes: str, **more: Any) -> None:
    chat.sim("POST", "lineworks", {"scopes": [*scopes], **more})


@pytest.fixture
def people(chat: Chat) -> list[dict[str, Any]]:
    return [
        {"userId": f"u-{kind}", "email": f"{kind}@acme.example", "name": "佐藤 花子", **state}
        for kind, state in {
            "active": {},
            "suspended": {"isSuspended": True},
            "deleted": {"isDeleted": True},
            "pending": {"isPending": True},
        }.items()
    ]


def test_p5_an_account_is_told_apart_by_what_it_is(chat: Chat, people: list[dict[str, Any]]) -> None:
    grant(chat, "user.read", users=people)
    api = api_of(chat, "user.read")
    for kind in (UserStatus.ACTIVE, UserStatus.SUSPENDED, UserStatus.DELETED, UserStatus.PENDING):
        assert find_user(api, f"{kind}@acme.example") == User(f"u-{kind}", kind)
    assert find_user(api, "nobody@acme.example") == User("", UserStatus.UNKNOWN)


def test_p1_p5_text_4s_three_scopes_are_enough_for_the_user_id(chat: Chat, people: list[dict[str, Any]]) -> None:
    grant(chat, "bot", "bot.read", "user.email.read", users=people)
    assert find_user(api_of(chat), "active@acme.example") == User("u-active", UserStatus.ACTIVE)


def test_p1_a_scope_that_was_not_chosen_is_an_answer_not_a_missing_account(chat: Chat) -> None:
    grant(chat, "bot", "bot.read")
    found = find_user(api_of(chat), "sato@acme.example")
    assert isinstance(found, Delivery)
    assert "invalid_scope" in found.reason


def test_p18_the_menu_has_up_to_four_buttons_that_say_a_word(chat: Chat) -> None:
    grant(chat, "bot", "bot.read", "user.email.read")
    api, bot_id = api_of(chat), chat.registrations["lineworks"]["bot_id"]
    assert put_menu(api, bot_id, ["出勤", "退勤", "休憩開始", "休憩終了", "外出"]).verdict is Verdict.ACCEPTED
    shown = api.ask("bot-persistentmenu-get", "GET", f"/bots/{bot_id}/persistentmenu")
    assert not isinstance(shown, Delivery)
    assert [action["text"] for action in shown.json_object["content"]["actions"]] == [
        "出勤",
        "退勤",
        "休憩開始",
        "休憩終了",
    ]
    assert put_menu(api, bot_id, []).verdict is Verdict.ACCEPTED
