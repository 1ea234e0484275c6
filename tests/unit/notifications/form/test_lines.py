"""N1, N4, L7: what a line of 通知 says, whoever's form it stands in."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from renkei.channel import EVERY_EVENT, LABELS, Channel, Event, Service
from renkei.errors import Problem
from renkei.notifications.form.lines import KEYS, channel_lines, read_channels
from renkei.notifications.form.words import default_connection, event_marks
from renkei.notifications.services import SPECS, connection_needed
from renkei.sheets.findings import Findings

PLACE = "op.yaml channels"
LINE_USER = f"U{'0123456789abcdef' * 2}"
SECRET = "aB3dE5gH7jK9mN1pQ3sT5vW7"
Read = tuple[tuple[Channel, ...], list[Problem], list[Problem]]


def read(text: str, tenant: str = "acme") -> Read:
    """Channels, problems and warnings of a YAML list."""
    findings = Findings()
    lines = channel_lines(yaml.load(text, Loader=yaml.BaseLoader), PLACE, findings)
    return read_channels(lines, findings, tenant=tenant), findings.problems, findings.warnings


def line(**values: Any) -> str:
    return yaml.safe_dump([{"name": "総務", "service": "slack", **values}], allow_unicode=True)


def only(**values: Any) -> Channel:
    (channel,), problems, _ = read(line(**values))
    assert problems == []
    return channel


def places(problems: list[Problem]) -> list[str]:
    return [problem.where.removeprefix(PLACE) for problem in problems]


def test_n1_a_line_without_more_tells_everything() -> None:
    """N1: all events, not muted, by the Connection that is named after the service and the tenant."""
    assert only() == Channel("総務", Service.SLACK_WEBHOOK, "slack_webhook__acme", "", False, EVERY_EVENT)


@pytest.mark.parametrize(
    ("word", "service"),
    [(word, spec.service) for spec in SPECS for word in (spec.service.value, spec.label, *spec.aliases)]
    + [("ＳＬＡＣＫ", Service.SLACK_WEBHOOK), ("Slack （Bot）", Service.SLACK_BOT), ("ﾁｬｯﾄﾜｰｸ", Service.CHATWORK)],
)
def test_n1_a_service_is_known_by_all_its_names(word: str, service: Service) -> None:
    """N1: label, alias and code, of any width."""
    to = {
        Service.MAIL: "a@b.example.jp",
        Service.SLACK_BOT: "U012ABCDEF",
        Service.CHATWORK: "1",
        Service.LINEWORKS: "a@b",
        Service.LINE: LINE_USER,
    }
    assert only(service=word, to=to.get(service, "")).service is service


@pytest.mark.parametrize(
    ("service", "text", "to"),
    [
        ("mail", "ａ@b.example.jp、b@b.example.jp;a@b.example.jp", "a@b.example.jp, b@b.example.jp"),
        ("slackbot", " Ｕ０１２ＡＢＣＤＥＦ ", "U012ABCDEF"),
        ("slackbot", "社員：E 001".replace(" ", ""), "社員:E001"),
        ("slackbot", "MEMBER: taro@acme.example.jp", "社員:taro@acme.example.jp"),
        ("lineworks", "channel:0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f", "channel:0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f"),
        ("lineworks", "0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f", "0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f"),
        ("googlechat", "社員:0012", "社員:0012"),
        ("line", LINE_USER, LINE_USER),
    ],
)
def test_n4_a_destination_is_what_the_service_takes(service: str, text: str, to: str) -> None:
    """N4: ids in normal width, a member as 社員:ID with the id untouched."""
    assert only(service=service, to=text).to == to


@pytest.mark.parametrize(
    ("service", "to", "connection"),
    [
        ("mail", "a@b.example.jp", ""),
        ("googlechat", "社員:1", ""),
        ("googlechat", "", "google_chat__acme"),
        ("slackbot", "社員:1", "slack_bot__acme"),
    ],
)
def test_l7_a_connection_is_named_where_there_is_a_secret(service: str, to: str, connection: str) -> None:
    """L7: none for a mail, nor where the member's own webhook is used."""
    assert only(service=service, to=to).connection == connection


@pytest.mark.parametrize(
    ("events", "chosen"),
    [
        ("", EVERY_EVENT),
        ([], frozenset()),
        (["失敗", "HOLD", "変更なし"], {Event.FAILURE, Event.HOLD, Event.UNCHANGED}),
        ("失敗、期限切れ予告", {Event.FAILURE, Event.EXPIRY}),
        ([*LABELS.values()], EVERY_EVENT),
    ],
)
def test_n1_events_may_be_words_or_codes(events: object, chosen: frozenset[Event]) -> None:
    """N1: left out, they are all of them; an empty list is none."""
    assert only(events=events).events == chosen
    assert event_marks(only(events=events)).count("○") == len(chosen)


