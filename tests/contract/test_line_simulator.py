"""LINE's simulator: the Messaging API as line-bot-sdk sees it."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from linebot.v3.messaging import MessagingApi
from linebot.v3.messaging.exceptions import ApiException

from tests.harness.chat import Chat
from tests.harness.line import UUID, a_push, messaging_api, people


@pytest.fixture
def line(chat: Chat) -> dict[str, Any]:
    return chat.registrations["line"]


@pytest.fixture
def sdk(line: dict[str, Any]) -> Iterator[MessagingApi]:
    """LINE's own client, told of nothing but another host."""
    with messaging_api(line) as api:
        yield api


@pytest.fixture
def http(line: dict[str, Any]) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {line['token']}"}
    with httpx.Client(base_url=line["base_url"], headers=headers, timeout=10) as client:
        yield client


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
        chat.sim("POST", "line", {"ahead_s": 24 * 3600 - 60})
        with pytest.raises(ApiException) as failure:
            sdk.push_message(a_push(line["friends"][0], "一日目"), x_line_retry_key=key)
        assert failure.value.status == 409

        chat.sim("POST", "line", {"ahead_s": 24 * 3600})
        sdk.push_message(a_push(line["friends"][0], "二日目"), x_line_retry_key=key)

        assert len(chat.messages("line")) == 2

    @pytest.mark.parametrize(
        "key", ["", "1", "run-1__notify", "123e4567e89b12d3a456426614174000", "4855f3e0-1b7d-474a-87bf-f8c15a829c3d0"]
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
    chat.sim("POST", "line", {"quota": 200, "used": 198})
    assert sdk.get_message_quota().value == 200

    sdk.push_message(a_push(line["friends"][0], "199", "200"))
    with pytest.raises(ApiException) as failure:
        sdk.push_message(a_push(line["friends"][1], "201"))

    assert refused(failure, 429) == {"message": "You have reached your monthly limit."}
    assert sdk.get_message_quota_consumption().total_usage == 200
    assert len(chat.messages("line")) == 2


def test_plan_without_a_quota_says_so(chat: Chat, sdk: MessagingApi) -> None:
    chat.sim("POST", "line", {"quota": None, "used": 10**6})

    assert (sdk.get_message_quota().type, sdk.get_message_quota().value) == ("none", None)


def test_rate_limit_is_told_apart_from_the_quota(chat: Chat, line: dict[str, Any], sdk: MessagingApi) -> None:
    chat.sim("POST", "line", {"limited": True})

    with pytest.raises(ApiException) as failure:
        sdk.push_message(a_push(line["friends"][0], "本文"))

    assert refused(failure, 429) == {"message": "The API rate limit has been exceeded. Try again later."}


def test_bot_is_known_by_its_token(chat: Chat, line: dict[str, Any], sdk: MessagingApi) -> None:
    """N5: a token can be tested without sending anything."""
    assert sdk.get_bot_info().display_name == "Renkei通知"
    assert sdk.get_profile(line["friends"][0]).display_name == "佐藤 花子"

    chat.sim("POST", "line", {"token_valid": False})
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
