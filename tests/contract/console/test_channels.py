"""通知連携: the list with 無効, 通知連携の登録 by サービス種別, 通知管理, and a test of each channel (text 2; N1, N2, N5, N8, S2)."""

from __future__ import annotations

import dataclasses
import datetime as dt
import html
import re
from pathlib import Path
from typing import Any

import pytest
from airflow.models.connection import Connection
from airflow.utils.session import create_session

from renkei.channel import Channel, Event, Service, unheard
from renkei.jobs.records import Jobs
from renkei.notifications import disabled_channels
from renkei.notifications.deliver import Notifier, OpenedChannel
from renkei.notifications.delivery_log import DeliveryLog
from renkei.notifications.services import SPECS
from renkei.notifications.state import ChannelState, ChannelStates
from renkei.orchestration import channel_connections
from renkei.orchestration.channel_connections import registration_of
from renkei.orchestration.maintenance import prune_all
from renkei.orchestration.web import registering
from renkei.settings import index_folder
from renkei.storage.runs import RunRecord
from renkei.storage.tenant_folder import TenantFolder
from renkei.systems.delivery import Delivery, Message, Verdict, key_of, later, refused
from renkei.web.channel_facts import TriedChannel, TriedStep, channel_key
from scripts.page_forms import field_of
from tests.contract.console.world import BASE, LINK, NOW, ConsoleWorld, body, dag, text_of

HERE, EVENTS = f"/dag/{dag('acme')}/channels", f"/dag/{dag('acme')}/events"
WEBHOOK = "https://hooks.slack.com/services/T0/B0/abcdefgh"
SLACK = {"service": "SLACK_WEBHOOK", "name": "総務のSlack", "field.url": WEBHOOK}


def sent(world: ConsoleWorld, path: str, user: str = "omar", status: int = 303, **form: str) -> str:
    answer = world.browser(user).post(BASE + path, data={**form, "token": world.token(user)})
    assert answer.status_code == status, text_of(answer.text)
    return answer.text if status != 303 else str(answer.headers["location"])


def digest(world: ConsoleWorld, path: str = f"{HERE}/new", user: str = "omar") -> str:
    return field_of(body(world, path, user), "digest")


def registered(world: ConsoleWorld, **form: str) -> str:
    """A channel of acme's sheet, in force; its key."""
    said = SLACK | form
    to = sent(world, HERE, digest=digest(world), **said)
    found = re.search(r"saved=([0-9a-f]{16})", to)
    assert found, to
    with create_session() as session:  # as Airflow has it now
        if world.hands.done and world.hands.done[-1][0] == "register":
            _, name, kind, values, extra = world.hands.done[-1]
            session.add(Connection(conn_id=name, conn_type=kind, **values, extra=extra or None))
    compile_again(world)
    return found[1]


def compile_again(world: ConsoleWorld) -> None:
    """As the Dag processor does it."""
    from renkei.orchestration.link import LINKS
    from renkei.sheets.load import load_all
    from renkei.sheets.tenant_files import tenants

    load_all(LINKS[LINK].sheets(), tenants(world.sheets), index_folder(), ())
    world.services.knowledge.changed()


def channels(world: ConsoleWorld) -> list[Channel]:
    sheet = world.services.sheets.of(dag("acme"))
    found = sheet.file()
    assert found.path
    return list(world.services.sheets.review(dag("acme"), found.path.name, found.content).channels)


def test_n1_the_form_is_drawn_from_what_the_service_needs(world: ConsoleWorld) -> None:
    """サービス種別をプルダウンメニューから選択すると、フォームが更新され、連携に必要な情報の項目が表示されます。"""
    for spec in SPECS:
        shown = html.unescape(body(world, f"{HERE}/new?service={spec.service.value}"))
        asked = re.findall(r'name="field\.(\w+)"', shown)
        assert asked == [one.key for one in spec.fields]
        assert all(one.label in shown and one.note in shown for one in spec.fields)
        assert ('name="to"' in shown) is bool(spec.destination or spec.member_field)
        assert shown.count("selected") == 1


