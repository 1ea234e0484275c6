"""LINE's simulator: the Messaging API as line-bot-sdk sees it, and LINE Login as a browser and an app see it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import httpx
import jwt
import pytest
from linebot.v3.messaging import ApiClient, Configuration, MessagingApi, PushMessageRequest, TextMessage
from linebot.v3.messaging.exceptions import ApiException

from tests.contract.chat_services import Chat

CALLBACK = "http://localhost:8080/renkei/line/callback"
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


@pytest.fixture
def line(chat: Chat) -> dict[str, Any]:
    return chat.registrations["line"]


@pytest.fixture
def sdk(line: dict[str, Any]) -> Iterator[MessagingApi]:
    """LINE's own client, told of nothing but another host."""
    with ApiClient(Configuration(host=line["base_url"], access_token=line["token"])) as client:
        yield MessagingApi(client)


@pytest.fixture
def http(line: dict[str, Any]) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {line['token']}"}
    with httpx.Client(base_url=line["base_url"], headers=headers, timeout=10) as client:
        yield client


def a_push(to: str, *texts: str) -> PushMessageRequest:
    return PushMessageRequest(to=to, messages=[TextMessage(text=text) for text in texts])


def people(chat: Chat) -> dict[str, str]:
    return {one["name"]: one["user_id"] for one in chat.call("GET", "/_sim/line")["people"]}


def refused(failure: pytest.ExceptionInfo[ApiException], status: int) -> dict[str, Any]:
    assert failure.value.status == status
    assert re.fullmatch(UUID, failure.value.headers["x-line-request-id"])
    return json.loads(failure.value.body)


def test_pushed_text_is_seen_by_the_friend(chat: Chat, line: dict[str, Any], sdk: MessagingApi) -> None:
    """N1: every message of a push arrives, with its own id, as the person would read it."""
    answer = sdk.push_message_with_http_info(
        a_push(line["friends"][0], "連携失敗\n詳細: https://example.jp/a?b=1", "二通目 🚨")
    )

    assert answer.status_code == 200
    assert re.fullmatch(UUID, answer.headers["x-line-request-id"])
    first, second = chat.messages("line")
    assert (first["place"], first["author"]) == ("佐藤 花子", "Renkei通知")
    assert first["text"] == "連携失敗\n詳細: https://example.jp/a?b=1"
    assert '連携失敗<br>詳細: <a href="https://example.jp/a?b=1"' in first["html"]
    assert second["text"] == "二通目 🚨"
    assert [one["raw"]["id"] for one in (first, second)] == [sent.id for sent in answer.data.sent_messages]


def test_markup_in_a_text_is_shown_as_written(chat: Chat, line: dict[str, Any], sdk: MessagingApi) -> None:
    sdk.push_message(a_push(line["friends"][0], "<b>太字</b> & <script>alert(1)</script>"))

    assert "<script>" not in chat.messages("line")[0]["html"]
    assert "&lt;b&gt;太字&lt;/b&gt; &amp; " in chat.messages("line")[0]["html"]


