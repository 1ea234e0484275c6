"""A Connection that a company needs, as a page fills it in: its fields, what Airflow has of it, what is wrong (L7, S2)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Protocol

from renkei.channel import Service
from renkei.errors import ConnectionError_
from renkei.notifications.registration import address_fault, register, text_fault, trimmed
from renkei.notifications.services import ConnectionField
from renkei.texts import Fault

MAIL_SERVER = "smtp_default"  # all companies', which Airflow's own pages register
CHANGED = (
    "この接続は、画面を開いたあとに変更されています（ほかの人、別の画面、または二重のクリックによるものです）。"
    "この画面の内容は保存していません。画面を開き直して、いまの内容を確認してください。"
)
GIVE_ANEW = "送信先が変わるため、登録済みの値は使いません。もう一度入力してください"


@dataclass(frozen=True, slots=True)
class ConnectionKind:
    """A type of Airflow Connection: Airflow's form and the console's are drawn from its fields."""

    type: str
    label: str
    fields: tuple[ConnectionField, ...]
    hook: str = ""  # of ours, by its dotted name; empty: another provider's
    service: Service | None = None  # of a channel: its own checks apply, too
    always: Mapping[str, str] = field(default_factory=dict)  # what Extra says besides, whoever fills it in


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """A Connection by its name, and what Airflow has of it. No secret is in here."""

    name: str
    kind: ConnectionKind
    registered: bool = False
    values: Mapping[str, str] = field(default_factory=dict, repr=False)  # of the fields that are no secret, by key
    secrets: AbstractSet[str] = frozenset()  # the keys of the secrets that are there
    fault: str = ""  # why no page can change it, in Japanese
    shared: bool = False  # other companies may use it, too
    digest: str = ""  # of all that stands there, which tells nothing of it; empty where nothing does

    def is_moved(self, given: Mapping[str, str]) -> bool:
        """Whether what was filled in goes to another address than the secrets that are there were given for."""
        hosts = (one.key for one in self.kind.fields if one.place == "host")
        return bool(self.secrets) and any(trimmed(given.get(key, "")) != self.values.get(key, "") for key in hosts)


@dataclass(frozen=True, slots=True)
class EnteredConnection:
    """What a form says, ready for `Actions.register`: fields of the Connection, and of its Extra."""

    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class TriedConnection:
    """One Connection, and what its service said of it."""

    name: str
    well: bool
    said: str
    registered: bool = True

    @property
    def has_form(self) -> bool:
        return self.name != MAIL_SERVER


@dataclass(frozen=True, slots=True)
class TriedConnections:
    """What a job says of all Connections that a company's sheet needs; `asked`: the one that has just been registered."""

    trials: Sequence[TriedConnection]
    asked: str = ""

    @property
    def headline(self) -> str:
        """In Japanese: of the one that was asked about, else of all; what nobody has registered yet is no failure."""
        own = [one for one in self.trials if one.name == self.asked and one.registered]
        wrong = {one.name for one in own or self.trials if one.registered and not one.well}
        missing = {one.name for one in self.trials if not one.registered}
        if own:
            said = f"接続「{self.asked}」は{'つながりません' if wrong else 'つながりました'}。"
        elif wrong:
            said = f"つながらない接続が{len(wrong)}件あります。"
        else:
            said = "登録済みの接続は、すべてつながりました。" if missing else "すべての接続がつながりました。"
        return said + (f"未登録の接続が{len(missing)}件あります。" if missing else "")


class Connections(Protocol):
    """The Connections of the companies, as the API server finds them."""

    def connection_states(self, dag_id: str) -> Sequence[ConnectionState]:
        """All that the company's sheet needs; none where the sheet cannot be used."""

    def connection_state(self, dag_id: str, name: str) -> ConnectionState | None:
        """One of them, or one that the company may have beside them; None: no page of the company's has it."""


def faults_of(state: ConnectionState, given: Mapping[str, str], hosts: Collection[str] = ()) -> list[Fault]:
    """Everything that is wrong with what was filled in, each by its field; no value is quoted, for it may be a secret.

    A secret that is there already may be left out, but never goes to another address than the one it was given for.
    `hosts` are the operator's stand-ins.
    """
    texts = {one.key: trimmed(given.get(one.key, "")) for one in state.kind.fields}
    is_moved, found = state.is_moved(given), []
    for one in state.kind.fields:
        text = texts[one.key]
        if not text and one.secret and one.key in state.secrets:
            if is_moved:
                found.append(Fault(f"{one.label}が入力されていません", GIVE_ANEW))
        elif not text and one.required:
            found.append(Fault(f"{one.label}が入力されていません", one.note or "入力してください"))
        elif text and (said := _fault(state.kind, one, text, hosts)):
            found.append(Fault(f"{one.label}: {said}", "直して、もう一度登録してください"))
    return found or _of_service(state, texts, hosts)


def entered(state: ConnectionState, given: Mapping[str, str]) -> EnteredConnection:
    """What is to be registered: every field that is no secret, and the secrets that were given."""
    values: dict[str, str] = {}
    extra: dict[str, str] = dict(state.kind.always)
    for one in state.kind.fields:
        text = trimmed(given.get(one.key, "").replace("\r\n", "\n"))
        if text or not one.secret:
            (extra if one.place == "extra" else values)[one.key if one.place == "extra" else one.place] = text
    return EnteredConnection(values, extra)


def _fault(kind: ConnectionKind, one: ConnectionField, text: str, hosts: Collection[str]) -> str:
    if said := text_fault(one, text):
        return said
    if kind.service is Service.LINEWORKS and one.key == "private_key":
        from renkei.systems.lineworks.auth import key_fault  # Airflow's own list of Connection types has no use for it

        return key_fault(text)
    if one.place == "port" and not (text.isdecimal() and 0 < int(text) < 65_536):
        return "1から65535までの数字を入力してください。"
    if one.place == "host" and kind.service is None and one.url:
        return address_fault(text, hosts)
    return ""


def _of_service(state: ConnectionState, texts: Mapping[str, str], hosts: Collection[str]) -> list[Fault]:
    """What the channel's service says of the whole; of secrets that stay where they are, nothing."""
    if state.kind.service is None:
        return []
    try:
        needless = {one.key for one in state.kind.fields if not one.required}
        register(state.kind.service, texts, hosts, needless=state.secrets | needless)
    except ConnectionError_ as error:
        return [Fault(str(error), "直して、もう一度登録してください")]
    return []
