"""The public service with Airflow's Connections: in a process of its own, or in the API server."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import requests
from starlette.types import ASGIApp

from renkei.inbox.inbox import Inbox
from renkei.inbox.tables import State
from renkei.orchestration.connections import open_store
from renkei.orchestration.link import LINKS
from renkei.orchestration.public import app
from renkei.public import secrets
from renkei.storage.database.database import open_database
from tests.harness.public_service import message, signed
from tests.toy_link import TOY

PATH = "/lineworks/acme/callback"
INVITATION = "/line/acme/" + "a" * 43


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Inbox:
    """The toy's tenant acme with its Connection, and its inbox."""
    monkeypatch.setitem(LINKS, "toy", TOY)
    monkeypatch.delitem(LINKS, "lineworks_kot")  # whose callbacks are at the same address
    monkeypatch.setenv("RENKEI_STORE", (tmp_path / "store").as_uri())
    monkeypatch.setenv("RENKEI_DATABASE", f"sqlite:///{tmp_path}/renkei.db")
    monkeypatch.setenv("RENKEI_MAPPINGS", str(tmp_path / "mappings"))
    (tmp_path / "mappings" / "toy").mkdir(parents=True)
    (tmp_path / "mappings" / "toy" / "acme.yaml").touch()
    (tmp_path / "mappings" / "toy" / "beta.yaml").touch()
    connection = {"conn_type": "lineworks", "extra": {"bot_secret": "of acme"}}
    monkeypatch.setenv("AIRFLOW_CONN_LINEWORKS__ACME", json.dumps(connection))
    app.receiver.cache_clear()
    return Inbox(open_database(f"sqlite:///{tmp_path}/renkei.db"), open_store(), "toy", "acme")


def ask(of: ASGIApp, send: Callable[[httpx.AsyncClient], object]) -> httpx.Response:
    """One request to an app."""
    import asyncio

    async def asked() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(of), base_url="http://renkei.example.jp") as client:
            return await send(client)  # type: ignore[misc, no-any-return]

    return asyncio.run(asked())


@pytest.mark.parametrize(("build", "prefix"), [(app.standalone_app, "/renkei"), (app.in_api_server, "")])
def test_what_a_link_registers_is_served(toy: Inbox, build: Callable[[], ASGIApp], prefix: str) -> None:
    body = message("出勤")
    served = build()
    answer = ask(served, lambda client: client.post(prefix + PATH, content=body, headers=signed(body, "of acme")))
    assert answer.status_code == 200
    assert [one.body() for one in toy.listed(State.WAITING, 8)] == [body]
    page = ask(served, lambda client: client.get(prefix + INVITATION))
    assert (page.status_code, "このURLは使えません" in page.text) == (404, True)


def test_s5_customers_pages_are_served_by_one_of_the_two(toy: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the API server only where there is no other: with a public service, it need not face customers."""

    def opened(served: ASGIApp, prefix: str) -> int:
        return ask(served, lambda client: client.get(f"{prefix}/customer/enter")).status_code

    monkeypatch.delenv("RENKEI_PUBLIC_URL", raising=False)
    assert (opened(app.standalone_app(), "/renkei"), opened(app.in_api_server(), "")) == (200, 200)
    monkeypatch.setenv("RENKEI_PUBLIC_URL", "https://renkei.example.jp")
    assert (opened(app.standalone_app(), "/renkei"), opened(app.in_api_server(), "")) == (200, 404)


def status(served: ASGIApp, tenant: str, secret: str = "x") -> int:
    """The answer to a callback of the tenant, signed with the secret."""
    body, address = message("出勤"), f"/renkei/lineworks/{tenant}/callback"
    return ask(served, lambda client: client.post(address, content=body, headers=signed(body, secret))).status_code


def test_p11_a_tenant_without_a_secret_answers_as_one_that_there_is_not(toy: Inbox) -> None:
    """Nobody learns who our customers are."""
    served = app.standalone_app()
    assert [status(served, tenant) for tenant in ("acme", "beta", "nobody")] == [401, 401, 401]


def test_p12_while_airflow_is_away_no_tenant_is_told_that_it_signed_wrongly(
    toy: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Airflow then says the same as where there is no Connection; another receiver may know the secret still."""

    def away(*_: object, **__: object) -> None:
        raise OSError("the database is away")

    served = app.standalone_app()
    monkeypatch.setattr("airflow.secrets.environment_variables.EnvironmentVariablesBackend.get_connection", away)
    assert status(served, "beta", "of beta") == 503


def test_p12_without_its_folder_of_sheets_a_tenant_is_not_gone(toy: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A share that is away for a minute: the secret that is known still counts."""
    monkeypatch.setattr(secrets, "FRESH_S", 0.0)
    served = app.standalone_app()
    assert status(served, "acme", "of acme") == 200
    monkeypatch.setenv("RENKEI_MAPPINGS", "/nowhere")
    assert [status(served, "acme", "of acme") for _ in range(2)] == [200, 200]
    assert status(served, "beta", "of beta") == 503


def test_with_an_address_of_its_own_the_api_server_only_shows_the_way(
    toy: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    from renkei.orchestration.line.connection import callback_url

    monkeypatch.setenv("RENKEI_PUBLIC_URL", "https://renkei.example.jp/")
    assert callback_url() == "https://renkei.example.jp/renkei/line/callback"
    served = app.in_api_server()
    led = ask(served, lambda client: client.get(INVITATION))
    assert (led.status_code, led.headers["location"]) == (307, f"https://renkei.example.jp/renkei{INVITATION}")
    assert ask(served, lambda client: client.get("/line/acme/short")).status_code == 404


def test_p12_callbacks_to_the_former_address_are_kept(toy: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A customer registers the new address some day; LINE WORKS follows no redirect, and sends nothing again."""
    monkeypatch.setenv("RENKEI_PUBLIC_URL", "https://renkei.example.jp/")
    body = message("出勤")
    served = app.in_api_server()
    answer = ask(served, lambda client: client.post(PATH, content=body, headers=signed(body, "of acme")))
    assert (answer.status_code, toy.counts()[State.WAITING]) == (200, 1)


def test_renkei_serve_answers_and_ends_when_it_is_told_to(toy: Inbox) -> None:
    command = [sys.executable, "-m", "renkei.commands", "serve", "--port", "0"]
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert re.fullmatch(r"READY http://127\.0\.0\.1:\d+\n", line), (line, process.poll())
        url = line.split()[1]
        health = requests.get(f"{url}/health", timeout=150)
        assert (health.status_code, health.text) == (200, "ok\n")
        assert "Server" not in health.headers
        assert requests.get(f"{url}/renkei{INVITATION}", timeout=150).status_code == 404
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=150)
    finally:
        process.kill()
        process.communicate()
    assert "a" * 43 not in errors
