"""Secrets and personal data: runs over marked people, then a search of every place where none may be (L6–L8).

Every value that tells who somebody is, and every secret, has a mark that occurs nowhere else. Whatever can quote
them does: SmartHR, EMC, the mail server and the chat services in their refusals, exceptions in their texts. `dag.test` runs most of the
Dags in a process of its own, and `FULL` runs those that matter most under a real `airflow standalone`.
"""

from __future__ import annotations

import base64
import json
import os
import re
import socket
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote, urlsplit

import pandas as pd
import requests
import yaml
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword

from scripts.chat_connections import TYPES, chat_connections, destinations
from scripts.local_airflow import PROJECT, LocalAirflow, free_port
from scripts.neighbours import Neighbours
from tests.proof.case import Case, Effort, Say

MAPPED = {  # kind → mark; read, kept in the store, written to EMC, and nowhere else
    "family name": "鼬川",
    "given name": "麑子",
    "family reading": "イタチガワ",
    "given reading": "カノコヒメ",
    "mail address": "@himitsu.example",
    "telephone": "090-5557-",
    "telephone in digits": "0905557",
    "custom field": "KUBUNZQ",
}
USER_ID = {"user id": "EIDZQX"}  # a mail may name a person by it
UNMAPPED = {  # not in any sheet, so not even read
    "business name": "螽斯田",
    "address": "矍鑠町",
    "next of kin": "070-5558-",
    "unmapped custom field": "@fuyo.example",
}
ADDRESS = {"result address": "@shirase.example"}
PASSWORD = {"literal password": "LitZQ7x"}  # stands in the sheet, so its compiled form has it too
SECRETS = {
    "access token": "TOKZQ-",
    "mail server's password": "SMTPZQ",
    "secret of 秘密:": "SecZQ9y",
    "webhook URL": "HOOKZQ",
    # As the simulated chat services hand them out; LINE WORKS' private key is made anew each time (`Search.always`).
    "Slack webhook": "simulatedSlackWebhook0001",
    "Slack token": "xoxb-simulated-bot",
    "Chatwork token": "simulated-chatwork-token",
    "Teams signature": "simulated-signature_0001",
    "Google Chat token": "simulated-token_0001",
    "LINE WORKS client secret": "simWorks01",
    "LINE WORKS assertion": "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9",  # how a JWT signed with RS256 begins
    "LINE token": "f8atA8AuFYZ2vUWousgNy26V",
}
APPROVAL = "hitl_detail"  # whose body names people by user id, for whoever has to judge a held plan
EVERYTHING = MAPPED | USER_ID | UNMAPPED | ADDRESS | PASSWORD | SECRETS
NOT_IN_AIRFLOW = [kind for kind in EVERYTHING if kind not in USER_ID]

CHATS = ("slack", "chatwork", "teams", "lineworks", "googlechat", "line")
MAIL_ALONE = ("drop", "smtp")  # their point lies elsewhere, and a process of Airflow takes seconds for seven services
CHAT_PATHS = {  # whose registration it is that is used there
    "slack/services": "slack_webhook",
    "slack/api": "slack_bot",
    "chatwork/v2": "chatwork",
    "teams/workflows": "teams",
    "googlechat/v1": "google_chat",
    "lineworks/oauth2": "lineworks",
    "line/v2": "line",
}
PEOPLE = 14
THINKING_S = 5.0  # a person's: Airflow fails a task that is answered before its scheduler has noted the question
ASCII_QUOTE = (
    "EIDZQX0001 kojin1@himitsu.example.jp 090-5557-0001 09055570001 soumu@shirase.example.jp TOKZQ-quoted SMTPZQ-quoted"
)
QUOTE = f"鼬川1　麑子1 イタチガワ カノコヒメ 螽斯田1 矍鑠町1 LitZQ7x SecZQ9y KUBUNZQ1 {ASCII_QUOTE}"

# A copy of dags/smarthr_emc.py in which the functions named by TRIPS fail as no one foresaw, for one tenant each.
TRIPS = {
    "fetch_departments": "fetch",
    "fetch_users": "fetch",
    "take_snapshot": "snapshot",
    "make_diff": "diff",
    "validate": "validate",
    "apply": "load",
}
DAG_FILE = """
# Airflow reads files that speak of it and of a DAG.
import os
from importlib import import_module
from pathlib import Path
from renkei.links.smarthr_emc import notify
from renkei.orchestration.dag_builder import build_dags

def trip(room, name, tenant_of):
    original = getattr(room, name)
    def tripped(first, *args, **kwargs):
        if tenant_of(first) != f"trip_{name}":
            return original(first, *args, **kwargs)
        quoted = Path(os.environ["PROOF_QUOTE"]).read_text()
        try:
            raise KeyError(quoted)
        except KeyError as error:
            raise ValueError(f"cannot convert {quoted}") from error
    setattr(room, name, tripped)

for name, room in TRIPS.items():
    trip(import_module(f"renkei.links.smarthr_emc.stages.{room}"), name, lambda job: job.record.tenant)
trip(notify, "collect", lambda record: record.tenant)
dags = build_dags(__file__)
for dag in dags.values():
    for task in dag.tasks:
        task.retries = 0
globals().update(dags)
""".replace("TRIPS", repr(TRIPS))


@dataclass(frozen=True, slots=True)
class Scenario:
    """One tenant and how its first run must end; `mail` is the subject of the first mail, "" for none."""

    tenant: str
    state: str
    mail: str
    slice: bool = False
    standalone: bool = False  # when all is tried; one after another, for Airflow over SQLite is slow to do two things

    @property
    def dag_id(self) -> str:
        return f"smarthr_emc__{self.tenant}"


