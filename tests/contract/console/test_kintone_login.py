"""ログイン情報 of kintone連携設定: what is entered goes into Connections as the user, and is never shown again (S2; text 5, Step1)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.console.kintone_world import KintoneWorld

KINTONE, HOTPROFILE = "/kintone/login/kintone", "/kintone/login/hotprofile"
ADDRESS = "https://acme.hot-profile.com"


@pytest.fixture
def world(place: Path) -> KintoneWorld:
    return KintoneWorld(place)


def test_s2_tokens_a_login_and_a_key_go_into_connections(world: KintoneWorld) -> None:
    """S2: kintone's for the sheet's domain; commas and blanks between tokens do no harm."""
    world.sent(KINTONE, status=303, secret=" token1 , token2 ")
    world.sent(KINTONE, status=303, login="yamada", secret="pass,word")
    world.sent(HOTPROFILE, status=303, host=f"{ADDRESS}/", secret="key")
    domain = "https://acme.cybozu.com"
    assert world.hands.done == [
        ("register", "kintone__acme", "kintone", {"host": domain, "login": "", "password": "token1,token2"}, {}),
        ("register", "kintone__acme", "kintone", {"host": domain, "login": "yamada", "password": "pass,word"}, {}),
        ("register", "hotprofile__acme", "hotprofile", {"host": ADDRESS, "password": "key"}, {}),
    ]


@pytest.mark.parametrize(
    ("path", "form", "said"),
    [
        (KINTONE, {"secret": ""}, "APIトークンが空白です"),
        (KINTONE, {"secret": "a,,b"}, "APIトークンが空白です"),
        (KINTONE, {"secret": "se cret"}, "APIトークンの3文字目に、空白か全角の文字があります"),
        (KINTONE, {"login": "yamada", "secret": "ｐ"}, "パスワードの1文字目に"),
        (KINTONE, {"secret": ",".join("abcdefghij")}, "9個まで"),
        (HOTPROFILE, {"host": ADDRESS, "secret": ""}, "APIキーが空白です"),
        (HOTPROFILE, {"host": "http://acme.hot-profile.com", "secret": "key"}, "https://"),
        (HOTPROFILE, {"host": f"{ADDRESS}/path", "secret": "key"}, "https://"),
        (HOTPROFILE, {"host": "https://user@evil.example", "secret": "key"}, "https://"),
    ],
)
def test_p4_what_cannot_be_a_secret_is_refused_and_not_quoted(
    world: KintoneWorld, path: str, form: dict[str, str], said: str
) -> None:
    shown = world.sent(path, status=409, **form)
    assert said in shown
    assert "se cret" not in shown
    assert world.hands.done == []


def test_s1_who_may_only_see_registers_nothing(world: KintoneWorld) -> None:
    world.sent(KINTONE, "ken", 403, secret="token")
    assert world.hands.done == []
