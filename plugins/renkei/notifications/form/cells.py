"""What one cell of 通知 says. Each function raises a `Fault` for what it cannot take, and quotes no secret (L7)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from renkei.channel import LABELS, RESULT_MAIL, Event, Service
from renkei.notifications.form.secrecy import has_token
from renkei.notifications.form.words import MUTED_WORDS, UNMUTED_WORDS, event_of, service_of
from renkei.notifications.services import MAX_MAIL_ADDRESSES, SPEC, SPECS, ServiceSpec, member_of
from renkei.texts import Fault, fold, has_control, mail_addresses, narrow, nearest, trim

MAX_NAME = 40
MAX_CONNECTION = 200  # Airflow keeps 250
MAX_QUOTED = 20  # of an unknown word; a longer one is no word
_CONNECTION = re.compile(rf"[A-Za-z0-9_.\-]{{1,{MAX_CONNECTION}}}")


def quotable(text: str) -> bool:
    """Whether a message may repeat a text: short, and not even the beginning of a token."""
    return len(text) <= MAX_QUOTED and not has_control(text) and not has_token(text, 6)


def _quoted(text: str) -> str:
    plain = trim(text)
    return f"「{plain}」は" if quotable(plain) else ""


def read_name(text: str) -> str:
    """名前, unique within a tenant as far as its caller sees to it."""
    plain = trim(text)
    if not plain:
        raise Fault("名前が空白です", "通知先の名前を記入してください(例: 総務のチャット)")
    if has_control(plain):
        raise Fault("名前に改行または制御文字が含まれています", "1行の文字だけで記入してください")
    if len(plain) > MAX_NAME:
        raise Fault(f"名前が{len(plain)}文字あります", f"{MAX_NAME}文字以内で記入してください")
    if fold(plain) == fold(RESULT_MAIL):
        raise Fault(
            f"「{RESULT_MAIL}」という名前は使えません", "結果通知先メールアドレスと区別できる名前にしてください"
        )
    return plain


def read_service(text: str) -> Service:
    """サービス."""
    if not trim(text):
        raise Fault("サービスが空白です", "一覧から選んでください")
    if found := service_of(text):
        return found
    labels = [spec.label for spec in SPECS]
    remedy = nearest(text, labels) or "、".join(labels) + " から選んでください"
    raise Fault(f"{_quoted(text)}使えないサービスです", remedy)


def read_muted(text: str) -> bool:
    """通知を行わない."""
    return bool(read_switch(text, MUTED_WORDS, UNMUTED_WORDS))


def read_switch(text: str, on: Sequence[str], off: Sequence[str]) -> bool | None:
    """Whether a cell says ○ or ×; None where it is blank."""
    word = fold(text)
    if not word:
        return None
    if word in map(fold, on):
        return True
    if word in map(fold, off):
        return False
    raise Fault(f"{_quoted(text)}使えない言葉です", "○か×を記入するか、空白にしてください")


def read_event(text: str) -> Event:
    """An event of 通知管理, by its label or code."""
    if found := event_of(text):
        return found
    remedy = nearest(text, LABELS.values()) or "、".join(LABELS.values()) + " のいずれかです"
    raise Fault(f"{_quoted(text)}使えない通知の種類です", remedy)


def read_connection(text: str, tenant: str) -> str:
    """接続; blank where it is left to its default. What ends in `__NAME` belongs to the tenant of that name alone."""
    plain = narrow(text)
    if plain and not _CONNECTION.fullmatch(plain):
        remedy = f"半角の英数字、_、.、- で、{MAX_CONNECTION}文字以内で記入してください"
        raise Fault("接続の名前に使えない文字があるか、長すぎます", remedy)
    if "__" in plain and not plain.endswith(f"__{tenant}"):  # another company's channel would get this one's results
        remedy = f"「…__{tenant}」という名前の接続か、「__」の無い名前の接続(複数の会社で使うもの)を記入してください"
        raise Fault("接続の「__」の後が、この会社の名前ではありません", remedy)
    return plain


def read_destination(text: str, spec: ServiceSpec) -> str:
    """送信先 as the service takes it; blank where its secret says it all."""
    plain, destination = trim(text), spec.destination
    member_field = destination.member_field if destination else spec.member_field
    member = member_of(plain) or member_of(narrow(text))
    if member is not None:
        if member_field:
            return f"社員:{member}"
        raise Fault(f"{spec.label}では「社員:ID」を使えません", _expected(spec))
    if spec.service is Service.MAIL:
        return _addresses(text)
    if destination is None:
        return ""
    if not plain:
        raise Fault("送信先が空白です", _expected(spec))
    if not destination.pattern.fullmatch(narrow(text)):
        raise Fault(f"送信先が{spec.label}の{destination.label}の形ではありません", _expected(spec))
    return narrow(text)


def _expected(spec: ServiceSpec) -> str:
    if spec.destination is None:
        return "送信先を空白にしてください"
    return f"{spec.destination.label}を記入してください({spec.destination.note})"


def _addresses(text: str) -> str:
    found = tuple(dict.fromkeys(mail_addresses(text)))
    if not found:
        raise Fault("送信先が空白です", _expected(SPEC[Service.MAIL]))
    if len(found) > MAX_MAIL_ADDRESSES:
        raise Fault(f"メールアドレスが{len(found)}件あります", f"{MAX_MAIL_ADDRESSES}件以内にしてください")
    return ", ".join(found)
