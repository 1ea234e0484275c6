"""The channels of one company, for the console: how each does, its Connection, and 無効 taken back (N1, N2)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from renkei import settings
from renkei.channel import Channel, Service, result_mail
from renkei.notifications import disabled_channels
from renkei.notifications.diagnosis import explain_in_words
from renkei.notifications.form.words import default_connection
from renkei.notifications.services import SPEC
from renkei.notifications.state import ChannelState, ChannelStates
from renkei.orchestration.channel_connections import states_now
from renkei.orchestration.connection_kinds import OF_SERVICE
from renkei.orchestration.monitor.expiring import endings
from renkei.orchestration.web import state
from renkei.orchestration.web.connection_desk import state_of_connection
from renkei.orchestration.web.sheets import tenant_of
from renkei.web.channel_facts import ChannelLine
from renkei.web.connection_facts import ConnectionState


class ChannelDesk:
    """The part of `renkei.web.services.Knowledge` on channels (`renkei.web.channel_facts.Channels`)."""

    def channel_lines(self, dag_id: str) -> Sequence[ChannelLine]:
        tenant = tenant_of(state.dags()[dag_id])
        folder = tenant.folder()
        ends = endings(folder.store, folder.link).get(tenant.name, {})
        found = []
        mail = result_mail(tenant.sheet.result_addresses)
        for channel, kept in states_now(folder, [*mail, *tenant.sheet.channels]).items():
            last = kept.last
            found.append(
                ChannelLine(
                    channel,
                    channel not in mail,
                    kept.disabled_at or None,
                    kept.failures,
                    kept.at or None,
                    last.accepted if last else None,
                    "" if last is None or last.accepted else " ".join(explain_in_words(channel.service, last)),
                    ends.get(channel.name),
                )
            )
        return found

    def channel_connection(
        self, dag_id: str, service: Service, of: Channel | None, taken: Collection[str]
    ) -> ConnectionState | None:
        tenant = tenant_of(state.dags()[dag_id])
        if not SPEC[service].fields:
            return None
        if of is not None:
            return state_of_connection(of.connection, OF_SERVICE[service], tenant.name) if of.connection else None
        return state_of_connection(_free_name(service, tenant.name, taken), OF_SERVICE[service], tenant.name)

    def connection_renewed(self, dag_id: str, connection: str) -> None:
        channels = tenant_of(state.dags()[dag_id]).sheet.channels
        if names := [one.name for one in channels if one.connection == connection]:
            self.channels_renewed(dag_id, names)

    def channels_renewed(self, dag_id: str, names: Collection[str]) -> None:
        tenant = tenant_of(state.dags()[dag_id])
        states = ChannelStates(tenant.folder())
        for name in names:  # of a sheet that has just been changed, and is not read yet, too
            states.forget(Channel(name, Service.MAIL))
        as_new = dict.fromkeys(names, ChannelState())
        disabled_channels.write(settings.index_folder(), tenant.link.name, tenant.name, as_new)


def _free_name(service: Service, tenant: str, taken: Collection[str]) -> str:
    """A Connection of a new channel: where the secret is the destination, one that no other channel has."""
    usual = default_connection(service, tenant)
    if SPEC[service].destination is not None:
        return usual
    kind, number = SPEC[service].connection_type, 1
    name = usual
    while name in taken:
        number += 1
        name = f"{kind}_{number}__{tenant}"
    return name
