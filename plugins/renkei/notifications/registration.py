"""What an Airflow Connection says of a channel, checked before anything is sent anywhere (L7, N1)."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from renkei.channel import Service
from renkei.errors import ConnectionError_
from renkei.notifications.services import SPEC, ConnectionField
from renkei.systems.google_chat.client import url_fault as google_chat_fault
from renkei.systems.hosts import is_private, is_trusted
from renkei.systems.slack.webhook import url_fault as slack_fault
from renkei.systems.teams.client import url_fault as teams_fault

_BASES = {  # where each service is, by its host; empty where it has no one place
    Service.SLACK_BOT: {"slack.com": "https://slack.com/api/", "slack-gov.com": "https://slack-gov.com/api/"},
    Service.CHATWORK: {"api.chatwork.com": "https://api.chatwork.com/v2"},
    Service.LINEWORKS: {"www.worksapis.com": "", "auth.worksmobile.com": ""},
    Service.LINE: {"api.line.me": "https://api.line.me"},
}
_WEBHOOK_FAULTS = {
    Service.SLACK_WEBHOOK: slack_fault,
    Service.TEAMS: teams_fault,
    Service.GOOGLE_CHAT: google_chat_fault,
}


@dataclass(frozen=True, slots=True)
class Registration:
    """The fields of a Connection by their keys in `services.py`, without blanks around them; sound as far as can be seen."""

    service: Service
    fields: Mapping[str, str]

    def digest(self, to: str) -> str:
        """16 hex digits that change when the channel is registered anew: another secret, host or 送信先 (N2)."""
        known = {key: value for key, value in self.fields.items() if key != "expires_on"}
        plain = json.dumps([self.service, known, to], sort_keys=True)
        return hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()[:16]

    @property
    def expires_on(self) -> dt.date | None:
        text = self.fields.get("expires_on", "")
        return dt.date.fromisoformat(text) if text else None


def register(
    service: Service,
    values: Mapping[str, str | None],
    allowed_hosts: Collection[str] = (),
    name: str = "",
    needless: Collection[str] = (),
) -> Registration:
    """The registration that a Connection (`name`) holds. `values` are its texts by field key, None where blank.

    `needless` are fields that may be blank for who does not send messages.

    Raises:
        ConnectionError_: with everything that is wrong with it; no value is quoted, for it may be a secret.
    """
    fields, faults = {}, []
    for field in SPEC[service].fields:
        text = trimmed(values.get(field.key) or "")
        if text:
            fields[field.key] = text
            if fault := _fault(service, field, text, allowed_hosts):
                faults.append(f"{field.label}: {fault}")
            elif field.key == "base_url" and is_trusted(text, lambda host: host in _BASES[service]):
                fields[field.key] = _BASES[service][urlsplit(text).hostname or ""]  # whatever path it was copied with
        elif field.required and field.key not in needless:
            faults.append(f"{field.label}が登録されていません。")
    if faults:
        where = f"Airflowの接続「{name}」（{SPEC[service].label}）" if name else SPEC[service].label
        raise ConnectionError_(f"{where}に誤りがあります。" + "".join(faults))
    return Registration(service, fields)


def webhook_fault(service: Service, url: str, allowed_hosts: Collection[str] = ()) -> str:
    """Why `url` is no webhook of this service, in Japanese; empty when it is one."""
    return _WEBHOOK_FAULTS[service](url, allowed_hosts)


def text_fault(field: ConnectionField, text: str) -> str:
    """What no field of a Connection may hold, in Japanese; empty where it may."""
    if field.plain:
        return ""
    for place, character in enumerate(text, start=1):
        if not field.lines and (character.isspace() or unicodedata.category(character) in ("Cc", "Cf")):
            return f"途中に空白または見えない文字があります（{place}文字目）。コピーし直してください。"
        if not character.isascii():
            return f"全角文字などが含まれています（{place}文字目）。コピーし直してください。"
    return ""


def address_fault(url: str, allowed_hosts: Collection[str] = ()) -> str:
    """Why a secret is not sent to this URL, in Japanese; empty where it is."""
    if "://" not in url or not is_private(url, allowed_hosts):
        return "「https://」で始まるURLを入力してください。"
    return ""


def _fault(service: Service, field: ConnectionField, text: str, allowed_hosts: Collection[str]) -> str:
    if found := text_fault(field, text):
        return found
    match field.key:
        case "url":
            return webhook_fault(service, text, allowed_hosts)
        case "base_url":
            if not is_trusted(text, lambda host: host in _BASES[service], allowed_hosts):
                return f"{SPEC[service].label}のURLではありません。空白にしてください。"
        case "expires_on":
            try:
                dt.date.fromisoformat(text)
            except ValueError:
                return "「2027-03-31」の形の日付を登録してください。"
        case "bot_id":
            return "" if text.isdecimal() else "数字を登録してください。"
    return ""


def trimmed(text: str) -> str:
    """Without blanks around it, zero-width ones included: they come along with what is copied from a page."""
    start, end = 0, len(text)
    while start < end and _blank(text[start]):
        start += 1
    while end > start and _blank(text[end - 1]):
        end -= 1
    return text[start:end]


def _blank(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) in ("Cc", "Cf")
