"""A tenant's channels with what Airflow keeps for them: Connections, the store, the settings (N1–N5)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk.log import mask_secret

from renkei import settings
from renkei.channel import Channel, Event, Service
from renkei.clock import utcnow
from renkei.errors import ConnectionError_, NotificationError, RetriableNotificationError, SettingError, StoreError
from renkei.notifications import disabled_channels
from renkei.notifications.deliver import DeliveryResult, Notifier, OpenedChannel, Opener
from renkei.notifications.delivery_log import DeliveryLog
from renkei.notifications.diagnosis import explain_in_words
from renkei.notifications.members.table import Member, Members
from renkei.notifications.registration import Registration, register, webhook_fault
from renkei.notifications.services import SPEC, connection_needed, member_of
from renkei.notifications.state import ChannelState, ChannelStates
from renkei.notifications.trial import Step, try_channel
from renkei.orchestration import connections
from renkei.storage.runs import RunRecord
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from renkei.systems.delivery import Delivery, Message
from renkei.web.channel_facts import TriedChannel, TriedStep, channel_key

if TYPE_CHECKING:
    from renkei.orchestration.tenant import Tenant

log = logging.getLogger(__name__)

LOOKS = 3  # at most, while others change the same states
_States = dict[Channel, ChannelState]


def notify_channels(
    link: str,
    tenant: str,
    channels: Sequence[Channel],
    event: Event,
    message: Message,
    key: str,
    *,
    run: str = "",
    record: RunRecord | None = None,
) -> list[DeliveryResult]:
    """What became of `message` in each channel that wants `event`; never raises for a channel or the store (N3).

    `record` remembers what was told within a run. `key` names the message, `run` what failures are counted by.
    """
    store = _store_or_none()
    notifier = Notifier(
        tenant,
        opener(link, tenant, store),
        DeliveryLog(ChannelStates(TenantFolder(store, link, tenant)) if store else None, record if store else None),
        utcnow,
        settings.channel_failures(),
    )
    told = notifier.tell(channels, event, message, key, run or key)
    _show(link, tenant, channels, notifier.deliveries, store)
    return told


def check_told(told: Sequence[DeliveryResult]) -> dict[str, str]:
    """What became of the message, by channel, for Airflow's pages.

    Raises:
        RetriableNotificationError: some channel may take it later.
        NotificationError: some channel did not take it.
    """
    failed = [one for one in told if one.failed]
    if failed:
        lines = []
        for one in failed:
            assert one.delivery is not None
            lines.append(
                f"通知先「{one.channel.name}」: " + "".join(explain_in_words(one.channel.service, one.delivery))
            )
        kind = RetriableNotificationError if any(one.worth_repeating for one in failed) else NotificationError
        raise kind("送信できなかった通知があります。連携の処理結果は変わりません。\n" + "\n".join(lines))
    return {f"{one.channel.name} {one.event.label}": one.skipped or _verdict(one.delivery) for one in told}


def _verdict(delivery: Delivery | None) -> str:
    if delivery is None:
        return ""
    return f"{delivery.verdict.value}: {delivery.reason}" if delivery.reason else delivery.verdict.value


def try_channels(link: str, tenant: str, channels: Sequence[Channel]) -> Iterator[tuple[Channel, Step]]:
    """Each step of a test of each channel, as it is done (N5)."""
    store = _store_or_none()
    deliveries = DeliveryLog(ChannelStates(TenantFolder(store, link, tenant)) if store else None)
    for channel in channels:
        for step in try_channel(channel, tenant, opener(link, tenant, store), deliveries, utcnow()):
            yield channel, step
    _show(link, tenant, channels, deliveries, store)


def run_channel_test(tenant: Tenant, asked: Mapping[str, str], tell: Callable[[str, int, int], None]) -> TriedChannel:
    """A job: a test message to the channel whose key is `asked["channel"]` (N5).

    Raises:
        SettingError: the sheet has no such channel any more.
        SheetPendingError
    """
    found = next((one for one in tenant.channels if channel_key(one.name) == asked.get("channel")), None)
    if found is None:
        raise SettingError("この通知先は、使用中のシートにありません。画面を開き直してください。")
    tell("テストを送信しています", 0, 0)
    steps = [
        TriedStep(step.title, step.well, step.found, step.remedy, step.decides)
        for _, step in try_channels(tenant.link.name, tenant.name, [found])
    ]
    return TriedChannel(found.name, steps)


def current_state(link: str, tenant: str, channel: Channel) -> tuple[ChannelState, str]:
    """A channel's state as the next run would find it, and what is wrong with its registration; sends nothing.

    Raises:
        StoreError: the store cannot be read.
    """
    return state_now(TenantFolder(connections.open_store(), link, tenant), channel)


def state_now(folder: TenantFolder, channel: Channel) -> tuple[ChannelState, str]:
    """As `current_state`: what is kept of another registration than the one of now counts no more."""
    state = ChannelStates(folder).read(channel)
    try:
        registration = opener(folder.link, folder.tenant, folder.store)(channel).registration
    except ConnectionError_ as error:
        return state, str(error)
    return (state if state.registration == registration else ChannelState()), ""


def states_now(folder: TenantFolder, channels: Sequence[Channel]) -> dict[Channel, ChannelState]:
    """As `state_now`, of all of them; what the list and the Dag's page say of 無効 is from then on the same.

    Raises:
        StoreError: the store cannot be read.
    """

    def look() -> dict[Channel, ChannelState]:
        return {channel: state_now(folder, channel)[0] for channel in channels}

    return _copy(folder.link, folder.tenant, look(), look)


def _copy(link: str, tenant: str, found: _States, look: Callable[[], _States]) -> _States:
    """Leave the states where the list and the Dag's page find them without the store; the ones that were left there.

    Whoever changes a state copies it as well: where this copy changed anything, that one may have been overwritten by
    what was found before it, and only another look tells.
    """
    for _ in range(LOOKS):
        states = {channel.name: state for channel, state in found.items()}
        if not disabled_channels.write(settings.index_folder(), link, tenant, states):
            break
        found = look()
    return found


def opener(link: str, tenant: str, store: Store | None) -> Opener:
    """Opens the channels of one tenant."""
    # And with them all clients: parsing has no use for them.
    from renkei.notifications.messengers import messenger
    from renkei.orchestration.plain_mail import MailMessenger

    def open_channel(channel: Channel) -> OpenedChannel:
        if channel.service is Service.MAIL:
            return OpenedChannel(MailMessenger(), channel.to, f"mail:{channel.to}")
        member = _member(channel, link, tenant, store)
        if connection_needed(channel.service, channel.to):
            registration = registration_of(channel.service, channel.connection)
            to = _address(channel, member) if member else channel.to
        else:
            assert member is not None  # what `connection_needed` says
            registration, to = _own_webhook(channel, member), ""
        return OpenedChannel(messenger(registration), to, registration.digest(to))

    return open_channel


def registration_of(service: Service, conn_id: str, needless: Collection[str] = ()) -> Registration:
    """What the Airflow Connection of a channel holds; `needless` as of `register`.

    Raises:
        ConnectionError_: there is none, or something is wrong with it.
    """
    connection = connections.find_connection(conn_id, SPEC[service].label)
    if connection.conn_type != SPEC[service].connection_type:  # or another system's secret would go to this service
        raise ConnectionError_(
            f"Airflowの接続「{conn_id}」の種類が「{SPEC[service].label}」ではありません。接続の名前か種類を直してください。"
        )
    return register(service, field_values(service, connection), settings.allowed_hosts(), conn_id, needless)


def field_values(service: Service, connection: Any) -> dict[str, str]:
    """The texts of a Connection by the field keys of `services.py`; secrets among them are masked in every log."""
    extra = connection.extra_dejson
    extra = extra if isinstance(extra, dict) else {}
    values = {}
    for field in SPEC[service].fields:
        found = extra.get(field.key) if field.place == "extra" else getattr(connection, field.place)
        values[field.key] = str(found or "")
        if field.secret and values[field.key]:
            mask_secret(values[field.key])
            path = values[field.key].partition("://")[2].partition("/")[2].partition("?")[0]
            if field.key == "url" and len(path) > 8:  # as HTTP libraries write it
                mask_secret(f"/{path}")
    return values


def _member(channel: Channel, link: str, tenant: str, store: Store | None) -> Member | None:
    user_id = member_of(channel.to)
    if user_id is None:
        return None
    if store is None:
        raise ConnectionError_("保存先に接続できないため、メンバー表を確認できません。")
    try:
        member = Members(TenantFolder(store, link, tenant)).find(user_id)
    except StoreError:
        raise ConnectionError_("メンバー表を読み取れません。保存先(RENKEI_STORE)を確認してください。") from None
    # Equal user ids on both sides are LINE WORKS' own rule (text 3): nobody has to register them.
    if member is None and channel.service is Service.LINEWORKS:
        return Member(user_id, lineworks_id=user_id)
    if member is None:
        raise ConnectionError_("送信先の社員がメンバー表にありません。メンバー表に登録してください。")
    return member


def _address(channel: Channel, member: Member) -> str:
    destination = SPEC[channel.service].destination
    assert destination is not None
    found: str = getattr(member, destination.member_field)
    if not found and channel.service is Service.LINEWORKS:
        return member.user_id
    if not found:
        raise _unregistered(channel)
    return found


def _own_webhook(channel: Channel, member: Member) -> Registration:
    """A member's own webhook, which takes the Connection's place."""
    url: str = getattr(member, SPEC[channel.service].member_field)
    if not url:
        raise _unregistered(channel)
    mask_secret(url)
    if fault := webhook_fault(channel.service, url, settings.allowed_hosts()):
        raise ConnectionError_(f"メンバー表の{SPEC[channel.service].label}に誤りがあります。{fault}")
    return Registration(channel.service, {"url": url})


def _unregistered(channel: Channel) -> ConnectionError_:
    label = SPEC[channel.service].label
    return ConnectionError_(f"送信先の社員の{label}がメンバー表に登録されていません。登録してください。")


def _show(link: str, tenant: str, channels: Sequence[Channel], deliveries: DeliveryLog, store: Store | None) -> None:
    """As `_copy`, of what became of the channels here; a store that fails costs the second look (N3)."""
    known = {channel: state for channel in channels if (state := deliveries.known(channel))}

    def look() -> _States:
        folder = TenantFolder(store, link, tenant) if store else None
        return {channel: state_now(folder, channel)[0] for channel in known} if folder else known

    try:
        _copy(link, tenant, known, look)
    except Exception as error:  # of a storage library, too
        log.warning("the states of channels cannot be read again: %s", type(error).__name__)


def _store_or_none() -> Store | None:
    try:
        return connections.open_store()
    except StoreError as error:
        log.warning("told without the store: %s", type(error).__name__)
        return None
