"""読み込み: whether Hot Profile and each app of a sheet can be reached, and fit its mapping (K12). Nothing is written."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from renkei.clock import utcnow
from renkei.errors import SettingError
from renkei.links.hotprofile_kintone.form_check import form_problems
from renkei.links.hotprofile_kintone.model import host_of
from renkei.links.hotprofile_kintone.quota import Quota
from renkei.links.hotprofile_kintone.sheet.mapping import DataSet, Mapping
from renkei.orchestration.connection_trial import Trial, tried
from renkei.orchestration.hotprofile_kintone import connections
from renkei.orchestration.hotprofile_kintone.connections import HotProfileHook

READ = "読み込みに成功しました"


def try_systems(mapping: Mapping, dag_file: str) -> Iterator[Trial]:
    """A trial of each Connection, and of each app with it."""
    name = f"hotprofile__{mapping.tenant}"
    yield Trial(name, *HotProfileHook(name).test_connection())
    for data_set in mapping.data_sets:
        yield tried(f"kintone__{mapping.tenant}", partial(_read, mapping, data_set))


def _read(mapping: Mapping, data_set: DataSet) -> str:
    """What the app's form says of the mapping; one request of the day's.

    Raises:
        RenkeiError: 読み込みに失敗しました, and why.
    """
    quota = Quota(connections.database(), host_of(mapping), data_set.app, mapping.daily_requests)
    client = connections.kintone_client(mapping, lambda count: quota.reserve(count, utcnow()))
    problems = form_problems(data_set, client.form(data_set.app))
    if problems:
        raise SettingError("\n".join(map(str, problems)))
    return f"{READ}（{data_set.label}、アプリID {data_set.app}）。"