class TestRetryKey:
    @pytest.mark.parametrize("second_text", ["同じ本文", "違う本文"])
    def test_second_push_with_a_key_is_told_of_the_first(
        self, chat: Chat, line: dict[str, Any], sdk: MessagingApi, second_text: str
    ) -> None:
        """N3: 409 with the first one's request id and messages; nothing is sent again, whatever the body."""
        key = str(uuid.uuid4())
        first = sdk.push_message_with_http_info(a_push(line["friends"][0], "同じ本文"), x_line_retry_key=key)

        with pytest.raises(ApiException) as failure:
            sdk.push_message(a_push(line["friends"][0], second_text), x_line_retry_key=key)

        body = refused(failure, 409)
        assert body["message"] == "The retry key is already accepted"
        assert body["sentMessages"] == [one.to_dict() for one in first.data.sent_messages]
        assert failure.value.headers["x-line-accepted-request-id"] == first.headers["x-line-request-id"]
        assert failure.value.headers["x-line-request-id"] != first.headers["x-line-request-id"]
        assert [one["text"] for one in chat.messages("line")] == ["同じ本文"]

    def test_answer_that_never_came_is_found_by_the_key(
        self, chat: Chat, line: dict[str, Any], http: httpx.Client
    ) -> None:
        """N3: LINE took the message, the connection broke before its answer; the repeat is a 409, one message arrives."""
        chat.fault(service="line", kind="drop_after")
        push = {"to": line["friends"][0], "messages": [{"type": "text", "text": "一度だけ"}]}
        headers = {"x-line-retry-key": str(uuid.uuid4())}

        with pytest.raises(httpx.RemoteProtocolError):
            http.post("/v2/bot/message/push", json=push, headers=headers)

        assert http.post("/v2/bot/message/push", json=push, headers=headers).status_code == 409
        assert len(chat.messages("line")) == 1

    def test_refused_push_leaves_its_key_unused(self, chat: Chat, line: dict[str, Any], sdk: MessagingApi) -> None:
        key = str(uuid.uuid4())
        with pytest.raises(ApiException):
            sdk.push_message(a_push(line["friends"][0], " "), x_line_retry_key=key)

        sdk.push_message(a_push(line["friends"][0], "直した本文"), x_line_retry_key=key)

        assert len(chat.messages("line")) == 1

    def test_key_is_forgotten_after_a_day(self, chat: Chat, line: dict[str, Any], sdk: MessagingApi) -> None:
        key = str(uuid.uuid4())
        sdk.push_message(a_push(line["friends"][0], "一日目"), x_line_retry_key=key)
        chat.call("POST", "/_sim/line", {"ahead_s": 24 * 3600 - 60})
        with pytest.raises(ApiException) as failure:
            sdk.push_message(a_push(line["friends"][0], "一日目"), x_line_retry_key=key)
        assert failure.value.status == 409

        chat.call("POST", "/_sim/line", {"ahead_s": 24 * 3600})
        sdk.push_message(a_push(line["friends"][0], "二日目"), x_line_retry_key=key)

        assert len(chat.messages("line")) == 2

    @pytest.mark.parametrize(
        "key", ["", "1", "run-1__notify", "123e4567e89b12d3a456426614174000", str(uuid.uuid4()) + "0"]
    )
    def test_key_that_is_no_uuid_is_refused(
        self, chat: Chat, line: dict[str, Any], http: httpx.Client, key: str
    ) -> None:
        push = {"to": line["friends"][0], "messages": [{"type": "text", "text": "a"}]}

        assert http.post("/v2/bot/message/push", json=push, headers={"x-line-retry-key": key}).status_code == 400
        assert chat.messages("line") == []

    @pytest.mark.parametrize("path", ["/v2/bot/info", "/v2/bot/message/quota", "/v2/bot/message/quota/consumption"])
    def test_key_where_none_is_taken_is_refused(self, http: httpx.Client, path: str) -> None:
        assert http.get(path).status_code == 200
        assert http.get(path, headers={"x-line-retry-key": str(uuid.uuid4())}).status_code == 400


TEXT = {"type": "text", "text": "本文"}


