"""Push messages of a LINE official account, through LINE's own client (N1, N4)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from renkei.systems.line.answers import answer_of
from renkei.systems.line.wire import Pool, UnansweredError
from renkei.systems.messaging import Delivery, Message, Verdict, accepted, clean, fit, later, refused, utf16_units

Question = Callable[[Any, Any], Any]  # of LINE's module and its API, which come without types

HOST = "https://api.line.me"
TEXT_MOST = 5000  # UTF-16 units: "Text message" and "Character counting in a text", developers.line.biz
LINK_MOST = 1000  # a longer link is left out, not cut
PERSON_OR_ROOM = re.compile(r"[UCR][0-9a-f]{32}")
HEADER_TEXT = re.compile(r"[\x21-\x7e]+")


class LineMessenger:
    """A messenger of one channel access token. Every repetition with the same key is safe."""

    def __init__(self, token: str, base_url: str = HOST) -> None:
        self._token = token
        self._host = base_url.rstrip("/") or HOST

    def send(self, message: Message, to: str, key: str) -> Delivery:
        """Push `message` to the LINE user id (or group, or room) `to`; `key` is the retry key, a UUID."""
        if not PERSON_OR_ROOM.fullmatch(to):  # LINE forbids trying ids that cannot exist
            return refused(None, "送信先がLINEのユーザーIDではありません（U と32桁の英数字）")

        def push(line: Any, api: Any) -> Any:
            request = line.PushMessageRequest(to=to, messages=[line.TextMessage(text=text_of(message))])
            return api.push_message_with_http_info(request, x_line_retry_key=key)

        return self._ask(push)

    def check(self) -> Delivery:
        """Whether LINE knows the token: asks who the official account is."""
        return self._ask(lambda _, api: api.get_bot_info_with_http_info())

    def _ask(self, question: Question) -> Delivery:
        if not HEADER_TEXT.fullmatch(self._token):
            return refused(None, "チャネルアクセストークンが空か、空白・改行・全角文字を含んでいます", dead=True)
        # Here and not above: it takes more than a second to import, and most runs send nothing to LINE.
        import linebot.v3.messaging as line  # type: ignore[import-untyped]

        return _answer(line, line.Configuration(host=self._host, access_token=self._token), question)


def text_of(message: Message) -> str:
    """The message as LINE takes it; what does not fit is cut before the link, so that the link stays whole."""
    body = replace(message, link="").text()
    link = clean(message.text()[len(body) :])
    if len(link) > LINK_MOST:
        link = ""
    return fit(clean(body), TEXT_MOST - utf16_units(link), utf16_units) + link


def _answer(line: Any, configuration: Any, question: Question) -> Delivery:
    try:
        with line.ApiClient(configuration) as client:
            client.rest_client.pool_manager = Pool()
            answer = question(line, line.MessagingApi(client))
    except UnansweredError as error:
        if error.delivery.verdict is Verdict.UNKNOWN:  # the key makes a repetition safe
            return later(None, error.delivery.reason)
        return error.delivery
    except line.ApiException as error:  # its text holds the whole answer: not even logged
        return answer_of(error.status, error.body or "", error.headers or {})
    except Exception as error:
        # No connection, no answer, or one that LINE's models do not know, at which they raise whatever comes
        # (ValidationError, TypeError, UnicodeDecodeError …). The key makes a repetition safe in every case.
        return later(None, type(error).__name__)
    if answer.data is None:  # a success, but not LINE's
        return later(answer.status_code, f"HTTP {answer.status_code}")
    sent = getattr(answer.data, "sent_messages", None) or []
    return accepted(answer.status_code, sent[0].id if sent else "")
