"""LINE WORKS' simulator, spoken to as the documents and the official samples do: no client of others speaks to it."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.harness.chat import Chat

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class Bot:
    """The service account of the registered app, and its bot."""

    def __init__(self, chat: Chat) -> None:
        self.chat = chat
        self.registration = chat.registrations["lineworks"]
        self.base = self.registration["base_url"]
        self.id = self.registration["bot_id"]
        self.users = {one["email"]: one["userId"] for one in chat.sim("GET", "lineworks")["users"]}

    def claims(self) -> dict[str, Any]:
        now = int(time.time())
        account = self.registration["service_account"]
        return {"iss": self.registration["client_id"], "sub": account, "iat": now, "exp": now + 3600}

    def assertion(self, key: Any = None, algorithm: str = "RS256", **claims: Any) -> str:
        """Signed claims; None leaves one out, and a function is given the present second."""
        now = int(time.time())
        made = {name: value(now) if callable(value) else value for name, value in {**self.claims(), **claims}.items()}
        all_claims = {name: value for name, value in made.items() if value is not None}
        return jwt.encode(all_claims, key or self.registration["private_key"], algorithm)

    def ask(self, **form: str) -> httpx.Response:
        asked = {
            "assertion": form.get("assertion") or self.assertion(),
            "grant_type": GRANT,
            "client_id": self.registration["client_id"],
            "client_secret": self.registration["client_secret"],
            "scope": "bot",
        }
        return httpx.post(f"{self.base}/oauth2/v2.0/token", data=asked | form, timeout=10)

    def token(self, scope: str = "bot") -> str:
        return self.ask(scope=scope).json()["access_token"]

    def call(self, method: str, path: str, token: str = "", json: Any = None) -> httpx.Response:
        headers = {"authorization": f"Bearer {token or self.token()}"}
        return httpx.request(method, f"{self.base}/v1.0{path}", headers=headers, json=json, timeout=10)

    def send(self, content: Any, to: str = "", token: str = "") -> httpx.Response:
        path = f"/bots/{self.id}/{to or 'users/' + self.registration['users'][0]}/messages"
        return self.call("POST", path, token, {"content": content})


@pytest.fixture
def bot(chat: Chat) -> Bot:
    return Bot(chat)


def text(words: str = "連携失敗") -> dict[str, Any]:
    return {"type": "text", "text": words}


class TestToken:
    def test_token_is_given_for_a_signed_assertion(self, bot: Bot) -> None:
        """The official models have `expires_in` as text."""
        answer = bot.ask(scope="bot,user.read")

        assert answer.status_code == 200
        body = answer.json()
        assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", "86400", "bot user.read")
        assert bot.call("GET", f"/bots/{bot.id}", body["access_token"]).status_code == 200

    @pytest.mark.parametrize(
        "form",
        [
            {"scope": "bot bot.message"},
            {"scope": "bot,bot.message"},
            {"grant_type": "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"},
        ],
        ids=["blank between scopes", "comma between scopes", "encoded twice, as the official sample"],
    )
    def test_forms_that_occur_are_taken(self, bot: Bot, form: dict[str, str]) -> None:
        assert bot.ask(**form).status_code == 200

    @pytest.mark.parametrize(
        "claims",
        [
            {"iat": lambda now: now - 0.5, "exp": lambda now: now + 3000.25},
            {"aud": "https://auth.worksmobile.com/oauth2/v2.0/token"},
        ],
        ids=["floats, as the official sample", "aud"],
    )
    def test_claims_that_occur_are_taken(self, bot: Bot, claims: dict[str, Any]) -> None:
        assert bot.ask(assertion=bot.assertion(**claims)).status_code == 200

    @pytest.mark.parametrize(
        ("form", "status", "error"),
        [
            ({"grant_type": "client_credentials"}, 400, "unsupported_grant_type"),
            ({"client_id": "other"}, 401, "invalid_client"),
            ({"client_secret": "other"}, 401, "invalid_client"),
            ({"client_secret": "秘密"}, 401, "invalid_client"),
            ({"assertion": "a.b.c"}, 400, "invalid_grant"),
            ({"scope": ""}, 400, "invalid_scope"),
            ({"scope": "bot calendar"}, 400, "invalid_scope"),
        ],
        ids=str,
    )
    def test_bad_form_is_refused(self, bot: Bot, form: dict[str, str], status: int, error: str) -> None:
        answer = bot.ask(**form)

        assert (answer.status_code, answer.json()["error"]) == (status, error)

    @pytest.mark.parametrize(
        "claims",
        [
            {"iss": "other"},
            {"sub": "other.serviceaccount@acme.example"},
            {"iat": None},
            {"exp": None},
            {"exp": lambda now: str(now + 600)},
            {"exp": True},
            {"exp": float("nan")},
            {"iat": lambda now: now - 3700, "exp": lambda now: now - 100},
            {"iat": lambda now: now + 600, "exp": lambda now: now + 900},
            {"exp": lambda now: now + 3601},
        ],
        ids=["iss", "sub", "no iat", "no exp", "text", "boolean", "nan", "expired", "of the future", "over an hour"],
    )
    def test_bad_claims_are_refused(self, bot: Bot, claims: dict[str, Any]) -> None:
        answer = bot.ask(assertion=bot.assertion(**claims))

        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")

    def test_foreign_signature_is_refused(self, bot: Bot) -> None:
        stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        for assertion in (
            bot.assertion(stranger),
            bot.assertion("x" * 64, "HS256"),
            jwt.encode(bot.claims(), "", "none"),
            bot.assertion(algorithm="RS512"),
        ):
            assert bot.ask(assertion=assertion).json()["error"] == "invalid_grant"

    def test_assertion_with_padding_is_refused(self, bot: Bot) -> None:
        """A known mistake: base64 in place of base64url."""
        header, claims, signature = bot.assertion().split(".")

        assert bot.ask(assertion=f"{header}=.{claims}.{signature}").json()["error"] == "invalid_grant"

    def test_body_that_is_no_form_is_refused(self, bot: Bot) -> None:
        assert httpx.post(f"{bot.base}/oauth2/v2.0/token", json={}).json()["error"] == "invalid_request"


class TestSending:
    def test_message_to_a_user_answers_201_and_nothing(self, chat: Chat, bot: Bot) -> None:
        """N1: no id comes back, so a lost answer is an unknown one."""
        answer = bot.send(text("連携失敗 🚨\nhttps://example.jp/run"))

        assert (answer.status_code, answer.content) == (201, b"")
        (message,) = chat.messages("lineworks")
        assert (message["place"], message["author"]) == ("佐藤 花子", "Renkei通知Bot")
        assert message["text"] == "連携失敗 🚨\nhttps://example.jp/run"
        assert '連携失敗 🚨<br><a href="https://example.jp/run"' in message["html"]
        assert message["raw"]["userId"] == bot.registration["users"][0]

    def test_login_mail_names_the_user(self, chat: Chat, bot: Bot) -> None:
        """N4"""
        assert bot.send(text(), f"users/{quote('suzuki@acme.example', safe='')}").status_code == 201
        assert chat.messages("lineworks")[0]["raw"]["userId"] == bot.users["suzuki@acme.example"]

    def test_message_to_a_room(self, chat: Chat, bot: Bot) -> None:
        assert bot.send(text(), f"channels/{bot.registration['channels'][0]}").status_code == 201
        assert chat.messages("lineworks")[0]["place"] == "人事システム連携"

    @pytest.mark.parametrize(
        ("content", "shown"),
        [
            (
                {"type": "link", "contentText": "連携失敗", "linkText": "開く", "link": "https://example.jp/run"},
                '<a href="https://example.jp/run"',
            ),
            (
                {
                    "type": "button_template",
                    "contentText": "連携失敗",
                    "actions": [
                        {"type": "uri", "label": "実行結果を開く", "uri": "https://example.jp/run"},
                        {"type": "message", "label": "了解", "text": "了解しました"},
                    ],
                },
                "実行結果を開く</a>",
            ),
            ({"type": "flex", "altText": "連携失敗", "contents": {"type": "bubble", "body": {}}}, "連携失敗"),
        ],
        ids=["link", "button_template", "flex"],
    )
    def test_other_content_is_shown(self, chat: Chat, bot: Bot, content: dict[str, Any], shown: str) -> None:
        assert bot.send(content).status_code == 201
        (message,) = chat.messages("lineworks")
        assert message["text"] == "連携失敗"
        assert shown in message["html"]

    def test_mention_in_a_text_calls_somebody(self, chat: Chat, bot: Bot) -> None:
        """Text of others that is not made harmless shows as `.mention`."""
        bot.send(text('<m userId="all"> <b>見て</b>'))

        assert '<span class="mention">@all</span>' in chat.messages("lineworks")[0]["html"]
        assert "&lt;b&gt;見て" in chat.messages("lineworks")[0]["html"]

    @pytest.mark.parametrize(
        "content",
        [
            None,
            [],
            {},
            {"type": "text"},
            text(""),
            text(" \n"),
            text("あ" * 2001),
            text("🚨" * 1001),
            {"type": "text", "text": 5},
            {**text(), "color": "red"},
            {"type": "sticker", "packageId": "1"},
            {"type": "link", "contentText": "a", "linkText": "b", "link": "javascript:alert(1)"},
            {"type": "link", "contentText": "a", "link": "https://example.jp"},
            {"type": "button_template", "contentText": "a", "actions": []},
            {"type": "button_template", "contentText": "a", "actions": [{"type": "uri", "label": "b"}]},
            {"type": "button_template", "contentText": "a", "actions": [{"type": "message", "label": "あ" * 21}]},
            {"type": "button_template", "contentText": "a", "actions": [{"type": "message", "label": "b"}] * 11},
            {"type": "flex", "altText": "a", "contents": {}},
            {"type": "flex", "contents": {"type": "bubble"}},
        ],
        ids=lambda content: str(content)[:60],
    )
    def test_bad_content_is_refused(self, chat: Chat, bot: Bot, content: Any) -> None:
        answer = bot.send(content)

        assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_PARAMETER")
        assert chat.messages("lineworks") == []

    @pytest.mark.parametrize("words", ["あ" * 2000, "🚨" * 1000])
    def test_longest_text_is_taken(self, bot: Bot, words: str) -> None:
        assert bot.send(text(words)).status_code == 201

    @pytest.mark.parametrize("body", [b"{", b"[]", b'{"content":{"type":"text","text":"\\ud800"}}', b"\xff"])
    def test_body_that_is_no_json_object_is_refused(self, bot: Bot, body: bytes) -> None:
        url = f"{bot.base}/v1.0/bots/{bot.id}/users/{bot.registration['users'][0]}/messages"
        headers = {"authorization": f"Bearer {bot.token()}", "content-type": "application/json"}

        assert httpx.post(url, content=body, headers=headers).status_code == 400

    @pytest.mark.parametrize(
        ("to", "status", "code"),
        [
            ("users/nobody@acme.example", 404, "NOT_FOUND"),
            ("users/takahashi@acme.example", 403, "FORBIDDEN"),
            ("users/me", 400, "INVALID_PARAMETER"),
            ("channels/unknown", 404, "NOT_FOUND"),
        ],
        ids=["unknown user", "suspended user", "me", "unknown room"],
    )
    def test_receiver_that_cannot_be_reached_is_refused(self, bot: Bot, to: str, status: int, code: str) -> None:
        """N5"""
        answer = bot.send(text(), to)

        assert (answer.status_code, answer.json()["code"]) == (status, code)

    @pytest.mark.parametrize(("bot_id", "status"), [("6811002", 404), ("renkei", 400)])
    def test_other_bot_is_refused(self, bot: Bot, bot_id: str, status: int) -> None:
        path = f"/bots/{bot_id}/users/{bot.registration['users'][0]}/messages"

        assert bot.call("POST", path, json={"content": text()}).status_code == status
        assert bot.call("GET", f"/bots/{bot_id}").status_code == status


class TestAccess:
    @pytest.mark.parametrize(
        ("scope", "send", "get_bot", "get_user"),
        [
            ("bot", 201, 200, 403),
            ("bot.message", 201, 403, 403),
            ("bot.read", 403, 200, 403),
            ("user.read", 403, 403, 200),
            ("bot user.read", 201, 200, 200),
        ],
    )
    def test_scope_decides(self, bot: Bot, scope: str, send: int, get_bot: int, get_user: int) -> None:
        token = bot.token(scope)

        assert bot.send(text(), token=token).status_code == send
        assert bot.call("GET", f"/bots/{bot.id}", token).status_code == get_bot
        assert bot.call("GET", "/users/sato%40acme.example", token).status_code == get_user

    def test_user_can_be_looked_up(self, bot: Bot) -> None:
        user = bot.call("GET", "/users/takahashi@acme.example", bot.token("user.read")).json()

        assert (user["userId"], user["isSuspended"]) == (bot.users["takahashi@acme.example"], True)
        assert user["userName"] == {"lastName": "高橋", "firstName": "健"}
        assert bot.call("GET", "/users/nobody", bot.token("user.read")).status_code == 404

    def test_token_ends(self, chat: Chat, bot: Bot) -> None:
        """401 UNAUTHORIZED when it has expired or was made void; nothing was sent."""
        chat.sim("POST", "lineworks", {"token_life_s": 3600})
        expired = bot.token()
        chat.sim("POST", "lineworks", {"ahead_s": 3600})
        assert bot.send(text(), token=expired).json()["code"] == "UNAUTHORIZED"

        chat.sim("POST", "lineworks", {"ahead_s": 0})
        void = bot.token()
        chat.sim("DELETE", "lineworks/tokens")
        assert bot.send(text(), token=void).status_code == 401
        assert chat.messages("lineworks") == []

    def test_no_token_at_all(self, bot: Bot) -> None:
        assert httpx.get(f"{bot.base}/v1.0/bots/{bot.id}").json()["code"] == "UNAUTHORIZED"

    def test_scope_that_the_app_lost_is_not_given(self, chat: Chat, bot: Bot) -> None:
        chat.sim("POST", "lineworks", {"scopes": ["user.read"]})

        assert bot.ask(scope="bot").json()["error"] == "invalid_scope"

    def test_strict_limit_is_the_free_plans(self, chat: Chat, bot: Bot) -> None:
        """60 a minute for each operation; the headers count down, and another operation is not touched."""
        chat.sim("POST", "lineworks", {"strict": True, "ahead_s": 60 - time.time() % 60 + 1})
        token = bot.token()
        with httpx.Client(headers={"authorization": f"Bearer {token}"}, timeout=10) as client:
            url = f"{bot.base}/v1.0/bots/{bot.id}"
            first, *_, last = [client.get(url) for _ in range(60)]
            past = client.get(url)

        assert (first.headers["rateLimit-limit"], first.headers["rateLimit-remaining"]) == ("60", "59")
        assert (last.status_code, last.headers["rateLimit-remaining"]) == (200, "0")
        assert (past.status_code, past.json()["code"]) == (429, "TOO_MANY_REQUESTS")
        assert 1 <= int(past.headers["rateLimit-reset"]) <= 60
        assert "retry-after" not in past.headers
        assert bot.send(text(), token=token).status_code == 201

    def test_unknown_endpoint_is_a_404_of_its_kind(self, bot: Bot) -> None:
        assert bot.call("GET", "/nothing").json()["code"] == "NOT_FOUND"
