"""Every type of Connection that we know, once: Airflow's form (provider.py) and the console's are drawn from it (L7, S2)."""

from __future__ import annotations

from renkei.channel import Service
from renkei.notifications.services import SPEC, ConnectionField
from renkei.web.connection_facts import ConnectionKind

_HOOKS = {
    Service.SLACK_WEBHOOK: "SlackWebhookHook",
    Service.SLACK_BOT: "SlackBotHook",
    Service.CHATWORK: "ChatworkHook",
    Service.TEAMS: "TeamsWorkflowHook",
    Service.LINEWORKS: "LineWorksHook",
    Service.GOOGLE_CHAT: "GoogleChatHook",
    Service.LINE: "LineHook",
}


def _url(label: str, note: str, required: bool = True) -> ConnectionField:
    return ConnectionField("url", label, "host", note, required)


def _secret(label: str, note: str) -> ConnectionField:
    return ConnectionField("secret", label, "password", note, secret=True)


def _hook(name: str) -> str:
    return f"renkei.orchestration.{name}"


SYSTEM_KINDS = (
    ConnectionKind(
        "smarthr",
        "SmartHR",
        (
            _url("SmartHRのURL", "https://xxxx.smarthr.jp（空白なら連携設定シートのURL）", required=False),
            _secret("アクセストークン", "共通設定 > 外部システム連携 > アクセストークン"),
        ),
        _hook("smarthr_emc.hooks.SmartHRHook"),
    ),
    ConnectionKind(
        "smarthr_plus",
        "SmartHR Plus",
        (
            ConnectionField("login", "クライアントID", "login", "SmartHR Plusのパートナー契約で受け取ったもの"),
            _secret("シークレット", "SmartHR Plusのパートナー契約で受け取ったもの"),
            _url("SmartHRのURL", "空白なら https://app.smarthr.jp", required=False),
            *(
                ConnectionField(key, label, "extra", note, required=False, plain=True)
                for key, label, note in (
                    ("authorize_url", "認可のURL", "空白なら (SmartHRのURL)/oauth/authorization"),
                    ("token_url", "トークンのURL", "空白なら (SmartHRのURL)/oauth/token"),
                    ("revoke_url", "取り消しのURL", "空白なら、連携解除をSmartHRに知らせません"),
                    ("scope", "scope", "SmartHRから指定があれば"),
                    ("pkce", "PKCEを使う", "使わない場合だけ no"),
                    ("rotates", "更新トークンは1回だけ使える", "何度でも使えると確認した場合だけ no"),
                    ("lifetime_s", "有効期間（秒）", "SmartHRの応答に有効期間がない場合だけ"),
                )
            ),
        ),
        _hook("smarthr_emc.smarthr_plus.SmartHRPlusHook"),
    ),
    ConnectionKind(
        "emc",
        "Emergency Call (EMC)",
        (_url("EMC取込APIのURL", "https://emc.example.jp"), _secret("トークン", "EMCアカウントのトークン")),
        _hook("smarthr_emc.hooks.EmcHook"),
    ),
    ConnectionKind(
        "hotprofile",
        "Hot Profile",
        (
            _url("Hot ProfileのURL", "https://xxxx.hot-profile.com"),
            _secret("連携ユーザーのAPIキー", "連携ユーザーのAPIキー"),
        ),
        _hook("hotprofile_kintone.connections.HotProfileHook"),
    ),
    ConnectionKind(
        "kintone",
        "kintone",
        (
            _url("kintoneのURL", "https://xxxx.cybozu.com（空白なら連携設定シートのサブドメイン）", required=False),
            ConnectionField("login", "ログイン名", "login", "パスワードで接続する場合だけ", required=False),
            _secret("APIトークンまたはパスワード", "アプリごとのAPIトークンをコンマ区切りで（ルックアップの参照先も）"),
        ),
        _hook("hotprofile_kintone.connections.KintoneHook"),
    ),
    ConnectionKind(
        "kingoftime",
        "KING OF TIME",
        (
            _url("KING OF TIME WebAPIのURL", "空白なら https://api.kingtime.jp", required=False),
            _secret("アクセストークン", "設定 > その他 > オプション > 外部サービス連携 > WebAPI のトークン"),
        ),
        _hook("lineworks_kot.connections.KingOfTimeHook"),
    ),
    ConnectionKind(
        "workplace",
        "WORKPLACE",
        (
            _url("WORKPLACE連携APIのURL", "https://workplace.example.jp"),
            _secret("トークン", "include/contracts/workplace.openapi.yaml の形で応答する側のトークン"),
            ConnectionField(
                "events_secret",
                "通知の署名キー",
                "extra",
                "メッセンジャー通知を使う場合。32文字以上の推測できない文字列を、WORKPLACE側と両方に登録します",
                required=False,
                secret=True,
            ),
        ),
        _hook("workplace_lineworks.connections.WorkplaceHook"),
    ),
    ConnectionKind(
        "line_login",
        "LINEログイン",
        (
            ConnectionField("login", "チャネルID", "login", "数字"),
            _secret("チャネルシークレット", "LINE Developersの「チャネル基本設定」"),
            _url("APIのURL", "空白なら https://access.line.me", required=False),
            ConnectionField("friend_url", "友だち追加のURL", "extra", "https://lin.ee/…", required=False),
            ConnectionField("company", "会社名", "extra", "登録の画面に表示します", required=False, plain=True),
        ),
        _hook("line.hook.LineLoginHook"),
    ),
)
CHANNEL_KINDS = tuple(
    ConnectionKind(spec.connection_type, spec.label, spec.fields, _hook(f"channel_hooks.{hook}"), service)
    for service, hook in _HOOKS.items()
    if (spec := SPEC[service])
)
SFTP = ConnectionKind(  # its form in Airflow is that of Airflow's own provider
    "sftp",
    "EMC取込フォルダ（SFTP）",
    (
        ConnectionField("host", "SFTPサーバー", "host", "sftp.example.jp", url=False),
        ConnectionField("port", "ポート", "port", "空白なら22", required=False),
        ConnectionField("login", "ログイン名", "login"),
        ConnectionField("password", "パスワード", "password", "鍵を使う場合は空白", required=False, secret=True),
        ConnectionField(
            "private_key", "秘密鍵", "extra", "-----BEGIN OPENSSH PRIVATE KEY-----", False, secret=True, lines=True
        ),
        ConnectionField(
            "host_key", "サーバーの鍵", "extra", "管理者に確認した鍵を「ssh-ed25519 AAAA…」の形で", lines=True
        ),
        ConnectionField(
            "remote_path", "フォルダ", "extra", "空白ならログイン直後のフォルダ", required=False, plain=True
        ),
    ),
    always={"no_host_key_check": "false"},  # else an entry of before would have the key ignored
)
PASSWORD = ConnectionKind("generic", "初期パスワード", (_secret("パスワード", "半角の英数字と記号"),))
OF_PREFIX = {**{kind.type: kind for kind in (*SYSTEM_KINDS, *CHANNEL_KINDS)}, "emc_drop": SFTP}
OF_SERVICE = {kind.service: kind for kind in CHANNEL_KINDS}


def kind_of(name: str) -> ConnectionKind:
    """By how a Connection is called; one that is called like no system holds a first password (秘密:NAME)."""
    return OF_PREFIX.get(name.partition("__")[0], PASSWORD)
