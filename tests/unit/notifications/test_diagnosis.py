"""A service's refusal in words that an administrator can act on (N5)."""

from __future__ import annotations

import datetime as dt

import pytest

from renkei.channel import Channel, Service
from renkei.notifications.diagnosis import disabled_message, explain
from renkei.notifications.state import ChannelState
from renkei.systems.delivery import Delivery, Verdict, later, refused, unknown


@pytest.mark.parametrize(
    ("service", "delivery", "found", "remedy"),
    [
        (Service.SLACK_WEBHOOK, refused(404, "no_service"), "Webhookが無効", "Slackのメンバーから外れて"),
        (Service.SLACK_WEBHOOK, refused(410, "channel_is_archived"), "アーカイブ", "チャンネルを復元"),
        (Service.SLACK_WEBHOOK, refused(404, "weird"), "WebhookのURLが無効", "新しいURL"),
        (Service.SLACK_BOT, refused(200, "token_revoked"), "トークンが無効", "登録"),
        (Service.SLACK_BOT, refused(200, "not_in_channel"), "送信先が見つかりません", "アプリをチャンネルに追加"),
        (Service.SLACK_BOT, refused(200, "missing_scope needed: chat:write"), "権限", "chat:write"),
        (Service.CHATWORK, refused(401, "Invalid API token"), "トークンが無効", "登録"),
        (Service.CHATWORK, refused(403, "You don't have permission"), "権限がありません", "メンバーに追加"),
        (Service.CHATWORK, refused(404, "Not found"), "ルームが見つかりません", "ルームID"),
        (Service.TEAMS, refused(404, "WorkflowNotFound"), "ワークフロー", "退職"),
        (Service.TEAMS, refused(401, "DirectApiAuthorizationRequired"), "署名", "最後"),
        (Service.GOOGLE_CHAT, refused(403, "PERMISSION_DENIED"), "無効", "新しいURL"),
        (Service.LINEWORKS, refused(400, "invalid_grant"), "認証に失敗", "Private Key"),
        (Service.LINEWORKS, refused(403, "FORBIDDEN"), "権限", "bot"),
        (Service.LINE, refused(429, "You have reached your monthly limit."), "今月の送信数", "料金プラン"),
        (Service.LINE, refused(401, "Authentication failed"), "トークンが無効", "登録"),
        (Service.LINE, later(None, "ConnectError"), "接続できません", "プロキシ"),
        (Service.TEAMS, unknown(502, "bad gateway"), "一時的な障害", "待って"),
        (Service.LINE, refused(400, "The property, 'to', in the request body is invalid"), "送信先", "プロバイダー"),
        (Service.LINE, refused(400, "May not be empty"), "受け付けませんでした", "送信先を確認"),
        (Service.LINEWORKS, refused(400, "INVALID_PARAMETER"), "受け付けませんでした", "送信先を確認"),
        (Service.GOOGLE_CHAT, refused(400, "API key not valid"), "URLが無効", "新しいURL"),
        (Service.TEAMS, refused(400, "WorkflowTriggerIsNotEnabled"), "ワークフロー", "有効か"),
        (Service.SLACK_WEBHOOK, refused(404, "channel_not_found"), "URLが無効", "新しいURL"),
        (Service.SLACK_BOT, refused(200, "is_archived"), "アーカイブ", "復元"),
        (Service.CHATWORK, unknown(200, "not an answer of Chatwork"), "届いたかどうか分かりません", "確認"),
        (
            Service.LINE,
            Delivery(Verdict.REFUSED, reason="社員がメンバー表にありません。"),
            "メンバー表にありません",
            "",
        ),
        (Service.MAIL, refused(535, "SMTPAuthenticationError"), "認証", "Password"),
        (Service.MAIL, refused(550, "recipients refused: 550"), "メールアドレス", "smtp_default"),
        (Service.MAIL, later(None, "ConnectionRefusedError"), "メールサーバー", "smtp_default"),
    ],
)
def test_n5_a_refusal_is_explained_with_what_to_mend(
    service: Service, delivery: Delivery, found: str, remedy: str
) -> None:
    """N5: what was found and what to do."""
    explained = explain(service, delivery)
    assert found in explained[0]
    assert remedy in explained[1]
    assert "接続" not in explained[1] or "運用担当者が" in explained[1]  # a customer reads it, too, who has no Airflow


@pytest.mark.parametrize("service", Service)
@pytest.mark.parametrize("status", [None, 100, 200, 301, 400, 401, 403, 404, 409, 410, 418, 429, 500, 503])
@pytest.mark.parametrize("verdict", [Verdict.REFUSED, Verdict.LATER, Verdict.UNKNOWN])
def test_n5_nothing_is_left_unexplained(service: Service, status: int | None, verdict: Verdict) -> None:
    """Whatever a service says, there is something to read and something to do."""
    found, remedy = explain(service, Delivery(verdict, status, "something new"))
    assert found.endswith("。")
    assert remedy.endswith("。")
    assert "接続" not in remedy or "運用担当者が" in remedy


def test_n2_the_notice_names_channel_cause_and_remedy() -> None:
    """N2: in the words that a person who never saw the settings can act on."""
    disabled_at = dt.datetime(2026, 4, 1, tzinfo=dt.UTC)
    state = ChannelState("r", 1, "run", disabled_at, False, Verdict.REFUSED, 404, "no_service", dead=True)
    text = disabled_message("acme", Channel("総務Slack", Service.SLACK_WEBHOOK), state).text()
    for part in ("総務Slack", "Slack(Webhook)", "無効にしました", "404 no_service", "新しいURL", "再び有効"):
        assert part in text
