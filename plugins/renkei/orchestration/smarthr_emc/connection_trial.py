"""Whether SmartHR, EMC and the secrets that a sheet needs can be had; nothing is sent or written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from renkei import settings
from renkei.errors import ConnectionError_, RenkeiError
from renkei.links.smarthr_emc.sheet.grants import secrets_of
from renkei.links.smarthr_emc.sheet.mapping import Loader, Mapping
from renkei.orchestration.connection_trial import Trial, tried
from renkei.orchestration.smarthr_emc import connections, smarthr_plus
from renkei.orchestration.smarthr_emc.hooks import EmcHook
from renkei.systems.emc.file_format import load_format


def try_systems(mapping: Mapping, dag_file: str) -> Iterator[Trial]:
    """A trial of each Connection, in the order in which a run comes to them."""
    yield replace(tried(f"smarthr__{mapping.tenant}", lambda: _smarthr(mapping)), granted=_is_granted(mapping))
    if mapping.loader is Loader.HTTP:
        yield Trial(f"emc__{mapping.emc_account}", *EmcHook(f"emc__{mapping.emc_account}").test_connection())
    else:
        yield tried(f"emc_drop__{mapping.emc_account}", lambda: _drop_folder(mapping))
    longest = load_format(settings.emc_format_file(dag_file)).length_of("password")
    for name in secrets_of(mapping.users):
        yield tried(name, lambda name=name: _secret(name, longest))  # type: ignore[misc]


def _smarthr(mapping: Mapping) -> str:
    connections.smarthr_client(mapping).check()
    return "SmartHRに接続できました。"


def _is_granted(mapping: Mapping) -> bool:
    try:
        return smarthr_plus.granted(mapping.tenant).exists()
    except RenkeiError:  # the trial has said so
        return False


def _drop_folder(mapping: Mapping) -> str:
    connections.drop_folder(mapping).check()
    return "取込フォルダに接続できました。"


def _secret(name: str, longest: int | None) -> str:
    if longest is not None and len(connections.secret(name)) > longest:
        raise ConnectionError_(
            f"接続「{name}」のPasswordが長すぎます。EMCのパスワードは{longest}文字までです（社員番号などと合わせる場合は、全体で）。"
        )
    return "パスワードが登録されています。"
