"""A service's own error, explained, with what to mend (N5; text 2, 「通知が届かない時は？」)."""

from __future__ import annotations

from dataclasses import dataclass

from renkei.channel import OPERATOR, Channel, Service
from renkei.notifications.services import SPEC
from renkei.notifications.state import ChannelState
from renkei.systems.delivery import Delivery, Message, Tone, Verdict

_SLACK = frozenset({Service.SLACK_WEBHOOK, Service.SLACK_BOT})
_WEBHOOKS = frozenset({Service.SLACK_WEBHOOK, Service.TEAMS, Service.GOOGLE_CHAT})
_TOKENS = frozenset({Service.SLACK_BOT, Service.CHATWORK, Service.LINEWORKS, Service.LINE})
_REGISTERED = (
    "運用担当者が、「通知連携」の画面かAirflowの接続で登録し直します。"  # of a customer's mail, too: who does it
)
_NEW_URL = "サービスの管理者に新しいURLを発行してもらってください。" + _REGISTERED
_NEW_TOKEN = "サービスの管理者にトークンを発行し直してもらってください。" + _REGISTERED


@dataclass(frozen=True, slots=True)
class _Case:
    """What a word of a service, or a status, means; the first case that fits counts."""

    found: str
    remedy: str
    services: frozenset[Service] = frozenset(Service)
    words: tuple[str, ...] = ()
    statuses: tuple[int, ...] = ()

    def fits(self, service: Service, delivery: Delivery) -> bool:
        said = delivery.reason.lower()
        word = any(word in said for word in self.words)
        return service in self.services and (word or delivery.status in self.statuses)


def _one(*services: Service) -> frozenset[Service]:
    return frozenset(services)


_CASES = (
    _Case(
        "SlackのIncoming Webhookが無効になっています。",
        "Slackで削除されたか、作成した方がSlackのメンバーから外れています。" + _NEW_URL,
        _SLACK,
        ("no_service", "no_active_hooks", "no_team", "invalid_token", "team_disabled"),
    ),
    _Case(
        "投稿先のSlackチャンネルがアーカイブされています。",
        "チャンネルを復元するか、別のチャンネルに送るよう登録し直してください。",
        _SLACK,
        ("is_archived", "channel_is_archived"),
    ),
    _Case(
        "Slackがこのチャンネルへの投稿を許可していません。",
        "Slackの管理者に、アプリの投稿の制限を確認してもらってください。",
        _SLACK,
        ("action_prohibited", "posting_to_general_channel_denied", "restricted_action"),
    ),
    _Case(
        "Slackのトークンに必要な権限(scope)がありません。",
        "Slackアプリに chat:write の権限を付けて再インストールし、トークンを登録し直してください。",
        _one(Service.SLACK_BOT),
        ("missing_scope",),
    ),
    _Case(
        "Slackのトークンが無効です。",
        "Slackアプリが削除されたか、トークンが取り消されています。" + _NEW_TOKEN,
        _one(Service.SLACK_BOT),
        ("invalid_auth", "account_inactive", "token_revoked", "token_expired", "not_authed"),
    ),
    _Case(
        "Slackに送信先が見つかりません。",
        "送信先のメンバーIDまたはチャンネルIDを確認し、チャンネルの場合はアプリをチャンネルに追加してください。",
        _one(Service.SLACK_BOT),
        ("channel_not_found", "not_in_channel", "user_not_found", "cannot_dm_bot"),
    ),
    _Case(
        "LINEの今月の送信数の上限に達しています。",
        "LINE公式アカウントの料金プランを確認してください。翌月になると送信できます。",
        _one(Service.LINE),
        ("monthly limit",),
    ),
    _Case(
        "LINEに送信先が見つかりません。",
        "送信先のユーザーIDを確認してください。LINEログインとMessaging APIのチャネルは、同じプロバイダーのものが必要です。",
        _one(Service.LINE),
        ("'to'", "failed to send"),
    ),
    _Case(
        "チャットワークのルームに投稿する権限がありません。",
        "トークンの持ち主をルームのメンバーに追加し、閲覧のみになっていないか確認してください。",
        _one(Service.CHATWORK),
        ("permission",),
        (403,),
    ),
    _Case(
        "チャットワークにルームが見つかりません。",
        "送信先のルームIDを確認してください。トークンの持ち主がルームのメンバーである必要があります。",
        _one(Service.CHATWORK),
        (),
        (404,),
    ),
    _Case(
        "LINE WORKSのBotに権限がありません。",
        "Developer ConsoleでアプリにOAuth Scopeの bot を付け、Botを管理者画面で公開してください。",
        _one(Service.LINEWORKS),
        ("forbidden",),
        (403,),
    ),
    _Case(
        "LINE WORKSに送信先またはBotが見つかりません。",
        "送信先のユーザーIDとBot IDを確認し、Botが利用者に公開されているか確認してください。",
        _one(Service.LINEWORKS),
        ("not_found",),
        (404,),
    ),
    _Case(
        "LINE WORKSの認証に失敗しました。",
        "Client ID、Client Secret、Service Account、Private Keyを、Developer Consoleで確認してください。" + _REGISTERED,
        _one(Service.LINEWORKS),
        ("invalid_client", "invalid_grant", "private key", "private_key"),
        (401,),
    ),
    _Case(
        "Teamsのワークフローが見つからないか、無効です。",
        "ワークフローを作成した方が退職していないか、ワークフローが有効かを確認し、" + _NEW_URL,
        _one(Service.TEAMS),
        ("workflownotfound", "workflowdisabled", "workflowtriggernotfound", "workflowtriggerisnotenabled"),
        (404, 410),
    ),
    _Case(
        "TeamsのURLの署名が正しくありません。",
        "URLを途中で切らずに、最後(sig=…)まで登録してください。",
        _one(Service.TEAMS),
        ("directapiauthorizationrequired",),
        (401, 403),
    ),
    _Case(
        "WebhookのURLが無効です。",
        "Webhookが削除されたか、URLが正しくありません。" + _NEW_URL,
        _WEBHOOKS,
        ("api key not valid", "channel_not_found"),
        (401, 403, 404, 410),
    ),
    _Case("トークンが無効です。", _NEW_TOKEN, _TOKENS, (), (401,)),
    _Case("送信の権限がありません。", "サービスの管理者に権限を確認してもらってください。", statuses=(403,)),
    _Case(
        "送信が多すぎて、サービスに断られました。",
        "しばらく待つと送信できます。続くときは通知する項目を減らしてください。",
        statuses=(429,),
    ),
    _Case(
        "通知の内容または送信先を、サービスが受け付けませんでした。",
        "送信先を確認してください。正しければ、Renkeiの不具合のおそれがあります。",
        statuses=(400, 413, 415, 422),
    ),
)