def test_s2_a_channel_is_registered_in_the_sheet_and_its_secret_in_a_connection(world: ConsoleWorld) -> None:
    """N1, L7: the sheet is a new version in force; the webhook is in no sheet, and on no page again."""
    before = world.services.sheets.of(dag("acme")).file().digest
    key = registered(world)
    assert world.hands.done == [
        ("register", "slack_webhook__acme", "slack_webhook", {"password": WEBHOOK}, {"expires_on": ""})
    ]
    assert channels(world) == [Channel("総務のSlack", Service.SLACK_WEBHOOK, "slack_webhook__acme")]
    sheet = world.services.sheets.of(dag("acme"))
    assert WEBHOOK.encode() not in sheet.file().content
    assert sheet.file().digest != before
    moved = next(iter(sheet.versions.moves())).move
    assert (moved.by_name, moved.why) == ("omar", "通知連携「総務のSlack」を登録しました")
    shown = text_of(body(world, f"{HERE}?saved={key}&version=2"))
    assert "通知連携「総務のSlack」を登録しました。" in shown
    assert "総務のSlack 接続 slack_webhook__acme Slack(Webhook) – 使用中 0/5 記録なし テスト" in shown
    again = body(world, f"{HERE}/{key}")
    assert WEBHOOK not in again
    assert "登録済み（変更する場合だけ入力）" in again


def test_n1_a_second_webhook_has_a_connection_of_its_own_and_one_token_serves_many_rooms(world: ConsoleWorld) -> None:
    registered(world)
    registered(world, name="人事のSlack", **{"field.url": WEBHOOK + "2"})
    room = {"service": "CHATWORK", "field.token": "chatwork-token"}
    registered(world, name="部屋1", to="123456", **room, **{"field.url": ""})
    done = len(world.hands.done)
    sent(world, HERE, digest=digest(world), service="CHATWORK", name="部屋2", to="234567")
    assert len(world.hands.done) == done  # 登録済み
    assert [one.connection for one in channels(world)] == [
        "slack_webhook__acme", "slack_webhook_2__acme", "chatwork__acme", "chatwork__acme",
    ]  # fmt: skip


WRONG: list[tuple[dict[str, str], str]] = [
    ({"name": ""}, "名前が空白です"),
    ({"name": "結果通知メール"}, "という名前は使えません"),
    ({"name": "x" * 41}, "41文字あります"),
    ({"field.url": ""}, "接続「slack_webhook__acme」がまだ登録されていません"),
    ({"field.url": "https://example.com/hook"}, "Slack"),
    ({"field.url": "https://hooks.slack.com/services/T0 /B0/hush"}, "途中に空白"),
    ({"service": "CHATWORK", "field.token": "t", "to": "部屋"}, "ルームIDの形ではありません"),
    ({"service": "CHATWORK", "field.token": "t", "to": ""}, "送信先が空白です"),
    ({"service": "MAIL", "to": "no-address"}, "メールアドレス"),
]


def test_l7_a_second_webhook_takes_no_other_channels_connection_while_the_sheet_is_being_read(
    world: ConsoleWorld,
) -> None:
    """Else the first channel's messages would go to the second one's place."""
    sent(world, HERE, digest=digest(world), **SLACK)
    sent(world, HERE, digest=digest(world), **SLACK | {"name": "営業のSlack", "field.url": WEBHOOK + "2"})
    names = [done[1] for done in world.hands.done if done[0] == "register"]
    assert names == ["slack_webhook__acme", "slack_webhook_2__acme"]
    assert {one.connection for one in channels(world)} == set(names)


def test_n1_what_is_wrong_is_said_and_nothing_is_done(world: ConsoleWorld) -> None:
    of = digest(world)
    for form, said in WRONG:
        shown = sent(world, HERE, status=400, digest=of, **SLACK | form)
        assert said in text_of(shown)
        assert "hush" not in shown
    assert (world.hands.done, channels(world)) == ([], [])


def test_n1_two_channels_never_have_one_name(world: ConsoleWorld) -> None:
    registered(world)
    assert "同じ名前の通知先が" in sent(
        world, HERE, status=400, digest=digest(world), **SLACK | {"name": "総務の ＳＬＡＣＫ"}
    )


def disable(world: ConsoleWorld, name: str = "総務のSlack") -> ChannelStates:
    states = ChannelStates(TenantFolder(world.store, LINK, "acme"))
    channel = Channel(name, Service.SLACK_WEBHOOK)
    dead = ChannelState("x", 5, "run", NOW, True, Verdict.REFUSED, 404, "no_service", True, NOW)
    states.write(channel, dead)
    disabled_channels.write(index_folder(), LINK, "acme", {name: dead})
    world.services.knowledge.changed()
    return states


def test_n2_a_disabled_channel_is_labelled_with_its_failures_and_what_to_do(world: ConsoleWorld) -> None:
    registered(world)
    disable(world)
    shown = text_of(body(world, HERE))
    assert "無効 11/30(月) 10:00から 5/5 11/30(月) 10:00 失敗" in shown
    assert "no_service" in shown


