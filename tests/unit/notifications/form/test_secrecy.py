"""L7: what may be a secret is known as such however it is written, and what people call things is not."""

from __future__ import annotations

import pytest

from renkei.notifications.form.secrecy import is_secret
from tests.harness.patience import within

SECRETS = {
    "a Slack webhook": "https://hooks.slack.com/services/T000/B000/XXXX",
    "without https": "hooks.slack.com/services/T000/B000/XXXX",
    "of full width": "ｈｔｔｐｓ：／／ｈｏｏｋｓ．ｓｌａｃｋ．ｃｏｍ／ｓ",
    "broken over two lines": "https:\n//chat.googleapis.com/v1",
    "within a sentence": "URLは https://example.webhook.office.com/x です",
    "a workflow's URL without its beginning": "prod-01.japaneast.logic.azure.com/workflows/1",
    "a signature": "workflows/1?api-version=1&sig=abc",
    "a bot token": "xoxb-1-2-abc",
    "a bot token in capitals": "XOXB-1-2-ABC",
    "an API token of Chatwork": "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
    "the end of a webhook": "aB3dE5gH7jK9mN1pQ3sT5vW7",
    "a token with blanks": "aB3dE 5gH7j K9mN1 pQ3sT 5vW7",
    "base64": "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRW+J/rze8SNFZ4kA==",
    "a JWT": "eyJhbGciOiJSUzI1NiJ9.e30.x",
    "a private key": "-----BEGIN PRIVATE KEY-----",
}
PLAIN = [
    "",
    "総務のチャット",
    "Slack(Webhook)",
    "slack_webhook__kabushikigaisha-2024-sakura",
    "SlackWebhookForSakuraShojiTokyoHonsha",
    "kabushikigaisha2024sakurashoji",
    "slack_bot__0f1e2d3c",
    "tanaka.hanako@kabushikigaisha.example.jp",
    "社員:1001",
    "123456789",
    "12345678901234567890",
    "処理/承認",
    "総務//人事",
    "https",
]


@pytest.mark.parametrize("text", SECRETS.values(), ids=SECRETS)
def test_l7_a_secret_is_seen(text: str) -> None:
    """L7: URLs, and tokens of every service that is told."""
    assert is_secret(text)


@pytest.mark.parametrize("text", PLAIN)
def test_l7_a_name_is_no_secret(text: str) -> None:
    """L7: names, Connections, rooms and people."""
    assert not is_secret(text)


@pytest.mark.parametrize("sign", ["a", "aB", "1", "x-", "/", "あ", " ", "ey", "http", "xo", "=", "A1b2"])
def test_l5_no_text_keeps_the_look_busy(sign: str) -> None:
    """L5: a cell as long as Excel and YAML let it be is judged at once."""
    with within(10):
        is_secret(sign * (500_000 // len(sign)))