SCENARIOS = (
    Scenario("fine", "success", "EMC-OK", slice=True, standalone=True),
    Scenario("reject", "failed", "EMC-ERROR-L(Load NG)", slice=True, standalone=True),
    Scenario("drop", "failed", "EMC-ERROR-L(Load NG)", standalone=True),
    Scenario("trip_make_diff", "failed", "EMC-ERROR-X(System NG)", standalone=True),
    Scenario("smtp", "success", "", standalone=True),
    Scenario("chat", "success", "EMC-OK", slice=True),
    Scenario("chat_busy", "success", "EMC-OK"),
    Scenario("secret", "success", "EMC-OK"),
    Scenario("rows", "failed", "EMC-ERROR-D(Update NG)", slice=True),
    Scenario("token", "failed", "EMC-ERROR-R(Receive NG)"),
    Scenario("echo", "failed", "EMC-ERROR-R(Receive NG)"),
    Scenario("elsewhere", "failed", "EMC-ERROR-R(Receive NG)"),
    Scenario("refuse", "failed", "EMC-ERROR-L(Load NG)"),
    Scenario("away", "failed", "EMC-ERROR-L(Load NG)"),
    Scenario("sheet", "failed", "EMC-ERROR-S(Setting NG)"),
    Scenario("gone", "failed", "EMC-ERROR-X(System NG)"),
    Scenario("trip_fetch_departments", "failed", "EMC-ERROR-X(System NG)"),
    Scenario("trip_fetch_users", "failed", "EMC-ERROR-X(System NG)"),
    Scenario("trip_take_snapshot", "failed", "EMC-ERROR-X(System NG)"),
    Scenario("trip_validate", "failed", "EMC-ERROR-X(System NG)", slice=True),
    Scenario("trip_apply", "failed", "EMC-ERROR-X(System NG)"),
    Scenario("trip_collect", "success", ""),
)


def campaign(folder: Path, effort: Effort, say: Say) -> list[Case]:
    """The cases of this group; see the module."""
    began = time.monotonic()
    scenarios = [scenario for scenario in SCENARIOS if effort is Effort.FULL or scenario.slice]
    apart = [scenario for scenario in scenarios if effort is Effort.FULL and scenario.standalone]
    pages: dict[str, str] = {}
    with World(folder, scenarios) as world:
        say(f"leaks: {len(scenarios)} companies of marked people")
        world.begin_inside([scenario for scenario in scenarios if scenario not in apart])
        endings = world.run_in_standalone(apart, pages, say) if apart else {}
        told = world.finish_inside()
        endings |= told["endings"]
        mails, visits = list(world.sink.mails), world.silent.visits
        messages = world.neighbours.chat_messages()
        search = Search({"private key": _line_of(world.secrets["lineworks"]["private_key"])})
    say("leaks: searching")
    runs = sum(map(len, endings.values()))
    places = [
        ("runs end as meant", "L8", runs, _wrong_endings(scenarios, endings, mails), "each with its mail"),
        ("Airflow's database", "L6 L7", runs, search.databases(world), "no mark in any column"),
        ("task logs, process output", "L6 L7", runs, search.logs(world), "no mark"),
        ("index, temporary files", "L6 L7", runs, search.kept(world), "no mark but the sheet's own"),
        ("the store", "L6 L7", runs, search.store(world.folder / "store"), "only mapped items, no secret"),
        ("mails", "L6 L8", len(mails), search.mails(mails), "user ids and links, nothing else"),
        ("chat messages", "L6 L7", len(messages), search.chats(messages, scenarios), "no mark, in any service"),
        ("rights of files and folders", "L6", runs, _open_to_others(world), "0600 and 0700"),
        ("hosts", "L7", told["tries"], [*told["wrong"], *_visited(visits)], "no request left for another host"),
    ]
    if pages:
        wrong = [
            f"{path}: {kind}"
            for path, text in pages.items()
            for kind in search.kinds(text.encode(), NOT_IN_AIRFLOW if "hitlDetails" in path else EVERYTHING)
        ]
        places.insert(2, ("Airflow's REST answers", "L6 L7", len(pages), wrong, "no mark in any answer"))
    seconds = time.monotonic() - began
    return [
        Case("leaks", case, rules, tries, tuple(wrong), after, seconds) for case, rules, tries, wrong, after in places
    ]


def _wrong_endings(scenarios: list[Scenario], endings: dict[str, list[str]], mails: list[Letter]) -> list[str]:
    wrong = []
    for scenario in scenarios:
        found = endings.get(scenario.tenant, [])[:1]
        subject = next(
            (m.subject.rpartition(" ")[0] for m in mails if scenario.tenant in m.tenants and "HOLD" not in m.subject),
            "",
        )
        if (found, subject) != ([scenario.state], scenario.mail):
            wrong.append(f"{scenario.tenant}: {(scenario.state, scenario.mail)} expected, {(found, subject)} found")
    return wrong


def _visited(visits: int) -> list[str]:
    return [f"a host that is no SmartHR and no EMC was called {visits} times"] if visits else []


def _open_to_others(world: World) -> list[str]:
    wrong = []
    for name in ("store", "index", "drop"):
        top = world.folder / name
        if name == "drop" and not top.exists():
            continue  # in the slice nobody loads by file
        for path in (top, *top.rglob("*")):
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode & 0o077:
                wrong.append(f"{path.relative_to(world.folder)} has the mode {mode:o}")
    return wrong or ([] if (world.folder / "store").exists() else ["there is no store"])