@pytest.mark.parametrize(
    ("change", "properties"),
    [
        pytest.param({"messages": []}, ["messages"], id="no message"),
        pytest.param({"messages": [TEXT] * 6}, ["messages"], id="six messages"),
        pytest.param({"messages": TEXT}, ["messages"], id="no list"),
        pytest.param({"messages": [{"type": "text", "text": "あ" * 5001}]}, ["messages[0].text"], id="too long"),
        pytest.param({"messages": [{"type": "text", "text": "🚨" * 2501}]}, ["messages[0].text"], id="emoji are two units"),
        pytest.param({"messages": [{"type": "text", "text": " \n"}]}, ["messages[0].text"], id="blank"),
        pytest.param({"messages": [{"type": "text"}]}, ["messages[0].text"], id="no text"),
        pytest.param({"messages": [TEXT, {"text": "本文"}]}, ["messages[1]/type"], id="no type"),
        pytest.param({"messages": [{**TEXT, "color": "red"}]}, ["messages[0].color"], id="unknown in a message"),
        pytest.param({"retryKey": "x", "messages": []}, ["retryKey", "messages"], id="unknown, and another fault"),
        pytest.param({"notificationDisabled": "false"}, ["notificationDisabled"], id="text for a boolean"),
    ],
)  # fmt: skip
def test_bad_push_is_refused_with_every_fault(
    chat: Chat, line: dict[str, Any], http: httpx.Client, change: dict[str, Any], properties: list[str]
) -> None:
    answer = http.post("/v2/bot/message/push", json={"to": line["friends"][0], "messages": [TEXT], **change})

    assert answer.status_code == 400
    assert answer.json()["message"] == f"The request body has {len(properties)} error(s)"
    assert [detail["property"] for detail in answer.json()["details"]] == properties
    assert chat.messages("line") == chat.lost("line") == []


@pytest.mark.parametrize("text", ["あ" * 5000, "🚨" * 2500])
def test_longest_text_is_taken(chat: Chat, line: dict[str, Any], sdk: MessagingApi, text: str) -> None:
    sdk.push_message(a_push(line["friends"][0], text))

    assert chat.messages("line")[0]["text"] == text


@pytest.mark.parametrize("to", ["", "kutemukan", "U123", "U" + "A" * 32, "u" + "a" * 32, " U" + "a" * 32, None, 5])
def test_receiver_that_is_no_id_is_refused(http: httpx.Client, to: object) -> None:
    answer = http.post("/v2/bot/message/push", json={"to": to, "messages": [TEXT]})

    assert answer.status_code == 400
    assert answer.json() == {"message": "The property, 'to', in the request body is invalid (line: -, column: -)"}


@pytest.mark.parametrize(
    ("content", "media", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"to": "\\ud800"}', "application/json", 400),
        (b"{}", "text/plain", 415),
        (b" " * 2_000_001, "application/json", 413),
    ],
    ids=["cut off", "array", "no UTF-8", "deep", "surrogate", "media type", "too big"],
)
def test_body_that_is_no_json_object_is_refused(http: httpx.Client, content: bytes, media: str, status: int) -> None:
    answer = http.post("/v2/bot/message/push", content=content, headers={"content-type": media})

    assert answer.status_code == status
    assert "x-line-request-id" in answer.headers


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("高橋 健", "公式アカウントがブロックされています"),
        ("田中 美咲", "公式アカウントの友だちではありません"),
        ("", "このLINEユーザーIDの人はいません"),
    ],
    ids=["blocked", "no friend", "nobody"],
)
def test_push_to_somebody_unreachable_is_accepted_and_lost(chat: Chat, sdk: MessagingApi, name: str, why: str) -> None:
    """N4: LINE answers 200 and nobody sees the message; it does not count towards the quota."""
    answer = sdk.push_message(a_push(people(chat).get(name, "U" + "0" * 32), "届かない"))

    assert len(answer.sent_messages) == 1
    assert chat.messages("line") == []
    assert [one["why"] for one in chat.lost("line")] == [why]
    assert sdk.get_message_quota_consumption().total_usage == 0


def test_push_past_the_monthly_quota_is_refused(chat: Chat, line: dict[str, Any], sdk: MessagingApi) -> None:
    chat.call("POST", "/_sim/line", {"quota": 200, "used": 198})
    assert sdk.get_message_quota().value == 200

    sdk.push_message(a_push(line["friends"][0], "199", "200"))
    with pytest.raises(ApiException) as failure:
        sdk.push_message(a_push(line["friends"][1], "201"))

    assert refused(failure, 429) == {"message": "You have reached your monthly limit."}
    assert sdk.get_message_quota_consumption().total_usage == 200
    assert len(chat.messages("line")) == 2


