"""A Connection filled in on a page: what is refused, and what goes where (L7, S2, N1, P4)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from renkei.channel import Service
from renkei.notifications.services import SYSTEMS
from renkei.orchestration.connection_kinds import (
    CHANNEL_KINDS,
    OF_PREFIX,
    OF_SERVICE,
    PASSWORD,
    SFTP,
    SYSTEM_KINDS,
    kind_of,
)
from renkei.web.connection_facts import ConnectionState, TriedConnection, TriedConnections, entered, faults_of

EMC = ConnectionState("emc__acme", OF_PREFIX["emc"])
KEPT = replace(EMC, registered=True, values={"url": "https://emc.example.jp"}, secrets=frozenset({"secret"}))
SLACK = ConnectionState("slack_webhook__acme", OF_SERVICE[Service.SLACK_WEBHOOK])
RIGHT = {"url": "https://emc.example.jp", "secret": "token-0"}


def said(state: ConnectionState, given: dict[str, str]) -> str:
    return " ".join(f"{fault.found} → {fault.remedy}" for fault in faults_of(state, given))


@pytest.mark.parametrize(
    ("state", "given", "expected"),
    [
        (EMC, RIGHT, ""),
        (EMC, {}, "EMC取込APIのURLが入力されていません"),
        (EMC, RIGHT | {"secret": ""}, "トークンが入力されていません"),
        (EMC, RIGHT | {"secret": "to ken"}, "トークン: 途中に空白"),
        (EMC, RIGHT | {"secret": "ｔｏｋｅｎ"}, "トークン: 全角文字"),
        (EMC, RIGHT | {"url": "http://emc.example.jp"}, "「https://」で始まる"),
        (EMC, RIGHT | {"url": "emc.example.jp"}, "「https://」で始まる"),
        (EMC, RIGHT | {"url": "https://user@emc.example.jp"}, "「https://」で始まる"),
        (KEPT, RIGHT | {"secret": ""}, ""),
        (KEPT, {"url": "https://evil.example", "secret": ""}, "登録済みの値は使いません"),
        (KEPT, {"url": "https://new.example.jp", "secret": "new"}, ""),
        (SLACK, {"url": "https://example.com/nowhere"}, "Slack"),
        (SLACK, {"url": "https://hooks.slack.com/services/T0/B0/abcdefgh", "expires_on": "soon"}, "有効期限"),
    ],
)
def test_l7_what_cannot_be_right_is_named_by_its_field(
    state: ConnectionState, given: dict[str, str], expected: str
) -> None:
    """No secret that is kept ever goes to another address."""
    assert (expected in said(state, given)) if expected else said(state, given) == ""


def test_l7_no_fault_quotes_a_secret() -> None:
    for state in (EMC, SLACK, ConnectionState("x", SFTP), ConnectionState("x", OF_SERVICE[Service.LINEWORKS])):
        given = {one.key: "hush hush秘" for one in state.kind.fields}
        assert faults_of(state, given)
        assert "hush" not in said(state, given)


def lineworks_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    kind = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption()).decode()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ""),
        ({"bot_id": ""}, "Bot IDが入力されていません"),
        ({"client_id": "ab c"}, "Client ID: 途中に空白または見えない文字があります（3文字目）"),
        ({"client_secret": "ab\u200bc"}, "Client Secret: 途中に空白または見えない文字があります（3文字目）"),
        ({"service_account": "ａb@acme"}, "Service Account: 全角文字などが含まれています（1文字目）"),
        ({"private_key": "秘密鍵"}, "Private Key: 全角文字"),
        ({"private_key": "MIIEvQIBADANBg"}, "Private Key: Private Key を秘密鍵として読めません"),
        ({"private_key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"}, "秘密鍵として読めません"),
        ({"private_key": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"}, "秘密鍵として読めません"),
    ],
)
def test_c1_line_works_credentials_are_refused_field_by_field(given: dict[str, str], expected: str) -> None:
    """P4: blanks by field and place; a key that is no PEM. Of who has no bot, the Bot ID may stay blank."""
    state = ConnectionState("lineworks__acme", OF_SERVICE[Service.LINEWORKS])
    right = {"client_id": "c", "client_secret": "s", "service_account": "a@acme", "bot_id": "1"}
    right["private_key"] = lineworks_key()
    assert (expected in said(state, right | given)) if expected else said(state, right) == ""
    fields = tuple(replace(one, required=one.required and one.key != "bot_id") for one in state.kind.fields)
    no_bot = replace(state, kind=replace(state.kind, fields=fields))
    assert said(no_bot, right | {"bot_id": ""}) == ""


@pytest.mark.parametrize("port", ["0", "65536", "-1", "22a"])
def test_a_port_is_a_number(port: str) -> None:
    given = {"host": "sftp.example.jp", "login": "renkei", "host_key": "ssh-ed25519 AAAA", "port": port}
    assert "65535" in said(ConnectionState("emc_drop__acme", SFTP), given)


def test_what_is_entered_goes_to_its_place_and_a_secret_left_out_stays() -> None:
    kept = ConnectionState("emc_drop__acme", SFTP, True, secrets=frozenset({"password", "private_key"}))
    given = {"host": " sftp.example.jp ", "port": "", "login": "renkei", "password": "", "private_key": "",
             "host_key": "ssh-ed25519 AAAA", "remote_path": "受信 1"}  # fmt: skip
    found = entered(kept, given)
    assert found.values == {"host": "sftp.example.jp", "port": "", "login": "renkei"}
    kept_out = {"no_host_key_check": "false"}  # whatever Extra said before
    assert found.extra == {"host_key": "ssh-ed25519 AAAA", "remote_path": "受信 1", **kept_out}
    key = entered(kept, given | {"private_key": "-----BEGIN\r\nabc\r\n-----END\r\n"}).extra["private_key"]
    assert key == "-----BEGIN\nabc\n-----END"


def test_a_connection_is_of_the_kind_that_it_is_called_by() -> None:
    assert [kind_of(name) for name in ("smarthr__acme", "emc_drop__acme", "first_password__acme")] == [
        OF_PREFIX["smarthr"], SFTP, PASSWORD,
    ]  # fmt: skip


def test_l7_no_connection_that_opens_a_system_can_be_named_as_a_first_password() -> None:
    """秘密:NAME would send its secret to EMC."""
    kinds = [*SYSTEM_KINDS, *CHANNEL_KINDS, SFTP]
    assert {kind.type for kind in kinds} | set(OF_PREFIX) <= SYSTEMS


WELL, WRONG = TriedConnection("emc__acme", True, ""), TriedConnection("smarthr__acme", False, "")
MISSING = TriedConnection("slack__acme", False, "", registered=False)


@pytest.mark.parametrize(
    ("trials", "asked", "expected"),
    [
        ([WELL], "", "すべての接続がつながりました。"),
        ([WELL, WRONG, WRONG], "", "つながらない接続が1件あります。"),
        ([WELL, WRONG, MISSING], "", "つながらない接続が1件あります。未登録の接続が1件あります。"),
        ([WELL, MISSING], "", "登録済みの接続は、すべてつながりました。未登録の接続が1件あります。"),
        ([WELL, WRONG], "emc__acme", "接続「emc__acme」はつながりました。"),
        ([WRONG, WELL], "smarthr__acme", "接続「smarthr__acme」はつながりません。"),
        ([WELL, MISSING], "emc__acme", "接続「emc__acme」はつながりました。未登録の接続が1件あります。"),
        ([WELL, WRONG], "gone__acme", "つながらない接続が1件あります。"),
    ],
)
def test_s6_a_trial_is_summed_up_by_what_was_asked(trials: list[TriedConnection], asked: str, expected: str) -> None:
    assert TriedConnections(trials, asked).headline == expected
