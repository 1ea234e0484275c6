"""The operator's own channels: the file RENKEI_OPERATOR, with the same list as a sheet's `notifications` (N1)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from airflow.sdk import conf

from renkei.errors import Problem
from renkei.notifications.channel import Channel
from renkei.notifications.deliver import Told
from renkei.notifications.event import Event
from renkei.notifications.form.lines import channel_lines, read_channels
from renkei.systems.messaging import Message

log = logging.getLogger(__name__)

LABEL = "SmartHR → EMC"


class Tell(Protocol):
    """`telling.tell`."""

    def __call__(
        self, link: str, tenant: str, channels: Sequence[Channel], event: Event, message: Message, key: str
    ) -> Sequence[Told]: ...


def airflow_page(path: str = "/") -> str:
    base = conf.get("api", "base_url", fallback="http://localhost:8080").rstrip("/")
    return f"{base}{path}"


def operator_channels(path: Path) -> tuple[tuple[Channel, ...], list[str]]:
    """The sound channels, and what is wrong with the others; no file is no fault here, and no channel either.

    No fault quotes what a line says: it might be a secret (L7).
    """
    import yaml

    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        log.info("no channels of the operator: %s does not exist", path.name)
        return (), []
    except (OSError, ValueError) as error:
        return (), _faults(
            [
                Problem(
                    path.name, f"読み取れません（{type(error).__name__}）", "権限と文字コード(UTF-8)を確認してください"
                )
            ]
        )
    try:
        loaded = yaml.load(text, yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path.name} {mark.line + 1}行目" if mark else path.name
        return (), _faults([Problem(where, "YAMLとして読めません", "字下げと記号を確認してください")])
    if loaded in (None, ""):
        return (), []
    if not isinstance(loaded, dict) or set(loaded) - {"channels"}:
        return (), _faults(
            [
                Problem(
                    path.name,
                    "「channels:」のほかの記入があります",
                    "「channels:」の下に通知先を一覧で記入してください",
                )
            ]
        )
    problems: list[Problem] = []
    warnings: list[Problem] = []
    lines = channel_lines(loaded.get("channels"), f"{path.name} channels", problems)
    channels = read_channels(lines, problems, warnings)
    for warning in warnings:
        log.warning("%s", warning)
    return channels, _faults(problems)


def _faults(problems: Sequence[Problem]) -> list[str]:
    if not problems:
        return []
    return ["運用担当者の通知先に誤りがあります。\n" + "\n".join(str(problem) for problem in problems)]