# --- the world: marked people, neighbours that quote what they know, and Airflow


@dataclass(frozen=True)
class Letter:
    """A mail that went out."""

    tenants: tuple[str, ...]
    subject: str
    body: str
    raw: bytes


class Sink:
    """A mail server that asks for a password and quotes what it knows when it refuses."""

    def __init__(self) -> None:
        self.mails: list[Letter] = []
        self.refuses_login = False

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, login: Any) -> AuthResult:
        assert isinstance(login, LoginPassword)
        known = login.password == b"SMTPZQ-secret" and not self.refuses_login
        return AuthResult(success=known, handled=known)

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Envelope, address: str, _options: Any) -> str:
        if address.startswith("smtp@"):
            return f"550 5.1.1 <{address}> {ASCII_QUOTE}"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:
        from email import message_from_bytes, policy

        raw = envelope.original_content or b""
        message = message_from_bytes(raw, policy=policy.default)
        part = message.get_body(("plain",))
        tenants = tuple(address.partition("@")[0] for address in envelope.rcpt_tos)
        self.mails.append(Letter(tenants, str(message["Subject"]), part.get_content() if part else "", raw))
        return "250 OK"


class Silent:
    """A port that nobody may call."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self.visits = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                caller, _ = self._socket.accept()
            except OSError:
                return
            self.visits += 1
            caller.close()

    def close(self) -> None:
        self._socket.close()


@dataclass(frozen=True, slots=True)
class Reply:
    """What a front says in place of the system behind it, to requests whose path has `path` in it."""

    path: str
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class Front(ThreadingHTTPServer):
    """Stands before a simulator; for the tokens in `orders` it gives other answers, or adds headers to true ones.

    Below `/t/<tenant>`, which the simulator does not see, that name and the two next parts of the path stand for the
    token.
    """

    daemon_threads = True

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), _FrontRequest)
        self.upstream = upstream
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.orders: dict[str, Reply] = {}
        self.link = ""  # of every true answer
        self.tokens: list[str] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class _FrontRequest(BaseHTTPRequestHandler):
    server: Front
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        self.server.tokens.append(token)
        who, path = token, self.path
        if path.startswith("/t/"):
            who = "/".join(path.split("/")[2:5])
            path = "/" + path.split("/", 3)[3]
        order = self.server.orders.get(who)
        if order is not None and order.path in f"{self.command} {path}":
            self._send(order.status, order.body.replace(b"%TOKEN%", token.encode()), order.headers)
            return
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "accept-encoding", "connection")}
        url = self.server.upstream + path
        with requests.Session() as session:
            session.trust_env = False
            found = session.request(self.command, url, data=body, headers=headers, timeout=60, allow_redirects=False)
        kept = {k: v for k, v in found.headers.items() if k.lower().startswith("x-") or k.lower() == "content-type"}
        self._send(found.status_code, found.content, kept | ({"Link": self.server.link} if self.server.link else {}))

    do_GET = do_POST = do_PUT = do_DELETE = _answer

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing on the terminal."""


