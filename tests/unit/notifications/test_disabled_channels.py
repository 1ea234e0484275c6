"""The copy of the channels' states from which a Dag's page is made (N2)."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from renkei.notifications import disabled_channels
from renkei.notifications.state import ChannelState

# Half past four in Japan, the next morning.
DISABLED = ChannelState("r", disabled_at=dt.datetime(2026, 3, 31, 19, 30, tzinfo=dt.UTC))


def test_n2_disabled_channels_are_shown_until_they_are_in_use_again(tmp_path: Path) -> None:
    """A channel that was not looked at keeps what is known of it."""
    disabled_channels.write(tmp_path, "smarthr_emc", "acme", {"a": DISABLED, "b": DISABLED, "c": ChannelState()})
    assert disabled_channels.disabled(tmp_path, "smarthr_emc", "acme") == {"a": "2026-04-01", "b": "2026-04-01"}
    disabled_channels.write(tmp_path, "smarthr_emc", "acme", {"a": ChannelState()})
    assert disabled_channels.disabled(tmp_path, "smarthr_emc", "acme") == {"b": "2026-04-01"}


def test_n2_a_lost_or_broken_copy_costs_nothing(tmp_path: Path) -> None:
    """The truth is the store's."""
    assert disabled_channels.disabled(tmp_path, "smarthr_emc", "acme") == {}
    disabled_channels.write(tmp_path, "smarthr_emc", "acme", {"a": DISABLED})
    next((tmp_path / "channels").iterdir()).write_text("[1")
    assert disabled_channels.disabled(tmp_path, "smarthr_emc", "acme") == {}
    disabled_channels.write(Path("/proc/none"), "smarthr_emc", "acme", {"a": DISABLED})


def test_n2_nothing_changes_in_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    """Who asks whether it did would look again for nothing."""
    (tmp_path / "channels").write_bytes(b"no folder")
    assert not disabled_channels.write(tmp_path, "smarthr_emc", "acme", {"a": DISABLED})
    assert disabled_channels.write(tmp_path / "other", "smarthr_emc", "acme", {"a": DISABLED})
    assert not disabled_channels.write(tmp_path / "other", "smarthr_emc", "acme", {"a": DISABLED})
