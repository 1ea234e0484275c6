"""読み込み, 検索 and テスト of kintone連携設定 as their jobs do them, over both simulators."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from renkei.clock import TOKYO, utcnow
from renkei.links.hotprofile_kintone import LINK, data_sets
from renkei.links.hotprofile_kintone.model import host_of
from renkei.links.hotprofile_kintone.preview import as_text
from renkei.links.hotprofile_kintone.quota import Quota
from renkei.orchestration.hotprofile_kintone import connections
from renkei.orchestration.hotprofile_kintone.jobs import (
    FoundRecord,
    LoadedForm,
    estimate_initial,
    find_one,
    load_form,
    write_one,
)
from renkei.orchestration.link import LINKS
from renkei.orchestration.tenant import Tenant, find_tenant
from renkei.systems.kintone import client
from tests.conftest import ROOT
from tests.harness.clock import no_waits
from tests.harness.hotprofile import KEY, HotProfile
from tests.harness.kintone import Kintone

FIELDS: dict[str, dict[str, Any]] = {
    "id": {"type": "SINGLE_LINE_TEXT", "unique": True},
    "name": {"type": "SINGLE_LINE_TEXT", "maxLength": "10"},
    "tags": {"type": "SUBTABLE", "fields": {"tag": {"type": "SINGLE_LINE_TEXT"}}},
}
SHEET = """
company_name: アクメ
domain: {domain}
user: tantou
interval_minutes: 5
result_addresses: [soumu@acme.example.jp]
leads:
  app: {app}
  enabled: true
  items:
    - {{item: リードID, field: id, key: ○}}
    - {{item: 氏名, field: name}}
    - {{item: タグ, field: tag, table: tags}}
"""


@pytest.fixture(scope="module")
def systems() -> Iterator[tuple[HotProfile, Kintone]]:
    with HotProfile.start() as hotprofile, Kintone.start() as kintone:
        yield hotprofile, kintone


class Acme:
    """One tenant's sheet and Connections."""

    def __init__(self, folder: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder, self.url, self._patch = folder, url, monkeypatch
        self.connect()

    def connect(self, token: str = "app1", host: str = "") -> None:
        connection = {"conn_type": "kintone", "host": host or self.url, "password": token}
        self._patch.setenv("AIRFLOW_CONN_KINTONE__ACME", json.dumps(connection))
        self._patch.setenv("RENKEI_ALLOWED_HOSTS", (host or self.url).removeprefix("http://"))

    def tenant(self, app: int = 1, domain: str = "") -> Tenant:
        text = SHEET.format(domain=domain or self.url, app=app)
        (self._folder / "acme.yaml").write_text(text, encoding="utf-8")
        return find_tenant(LINKS[LINK], "acme", str(ROOT / "dags/hotprofile_kintone.py"), patience_s=60)

    def read(self, app: int = 1, domain: str = "") -> LoadedForm:
        return load_form(self.tenant(app, domain), {"data_set": "leads"}, _silent)


def _silent(what: str, done: int, total: int) -> None:
    pass


@pytest.fixture
def acme(
    mappings: Path, tmp_path: Path, systems: tuple[HotProfile, Kintone], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Acme]:
    hotprofile, kintone = systems
    hotprofile.clear()
    kintone.clear()
    kintone.app(1, FIELDS)
    monkeypatch.setenv("RENKEI_STORE", (tmp_path / "store").as_uri())
    monkeypatch.delenv("RENKEI_DATABASE", raising=False)
    connection = {"conn_type": "hotprofile", "host": hotprofile.url, "password": KEY}
    monkeypatch.setenv("AIRFLOW_CONN_HOTPROFILE__ACME", json.dumps(connection))
    folder = mappings.parent / LINK
    folder.mkdir()
    with no_waits(client):
        yield Acme(folder, kintone.url, monkeypatch)


def test_k12_the_jobs_read_find_and_write_one(acme: Acme, systems: tuple[HotProfile, Kintone]) -> None:
    """K12: the app's form is read, one record found and shown, that one written and read back; the mapping has passed."""
    hotprofile, kintone = systems
    hotprofile.add("leads", {"id": 7, "name": "山田 太郎", "tags": ["展示会", "来訪"]}, {"id": 8, "name": "佐藤"})
    loaded = acme.read()
    assert (loaded.fault, loaded.problems) == ("", 0)
    asked = {"data_set": "leads", "source_id": "7"}
    found = find_one(acme.tenant(), asked, _silent)
    assert isinstance(found, FoundRecord)
    assert [(one.item, as_text(one.value), one.field) for one in found.items] == [
        ("リードID", "7", "id"),
        ("氏名", "山田 太郎", "name"),
        ("タグ", "展示会、来訪", "tag"),
    ]
    assert kintone.records(1) == []
    tenant = acme.tenant()
    tested = write_one(tenant, asked, _silent)
    assert [as_text(one.kintone) for one in tested.items] == ["7", "山田 太郎", "展示会、来訪"]
    assert [one["id"] for one in kintone.records(1)] == ["7"]
    assert data_sets.passed(connections.database(), tenant.mapping) == {"leads"}


def test_k12_a_failed_reading_names_what_to_look_at(
    acme: Acme, systems: tuple[HotProfile, Kintone], closed_port: int
) -> None:
    """K12: サブドメイン, アプリID or ログイン情報, as kintone itself answers; in maintenance none of them."""
    _, kintone = systems
    assert "アプリID" in acme.read(app=99).look_at
    acme.connect(token="wrong")
    assert acme.read().look_at[0] == "ログイン情報"
    acme.connect(host=f"http://127.0.0.1:{closed_port}")
    assert acme.read(domain=f"http://127.0.0.1:{closed_port}").look_at == ("サブドメイン",)
    acme.connect()
    kintone.fault("maintenance", times=None)
    away = acme.read()
    assert away.fault
    assert away.look_at == ()


def test_k3_what_初期連携_takes_is_estimated_without_a_request_of_kintones(
    acme: Acme, systems: tuple[HotProfile, Kintone]
) -> None:
    """K3, K15: records since a day, requests, days by what is left of today; the link's own day is not asked of kintone."""
    hotprofile, kintone = systems
    hotprofile.add("leads", *({"id": number, "name": "佐藤"} for number in range(1, 251)))
    hotprofile.sim("POST", "clock", {"advance_s": 60})
    tenant = acme.tenant()
    today = dt.datetime.now(TOKYO).date()
    quota = Quota(connections.database(), host_of(tenant.mapping), "1", tenant.mapping.daily_requests)
    before = kintone.requests(1)
    found = estimate_initial(tenant, {"since": today.isoformat()}, _silent)
    (line,) = found.lines
    assert (line.records, line.requests, line.days, line.done_on) == (250, 3, 1, today)
    quota.reserve(tenant.mapping.daily_requests - 2, utcnow())
    (line,) = estimate_initial(tenant, {"since": "2026-03-01"}, _silent).lines
    assert (line.records, line.left, line.days, line.takes_all) == (250, 2, 2, True)
    assert kintone.requests(1) == before
