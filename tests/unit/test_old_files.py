"""Small files of the store, word for word as 0.4.0 and 0.5.0 wrote them: a later version goes on reading them."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.local import LocalFileSystem

from renkei.channel import Event, Service
from renkei.links.smarthr_emc.ownership import TenantEntry
from renkei.notifications.delivery_log import LoggedDelivery
from renkei.notifications.members.linking import Invitation, LinkedBy, LoginAttempt, LoginStart
from renkei.notifications.members.table import Claim, LineLink
from renkei.notifications.monitor.expiry import Waiting
from renkei.notifications.monitor.silence import Notes, Schedule
from renkei.notifications.state import ChannelState
from renkei.orchestration.monitor.expiring import Cursor
from renkei.orchestration.monitor.once import ToldNotices
from renkei.runs.notes import Begun, LastResult, LastWritingRun
from renkei.storage import records
from renkei.storage.runs import CommonRunStart, Loaded
from renkei.storage.store import DamagedFileError, Store
from renkei.systems.delivery import Verdict

AT, SECOND = (dt.datetime(2026, 11, 22, 4, 38, 1, micros, dt.UTC) for micros in (234567, 0))
HASH = "0f" * 32
OLD: list[tuple[str, Any]] = [
    (
        '{"accepted_at": "", "at": "", "dead": false, "disabled_at": "", "failures": 0, "reason": "",'
        ' "registration": "a1", "run": "", "status": null, "told": false, "verdict": ""}',
        ChannelState("a1"),
    ),
    (
        '{"accepted_at": "2026-11-22T04:38:01+00:00", "at": "2026-11-22T04:38:01.234567+00:00", "dead": true,'
        ' "disabled_at": "2026-11-22T04:38:01.234567+00:00", "failures": 1, "reason": "no_service",'
        ' "registration": "a1", "run": "r.1", "status": 404, "told": true, "verdict": "REFUSED"}',
        ChannelState("a1", 1, "r.1", AT, True, Verdict.REFUSED, 404, "no_service", True, AT, SECOND),
    ),
    (
        '{"at": "2026-11-22T04:38:01.234567+00:00", "channel": "総務", "event": "FAILURE", "message_id": "m",'
        ' "reason": "", "service": "SLACK_WEBHOOK", "status": 200, "verdict": "ACCEPTED"}',
        LoggedDelivery("総務", Service.SLACK_WEBHOOK, Event.FAILURE, Verdict.ACCEPTED, 200, "", "m", AT),
    ),
    (
        '{"at": "2026-11-22T04:38:01.234567+00:00", "event": "SUCCESS", "outcome": "EMC-OK", "run": "scheduled__1"}',
        LastResult(AT, "scheduled__1", "SUCCESS", "EMC-OK"),
    ),
    (
        '{"folder": "manual__1.0123456789ab", "run": "manual__1", "started": "2026-11-22T04:38:01.234567+00:00"}',
        Begun("manual__1", "manual__1.0123456789ab", AT),
    ),
    (
        '{"folder": "manual__1.0123456789ab", "run": "manual__1"}',
        LastWritingRun("manual__1", "manual__1.0123456789ab"),
    ),
    (
        '{"outcome": "HOLD", "run": "manual__1", "subject": "EMC-HOLD", "until": "2026-11-22T04:38:01.234567+00:00"}',
        Waiting("manual__1", AT, "HOLD", "EMC-HOLD"),
    ),
    (
        '{"schedules": {"acme": ["04:30:00", "2026-11-22T04:38:01.234567+00:00"], "beta": ["23:50:00", null]},'
        ' "told": {"acme": "2026-11-22T04:38:01+00:00"}}',
        Notes({"acme": Schedule(dt.time(4, 30), AT), "beta": Schedule(dt.time(23, 50))}, {"acme": SECOND}),
    ),
    ('{"told": {"k": "2026-11-22T04:38:01.234567+00:00"}}', ToldNotices({"k": AT})),
    ('{"after": "acme", "on": "2026-11-22"}', Cursor(dt.date(2026, 11, 22), "acme")),
    (
        f'{{"invitation": "{HASH}", "line_user_id": "U1", "linked_at": "2026-11-22T04:38:01+00:00", "user_id": "001"}}',
        LineLink("001", "U1", SECOND, HASH),
    ),
    ('{"at": "2026-11-22T04:38:01+00:00", "user_id": "001"}', Claim("001", SECOND)),
    (
        '{"expires_at": "2026-11-22T04:38:01+00:00", "used_at": "2026-11-22T04:38:01+00:00", "user_id": "001"}',
        Invitation("001", SECOND, SECOND),
    ),
    (
        f'{{"browser": "{HASH}", "expires_at": "2026-11-22T04:38:01+00:00", "invitation": "{HASH}", "nonce": "n",'
        ' "verifier": "v"}',
        LoginAttempt(HASH, "n", "v", HASH, SECOND),
    ),
    ('{"at": "2026-11-22T04:38:01+00:00"}', LoginStart(SECOND)),
    (f'{{"line": "{HASH}"}}', LinkedBy(HASH)),
    ('{"id_prefix": "a-"}', TenantEntry("a-")),
]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(LocalFileSystem(), str(tmp_path))


@pytest.mark.parametrize(("text", "record"), OLD, ids=lambda one: "" if isinstance(one, str) else type(one).__name__)
def test_a_file_of_an_earlier_version_is_read_and_written_alike(store: Store, text: str, record: Any) -> None:
    """So a worker that still runs the earlier version reads what the later one wrote, too."""
    store.write("x.json", text.encode())
    assert records.read(store, "x.json", type(record)) == record
    records.write(store, "x.json", record)
    assert store.read_json("x.json") == json.loads(text)


def test_an_invitation_that_has_not_served_did_not_say_so(store: Store) -> None:
    """N4: `used_at` came with its use."""
    store.write("x.json", b'{"expires_at": "2026-11-22T04:38:01+00:00", "user_id": "001"}')
    assert records.read(store, "x.json", Invitation) == Invitation("001", SECOND)


def test_e31_housekeeping_reads_what_any_link_keeps_of_a_run(store: Store) -> None:
    """E31: more than it asks for may stand there."""
    store.write("run.json", b'{"run_id": "r", "started_at": "2026-11-22T04:38:01+00:00", "mode": "NORMAL"}')
    store.write("load.json", b'{"confirmed_at": "2026-11-22T04:38:01+00:00", "import_key": "k", "counts": {}}')
    assert records.read(store, "run.json", CommonRunStart) == CommonRunStart("r", SECOND)
    assert records.read(store, "load.json", Loaded) == Loaded(SECOND)


@pytest.mark.parametrize("model", dict.fromkeys(type(record) for _, record in OLD), ids=lambda model: model.__name__)
@pytest.mark.parametrize(
    "content", [b"", b"{", b"null", b'["x"]', '{"at": "山", "told": {"k": "山"}}'.encode()], ids=repr
)
def test_l6_a_damaged_file_is_named_and_not_quoted(store: Store, model: Any, content: bytes) -> None:
    """L6: whichever file it is."""
    store.write("folder/x.json", content)
    with pytest.raises(DamagedFileError, match=r"folder/x\.json") as caught:
        records.read(store, "folder/x.json", model)
    assert "山" not in str(caught.value)
