"""`renkei connections test`, as an operator types it, over the simulated services."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from renkei.channel import Channel, Service
from renkei.links.smarthr_emc.sheet.mapping import Loader
from renkei.links.smarthr_emc.sheet.yaml_form import write_yaml
from scripts.chat_connections import chat_connections
from scripts.neighbours import Neighbours
from tests.builders import mapping
from tests.harness.typed import renkei


@pytest.fixture
def known(neighbours: Neighbours, index: Path, airflow_database: Path, tmp_path: Path) -> dict[str, str]:
    """The environment of an operator whose Connections are all right."""
    smtp = {"disable_ssl": True, "disable_tls": True, "from_email": "renkei@example.jp", "retry_limit": 1}
    connections = {
        "smarthr__acme": {"conn_type": "smarthr", "password": "shr_sim_acme"},
        "emc__acme": {"conn_type": "emc", "host": neighbours.urls["emc"], "password": "emc_sim_acme"},
        "first__acme": {"conn_type": "generic", "password": "Aa1!aaaa"},
        "smtp_default": {"conn_type": "smtp", "host": "127.0.0.1", "port": neighbours.smtp_port, "extra": smtp},
        **chat_connections(neighbours.chat_registrations(), "acme"),
    }
    folder = tmp_path / "mappings/smarthr_emc"
    folder.mkdir(parents=True)
    sheet = dataclasses.replace(
        mapping({"パスワード": "秘密:first__acme"}),
        smarthr_url=neighbours.urls["smarthr"],
        channels=(Channel("総務", Service.SLACK_WEBHOOK, "slack_webhook__acme"),),
    )
    write_yaml(sheet, folder / "acme.yaml")
    return {
        **{f"AIRFLOW_CONN_{name.upper()}": json.dumps(connection) for name, connection in connections.items()},
        "RENKEI_ALLOWED_HOSTS": ",".join(url.removeprefix("http://") for url in neighbours.urls.values()),
        "RENKEI_STORE": (tmp_path / "store").as_uri(),
        "RENKEI_INDEX": str(index),
        "RENKEI_MAPPINGS": str(tmp_path / "mappings"),
        "LANG": "ja_JP.UTF-8",
    }


NEEDED = ["smarthr__acme", "emc__acme", "first__acme", "slack_webhook__acme", "smtp_default"]


def test_every_connection_of_a_sheet_is_tried(known: dict[str, str]) -> None:
    """One line each, in the order in which a run needs them; status 0."""
    done = renkei("connections", "test", "acme", **known)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split()[1].rstrip(":") for line in done.stdout.splitlines()[1:]] == NEEDED
    assert all(line.startswith("  ○ ") for line in done.stdout.splitlines()[1:])


def test_missing_connections_are_named(known: dict[str, str]) -> None:
    """Nothing that is not there keeps the others from being tried, be it a sheet that can be used; status 1."""
    Path(known["RENKEI_MAPPINGS"], "smarthr_emc/broken.yaml").write_text("settings: {}\n")
    for name in NEEDED:
        del known[f"AIRFLOW_CONN_{name.upper()}"]
    done = renkei("connections", "test", "--json", **known)
    assert done.returncode == 1, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert "renkei check" in found["broken"][0]["said"]
    trials = found["acme"]
    assert [trial["connection"] for trial in trials] == NEEDED
    assert [trial["well"] for trial in trials] == [False] * len(NEEDED)
    assert all(f"「{trial['connection']}」" in trial["said"] for trial in trials), trials


def test_a_drop_folder_is_tried(known: dict[str, str], neighbours: Neighbours, tmp_path: Path) -> None:
    """E38: whether files could be put there, and none is."""
    path = tmp_path / "mappings/smarthr_emc/acme.yaml"
    write_yaml(dataclasses.replace(mapping(), smarthr_url=neighbours.urls["smarthr"], loader=Loader.FILE_DROP), path)
    (tmp_path / "a file").write_text("")
    for place, status in ((tmp_path / "drop", 0), (tmp_path / "a file/drop", 1)):
        extra = json.dumps({"path": str(place)})
        drop = {"AIRFLOW_CONN_EMC_DROP__ACME": json.dumps({"conn_type": "fs", "extra": extra})}
        done = renkei("connections", "test", "acme", "--json", **known | drop)
        (trial,) = [one for one in json.loads(done.stdout)["acme"] if one["connection"] == "emc_drop__acme"]
        assert trial["well"] is (status == 0), trial
        assert not (tmp_path / "drop").exists()


def test_a_tenant_without_a_sheet_is_wrong_usage(known: dict[str, str]) -> None:
    """It is named; status 2."""
    done = renkei("connections", "test", "acmee", **known)
    assert done.returncode == 2
    assert "acmee" in done.stderr
