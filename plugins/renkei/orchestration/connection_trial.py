"""Whether every Connection that a sheet needs is there and works: asked of each service, and nothing sent or written."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from renkei.channel import Channel, Service
from renkei.errors import ConnectionError_, RenkeiError
from renkei.notifications.diagnosis import explain
from renkei.notifications.services import connection_needed
from renkei.orchestration.channel_hooks import ChannelHook
from renkei.orchestration.connections import find_connection
from renkei.orchestration.line.connection import conn_id as line_login
from renkei.orchestration.line.hook import LineLoginHook
from renkei.orchestration.plain_mail import MailMessenger
from renkei.web.connection_facts import MAIL_SERVER, TriedConnection, TriedConnections

if TYPE_CHECKING:
    from renkei.orchestration.tenant import Tenant

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Trial:
    """One Connection, by its id, and what its service said of it; in Japanese."""

    connection: str
    well: bool
    said: str
    granted: bool = False  # what was tried came by a log-in, without that Connection


def tried(connection: str, ask: Callable[[], str]) -> Trial:
    """The trial of a Connection that `ask` asks something of."""
    try:
        return Trial(connection, True, ask())
    except RenkeiError as error:
        return Trial(connection, False, str(error))


def try_channels(channels: Sequence[Channel]) -> Iterator[Trial]:
    """A trial of each Connection that these channels need, and of the mail server."""
    for channel in {channel.connection: channel for channel in _connected(channels)}.values():
        yield Trial(channel.connection, *_hook_of(channel).test_connection())
    delivery = MailMessenger().check()
    said = "メールサーバーに接続できました。" if delivery.accepted else "".join(explain(Service.MAIL, delivery))
    yield Trial(MAIL_SERVER, delivery.accepted, said)


def run_connection_test(
    tenant: Tenant, asked: Mapping[str, str], tell: Callable[[str, int, int], None]
) -> TriedConnections:
    """A job: a trial of all that the sheet needs, the one of `asked["name"]` first.

    Raises:
        MappingError, SheetPendingError
    """
    tell("接続を確かめています", 0, 0)
    found = [*tenant.link.try_systems()(tenant.mapping, tenant.dag_file), *try_channels(tenant.sheet.channels)]
    if asked.get("name") == (name := line_login(tenant.name)) or any(
        one.service is Service.LINE for one in tenant.sheet.channels
    ):
        found.append(Trial(name, *LineLoginHook(name).test_connection()))
    found.sort(key=lambda trial: trial.connection != asked.get("name"))
    return TriedConnections(
        [TriedConnection(one.connection, one.well, one.said, one.well or _is_registered(one)) for one in found],
        asked.get("name", ""),
    )


def _is_registered(trial: Trial) -> bool:
    """The mail server is no company's to register, and a grant needs no Connection: where they are bad, that is a failure."""
    if trial.granted or trial.connection == MAIL_SERVER:
        return True
    try:
        find_connection(trial.connection, "")
    except ConnectionError_:
        return False
    return True


def unreachable(channels: Sequence[Channel]) -> list[str]:
    """The names of those that no message will reach, whatever it is about; why, is the operator's: it is in the log."""
    names = []
    for channel in _connected(channels):
        well, said = _hook_of(channel).test_connection()
        if not well:
            log.warning("通知先「%s」（接続「%s」）: %s", channel.name, channel.connection, said)
            names.append(channel.name)
    return names


def _connected(channels: Sequence[Channel]) -> list[Channel]:
    return [one for one in channels if not one.muted and connection_needed(one.service, one.to)]


def _hook_of(channel: Channel) -> ChannelHook:
    hooks = {hook.service: hook for hook in ChannelHook.__subclasses__()}
    return hooks[channel.service](channel.connection)