def test_plan_without_a_quota_says_so(chat: Chat, sdk: MessagingApi) -> None:
    chat.call("POST", "/_sim/line", {"quota": None, "used": 10**6})

    assert (sdk.get_message_quota().type, sdk.get_message_quota().value) == ("none", None)


def test_rate_limit_is_told_apart_from_the_quota(chat: Chat, line: dict[str, Any], sdk: MessagingApi) -> None:
    chat.call("POST", "/_sim/line", {"limited": True})

    with pytest.raises(ApiException) as failure:
        sdk.push_message(a_push(line["friends"][0], "本文"))

    assert refused(failure, 429) == {"message": "The API rate limit has been exceeded. Try again later."}


def test_bot_is_known_by_its_token(chat: Chat, line: dict[str, Any], sdk: MessagingApi) -> None:
    """N5: a token can be tested without sending anything."""
    assert sdk.get_bot_info().display_name == "Renkei通知"
    assert sdk.get_profile(line["friends"][0]).display_name == "佐藤 花子"

    chat.call("POST", "/_sim/line", {"token_valid": False})
    with pytest.raises(ApiException) as failure:
        sdk.get_bot_info()

    assert refused(failure, 401)["message"].startswith("Authentication failed")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", "bearer {}", "Bearer  {}", "{}"])
def test_push_without_the_token_is_refused(chat: Chat, line: dict[str, Any], header: str) -> None:
    push = {"to": line["friends"][0], "messages": [TEXT]}
    headers = {"authorization": header.format(line["token"])}

    assert httpx.post(f"{line['base_url']}/v2/bot/message/push", json=push, headers=headers).status_code == 401
    assert chat.messages("line") == []


def test_unknown_endpoint_is_a_404_of_lines_kind(http: httpx.Client) -> None:
    answer = http.get("/v2/bot/nothing")

    assert (answer.status_code, answer.json()) == (404, {"message": "Not found"})
    assert "x-line-request-id" in answer.headers


def test_long_lived_token_can_be_verified(line: dict[str, Any], http: httpx.Client) -> None:
    assert http.post("/v2/oauth/verify", data={"access_token": line["token"]}).json()["scope"] == "P CM"
    assert http.post("/v2/oauth/verify", data={"access_token": "x"}).status_code == 400


