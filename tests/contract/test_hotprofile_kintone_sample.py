"""The sample sheet between the two simulators as they are started for a demonstration."""

from __future__ import annotations

import datetime as dt
from contextlib import closing

import requests

from renkei.links.hotprofile_kintone.conversion import convert_all
from renkei.links.hotprofile_kintone.form_check import form_problems
from renkei.links.hotprofile_kintone.items import values_of
from renkei.links.hotprofile_kintone.sheet import SHEETS
from renkei.sheets.load import load
from renkei.systems.hotprofile.client import HotProfileClient
from renkei.systems.kintone.client import KintoneClient
from tests.harness.hotprofile import KEY, HotProfile
from tests.harness.kintone import Kintone
from tests.harness.program import ROOT

TOKENS = "kin_sim_companies,kin_sim_departments,kin_sim_leads"


def test_the_sample_sheet_takes_every_record_to_the_sample_apps() -> None:
    """All companies, then departments, then leads: each lookup finds what was written before it."""
    mapping = load(SHEETS, ROOT / "include/mappings/hotprofile_kintone/sample.yaml", "sample").mapping
    assert mapping is not None
    apps = str(ROOT / "simulators/kintone/sample.yaml")
    with (
        HotProfile.start("--clients", "15", "--leads", "40") as hotprofile,
        Kintone.start("--apps", apps) as kintone,
        closing(requests.Session()) as reading,
        closing(requests.Session()) as writing,
    ):
        writing.headers["X-Cybozu-API-Token"] = TOKENS
        source, target = HotProfileClient(reading, hotprofile.url, KEY), KintoneClient(writing, kintone.url)
        until = source.now()
        for data_set in mapping.data_sets:
            form = target.form(data_set.app)
            assert form_problems(data_set, form) == []
            names = [item.item for item in data_set.items]
            entries = [
                one for part in source.changed(data_set.name, until - dt.timedelta(days=1), until) for one in part
            ]
            rows = [values_of(entry, data_set.name, names) for entry in entries]
            converted = convert_all(rows, data_set, form, {})
            assert [one.refusals for one in converted if one.refusals] == []
            written = target.upsert(data_set.app, data_set.key_field, [(one.key, one.record) for one in converted])
            assert len(written) == len(rows) > 0

        companies, departments, leads = (kintone.records(number) for number in (1, 2, 3))
        assert (len(companies), len(leads)) == (15, 40)
        assert {one["会社名"] for one in departments + leads} <= {one["会社名"] for one in companies}
        assert all(one["会社名"].startswith("株式会社") for one in leads)