def explain(service: Service, delivery: Delivery) -> tuple[str, str]:
    """What was found, and what to do, for a message that was not accepted."""
    if delivery.status is None and any(ord(character) > 0x3000 for character in delivery.reason):
        return delivery.reason, ""  # our own words, which say what to do: the Connection, the member
    if delivery.verdict is Verdict.UNKNOWN and delivery.status is not None and delivery.status < 500:
        label = SPEC[service].label
        return (
            f"{label}からの応答が通常の形ではありません。届いたかどうか分かりません。",
            "届いているか確認してください。",
        )
    for case in _CASES if service is not Service.MAIL else ():
        if case.fits(service, delivery):
            return case.found, case.remedy
    if service is Service.MAIL:
        return _mail(delivery)
    label = SPEC[service].label
    if delivery.status is None:
        return (
            f"{label}から応答がありません。届いたかどうか分かりません。"
            if delivery.verdict is Verdict.UNKNOWN
            else f"{label}に接続できません。",
            "ネットワーク(プロキシ、ファイアウォール)と、サービスの障害情報を確認してください。",
        )
    if delivery.status >= 500:
        return f"{label}で一時的な障害が起きています。", "サービスの障害情報を確認し、しばらく待ってください。"
    return f"{label}が受け付けませんでした。", "運用担当者が、接続と送信先の登録を確認します。"


def _mail(delivery: Delivery) -> tuple[str, str]:
    if delivery.status in (530, 534, 535):
        return (
            "メールサーバーの認証に失敗しました。",
            "運用担当者が、Airflowの接続「smtp_default」のLoginとPasswordを確認します。",
        )
    if delivery.status is not None and delivery.status >= 500:
        found = "宛先のメールアドレス、または差出人を、メールサーバーが受け付けませんでした。"
        return (
            found,
            "連携設定シートのメールアドレスを確認してください。正しければ、運用担当者がAirflowの接続「smtp_default」を確認します。",
        )
    return (
        "メールサーバーに送信できません。",
        "運用担当者が、Airflowの接続「smtp_default」と、メールサーバーの状態を確認します。",
    )


def own_words(delivery: Delivery) -> str:
    """The service's own status and words, as they came."""
    return " ".join(part for part in (str(delivery.status or ""), delivery.reason) if part)


def explain_in_words(service: Service, delivery: Delivery) -> tuple[str, str]:
    """As `explain`, with what the service itself said in brackets."""
    found, remedy = explain(service, delivery)
    return found + (f"（{own_words(delivery)}）" if delivery.status is not None else ""), remedy


def disabled_message(tenant: str, channel: Channel, state: ChannelState) -> Message:
    """What the remaining channels are told of a channel that was disabled (N2)."""
    found, remedy = explain_in_words(channel.service, state.last or Delivery(Verdict.UNKNOWN))
    why = "通知先が無効なため" if state.dead else f"{state.failures}回続けて送信できなかったため"
    lines = (
        f"{why}、通知先「{channel.name}」（{SPEC[channel.service].label}）を無効にしました。今後この通知先には送信しません。",
        f"原因: {found}",
        *([f"対応: {remedy}"] if remedy else []),
        "直した後、通知テストが成功するか、新しいURL・トークン・送信先を登録すると、再び有効になります。",
    )
    whose = "運用担当者" if tenant == OPERATOR else tenant
    title = f"【通知無効化】{whose}: 通知先「{channel.name}」"
    return Message(title, lines, tone=Tone.BAD)