class App:
    """An app with LINE Login, and the browser of somebody who uses it."""

    def __init__(self, chat: Chat) -> None:
        self.chat = chat
        self.registration = chat.registrations["line_login"]
        self.base = self.registration["base_url"]
        self.verifier = secrets.token_urlsafe(32)
        digest = hashlib.sha256(self.verifier.encode()).digest()
        self.asked = {
            "response_type": "code",
            "client_id": self.registration["channel_id"],
            "redirect_uri": CALLBACK,
            "state": secrets.token_urlsafe(16),
            "scope": "profile openid",
            "nonce": secrets.token_urlsafe(16),
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            "bot_prompt": "aggressive",
        }

    def page(self, **changes: str | None) -> httpx.Response:
        query = {name: value for name, value in {**self.asked, **changes}.items() if value is not None}
        return httpx.get(f"{self.base}/oauth2/v2.1/authorize", params=query, timeout=10)

    def answer(
        self, name: str = "佐藤 花子", decision: str = "allow", friend: bool = True, **changes: str | None
    ) -> httpx.Response:
        page = self.page(**changes)
        assert page.status_code == 200, page.text
        number = re.search(r'name="request" value="([^"]+)"', page.text)
        assert number
        form = {"request": number[1], "user_id": people(self.chat)[name], "decision": decision}
        form |= {"add_friend": "on"} if friend and "add_friend" in page.text else {}
        return httpx.post(f"{self.base}/oauth2/v2.1/consent", data=form, timeout=10)

    def code(self, name: str = "佐藤 花子", **changes: Any) -> str:
        return returned(self.answer(name, **changes))["code"]

    def exchange(self, code: str, **changes: str | None) -> httpx.Response:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "client_id": self.registration["channel_id"],
            "client_secret": self.registration["channel_secret"],
            "code_verifier": self.verifier,
            **changes,
        }
        form = {name: value for name, value in form.items() if value is not None}
        return httpx.post(f"{self.base}/oauth2/v2.1/token", data=form, timeout=10)

    def claims(self, id_token: str) -> dict[str, Any]:
        secret, channel = self.registration["channel_secret"], self.registration["channel_id"]
        return jwt.decode(id_token, secret, ["HS256"], audience=channel, issuer="https://access.line.me")

    def verify(self, id_token: str, **changes: str) -> httpx.Response:
        form = {"id_token": id_token, "client_id": self.registration["channel_id"], **changes}
        return httpx.post(f"{self.base}/oauth2/v2.1/verify", data=form, timeout=10)

    def is_friend(self, access_token: str) -> bool:
        headers = {"authorization": f"Bearer {access_token}"}
        answer = httpx.get(f"{self.base}/friendship/v1/status", headers=headers, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()["friendFlag"]


def returned(answer: httpx.Response) -> dict[str, str]:
    """What the callback of the app is given."""
    assert answer.status_code == 302, answer.text
    address, _, query = answer.headers["location"].partition("?")
    assert address == CALLBACK
    return dict(parse_qsl(query, strict_parsing=True))


@pytest.fixture
def app(chat: Chat) -> App:
    return App(chat)


class TestLogin:
    def test_page_names_the_account_and_what_is_asked(self, app: App) -> None:
        page = app.page().text

        for words in ("Renkei通知", "佐藤 花子", "許可する", "キャンセル", "プロフィール", "友だち追加"):
            assert words in page
        assert "友だち追加" not in app.page(bot_prompt=None).text

    def test_login_gives_the_messaging_user_id(self, chat: Chat, app: App, sdk: MessagingApi) -> None:
        """N4: consent, code, tokens; the `sub` of the id_token is the id that a push takes."""
        back = returned(app.answer("田中 美咲"))
        assert back["state"] == app.asked["state"]
        assert back["friendship_status_changed"] == "true"

        answer = app.exchange(back["code"])
        tokens = answer.json()
        claims = app.claims(tokens["id_token"])
        sdk.push_message(a_push(claims["sub"], "連携しました"))

        assert (tokens["token_type"], tokens["expires_in"], tokens["scope"]) == ("Bearer", 2592000, "profile openid")
        assert "x-line-request-id" in answer.headers
        assert (claims["nonce"], claims["name"], claims["amr"]) == (app.asked["nonce"], "田中 美咲", ["linesso"])
        assert claims["exp"] - claims["iat"] == 3600
        assert app.is_friend(tokens["access_token"])
        assert [one["place"] for one in chat.messages("line")] == ["田中 美咲"]

    @pytest.mark.parametrize(
        ("name", "friend", "changed", "now_friend"),
        [
            ("佐藤 花子", True, "false", True),
            ("田中 美咲", False, "false", False),
            ("高橋 健", True, "true", True),
            ("高橋 健", False, "false", False),
        ],
        ids=["was a friend", "does not add", "ends the block", "stays blocked"],
    )
    def test_friendship_is_told(self, app: App, name: str, friend: bool, changed: str, now_friend: bool) -> None:
        back = returned(app.answer(name, friend=friend))

        assert back["friendship_status_changed"] == changed
        assert app.is_friend(app.exchange(back["code"]).json()["access_token"]) is now_friend

    def test_without_prompt_nothing_is_said_of_friendship(self, app: App) -> None:
        assert set(returned(app.answer("田中 美咲", bot_prompt=None))) == {"code", "state"}

    @pytest.mark.parametrize(("upper_case", "word"), [(False, "access_denied"), (True, "ACCESS_DENIED")])
    def test_cancel_returns_the_error_and_the_state(self, chat: Chat, app: App, upper_case: bool, word: str) -> None:
        chat.call("POST", "/_sim/line/login", {"upper_case": upper_case})

        back = returned(app.answer(decision="cancel"))

        described = "The resource owner denied the request."
        assert back == {"error": word, "error_description": described, "state": app.asked["state"]}

    @pytest.mark.parametrize(
        "changes",
        [
            {"client_id": "2000000009"},
            {"redirect_uri": "https://evil.example/callback"},
            {"redirect_uri": "http://localhost.evil.example/callback"},
            {"redirect_uri": "http://localhost@evil.example/callback"},
            {"redirect_uri": "http://localhost:8080/callback#x"},
            {"redirect_uri": "javascript:alert(1)"},
            {"redirect_uri": None},
            {"state": None},
            {"state": ""},
        ],
        ids=str,
    )  # fmt: skip
    def test_request_that_nobody_may_be_returned_from_ends_on_a_page(self, app: App, changes: dict[str, str]) -> None:
        page = app.page(**changes)

        assert (page.status_code, page.headers.get("location")) == (400, None)
        assert "400 Bad Request" in page.text

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"response_type": "token"}, "unsupported_response_type"),
            ({"response_type": None}, "unsupported_response_type"),
            ({"scope": None}, "invalid_scope"),
            ({"scope": "profile openid everything"}, "invalid_scope"),
            ({"code_challenge_method": "plain"}, "invalid_request"),
            ({"code_challenge_method": None}, "invalid_request"),
            ({"code_challenge": "short"}, "invalid_request"),
            ({"code_challenge": None}, "invalid_request"),
            ({"bot_prompt": "yes"}, "invalid_request"),
        ],
        ids=str,
    )  # fmt: skip
    def test_other_bad_request_returns_with_an_error(self, app: App, changes: dict[str, str], error: str) -> None:
        back = returned(app.page(**changes))

        assert (back["error"], back["state"]) == (error, app.asked["state"])
        assert "code" not in back

    def test_registered_callback_is_the_only_one(self, chat: Chat, app: App) -> None:
        """A query may be added to a registered callback; the answer comes after it."""
        chat.call("POST", "/_sim/line/login", {"redirect_uris": ["https://renkei.example/callback"]})
        assert app.page().status_code == 400

        answer = app.answer(redirect_uri="https://renkei.example/callback?tenant=acme")

        assert answer.headers["location"].startswith("https://renkei.example/callback?tenant=acme&code=")

    def test_consent_is_given_once(self, app: App) -> None:
        number = re.search(r'name="request" value="([^"]+)"', app.page().text)
        assert number
        form = {"request": number[1], "user_id": people(app.chat)["佐藤 花子"], "decision": "allow"}

        statuses = [httpx.post(f"{app.base}/oauth2/v2.1/consent", data=form).status_code for _ in range(2)]

        assert statuses == [302, 400]