class Gone:
    """A messenger of a webhook that was deleted; first the service is away."""

    def __init__(self) -> None:
        self.answer = later(503, "unavailable", 0)  # asked again at once

    def send(self, *_: object) -> Delivery:
        return self.answer

    def check(self) -> Delivery:
        return self.answer


def test_n2_figures_stay_when_runs_and_what_was_told_in_them_are_pruned(world: ConsoleWorld) -> None:
    """What the nightly pruning deletes is no place where a channel's failures are counted."""
    registered(world)
    gone, folder = Gone(), TenantFolder(world.store, LINK, "acme")

    def tell(run: str, at: dt.datetime) -> None:
        record = RunRecord(folder, run)
        record.write_json("run", {"run_id": run, "started_at": at.isoformat()})
        deliveries = DeliveryLog(ChannelStates(folder), record)
        notifier = Notifier("acme", lambda one: OpenedChannel(gone, one.to, "r"), deliveries, lambda: at, 5)
        notifier.tell(channels(world), Event.FAILURE, Message("題"), key_of(run), run)

    def shown_after_pruning(days: int) -> str:
        prune_all(world.store, NOW + dt.timedelta(days=days), dt.timedelta(days=1), lambda *_: False)
        assert world.store.names(folder.runs) == []
        return text_of(body(world, HERE))

    for run in ("one", "two"):
        tell(run, NOW)
    assert "使用中 2/5 11/30(月) 10:00 失敗" in shown_after_pruning(3)
    gone.answer = refused(404, "no_service", dead=True)
    tell("three", NOW)
    assert "無効 11/30(月) 10:00から 3/5 11/30(月) 10:00 失敗" in shown_after_pruning(3)


