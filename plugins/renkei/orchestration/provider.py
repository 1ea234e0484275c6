"""What Airflow's connection form knows of us: the types `smarthr` and `emc`, labelled in Japanese."""

from __future__ import annotations

from typing import Any


def get_provider_info() -> dict[str, Any]:
    """Airflow's provider entry point (pyproject.toml, `apache_airflow_provider`)."""
    return {
        "package-name": "renkei",
        "name": "Renkei",
        "description": "SmartHR → Emergency Call",
        "connection-types": [
            {
                "connection-type": "smarthr",
                "hook-class-name": "renkei.orchestration.hooks.SmartHRHook",
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
                "hook-class-name": "renkei.orchestration.hooks.EmcHook",
                "hook-name": "Emergency Call (EMC)",
                "conn-fields": {},
                "ui-field-behaviour": {
                    "hidden-fields": ["schema", "login", "port", "extra"],
                    "relabeling": {"host": "EMC取込APIのURL", "password": "トークン"},
                    "placeholders": {"host": "https://emc.example.jp", "password": "EMCアカウントのトークン"},
                },
            },
        ],
    }