class TestToken:
    def test_code_works_once(self, app: App) -> None:
        code = app.code()

        assert app.exchange(code).status_code == 200
        again = app.exchange(code)
        assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")

    @pytest.mark.parametrize(("ahead_s", "status"), [(590, 200), (600, 400)])
    def test_code_lives_ten_minutes(self, chat: Chat, app: App, ahead_s: int, status: int) -> None:
        code = app.code()
        chat.call("POST", "/_sim/line", {"ahead_s": ahead_s})

        assert app.exchange(code).status_code == status

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"grant_type": "password"}, "unsupported_grant_type"),
            ({"client_secret": "0" * 32}, "invalid_client"),
            ({"client_secret": None}, "invalid_client"),
            ({"client_id": "2000000001"}, "invalid_client"),
            ({"code": "guessed"}, "invalid_grant"),
            ({"redirect_uri": CALLBACK + "/"}, "invalid_grant"),
            ({"code_verifier": "v" * 43}, "invalid_grant"),
            ({"code_verifier": None}, "invalid_grant"),
        ],
        ids=str,
    )  # fmt: skip
    def test_bad_exchange_is_refused(self, app: App, changes: dict[str, str], error: str) -> None:
        answer = app.exchange(**{"code": app.code(), **changes})

        assert (answer.status_code, answer.json()["error"]) == (400, error)
        assert "access_token" not in answer.json()

    def test_body_that_is_no_form_is_refused(self, app: App) -> None:
        assert httpx.post(f"{app.base}/oauth2/v2.1/token", json={"code": app.code()}).status_code == 400

    def test_pkce_is_optional_but_not_one_sided(self, app: App) -> None:
        plain = {"code_challenge": None, "code_challenge_method": None}

        assert app.exchange(app.code(**plain), code_verifier=None).status_code == 200
        assert app.exchange(app.code(**plain)).status_code == 400

    def test_id_token_comes_with_openid_and_a_name_with_profile(self, app: App) -> None:
        assert "id_token" not in app.exchange(app.code(scope="profile")).json()
        assert "name" not in app.claims(app.exchange(app.code(scope="openid")).json()["id_token"])
        no_nonce = app.exchange(app.code(nonce=None)).json()["id_token"]
        assert "nonce" not in app.claims(no_nonce)

    @pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong"])
    def test_friendship_needs_a_token(self, app: App, header: str) -> None:
        headers = {"authorization": header}
        assert httpx.get(f"{app.base}/friendship/v1/status", headers=headers).status_code == 401

    def test_friendship_needs_the_profile_scope(self, app: App) -> None:
        headers = {"authorization": f"Bearer {app.exchange(app.code(scope='openid')).json()['access_token']}"}
        assert httpx.get(f"{app.base}/friendship/v1/status", headers=headers).status_code == 403

    def test_access_token_can_be_verified_until_it_expires(self, chat: Chat, app: App) -> None:
        token = app.exchange(app.code()).json()["access_token"]
        url = f"{app.base}/oauth2/v2.1/verify"

        verified = httpx.get(url, params={"access_token": token}).json()
        assert (verified["client_id"], verified["scope"]) == (app.registration["channel_id"], "profile openid")
        chat.call("POST", "/_sim/line", {"ahead_s": 31 * 86400})
        assert httpx.get(url, params={"access_token": token}).json()["error_description"] == "access token expired"