class World:
    """Everything around the Dags; use as a context manager."""

    def __init__(self, folder: Path, scenarios: list[Scenario]) -> None:
        self.folder, self.scenarios = folder, scenarios
        self.tenants = [scenario.tenant for scenario in scenarios]
        self._stack = ExitStack()
        for name in ("dags", "mappings/smarthr_emc", "tmp"):
            (folder / name).mkdir(parents=True)
        (folder / "quote.txt").write_text(QUOTE)

    def __enter__(self) -> World:
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _start(self) -> None:
        self.airflow = LocalAirflow(self.folder, self._environment(), self.folder / "dags")
        self._start_inside()  # first, for Airflow takes long to import
        accounts = [f"{tenant}:{_token('emc', tenant)}" for tenant in self.tenants]
        limits = ("--per-second", "10000", "--per-hour", "1000000")
        self.neighbours = self._stack.enter_context(
            Neighbours(self.folder / "neighbours", [], accounts, limits, chat=True)
        )
        self.silent = self._stack.enter_context(closing(Silent()))
        self.smarthr = self._stack.enter_context(closing(Front(self.neighbours.urls["smarthr"])))
        self.emc = self._stack.enter_context(closing(Front(self.neighbours.urls["emc"])))
        self.chat = self._stack.enter_context(closing(Front(self.neighbours.urls["chat"])))
        self.secrets = self.neighbours.chat_registrations()
        self.sink = Sink()
        self.mail = Controller(
            self.sink,
            hostname="127.0.0.1",
            port=0,
            authenticator=self.sink.authenticate,
            auth_require_tls=False,
            server_hostname="mail.example.jp",
        )
        # Its own start() calls the port it was given, which must be known: a free one is taken by hand.
        self.mail.port = free_port()
        self.mail.start()
        self._stack.callback(self.mail.stop)
        for scenario in self.scenarios:
            self._people(scenario.tenant)
            sheet = self.folder / "mappings/smarthr_emc" / f"{scenario.tenant}.yaml"
            sheet.write_text(_sheet(scenario.tenant, self.smarthr.url, destinations(self.secrets)))
        (self.folder / "dags/smarthr_emc.py").write_text(DAG_FILE)
        if "gone" in self.tenants:  # a file where a folder should be: nothing below it can be reached
            (self.folder / "store/smarthr_emc/tenants").mkdir(parents=True, mode=0o700)
            (self.folder / "store/smarthr_emc/tenants/gone").touch(mode=0o600)
            for path in (self.folder / "store", self.folder / "store/smarthr_emc"):
                path.chmod(0o700)
        self._give_orders()
        fronts = (self.smarthr.url, self.chat.url)
        self.airflow.environment["RENKEI_ALLOWED_HOSTS"] = ",".join(urlsplit(url).netloc for url in fronts)

    def _people(self, tenant: str) -> None:
        sim = f"{self.neighbours.urls['smarthr']}/_sim/companies"
        token = _token("shr", tenant)
        new = {"name": tenant, "seed": 1, "size": PEOPLE, "token": token}
        with requests.Session() as session:
            session.post(sim, json=new, timeout=30).raise_for_status()
            crews = session.get(f"{sim}/{tenant}/crews?fields=id", timeout=30).json()
            for number, crew in enumerate(crews, 1):
                values = _person(number) | (_BAD_ROWS.get(number, {}) if tenant == "rows" else {})
                session.patch(f"{sim}/{tenant}/crews/{crew['id']}", json=values, timeout=30).raise_for_status()

    def _give_orders(self) -> None:
        quoted = json.dumps([{"code": 1, "message": f"{QUOTE} %TOKEN%"}], ensure_ascii=False).encode()
        silent = f"http://127.0.0.1:{self.silent.port}/"
        away = {"Location": silent, "Link": f'<{silent}>; rel="next"', "Refresh": f"0; url={silent}"}
        named = {"X-Person": quote(QUOTE), "Content-Type": "application/json"}
        finding = {"file": "users", "line": 1, "item": "氏名", "code": "TOO_LONG", "message": QUOTE}
        rejected = {"id": "imp_1", "key": "k", "state": "rejected", "errors": [finding], "error_count": 1}
        named_code = {"code": QUOTE, "message": QUOTE}
        self.smarthr.link = self.emc.link = f'<{silent}>; rel="next"'
        self.smarthr.orders = {
            _token("shr", "token"): Reply("/api/", 401, quoted, named),
            _token("shr", "echo"): Reply("/crews", 500, quoted, named),
            _token("shr", "elsewhere"): Reply("/crews", 302, quoted, away),
        }
        self.emc.orders = {
            _token("emc", "reject"): Reply("/commit", 200, json.dumps(rejected).encode(), named),
            _token("emc", "refuse"): Reply("POST /api/v1/imports", 422, json.dumps(named_code).encode(), named),
            _token("emc", "away"): Reply("POST /api/v1/imports", 307, quoted, away),
        }

        for place, name in CHAT_PATHS.items():  # a service knows its own secrets, and whom they were to reach
            words = " ".join(map(str, self.secrets[name].values()))
            said = {"message": words, "error": {"code": words, "status": words, "message": words}, "errors": [words]}
            refusal = json.dumps(said | {"error_description": words, "description": words}).encode()
            answers = {"Content-Type": "application/json", "X-Echo": quote(words), "Location": silent}
            self.chat.orders |= {
                f"chat/{place}": Reply("", 401, refusal, answers),
                f"chat_busy/{place}": Reply("", 500, refusal, answers),
            }

    def _environment(self) -> dict[str, str]:
        return {
            "PYTHONPATH": str(PROJECT),
            "TMPDIR": str(self.folder / "tmp"),
            "PROOF_QUOTE": str(self.folder / "quote.txt"),
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
            "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",  # a busy machine is no case of this campaign
            "RENKEI_STORE": (self.folder / "store").as_uri(),
            "RENKEI_INDEX": str(self.folder / "index"),
            "RENKEI_MAPPINGS": str(self.folder / "mappings"),
            "RENKEI_EMC_FORMAT": str(PROJECT / "include/contracts/emc_format.yaml"),
            "RENKEI_RETRY_DELAY_S": "0",
        }

    def connections(self, tenants: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Airflow's Connections, by id; chat services' for these tenants alone, for they are many."""
        extra = {"disable_ssl": True, "disable_tls": True, "from_email": "renkei@example.jp", "retry_limit": 1}
        found: dict[str, dict[str, Any]] = {
            "smtp_default": {
                "conn_type": "smtp",
                "host": "127.0.0.1",
                "port": self.mail.port,
                "login": "renkei",
                "password": "SMTPZQ-secret",
                "extra": json.dumps(extra),
            },
            "chat": {"conn_type": "generic", "password": "https://hooks.example.jp/services/HOOKZQ"},
            "first_password__secret": {"conn_type": "generic", "password": "SecZQ9y"},
            "emc_drop__drop": {"conn_type": "fs", "extra": json.dumps({"path": str(self.folder / "drop")})},
        }
        for tenant in self.tenants:
            found[f"smarthr__{tenant}"] = {"conn_type": "smarthr", "password": _token("shr", tenant)}
            password = _token("emc", tenant)
            found[f"emc__{tenant}"] = {"conn_type": "emc", "host": self.emc.url, "password": password}
        for tenant in tenants:
            front = json.dumps(self.secrets).replace(self.neighbours.urls["chat"], f"{self.chat.url}/t/{tenant}")
            for name, connection in chat_connections(json.loads(front), tenant).items():
                found[name] = connection | {"extra": json.dumps(connection.get("extra", {}))}
        return found

    # --- runs

    def _start_inside(self) -> None:
        """The process for what needs Airflow's modules here: the tries of hosts, and runs by `dag.test`."""
        with (self.folder / "inside.log").open("wb") as log:
            self._inside = subprocess.Popen(
                [sys.executable, "-m", "tests.proof.leaks", str(self.folder / "inside.json")],
                cwd=PROJECT,
                env=self.airflow.environment | {"AIRFLOW_HOME": str(self.folder / "inside")},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._stack.callback(self._inside.wait)
        self._stack.callback(self._inside.kill)  # nothing happens when it has ended

    def begin_inside(self, scenarios: list[Scenario]) -> None:
        silent = f"http://127.0.0.1:{self.silent.port}"
        netrc = self.folder / "netrc"
        netrc.write_text("machine 127.0.0.1 login someone password else\n")
        netrc.chmod(0o600)
        connections = self.connections(scenario.tenant for scenario in scenarios)
        environment = {
            "RENKEI_ALLOWED_HOSTS": self.airflow.environment["RENKEI_ALLOWED_HOSTS"],
            "NETRC": str(netrc),
            **{name: silent for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY")},
            **{f"AIRFLOW_CONN_{name.upper()}": json.dumps(value) for name, value in connections.items()},
        }
        task = {
            "environment": environment,
            "dags": [scenario.dag_id for scenario in scenarios],
            "smarthr": self.smarthr.url,
            "emc": self.emc.url,
            "silent": self.silent.port,
        }
        assert self._inside.stdin is not None
        with self._inside.stdin as stdin:
            stdin.write(json.dumps(task).encode())

    def finish_inside(self) -> dict[str, Any]:
        if self._inside.wait(timeout=300):
            raise RuntimeError(f"the runs by dag.test broke off; see {self.folder / 'inside.log'}")
        told: dict[str, Any] = json.loads((self.folder / "inside.json").read_text())
        strangers = {token for front in (self.smarthr, self.emc) for token in front.tokens if "TOKZQ" not in token}
        told["wrong"] += [f"a request without its own token came: {len(strangers)} kinds"] if strangers else []
        return told

    def run_in_standalone(self, scenarios: list[Scenario], pages: dict[str, str], say: Say) -> dict[str, list[str]]:
        """Every run's state by tenant, in order; `pages` gets what Airflow's REST interface says of it all."""
        endings: dict[str, list[str]] = {}
        with self.airflow as airflow:
            for name, connection in self.connections(scenario.tenant for scenario in scenarios).items():
                airflow.api("POST", "/connections", json={"connection_id": name, **connection})
            airflow.wait_for_dags([scenario.dag_id for scenario in scenarios])
            for scenario in scenarios:
                airflow.unpause(scenario.dag_id)
                endings[scenario.tenant] = [self._run(scenario)]
            say("leaks: a held plan, a refused login to the mail server")
            fine, smtp = (next(s for s in scenarios if s.tenant == name) for name in ("fine", "smtp"))
            self._lose_people("fine")
            endings["fine"].append(self._run(fine))
            self.sink.refuses_login = True
            endings["smtp"].append(self._run(smtp))
            self.sink.refuses_login = False
            pages |= self._pages(scenarios)
        return endings

    def _lose_people(self, tenant: str) -> None:
        """Enough leavers for a hold, an ID変更, and somebody without an address."""
        sim = f"{self.neighbours.urls['smarthr']}/_sim/companies/{tenant}/crews"
        ids = [crew["id"] for crew in requests.get(f"{sim}?fields=id", timeout=30).json()]
        for crew_id in ids[:6]:
            requests.delete(f"{sim}/{crew_id}", timeout=30).raise_for_status()
        requests.patch(f"{sim}/{ids[6]}", json={"emp_code": "EIDZQX9999"}, timeout=30).raise_for_status()
        requests.patch(f"{sim}/{ids[7]}", json={"email": None}, timeout=30).raise_for_status()

    def _run(self, scenario: Scenario) -> str:
        """One run to its end; answers the questions that tasks ask, and uploads what is to be uploaded."""
        run_id = self.airflow.trigger(scenario.dag_id)
        deadline, answered = time.monotonic() + 240, False
        while time.monotonic() < deadline:
            try:
                state = str(self.airflow.run(scenario.dag_id, run_id)["state"])
            except requests.Timeout:
                continue
            if state in ("success", "failed"):
                return state
            waiting = [] if answered else self.airflow.tasks(scenario.dag_id, run_id)
            for task in waiting:
                if task["state"] == "awaiting_input":
                    time.sleep(THINKING_S)
                    self._answer(scenario.dag_id, run_id, task["task_id"])
                    answered = True
            time.sleep(0.5)
        raise TimeoutError(f"{scenario.tenant} does not end; see {self.airflow.log}")

    def _answer(self, dag_id: str, run_id: str, task_id: str) -> None:
        if task_id == "confirm":
            key = next((self.folder / "drop").glob("*.ready")).name.removesuffix(".ready")
            finding = {"file": "users", "line": 1, "item": "氏名", "code": QUOTE, "message": QUOTE}
            result = {"id": key, "key": key, "state": "rejected", "errors": [finding], "error_count": 1}
            descriptor = os.open(self.folder / "drop" / f"{key}.result.json", os.O_WRONLY | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "w") as file:
                json.dump(result, file, ensure_ascii=False)
        option = {"confirm": "取込失敗", "approve": "承認して登録する"}[task_id]
        self.airflow.answer(dag_id, run_id, task_id, option, "確認済み")

    def _pages(self, scenarios: list[Scenario]) -> dict[str, str]:
        """What Airflow shows: Dags with their documentation, tasks with rendered templates, XCom, logs, questions."""
        everywhere = "/dags/~/dagRuns/~"
        paths = [
            "/dags?limit=1000",
            "/connections?limit=1000",
            "/variables?limit=1000",
            "/eventLogs?limit=1000",
            "/importErrors?limit=1000",
            f"{everywhere}/taskInstances?limit=1000",
            f"{everywhere}/hitlDetails?limit=1000",
        ]
        for scenario in scenarios:
            paths += [f"/dags/{scenario.dag_id}/details", f"/dags/{scenario.dag_id}/tasks"]
            for run in self.airflow.api("GET", f"/dags/{scenario.dag_id}/dagRuns")["dag_runs"]:
                here = f"/dags/{scenario.dag_id}/dagRuns/{run['dag_run_id']}"
                for task in self.airflow.tasks(scenario.dag_id, run["dag_run_id"]):
                    if task["state"] in ("success", "failed") and (task["try_number"] or 0) > 0:
                        one = f"{here}/taskInstances/{task['task_id']}"
                        paths += [f"{one}/logs/{task['try_number']}", f"{one}/xcomEntries"]
        return {path: json.dumps(self.airflow.api("GET", path), ensure_ascii=False) for path in paths}


def _token(system: str, tenant: str) -> str:
    return f"TOKZQ-{system}-{tenant}"


def _person(number: int) -> dict[str, Any]:
    address = {"pref": "東京都", "city": "町田市", "street": f"矍鑠町{number}", "zip_code": "100-0001"}
    return {
        "emp_code": f"EIDZQX{number:04}",
        "emp_status": "employed",
        "last_name": f"鼬川{number}",
        "first_name": f"麑子{number}",
        "last_name_yomi": "イタチガワ",
        "first_name_yomi": "カノコヒメ",
        "business_last_name": f"螽斯田{number}",
        "email": f"kojin{number}@himitsu.example.jp",
        "tel_number": f"090-5557-{number:04}",
        "address": address,
        "emergency_tel_number": f"070-5558-{number:04}",
        "custom_values": {"社員区分コード": f"KUBUNZQ{number}", "緊急連絡用メール": f"ura{number}@fuyo.example.jp"},
    }


_BAD_ROWS: dict[int, dict[str, Any]] = {
    1: {"email": "鼬川@himitsu.example"},
    2: {"tel_number": "090-5557-電話"},
    3: {"last_name": "", "first_name": ""},
    4: {"emp_code": "EIDZQX0005"},
    6: {"last_name": "鼬川" * 40},
    7: {"first_name": "麑子\n"},
    8: {"first_name": "麑子😀"},
    9: {"emp_code": "EIDZQX" + "9" * 50},
}


def _line_of(pem: str) -> str:
    """Enough of a private key to know it by."""
    return pem.split("\n")[3][:40]


def _channels(tenant: str, to: dict[str, str]) -> list[dict[str, str]]:
    """通知 with every service."""
    return [
        {"name": name, "service": name.upper(), "connection": f"{kind}__{tenant}", **({"to": to[name]} if name in to else {})}
        for name, kind in TYPES.items()
    ]  # fmt: skip


def _sheet(tenant: str, smarthr_url: str, to: dict[str, str] | None = None) -> str:
    password = {"secret": "秘密:first_password__secret", "sheet": "固定値「LitZQ7x"}.get(tenant, "固定値「LitZQ7x」")
    sources = {
        "ユーザID": "社員番号",
        "パスワード": password,
        "氏名": '姓&"　"&名',
        "氏名(ヨミ)": '姓(ヨミガナ)&"　"&名(ヨミガナ)',
        "緊急連絡1 媒体": "固定値「メールアドレス」",
        "緊急連絡1 アドレス": "メールアドレス",
        "緊急連絡2 媒体": "固定値「電話番号」",
        "緊急連絡2 アドレス": "電話番号",
        "検索ワード1:区分": "カスタム項目:社員区分コード",
    }
    users = []
    for item, source in sources.items():
        blank = "REJECT" if item.startswith("氏名") else "SKIP"
        update = "SKIP" if item in ("パスワード", "ユーザID") else "SET"
        cells = {"on_create": {"when_present": "SET", "when_blank": "REJECT" if item == "パスワード" else blank}}
        cells["on_update"] = {"when_present": update, "when_blank": "REJECT" if item == "ユーザID" else blank}
        users.append({"item": item, "source": source, **cells})
    content = {
        "smarthr_url": smarthr_url,
        "result_addresses": [f"{tenant}@shirase.example.jp"],
        "link_start_on": "2999-01-01",  # nothing but the campaign starts a run
        "loader": "FILE_DROP" if tenant == "drop" else "HTTP",
        "emc_account": tenant,
        "departments": {"name": "部署名", "yomi": "ブショ"},
        "users": users,
        "notifications": _channels(tenant, to) if to and tenant not in MAIL_ALONE else [],
    }
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False)


# --- the search


def _forms(mark: str) -> Iterator[bytes]:
    """How a mark may be written: plain, escaped, quoted, in other encodings, and within base64."""
    plain = mark.encode()
    yield plain
    yield json.dumps(mark)[1:-1].encode()
    yield quote(mark).encode()
    yield repr(plain)[2:-1].encode()
    yield mark.encode("utf-16-le")
    yield mark.encode("cp932", errors="ignore") if len(mark.encode("cp932", errors="ignore")) > 3 else plain
    for shift in range(3):  # the part of its base64 that is the same whatever stands around it
        coded = base64.b64encode(b"\0" * shift + plain)
        core = coded[(0, 2, 3)[shift] : (shift + len(plain)) * 4 // 3]
        if len(core) > 6:
            yield core


class Search:
    """Looks for marks; each answer is one line per place and kind, never the value. An empty place is an error."""

    def __init__(self, always: dict[str, str] | None = None) -> None:
        """`always`: marks of this run alone, forbidden in every place."""
        self._always = tuple(always or ())
        marks = EVERYTHING | (always or {})
        self._forms = {kind: tuple(dict.fromkeys(_forms(mark))) for kind, mark in marks.items()}

    def kinds(self, content: bytes, forbidden: Iterable[str]) -> list[str]:
        return [kind for kind in (*forbidden, *self._always) if any(form in content for form in self._forms[kind])]

    def files(self, folder: Path, forbidden: Iterable[str], control: bytes = b"") -> list[str]:
        """Marks in the bytes of the files below `folder`, one of which must hold `control`."""
        wrong, seen = [], not control
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                content = path.read_bytes()
                seen = seen or control in content
                wrong += [f"{path.relative_to(folder)}: {kind}" for kind in self.kinds(content, forbidden)]
        return wrong if seen else [*wrong, f"{folder.name}: {control.decode()} is not there, so nothing was searched"]

    def databases(self, world: World) -> list[str]:
        """As `database`, for each Airflow that ran."""
        return [line for path in sorted(world.folder.glob("*/airflow.db")) for line in self.database(path)]

    def database(self, path: Path) -> list[str]:
        """Marks in the bytes of the database with its journal, and in each column as text, unpacked where packed."""
        content = b"".join(part.read_bytes() for part in sorted(path.parent.glob(path.name + "*")))
        wrong = [f"bytes of {path.name}: {kind}" for kind in self.kinds(content, NOT_IN_AIRFLOW)]
        filled = set()
        with closing(sqlite3.connect(path)) as db:
            for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                for (column,) in db.execute("SELECT name FROM pragma_table_info(?)", (table,)).fetchall():
                    cells = [_unpacked(value) for (value,) in db.execute(f'SELECT "{column}" FROM "{table}"')]
                    filled |= {table} if cells else set()
                    asks = table.startswith(APPROVAL) and column == "body"
                    forbidden = NOT_IN_AIRFLOW if asks else EVERYTHING
                    wrong += [f"{table}.{column}: {kind}" for kind in self.kinds(b"\n".join(cells), forbidden)]
            plain = db.execute("SELECT count(*) FROM connection WHERE password IS NOT NULL AND NOT is_encrypted")
            wrong += ["connection: a password is not encrypted"] if plain.fetchone()[0] else []
        empty = {"serialized_dag", "task_instance", "xcom"} - filled
        return wrong + [f"{table} is empty, so nothing was searched" for table in sorted(empty)]

    def logs(self, world: World) -> list[str]:
        """Marks in the task logs and in all that Airflow's processes print."""
        wrong, seen = [], False
        for path in (*sorted(world.folder.glob("*.log")), *sorted(world.folder.glob("*/logs/**/*.log"))):
            content = path.read_bytes()
            seen = seen or b"fetch users" in content
            wrong += [f"{path.relative_to(world.folder)}: {kind}" for kind in self.kinds(content, EVERYTHING)]
        return wrong if seen else [*wrong, "no task said anything, so nothing was searched"]

    def kept(self, world: World) -> list[str]:
        sheets = [*ADDRESS, *PASSWORD]
        wrong = self.files(world.folder / "index", [kind for kind in EVERYTHING if kind not in sheets], b"smarthr_url")
        board = world.folder / "index/channels/smarthr_emc__chat.json"
        wrong += [] if board.exists() else ["no channel is shown as disabled, so no board was searched"]
        homes = (world.airflow.home, world.folder / "inside")
        rest = [path for home in homes for path in home.iterdir() if path.is_file()]
        for path in rest:
            forbidden = NOT_IN_AIRFLOW if path.name.startswith("airflow.db") else EVERYTHING  # see `database`
            wrong += [f"{path.name}: {kind}" for kind in self.kinds(path.read_bytes(), forbidden)]
        return wrong + self.files(world.folder / "tmp", EVERYTHING)

    def store(self, folder: Path) -> list[str]:
        """Marks in the records and in the tables as they read; mapped items must be there, or nothing was kept."""
        forbidden = UNMAPPED | SECRETS | PASSWORD
        wrong, seen = [], set[str]()
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            content = path.read_bytes()
            if path.suffix == ".parquet":
                content += pd.read_parquet(path).to_csv().encode()
            found = self.kinds(content, forbidden)
            if path.name == "emc_problems.json":  # EMC's own words, kept for the operator, quoted in no mail
                found = []
            wrong += [f"{path.relative_to(folder)}: {kind}" for kind in found]
            seen |= set(self.kinds(content, MAPPED | USER_ID))
        for kept in ("runs/*/told.json", "channels/*.json"):
            wrong += [] if any(folder.glob(f"*/tenants/*/{kept}")) else [f"no {kept}, so no channel was tried"]
        missing = [kind for kind in MAPPED | USER_ID if kind not in seen and kind != "telephone in digits"]
        return wrong + [f"nothing of the kind {kind} was kept, so nothing was tried" for kind in missing]

    def mails(self, mails: list[Letter]) -> list[str]:
        forbidden = NOT_IN_AIRFLOW  # nor in a mail
        wrong = [
            f"{letter.subject} to {'、'.join(letter.tenants)}: {kind}"
            for letter in mails
            for kind in self.kinds(f"{letter.subject}\n{letter.body}".encode(), forbidden)
        ]
        named = any(self.kinds(letter.body.encode(), USER_ID) and "/crews/" in letter.body for letter in mails)
        return wrong if named else [*wrong, "no mail named anybody"]

    def chats(self, messages: list[dict[str, Any]], scenarios: list[Scenario]) -> list[str]:
        """Marks in what was posted, and as it looks; every service must have heard of every tenant that it served."""
        wrong = []
        heard = set[tuple[str, str]]()
        for message in messages:
            content = json.dumps(message, ensure_ascii=False).encode()
            found = re.search(r"SmartHR → EMC: (\w+)", message["text"])
            tenant = found[1] if found else ""
            heard.add((message["service"], tenant))
            wrong += [f"{message['service']} about {tenant}: {kind}" for kind in self.kinds(content, EVERYTHING)]
        deaf = (*MAIL_ALONE, "chat", "chat_busy", "trip_collect")  # refused, and the result itself not collected
        expected = {(service, s.tenant) for service in CHATS for s in scenarios if s.tenant not in deaf}
        return wrong + [f"{service} did not hear of {tenant}" for service, tenant in sorted(expected - heard)]


def _unpacked(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes):
        try:
            return value + zlib.decompress(value)
        except zlib.error:
            return value
    return b""


# --- what runs inside Airflow's own modules: see World.start_inside


def _try_hosts(smarthr: str, emc: str, silent: int) -> tuple[int, list[str]]:
    """Every way to lead a token elsewhere that we know; the number of tries, and those that were not refused."""
    from renkei.errors import RenkeiError
    from renkei.links.smarthr_emc.sheet import SHEETS
    from renkei.orchestration.smarthr_emc.hooks import EmcHook, SmartHRHook
    from renkei.sheets.load import load

    there = f"127.0.0.1:{silent}"
    wrong, tries = [], 0
    urls = [
        f"http://{there}",
        f"https://{there}",
        f"https://acme.smarthr.jp@{there}",
        f"https://acme.smarthr.jp:443@{there}",
        f"{smarthr}@{there}",
        f"{smarthr.replace('127.0.0.1', 'x')}@{there}",
        f"https://{there}\\@acme.smarthr.jp",
        f"https://acme.smarthr.jp\\@{there}",
        f"https://{there}#.smarthr.jp",
        f"https://{there}?.smarthr.jp",
        f"https://{there}/.smarthr.jp",
        f"https://{there}／.smarthr.jp",
        f"https://acme.smarthr.jp＠{there}",
        f"http://[::ffff:127.0.0.1]:{silent}",
        f"http://2130706433:{silent}",
        f"http://localhost:{silent}",
        f"http://localhost.:{silent}",
        "http://acme.smarthr.jp",
        "https://acme.smarthr.jp.",
        "https://acme.smarthr.jp:8443",
        "https://аcme.smarthr.jp",
        "https://acme.smarthr.jp.example.jp",
    ]
    with tempfile.TemporaryDirectory() as folder:
        for url in urls:
            tries += 1
            sheet = Path(folder) / "urls.yaml"
            sheet.write_text(_sheet("urls", url))
            if load(SHEETS, sheet, "urls", None, (urlsplit(smarthr).netloc,)).mapping is not None:
                wrong.append(f"a sheet may name {url}")
            os.environ["AIRFLOW_CONN_SMARTHR__URLS"] = json.dumps(
                {"conn_type": "smarthr", "host": url, "password": "TOKZQ-urls"}
            )
            if SmartHRHook("smarthr__urls").test_connection()[0]:
                wrong.append(f"the test button calls {url}")
            try:
                os.environ["AIRFLOW_CONN_SMARTHR__URLS"] = json.dumps(
                    {"conn_type": "smarthr", "password": "TOKZQ-urls"}
                )
                SmartHRHook("smarthr__urls").client(url, 10).read_all("departments")
                wrong.append(f"a client reads {url}")
            except RenkeiError:
                pass
    # Proxies, .netrc, redirects: the environment points at the silent port, and so do the fronts' answers.
    tries += 3
    SmartHRHook("smarthr__fine").client(smarthr, 100).read_all("departments")
    EmcHook("emc__fine").client().check()
    try:
        SmartHRHook("smarthr__elsewhere").client(smarthr, 100).read_all("crews")
        wrong.append("a redirect of SmartHR was taken for an answer")
    except RenkeiError:
        pass
    os.environ["AIRFLOW_CONN_EMC__AWAY"] = json.dumps({"conn_type": "emc", "host": emc, "password": "TOKZQ-emc-away"})
    try:
        EmcHook("emc__away").client().submit("key", "urls", "0" * 64, None, None)
        wrong.append("a redirect of EMC was taken for an answer")
    except RenkeiError:
        pass
    return tries, wrong


def _inside(answer: Path) -> None:
    import airflow.api_fastapi.execution_api.app  # noqa: F401  (what dag.test would import in its first run)
    from airflow.dag_processing.dagbag import DagBag
    from airflow.utils.db import initdb

    initdb()
    task = json.loads(sys.stdin.read())  # the neighbours have started meanwhile
    os.environ.update(task["environment"])
    tries, wrong = _try_hosts(task["smarthr"], task["emc"], task["silent"])
    bag = DagBag(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
    if bag.import_errors:
        raise RuntimeError(str(bag.import_errors))
    nap = time.sleep
    time.sleep = lambda seconds: nap(0.05 if seconds == 1 else seconds)  # dag.test looks once a second
    endings = {
        dag_id.removeprefix("smarthr_emc__"): [
            str(bag.dags[dag_id].test(logical_date=None, run_conf={"mode": "NORMAL"}).state)
        ]
        for dag_id in task["dags"]
    }
    answer.write_text(json.dumps({"tries": tries, "wrong": wrong, "endings": endings}, ensure_ascii=False))


if __name__ == "__main__":
    _inside(Path(sys.argv[1]))