@pytest.mark.parametrize(
    ("word", "muted"), [("true", True), ("○", True), ("行わない", True), ("×", False), ("no", False), ("", False)]
)
def test_n1_a_channel_can_be_muted(word: str, muted: bool) -> None:
    """N1: 通知を行わない, in every form."""
    assert only(muted=word).muted is muted
    assert only(muted=word).wants(Event.FAILURE) is not muted


WRONG: list[tuple[str, dict[str, Any], list[str], str]] = [
    ("no name", {"name": ""}, ["[0].name"], "名前が空白"),
    ("a name of two lines", {"name": "a\nb"}, ["[0].name"], "改行"),
    ("a long name", {"name": "あ" * 41}, ["[0].name"], "41文字"),
    ("the mail's name", {"name": "結果通知 メール"}, ["[0].name"], "使えません"),
    ("no service", {"service": ""}, ["[0].service"], "サービスが空白"),
    ("an unknown service", {"service": "ちゃっとわーく"}, ["[0].service"], "使えないサービス"),
    ("a service nearly right", {"service": "Slack(Wehook)"}, ["[0].service"], "「Slack(Webhook)」と記入してください"),
    ("no destination", {"service": "chatwork"}, ["[0].to"], "ルームID"),
    ("another destination", {"service": "chatwork", "to": "総務"}, ["[0].to"], "ルームIDの形"),
    ("a member of a room", {"service": "chatwork", "to": "社員:1"}, ["[0].to"], "「社員:ID」を使えません"),
    ("no address", {"service": "mail", "to": " 、"}, ["[0].to"], "送信先が空白"),
    ("a bad address", {"service": "mail", "to": "soumu.example.jp"}, ["[0].to"], "メールアドレスの形"),
    ("many", {"service": "mail", "to": ",".join(f"a{n}@b.example.jp" for n in range(6))}, ["[0].to"], "6件"),
    ("a Connection in Japanese", {"connection": "総務"}, ["[0].connection"], "半角の英数字"),
    ("a Connection of many letters", {"connection": "a" * 201}, ["[0].connection"], "半角の英数字"),
    ("an unknown switch", {"muted": "たぶん"}, ["[0].muted"], "○か×"),
    ("an unknown event", {"events": ["成功", "開始"]}, ["[0].events[1]"], "「開始」は使えない"),
    ("ditto marks", {"service": "〃"}, ["[0].service"], "「同上」「〃」などは使えません"),
    ("a list", {"to": ["a"]}, ["[0].to"], "文字ではありません"),
    ("an unknown key", {"mute": True}, ["[0].mute"], "「muted」と記入してください"),
]


