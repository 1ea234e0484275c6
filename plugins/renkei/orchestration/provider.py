"""What Airflow's connection form knows of us: the systems of all links and the chat services, labelled in Japanese."""

from __future__ import annotations

from typing import Any

from renkei.channel import Service
from renkei.notifications.services import SPEC, ConnectionField

_CHANNEL_HOOKS = {
    Service.SLACK_WEBHOOK: "SlackWebhookHook",
    Service.SLACK_BOT: "SlackBotHook",
    Service.CHATWORK: "ChatworkHook",
    Service.TEAMS: "TeamsWorkflowHook",
    Service.LINEWORKS: "LineWorksHook",
    Service.GOOGLE_CHAT: "GoogleChatHook",
    Service.LINE: "LineHook",
}
_STANDARD = ("host", "schema", "login", "password", "port", "extra")


def get_provider_info() -> dict[str, Any]:
    """Airflow's provider entry point (pyproject.toml, `apache_airflow_provider`)."""
    return {
        "package-name": "renkei",
        "name": "Renkei",
        "description": "SmartHR → Emergency Call, Hot Profile → kintone, LINE WORKS → KING OF TIME, notifications",
        "connection-types": [
            {
                "connection-type": "smarthr",
                "hook-class-name": "renkei.orchestration.smarthr_emc.hooks.SmartHRHook",
                "hook-name": "SmartHR",
                "conn-fields": {},
                "ui-field-behaviour": {
                    "hidden-fields": ["schema", "login", "port", "extra"],
                    "relabeling": {"host": "SmartHRのURL", "password": "アクセストークン"},
                    "placeholders": {
                        "host": "https://xxxx.smarthr.jp（空白なら連携設定シートのURL）",
                        "password": "共通設定 > 外部システム連携 > アクセストークン",
                    },
                },
            },
            {
                "connection-type": "emc",
                "hook-class-name": "renkei.orchestration.smarthr_emc.hooks.EmcHook",
                "hook-name": "Emergency Call (EMC)",
                "conn-fields": {},
                "ui-field-behaviour": {
                    "hidden-fields": ["schema", "login", "port", "extra"],
                    "relabeling": {"host": "EMC取込APIのURL", "password": "トークン"},
                    "placeholders": {"host": "https://emc.example.jp", "password": "EMCアカウントのトークン"},
                },
            },
            {
                "connection-type": "hotprofile",
                "hook-class-name": "renkei.orchestration.hotprofile_kintone.connections.HotProfileHook",
                "hook-name": "Hot Profile",
                "conn-fields": {},
                "ui-field-behaviour": {
                    "hidden-fields": ["schema", "login", "port", "extra"],
                    "relabeling": {"host": "Hot ProfileのURL", "password": "連携ユーザーのAPIキー"},
                    "placeholders": {"host": "https://xxxx.hot-profile.com", "password": "連携ユーザーのAPIキー"},
                },
            },
            {
                "connection-type": "kintone",
                "hook-class-name": "renkei.orchestration.hotprofile_kintone.connections.KintoneHook",
                "hook-name": "kintone",
                "conn-fields": {},
                "ui-field-behaviour": {
                    "hidden-fields": ["schema", "port", "extra"],
                    "relabeling": {
                        "host": "kintoneのURL",
                        "login": "ログイン名（パスワードで接続する場合だけ）",
                        "password": "APIトークンまたはパスワード",
                    },
                    "placeholders": {
                        "host": "https://xxxx.cybozu.com（空白なら連携設定シートのサブドメイン）",
                        "password": "アプリごとのAPIトークンをコンマ区切りで（ルックアップの参照先も）",
                    },
                },
            },
            {
                "connection-type": "kingoftime",
                "hook-class-name": "renkei.orchestration.lineworks_kot.connections.KingOfTimeHook",
                "hook-name": "KING OF TIME",
                "conn-fields": {},
                "ui-field-behaviour": {
                    "hidden-fields": ["schema", "login", "port", "extra"],
                    "relabeling": {"host": "KING OF TIME WebAPIのURL（任意）", "password": "アクセストークン"},
                    "placeholders": {
                        "host": "空白なら https://api.kingtime.jp",
                        "password": "設定 > その他 > オプション > 外部サービス連携 > WebAPI のトークン",
                    },
                },
            },
            {
                "connection-type": "workplace",
                "hook-class-name": "renkei.orchestration.workplace_lineworks.connections.WorkplaceHook",
                "hook-name": "WORKPLACE",
                "conn-fields": {
                    "events_secret": {
                        "label": "通知の署名キー",
                        "schema": {"type": ["string", "null"], "format": "password"},
                        "description": "メッセンジャー通知を使う場合。32文字以上の推測できない文字列を、WORKPLACE側と両方に登録します",
                    }
                },
                "ui-field-behaviour": {
                    "hidden-fields": ["schema", "login", "port", "extra"],
                    "relabeling": {"host": "WORKPLACE連携APIのURL", "password": "トークン"},
                    "placeholders": {
                        "host": "https://workplace.example.jp",
                        "password": "include/contracts/workplace.openapi.yaml の形で応答する側のトークン",
                    },
                },
            },
            {
                "connection-type": "line_login",
                "hook-class-name": "renkei.orchestration.line.hook.LineLoginHook",
                "hook-name": "LINEログイン",
                "conn-fields": {
                    "friend_url": {
                        "label": "友だち追加のURL（任意）",
                        "schema": {"type": ["string", "null"]},
                        "description": "https://lin.ee/…",
                    },
                    "company": {
                        "label": "会社名（任意）",
                        "schema": {"type": ["string", "null"]},
                        "description": "登録の画面に表示します",
                    },
                },
                "ui-field-behaviour": {
                    "hidden-fields": ["schema", "port", "extra"],
                    "relabeling": {
                        "login": "チャネルID",
                        "password": "チャネルシークレット",
                        "host": "APIのURL（任意）",
                    },
                    "placeholders": {"login": "数字", "host": "空白なら https://access.line.me"},
                },
            },
            *(_channel_form(service, hook) for service, hook in _CHANNEL_HOOKS.items()),
        ],
    }


def _channel_form(service: Service, hook: str) -> dict[str, Any]:
    """The form of a chat service, drawn from `services.py`."""
    spec = SPEC[service]
    standard = {field.place: field for field in spec.fields if field.place != "extra"}
    return {
        "connection-type": spec.connection_type,
        "hook-class-name": f"renkei.orchestration.channel_hooks.{hook}",
        "hook-name": spec.label,
        "conn-fields": {field.key: _extra_field(field) for field in spec.fields if field.place == "extra"},
        "ui-field-behaviour": {
            "hidden-fields": [place for place in _STANDARD if place not in standard],
            "relabeling": {place: _label(field) for place, field in standard.items()},
            "placeholders": {place: field.note for place, field in standard.items() if field.note},
        },
    }


def _label(field: ConnectionField) -> str:
    return field.label if field.required else f"{field.label}（任意）"


def _extra_field(field: ConnectionField) -> dict[str, Any]:
    kind = {"format": "multiline" if field.lines else "password"} if field.secret else {}
    note = {"description": field.note} if field.note else {}
    return {"label": _label(field), "schema": {"type": ["string", "null"], **kind}, **note}