class TestIdTokenFaults:
    @pytest.mark.parametrize(
        ("fault", "error", "description"),
        [
            ("signature", jwt.InvalidSignatureError, "Invalid IdToken."),
            ("unsigned", jwt.InvalidAlgorithmError, "Invalid IdToken."),
            ("issuer", jwt.InvalidIssuerError, "Invalid IdToken Issuer."),
            ("expired", jwt.ExpiredSignatureError, "IdToken expired."),
            ("audience", jwt.InvalidAudienceError, "Invalid IdToken Audience."),
        ],
    )
    def test_fault_is_in_one_token(
        self, chat: Chat, app: App, fault: str, error: type[Exception], description: str
    ) -> None:
        chat.call("POST", "/_sim/line/login", {"faults": [fault]})

        bad, good = (app.exchange(app.code()).json()["id_token"] for _ in range(2))

        with pytest.raises(error):
            app.claims(bad)
        assert app.verify(bad).json() == {"error": "invalid_request", "error_description": description}
        assert app.verify(good).json() == app.claims(good)

    def test_wrong_nonce(self, chat: Chat, app: App) -> None:
        chat.call("POST", "/_sim/line/login", {"faults": ["nonce"]})

        bad = app.exchange(app.code()).json()["id_token"]

        assert app.claims(bad)["nonce"] != app.asked["nonce"]
        assert app.verify(bad, nonce=app.asked["nonce"]).json()["error_description"] == "Invalid IdToken Nonce."
        assert app.verify(bad).status_code == 200

    def test_wrong_state(self, chat: Chat, app: App) -> None:
        chat.call("POST", "/_sim/line/login", {"faults": ["state"]})

        assert returned(app.answer())["state"] != app.asked["state"]
        assert returned(app.answer())["state"] == app.asked["state"]