@pytest.mark.parametrize(("values", "where", "message"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_l8_a_mistake_is_named_and_its_line_left_out(values: dict[str, Any], where: list[str], message: str) -> None:
    """L8: at its cell, with what to write; a muted line is looked at like any other."""
    for more in ({}, {"muted": True}):
        channels, problems, _ = read(line(**{**more, **values}))
        assert channels == ()
        assert places(problems) == where, problems
        assert message in f"{problems[0].found} {problems[0].remedy}"


@pytest.mark.parametrize("text", ["x", "{a: b}", "[x]", "[[]]", "[1, {name: a}]"])
def test_l8_another_shape_is_a_problem(text: str) -> None:
    """L8: never a crash."""
    channels, problems, _ = read(text)
    assert channels == ()
    assert problems


def test_n1_two_channels_have_two_names() -> None:
    """N1: names are compared as people read them; the first of two stands."""
    text = "[{name: 総務 A, service: slack}, {name: 総務Ａ, service: teams}]"
    channels, problems, _ = read(text)
    assert [channel.name for channel in channels] == ["総務 A"]
    assert places(problems) == ["[1].name"]


def test_l5_the_other_lines_stand() -> None:
    """L5: a broken line takes no other with it, so that a broken sheet can still be told of."""
    channels, problems, _ = read("[{name: a, service: fax}, {name: b, service: teams}, {name: c}]")
    assert [channel.name for channel in channels] == ["b"]
    assert places(problems) == ["[0].service", "[2].service"]


CELLS: list[tuple[str, dict[str, Any]]] = [
    (key, {**base, key: [text] if key == "events" else text})
    for key in ("name", "service", "connection", "to", "muted", "events")
    for text in (f"https://hooks.slack.com/services/T0/B0/{SECRET}", f"xoxb-{SECRET}", SECRET)
    for base in ({}, {"service": "lineworks"}, {"service": "chatwork"}, {"service": "fax"})
]


@pytest.mark.parametrize(("key", "values"), CELLS)
def test_l7_a_secret_is_refused_in_every_cell_and_quoted_nowhere(key: str, values: dict[str, Any]) -> None:
    """L7: whichever service it is meant for; the message says where secrets belong."""
    channels, problems, warnings = read(line(**values))
    assert channels == ()
    (found,) = [problem for problem in problems if problem.where.startswith(f"{PLACE}[0].{key}")]
    assert "Airflowの接続" in found.remedy
    told = str((problems, warnings))
    assert SECRET not in told
    assert "hooks" not in told


def test_l7_a_secret_as_a_key_is_not_quoted() -> None:
    """L7: not even what stands where a key belongs."""
    _, problems, _ = read(f"[{{name: a, service: slack, '{SECRET}': x, url: 'https://x.example/{SECRET}'}}]")
    assert len(problems) == 2
    assert SECRET not in str(problems)


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("[{name: a, service: slack}, {name: b, service: slack}]", ["[1].connection"], "「a」"),
        ("[{name: a, service: slack}, {name: b, service: slack, connection: x}]", [], ""),
        (
            "[{name: a, service: slackbot, to: U012A}, {name: b, service: slackbot, to: C012A}]",
            ["[1].connection"],
            "「slack_bot__acme」",
        ),
        (
            "[{name: a, service: teams, connection: x}, {name: b, service: teams, connection: x}]",
            ["[1].name"],
            "「a」の行と同じ",
        ),
        ("[{name: a, service: slack, to: '#general'}]", ["[0].to"], "この記入は使いません"),
        ("[{name: a, service: mail, to: a@b.example.jp, connection: x}]", ["[0].connection"], "接続を使いません"),
        ("[{name: a, service: slack, events: []}]", ["[0].name"], "1つもありません"),
    ],
)
def test_n1_what_is_doubtful_is_said(text: str, where: list[str], message: str) -> None:
    """N1: two that share a secret without saying so, two that tell the same place, and what is not used."""
    channels, problems, warnings = read(text)
    assert channels
    assert problems == []
    assert places(warnings) == where
    assert all(message in f"{warning.found} {warning.remedy}" for warning in warnings)


@pytest.mark.parametrize("spec", [spec for spec in SPECS if spec.fields], ids=lambda spec: spec.service)
def test_l7_the_default_connection_is_never_taken_for_a_secret(spec: Any) -> None:
    """L7: written out, the default of a tenant of a long name reads as itself."""
    tenant = "kabushikigaisha-sakura-shoji-2024"
    name = default_connection(spec.service, tenant)
    to = {"SLACK_BOT": "U012A", "CHATWORK": "1", "LINEWORKS": "a@b", "LINE": LINE_USER}.get(spec.service, "")
    (channel,), problems, _ = read(line(service=spec.label, connection=name, to=to), tenant)
    assert (problems, channel.connection) == ([], name)


@pytest.mark.parametrize(
    ("connection", "sound"),
    [
        ("slack_webhook__acme", True),
        ("slack_group", True),
        ("second__acme", True),
        ("slack_webhook__other", False),
        ("slack_webhook__operator", False),
        ("acme__other", False),
    ],
)
def test_l5_no_line_names_another_companys_connection(connection: str, sound: bool) -> None:
    """L5, L7: what ends in __NAME belongs to that tenant; one for several companies has no __."""
    _, problems, _ = read(line(connection=connection))
    assert (problems == []) is sound


TEXTS = st.text(max_size=60) | st.sampled_from(
    ["slack", "mail", "LINE", "社員:", "社員:1", "member:", "○", "×", "U012A", "a@b.example.jp", "１２３", "同上", "~"]
)
VALUES = st.recursive(
    TEXTS | st.booleans() | st.integers() | st.none(), lambda below: st.lists(below, max_size=3), max_leaves=4
)
LISTS = st.lists(st.dictionaries(st.sampled_from(KEYS) | TEXTS, VALUES, max_size=7) | VALUES, max_size=4)


@settings(max_examples=200)
@given(value=LISTS)
def test_l5_whatever_is_written_becomes_a_channel_or_a_problem(value: Any) -> None:
    """L5, N1: never a crash; every line that is no channel has a problem, and what is a channel can be used."""
    findings = Findings()
    channels = read_channels(channel_lines(value, PLACE, findings), findings, tenant="acme")
    assert len(channels) == len(value) or findings.problems
    assert len({channel.name for channel in channels}) == len(channels)
    for channel in channels:
        assert 0 < len(channel.name) <= 40
        assert bool(channel.connection) == connection_needed(channel.service, channel.to)
