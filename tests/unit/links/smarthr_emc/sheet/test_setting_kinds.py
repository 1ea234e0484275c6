"""What one cell of 連携情報 may say."""

from __future__ import annotations

import datetime as dt

import pytest

from renkei.links.smarthr_emc.sheet import setting_kinds as kinds
from renkei.texts import Fault


@pytest.mark.parametrize(
    ("text", "hour"), [("午前0:30", 0), ("午前12:30", 0), ("午後0:30", 12), ("午後12:30", 12), ("午後1:30", 13)]
)
def test_e1_noon_and_midnight_are_read_as_people_write_them(text: str, hour: int) -> None:
    assert kinds._time(text) == dt.time(hour, 30)


def test_e15_the_url_of_a_company_has_no_port_that_goes_without_saying() -> None:
    assert kinds.read_url("https://acme.smarthr.jp:443/", ()) == "https://acme.smarthr.jp"


@pytest.mark.parametrize("url", ["https://me@acme.smarthr.jp", "https://me:secret@acme.smarthr.jp"])
def test_l7_a_url_with_a_name_in_it_is_refused(url: str) -> None:
    with pytest.raises(Fault):
        kinds.read_url(url, ())