def test_n2_a_channel_that_comes_back_with_another_secret_is_not_as_disabled_as_it_was(
    world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dropped and brought back by uploads, its secret changed in Airflow: no page of ours has heard of it."""
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")  # Connections are read as the API server does it
    registered(world)
    states = disable(world)
    channel = channels(world)[0]
    own = registration_of(Service.SLACK_WEBHOOK, channel.connection).digest("")
    for registration, shown in ((own, "無効 11/30(月) 10:00から"), ("x", "使用中 0/5 記録なし")):
        states.write(channel, dataclasses.replace(states.read(channel), registration=registration))
        assert f"Slack(Webhook) – {shown}" in text_of(body(world, HERE))
        facts = world.services.knowledge.details(dag("acme")).channels
        disabled = [bool(one.disabled_since) for one in facts if one.name == channel.name]
        assert disabled == [registration == own]
        world.services.knowledge.changed()
        assert ("通知無効 1" in text_of(body(world, "/"))) is (registration == own)
    assert states.read(channel).disabled  # it is kept, until the next message


def test_n2_registering_again_enables_it(world: ConsoleWorld) -> None:
    """As it is, without a new secret too: チェックを外して登録しなおせば、有効になります。"""
    key = registered(world)
    states = disable(world)
    before = world.services.sheets.of(dag("acme")).versions.last_number()
    sent(world, HERE, digest=digest(world, f"{HERE}/{key}"), key=key, name="総務のSlack")
    assert states.read(channels(world)[0]) == ChannelState()
    assert disabled_channels.disabled(index_folder(), LINK, "acme") == {}
    assert "使用中 0/5" in text_of(body(world, HERE))
    assert world.services.sheets.of(dag("acme")).versions.last_number() == before  # the sheet says nothing new


def test_n2_a_look_that_was_overtaken_does_not_show_an_older_state(
    world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page reads 無効; before it leaves that for the list, somebody else registers the channel again."""
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")  # Connections are read as the API server does it
    registered(world)
    states, channel = disable(world), channels(world)[0]
    own = registration_of(Service.SLACK_WEBHOOK, channel.connection).digest("")
    states.write(channel, dataclasses.replace(states.read(channel), registration=own))
    look, others = (
        channel_connections.state_now,
        [lambda: world.services.knowledge.channels_renewed(dag("acme"), [channel.name])],
    )

    def overtaken(folder: TenantFolder, one: Channel) -> tuple[ChannelState, str]:
        found = look(folder, one)
        if one == channel and others:
            others.pop()()
        return found

    monkeypatch.setattr(channel_connections, "state_now", overtaken)
    assert "Slack(Webhook) – 使用中 0/5" in text_of(body(world, HERE))
    assert not others
    assert disabled_channels.disabled(index_folder(), LINK, "acme") == {}


def test_n2_a_message_that_was_overtaken_does_not_show_an_older_state(
    world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run finds the channel void; before it leaves that for the list, somebody registers it again."""
    registered(world)
    channel, tell = channels(world)[0], Notifier.tell
    monkeypatch.setattr(channel_connections, "opener", lambda *_: lambda one: OpenedChannel(gone, one.to, "r"))
    gone = Gone()
    gone.answer = refused(404, "no_service", dead=True)

    def overtaken(self: Notifier, *given: Any) -> Any:
        told = tell(self, *given)
        world.services.knowledge.channels_renewed(dag("acme"), [channel.name])
        return told

    say = (LINK, "acme", [channel], Event.FAILURE, Message("題"))
    channel_connections.notify_channels(*say, "before")
    assert disabled_channels.disabled(index_folder(), LINK, "acme").keys() == {channel.name}
    world.services.knowledge.channels_renewed(dag("acme"), [channel.name])
    monkeypatch.setattr(Notifier, "tell", overtaken)
    channel_connections.notify_channels(*say, "overtaken")
    assert disabled_channels.disabled(index_folder(), LINK, "acme") == {}


def test_n2_a_new_secret_on_the_page_of_connections_enables_it_too(world: ConsoleWorld) -> None:
    registered(world)
    states = disable(world)
    drawn = {"connection_digest": registering.digest("slack_webhook__acme")}
    sent(world, f"/dag/{dag('acme')}/connections/slack_webhook__acme", **drawn, **{"field.url": WEBHOOK + "new"})
    assert states.read(channels(world)[0]) == ChannelState()


@pytest.mark.parametrize("how", ["removed", "renamed", "by an upload"])
def test_n2_a_channel_that_is_gone_is_no_longer_counted_as_disabled(world: ConsoleWorld, how: str) -> None:
    """However it went; and another one of its name begins anew, where it went by the page."""
    key = registered(world)
    before = (world.sheets / "acme.yaml").read_bytes()
    states = disable(world)
    assert "通知無効 1" in text_of(body(world, "/"))
    of = digest(world, f"{HERE}/{key}")
    if how == "removed":
        sent(world, f"{HERE}/{key}/remove", digest=of)
    elif how == "renamed":
        sent(world, HERE, digest=of, key=key, name="総務部")
    else:
        (world.sheets / "acme.yaml").write_bytes(before.replace("総務のSlack".encode(), "別のSlack".encode()))
    compile_again(world)
    assert "通知無効" not in text_of(body(world, "/"))
    gone = states.read(Channel("総務のSlack", Service.SLACK_WEBHOOK))
    assert gone.disabled is (how == "by an upload")


def test_n1_a_channel_is_muted_renamed_and_removed(world: ConsoleWorld) -> None:
    key = registered(world)
    sent(world, HERE, digest=digest(world, f"{HERE}/{key}"), key=key, name="総務部", muted="1")
    assert [(one.name, one.muted) for one in channels(world)] == [("総務部", True)]
    compile_again(world)
    assert "通知を行わない" in text_of(body(world, HERE))
    key = channel_key("総務部")
    sent(world, f"{HERE}/{key}/remove", digest=digest(world, f"{HERE}/{key}"))
    assert channels(world) == []


def test_n5_a_test_is_a_job_and_its_page_goes_through_the_steps(world: ConsoleWorld) -> None:
    key = registered(world)
    done = len(world.hands.done)
    assert sent(world, f"{HERE}/{key}/test").endswith("/jobs/1")
    assert world.hands.done[done:] == [("job", dag("acme"), 1)]
    jobs = Jobs(TenantFolder(world.store, LINK, "acme"))
    assert (jobs.read(1).request.kind, jobs.read(1).request.asked) == ("channel", {"channel": key})
    steps = [
        TriedStep("認証", True, "送信して確認します"),
        TriedStep("送信", False, "拒否されました", "登録を直してください"),
    ]
    jobs.finish(1, TriedChannel("総務のSlack", steps), dt.datetime.now(dt.UTC))
    shown = text_of(body(world, f"/dag/{dag('acme')}/jobs/1"))
    assert "通知先「総務のSlack」には届きませんでした。" in shown
    assert "送信 × 拒否されました 登録を直してください" in shown
    sent(world, f"{HERE}/0123456789abcdef/test", status=404)


def test_n1_the_table_of_events_is_saved_as_a_version(world: ConsoleWorld) -> None:
    key = registered(world)
    boxes = {f"{key}.{event.value}": "1" for event in (Event.FAILURE, Event.HOLD)}
    sent(world, EVENTS, digest=digest(world, EVENTS), **boxes)
    assert channels(world)[0].events == {Event.FAILURE, Event.HOLD}
    moved = next(iter(world.services.sheets.of(dag("acme")).versions.moves())).move
    assert (moved.by_name, moved.why) == ("omar", "通知管理を変更しました")
    compile_again(world)
    shown = body(world, EVENTS)
    assert shown.count(" checked") == 2
    assert re.search(rf'name="{key}.FAILURE" value="1" checked', shown)
    none = {f"{key}.muted": "1"}
    sent(world, EVENTS, digest=digest(world, EVENTS), **none)
    assert (channels(world)[0].events, channels(world)[0].muted) == (frozenset(), True)


def test_n8_what_would_reach_nobody_is_warned_of_and_asked_about() -> None:
    one = Channel("a", Service.SLACK_WEBHOOK, events=frozenset({Event.FAILURE}))
    two = Channel("b", Service.SLACK_WEBHOOK, events=frozenset({Event.HOLD}))
    muted = Channel("c", Service.SLACK_WEBHOOK, muted=True)
    assert unheard([one, two, muted]) == []
    assert unheard([one, muted]) == [Event.HOLD]
    assert unheard([one, two], {"a"}) == [Event.FAILURE]
    assert unheard([]) == [Event.FAILURE, Event.HOLD]


def test_s2_of_two_who_change_at_once_the_second_one_is_told(world: ConsoleWorld) -> None:
    old = digest(world)
    registered(world)
    done = list(world.hands.done)
    assert "シートが変更されました" in sent(world, HERE, status=409, digest=old, **SLACK | {"name": "別の名前"})
    assert "シートが変更されました" in sent(world, EVENTS, status=409, digest=old)
    assert (world.hands.done, len(channels(world))) == (done, 1)


def test_s2_where_the_folder_is_read_only_the_version_is_offered_as_a_file(
    world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    from renkei.sheets.placed import NotPlacedError

    def refused(*_: object) -> None:
        raise NotPlacedError("シートのフォルダに書き込めません。")

    of = digest(world)
    monkeypatch.setattr("renkei.web.tenant_sheet.place", refused)
    to = sent(world, HERE, digest=of, **SLACK)
    assert to.endswith("/sheets/2")
    assert "ダウンロード" in text_of(body(world, to.removeprefix(BASE)))
    assert channels(world) == []


def test_s1_who_may_only_see_has_the_list_without_its_buttons(world: ConsoleWorld) -> None:
    key = registered(world)
    shown = body(world, HERE, "ken")
    assert "総務のSlack" in shown
    assert "<form" not in shown
    for path in (f"{HERE}/new", f"{HERE}/{key}", EVENTS):
        body(world, path, "ken", 403)
    done = list(world.hands.done)
    for path in (HERE, f"{HERE}/{key}/test", f"{HERE}/{key}/remove", EVENTS):
        sent(world, path, "ken", 403, digest="0", **SLACK)
        sent(world, path.replace("acme", "beta"), "yuki", 404, **SLACK)
        answer = world.browser("omar", **{"Sec-Fetch-Site": "cross-site"}).post(
            BASE + path, data=SLACK | {"token": world.token("omar")}
        )
        assert answer.status_code == 403
    assert world.hands.done == done


def test_s1_who_may_change_no_connection_changes_the_rest(world: ConsoleWorld) -> None:
    """yuki edits the sheet; the secret is the operator's."""
    key = registered(world)
    assert "権限が必要です" in body(world, f"{HERE}/{key}", "yuki")
    assert 'name="field.url"' not in body(world, f"{HERE}/{key}", "yuki")
    of = digest(world, f"{HERE}/{key}", "yuki")
    done = list(world.hands.done)
    sent(world, HERE, "yuki", 403, digest=of, key=key, **SLACK)
    assert world.hands.done == done
    sent(world, HERE, "yuki", digest=of, key=key, name="総務部")
    assert [one.name for one in channels(world)] == ["総務部"]
    new = {"service": "CHATWORK", "name": "部屋", "to": "123456"}  # whose fields he is not shown
    said = sent(world, HERE, "yuki", 400, digest=digest(world, user="yuki"), **new)
    assert "登録されていません → Airflowの接続を変更できる運用担当者に、登録を依頼してください" in text_of(said)


def test_l7_no_address_has_a_channels_name(world: ConsoleWorld, tmp_path: Path) -> None:
    key = registered(world, name="田中さん")
    shown = body(world, HERE)
    assert "田中さん" in shown
    assert not re.search(r'(?:href|action)="[^"]*(?:田中|%E7)', shown)
    assert key == channel_key("田中さん")
