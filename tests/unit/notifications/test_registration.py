"""What an operator may have typed into a Connection (L7, N1)."""

from __future__ import annotations

import pytest

from renkei.channel import Service
from renkei.errors import ConnectionError_
from renkei.notifications.registration import register

SLACK_URL = "https://hooks.slack.com/services/T0AAAAAAA/B0AAAAAAA/abcdefghijklmnopqrstuvwx"
LINEWORKS = {
    "client_id": "abc",
    "client_secret": "def",
    "service_account": "x.serviceaccount@example",
    "private_key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
    "bot_id": "123",
}


@pytest.mark.parametrize(
    ("service", "values"),
    [
        (Service.SLACK_WEBHOOK, {"url": SLACK_URL}),
        (Service.SLACK_WEBHOOK, {"url": f"\u3000{SLACK_URL}\n", "expires_on": "2027-03-31"}),
        (Service.SLACK_BOT, {"token": " xoxb-1-2-abc\u200b"}),
        (Service.CHATWORK, {"token": "0123456789abcdef", "base_url": "https://api.chatwork.com/v2"}),
        (Service.LINEWORKS, LINEWORKS),
        (Service.LINE, {"token": "abc/def+ghi=", "base_url": "http://127.0.0.1:9000/line"}),
    ],
)
def test_n1_what_is_sound_is_taken_without_blanks_around_it(service: Service, values: dict[str, str]) -> None:
    """Blanks and zero-width characters come along with what is copied from a page."""
    fields = register(service, values, ["127.0.0.1:9000"]).fields
    assert fields == {key: value.strip().strip("\u200b") for key, value in values.items()}


@pytest.mark.parametrize(
    ("service", "values", "base"),
    [
        (Service.SLACK_BOT, {"token": "x", "base_url": "https://slack.com/api"}, "https://slack.com/api/"),
        (Service.CHATWORK, {"token": "x", "base_url": "https://api.chatwork.com/"}, "https://api.chatwork.com/v2"),
        (Service.CHATWORK, {"token": "x", "base_url": "https://api.chatwork.com/v2/me"}, "https://api.chatwork.com/v2"),
        (Service.LINE, {"token": "x", "base_url": "https://api.line.me/v2/bot/"}, "https://api.line.me"),
        (Service.LINEWORKS, {**LINEWORKS, "base_url": "https://www.worksapis.com/v1.0"}, ""),
    ],
)
def test_n1_a_services_own_place_is_known_whatever_stands_behind_its_host(
    service: Service, values: dict[str, str], base: str
) -> None:
    """Host and scheme are strict, the tail of the URL is not: there is only one place."""
    assert register(service, values).fields["base_url"] == base


@pytest.mark.parametrize(
    ("service", "values", "said"),
    [
        pytest.param(Service.SLACK_WEBHOOK, {}, "Incoming WebhookのURLが登録されていません", id="nothing"),
        pytest.param(Service.SLACK_WEBHOOK, {"url": "https://evil.example.com/services/T0/B0/x"}, "URL", id="foreign"),
        pytest.param(Service.SLACK_WEBHOOK, {"url": SLACK_URL.replace("https", "http")}, "URL", id="http"),
        pytest.param(Service.SLACK_WEBHOOK, {"url": SLACK_URL.replace("//", "//x@")}, "URL", id="user in the URL"),
        pytest.param(Service.SLACK_BOT, {"token": "xoxb-1 2-abc"}, "途中に空白", id="blank inside"),
        pytest.param(Service.SLACK_BOT, {"token": "ｘｏｘｂ-1"}, "全角文字", id="full width"),
        pytest.param(
            Service.LINE, {"token": "abc", "base_url": "https://evil.example.com"}, "LINEのURLでは", id="foreign host"
        ),
        pytest.param(Service.LINE, {"token": "abc", "expires_on": "来年"}, "全角文字", id="no date"),
        pytest.param(Service.LINE, {"token": "abc", "expires_on": "2027/3/1"}, "形の日付", id="another form of date"),
        pytest.param(Service.LINEWORKS, {**LINEWORKS, "bot_id": "bot"}, "数字", id="no bot id"),
    ],
)
def test_l7_what_is_wrong_is_named_and_not_quoted(service: Service, values: dict[str, str], said: str) -> None:
    """L7: nothing is sent to a host that is not the service's; no value stands in the message."""
    with pytest.raises(ConnectionError_, match=said) as fault:
        register(service, values, (), "slack__acme")
    assert "slack__acme" in str(fault.value)
    assert not any(value in str(fault.value) for value in values.values() if len(value) > 4)


def test_n2_another_secret_host_or_place_is_another_registration() -> None:
    """N2: the digest by which a channel is known as registered anew; an expiry date is not part of it."""
    one = register(Service.CHATWORK, {"token": "aaaaaaaa"})
    assert one.digest("1") == register(Service.CHATWORK, {"token": "aaaaaaaa", "expires_on": "2027-01-01"}).digest("1")
    others = {one.digest("1"), one.digest("2"), register(Service.CHATWORK, {"token": "bbbbbbbb"}).digest("1")}
    assert len(others) == 3
    assert "aaaaaaaa" not in one.digest("1")
