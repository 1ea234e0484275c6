"""通知: what a line of it may say, as far as one line tells (N1)."""

from __future__ import annotations

import unicodedata

from renkei.links.smarthr_emc.sheet.json_schema.patterns import (
    SCALAR,
    TYPED,
    Schema,
    character_class,
    choice,
    matches,
    one_line,
    spelled,
)
from renkei.notifications.event import LABELS, Event
from renkei.notifications.form.cells import CONNECTION_MOST, NAME_MOST
from renkei.notifications.form.words import EVENT_WORDS, MUTED_WORDS, SERVICE_WORDS, UNMUTED_WORDS
from renkei.notifications.services import SPECS, ServiceSpec

_SAID = ["string", "number", "boolean"]


def notifications() -> Schema:
    """The list of channels beside the result mail."""
    return {
        "title": "通知",
        "description": "結果を知らせるチャットなど。1つの通知先に1つずつ。URLやトークンは書かず、Airflowの接続に登録します",
        "type": ["array", "null", "string"],
        "maxLength": 0,
        "items": {
            "type": "object",
            "required": ["name", "service"],
            "additionalProperties": False,
            "properties": {
                "name": _name(),
                "service": _service(),
                "connection": _connection(),
                "to": _destination(),
                "muted": _muted(),
                "events": _events(),
            },
            "allOf": [_needs_destination(spec) for spec in SPECS if spec.destination],
        },
    }


def _name() -> Schema:
    note = "通知先の名前。ほかの通知先と異なるもの"
    return {"title": "名前", "description": note, "type": _SAID, "pattern": one_line(NAME_MOST), **_NO_URL}


def _service() -> Schema:
    shown = [*(spec.label for spec in SPECS), *(spec.service.value for spec in SPECS)]
    return {"title": "サービス", **choice(shown, SERVICE_WORDS, may_be_blank=False)}


def _connection() -> Schema:
    signs = character_class(c for c in TYPED if _is_id(unicodedata.normalize("NFKC", c)))
    return {
        "title": "接続",
        "description": "Airflowの接続の名前。書かなければ「接続の種類__会社名」",
        "type": SCALAR,
        "pattern": matches(f"{signs}{{1,{CONNECTION_MOST}}}"),
        "examples": ["slack_webhook__acme"],
    }


def _is_id(sign: str) -> bool:
    return len(sign) == 1 and sign.isascii() and (sign.isalnum() or sign in "_.-")


def _destination() -> Schema:
    notes = (f"{spec.label}: {spec.destination.label}({spec.destination.note})" for spec in SPECS if spec.destination)
    text = "。".join((*notes, "社員:ID と書くと、その社員本人に届きます。ほかのサービスでは書きません"))
    return {"title": "送信先", "description": text, "type": SCALAR, **_NO_URL}


def _muted() -> Schema:
    words = choice(["○", "×"], (*MUTED_WORDS, *UNMUTED_WORDS))
    return {"title": "通知を行わない", "anyOf": [{"type": "boolean"}, *words["anyOf"]], "default": False}


def _events() -> Schema:
    shown = [*LABELS.values(), *(event.value for event in Event)]
    word = choice(shown, EVENT_WORDS, may_be_blank=False)
    note = "通知管理: 知らせる内容。書かなければすべて"
    return {"title": "知らせる内容", "description": note, "type": ["array", "string", "null"], "items": word}


def _needs_destination(spec: ServiceSpec) -> Schema:
    words = (word for word in (spec.service.value, spec.label, *spec.aliases))
    surely = {"service": {"type": "string", "pattern": f"^{spelled(words)}$"}}
    return {"title": spec.label, "if": {"required": ["service"], "properties": surely}, "then": {"required": ["to"]}}


_NO_URL: Schema = {"not": {"type": "string", "pattern": "[Hh][Tt][Tt][Pp][Ss]?://"}}
