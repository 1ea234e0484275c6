"""The operator's own channels: the part `channels` of RENKEI_OPERATOR, a list as a sheet's `notifications` (N1)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from airflow.sdk import conf

from renkei.channel import Channel, Event
from renkei.errors import Problem
from renkei.notifications.deliver import DeliveryResult
from renkei.notifications.form.lines import channel_lines, read_channels
from renkei.orchestration.markdown import plain
from renkei.sheets.findings import Findings
from renkei.sheets.grants import read_grants
from renkei.sheets.operator_file import read_operator_file
from renkei.systems.delivery import Message

log = logging.getLogger(__name__)

MAX_CONTACT = 200


class NotifyChannels(Protocol):
    """`channel_connections.notify_channels`."""

    def __call__(
        self, link: str, tenant: str, channels: Sequence[Channel], event: Event, message: Message, key: str
    ) -> Sequence[DeliveryResult]: ...


def airflow_page(path: str = "/") -> str:
    base = conf.get("api", "base_url", fallback="http://localhost:8080").rstrip("/")
    return f"{base}{path}"


def console_page(*parts: str) -> str:
    """A page of the console, outside Airflow's frame: it works for everybody; empty where nobody set Airflow's address."""
    base = conf.get("api", "base_url", fallback="").rstrip("/")
    return "/".join([base, "renkei/console", *(quote(part, safe=":+") for part in parts)]) if base else ""


def operator_channels(path: Path) -> tuple[tuple[Channel, ...], list[str]]:
    """The sound channels, and what is wrong with the file; no file is no fault here, and no channel either.

    No fault quotes what a line says: it might be a secret (L7).
    """
    loaded, problems = read_operator_file(path)
    if not loaded.get("channels") and not problems:
        log.info("no channels of the operator in %s", path.name)
    problems += [problem for problem in read_grants(path).problems if problem not in problems]
    findings = Findings(problems)
    channels = read_channels(channel_lines(loaded.get("channels"), f"{path.name} channels", findings), findings)
    for warning in findings.warnings:
        log.warning("%s", warning)
    return channels, _faults(findings.problems)


def operator_contact(path: Path) -> str:
    """`contact:` of the file: how a customer reaches the operator, as one line of a mail; empty where nothing is said."""
    contact = read_operator_file(path)[0].get("contact")
    return plain(" ".join(contact.split()))[:MAX_CONTACT] if isinstance(contact, str) else ""


def _faults(problems: Sequence[Problem]) -> list[str]:
    if not problems:
        return []
    return ["運用担当者のファイルに誤りがあります。\n" + "\n".join(str(problem) for problem in problems)]
