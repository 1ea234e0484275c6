"""Proves docker-compose.yaml without Docker: `.venv/bin/python -m scripts.production_check`.

Postgres and Redis are started from Debian's binaries (those installed, else unpacked from `apt-get download`)
and every Airflow service of the Compose file as a process of this machine: with the command, environment and
health check written there, each with an AIRFLOW_HOME of its own. Only what a container would give differs: host
names become 127.0.0.1, ports become free ones, the folders inside the containers become folders below a work
folder. Then each health check must pass, `init` must pass a second time, and a Dag, if one is named, must succeed.

    --dag ID          trigger this Dag and wait for its end
    --dags FOLDER     instead of dags/
    --demo            the services of the demo profile too
    --keep            leave the work folder with its logs

Takes one to three minutes and 1.5 GiB. Not part of `make test`.
"""

from __future__ import annotations

import argparse
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import requests
import yaml

from scripts.local_airflow import free_port
from scripts.page_forms import field_of
from scripts.tenant_role import RoleFailed, log_in, prove_role

ROOT = Path(__file__).resolve().parents[1]
INSIDE = "/opt/airflow"
HEALTHY_WITHIN_S = 300  # on a busy machine of two cores
WORKER_ENDS_WITHIN_S = 60  # of the ten minutes that Compose gives it
DEBIAN = {
    "postgres": ["postgresql-15", "postgresql-client-15", "libpq5"],
    "redis-server": ["redis-server", "redis-tools", "liblzf1", "libjemalloc2"],
}


class CheckFailed(Exception):
    """A service of the Compose file did not do what it must."""


# --- the Compose file ---------------------------------------------------------------------------------------------


class Compose:
    """The Compose file with this machine's addresses, folders and freshly made secrets in it."""

    def __init__(self, work: Path, dags: Path) -> None:
        text = (ROOT / "docker-compose.yaml").read_text(encoding="utf-8")
        self.services: dict[str, Any] = yaml.safe_load(text)["services"]
        self.work = work
        # SmartHR's simulator keeps its port: the sample sheets name it.
        self.ports = {"8181": "8181"}
        self.variables = {name: secrets.token_hex(32) for name in re.findall(r"\$\{(\w+):\?", text)}
        self.variables |= {
            **{name: urlsafe_b64encode(secrets.token_bytes(32)).decode() for name in ("FERNET_KEY", "STORE_KEY")},
            "ADMIN_USERNAME": "admin",
            "ADMIN_EMAIL": "admin@example.com",
            # One small machine runs it all.
            "PARALLELISM": "6",
            "WORKER_CONCURRENCY": "4",  # two of them are the pump's
        }
        # What .env.example offers for the demo.
        self.variables["RENKEI_ALLOWED_HOSTS"] = ",".join(
            ("127.0.0.1:8181", f"127.0.0.1:{self.port('8282')}", f"127.0.0.1:{self.port('8484')}")
        )
        self.folders = {f"{INSIDE}/dags": dags} | {
            f"{INSIDE}/{name}": work / name for name in ("store", "index", "logs")
        }
        for folder in self.folders.values():
            folder.mkdir(exist_ok=True)
        self.folders[f"{INSIDE}/include"] = ROOT / "include"

    def text(self, value: object) -> str:
        """`value` as a container would see it, moved to this machine. Secrets come in last and untouched."""
        text = str(value)
        for inside, here in self.folders.items():
            text = text.replace(inside, str(here))
        text = re.sub(rf"(?<=[@/])({'|'.join(self.services)})(?=:\d)", "127.0.0.1", text)
        text = text.replace("0.0.0.0", "127.0.0.1")
        text = re.sub(
            r"(?<![\w.-])(1025|5432|6379|8080|8090|8181|8282|8383|8484|8974)(?!\w)", lambda m: self.port(m[1]), text
        )
        text = re.sub(r"\$\{(\w+)(?::-([^}]*)|:\?)?\}", lambda m: self.variables.get(m[1], m[2] or ""), text)
        return text.replace("$$", "$")

    def port(self, inside: str) -> str:
        """The free port that stands for a port inside the containers."""
        if inside not in self.ports:
            self.ports[inside] = str(free_port())
        return self.ports[inside]

    def command(self, service: str) -> list[str]:
        return [self.text(part) for part in self.services[service]["command"]]

    def health_check(self, service: str) -> list[str]:
        kind, *parts = self.services[service]["healthcheck"]["test"]
        return ["sh", "-c", *map(self.text, parts)] if kind == "CMD-SHELL" else [self.text(part) for part in parts]

    def environment(self, service: str) -> dict[str, str]:
        """The service's own variables and what the images and the container network would have given."""
        home = self.work / "homes" / service
        home.mkdir(parents=True, exist_ok=True)
        written = self.services[service].get("environment", {})
        # A variable without a value is passed on when it is set, as Compose does.
        values = {
            name: self.variables.get(name) if value is None else self.text(value) for name, value in written.items()
        }
        kept = {name: os.environ[name] for name in ("HOME", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
        return (
            kept
            | {
                "PATH": f"{ROOT}/.venv/bin:{os.environ['PATH']}",
                "AIRFLOW_HOME": str(home),
                "AIRFLOW__CORE__DAGS_FOLDER": str(self.folders[f"{INSIDE}/dags"]),
                "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
                "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(self.folders[f"{INSIDE}/logs"]),
                "AIRFLOW__API__HOST": "127.0.0.1",
                "AIRFLOW__API__PORT": self.port("8080"),
                "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": self.port("8974"),
                "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": self.port("8793"),
                "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": self.port("8794"),
                "PGHOST": "127.0.0.1",
                "PGPORT": self.port("5432"),
            }
            | {name: value for name, value in values.items() if value is not None}
        )


# --- Postgres and Redis -------------------------------------------------------------------------------------------


def find_or_unpack(program: str, work: Path) -> None:
    """Puts the folder of `program` on PATH, from Debian's archive when it is not installed."""
    unpacked = work / "debian"
    if not shutil.which(program) and not list(Path("/usr/lib/postgresql").glob(f"*/bin/{program}")):
        unpacked.mkdir(exist_ok=True)
        subprocess.run(["apt-get", "update", "-qq"], check=False)  # a new machine has no list of packages yet
        download = ["apt-get", "download", "-qq", "-o", "APT::Sandbox::User=root", *DEBIAN[program]]
        subprocess.run(download, cwd=unpacked, check=True)
        for package in unpacked.glob("*.deb"):
            subprocess.run(["dpkg", "-x", package, unpacked], check=True)
    libraries = [str(path) for path in unpacked.glob("usr/lib/*-linux-gnu")]
    os.environ["LD_LIBRARY_PATH"] = ":".join([*libraries, os.environ.get("LD_LIBRARY_PATH", "")]).strip(":")
    folders = [Path("/usr/lib/postgresql"), unpacked / "usr/lib/postgresql"]
    programs = [str(path) for folder in folders for path in sorted(folder.glob("*/bin"), reverse=True)]
    # The programs themselves before any wrapper of the same name on the path.
    os.environ["PATH"] = ":".join([*programs, os.environ["PATH"], str(unpacked / "usr/bin")])


def unprivileged() -> list[str]:
    """How to start a program that refuses to run as root."""
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []


def make_cluster(compose: Compose) -> list[str]:
    """A new Postgres cluster with the service's user and database; returns the command that serves it."""
    settings = {name: compose.text(value) for name, value in compose.services["postgres"]["environment"].items()}
    folder = compose.work / "postgres"
    folder.mkdir()
    secret = folder / "password"
    secret.write_text(settings["POSTGRES_PASSWORD"], encoding="utf-8")
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody", "nogroup")
        shutil.chown(secret, "nobody", "nogroup")
    run = {"check": True, "capture_output": True, "cwd": folder}
    user, data = settings["POSTGRES_USER"], str(folder / "data")
    subprocess.run(
        [*unprivileged(), "initdb", "-D", data, "-U", user, f"--pwfile={secret}", "--auth=scram-sha-256"], **run
    )
    subprocess.run(
        [*unprivileged(), "postgres", "--single", "-D", data, "postgres"],
        input=f"CREATE DATABASE {settings['POSTGRES_DB']}\n".encode(),
        **run,
    )
    return [*unprivileged(), "postgres", "-D", data, "-k", "", "-h", "127.0.0.1", "-p", compose.port("5432")]


def redis_command(compose: Compose) -> list[str]:
    here = f"redis-server - --bind 127.0.0.1 --port {compose.port('6379')} --dir {compose.work}"
    return [part.replace("docker-entrypoint.sh redis-server -", here) for part in compose.command("redis")]


# --- services -----------------------------------------------------------------------------------------------------


@contextmanager
def running(compose: Compose, service: str, command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """The service as a process group of its own, ended like a container: asked first, then killed."""
    with (compose.work / f"{service}.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            env=compose.environment(service),
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT if service == "postgres" else signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            print(f"{service}: did not end within 20 s, killed")
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_healthy(compose: Compose, service: str, process: subprocess.Popen[bytes]) -> float:
    """Seconds from the service's start until its own health check was seen to pass.

    Raises:
        CheckFailed: the service ended, or was not healthy in time.
    """
    check = [
        part.replace("redis-cli", f"redis-cli -p {compose.port('6379')}") for part in compose.health_check(service)
    ]
    start = psutil.Process(process.pid).create_time()
    while True:
        if process.poll() is not None:
            raise CheckFailed(f"{service} ended with {process.returncode}:\n{tail(compose, service)}")
        done = subprocess.run(check, env=compose.environment(service), cwd=ROOT, capture_output=True)
        if done.returncode == 0:
            return time.time() - start
        if time.time() - start > HEALTHY_WITHIN_S:
            break
        time.sleep(0.5)
    raise CheckFailed(f"{service} is not healthy: {done.stderr.decode()[-500:]}\n{tail(compose, service)}")


def tail(compose: Compose, service: str) -> str:
    return (compose.work / f"{service}.log").read_text(encoding="utf-8", errors="replace")[-3000:]


def memory_mib(process: subprocess.Popen[bytes]) -> int:
    """Memory of the process and all below it, shared pages counted once."""
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    return sum(member.memory_full_info().pss for member in family) >> 20


def refuse_open_secrets(compose: Compose, processes: Iterable[subprocess.Popen[bytes]]) -> None:
    """Every account of the machine may read command lines.

    Raises:
        CheckFailed: a secret of .env stands in one.
    """
    hidden = {name: value for name, value in compose.variables.items() if len(value) > 40 and "," not in value}
    for process in processes:
        for member in (psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)):
            line = ""
            with suppress(psutil.NoSuchProcess):  # one that has just ended, a zombie among them
                line = " ".join(member.cmdline())
            if shown := [name for name, value in hidden.items() if value in line]:
                raise CheckFailed(f"{', '.join(shown)} in the command line of {member.name()}")


def refuse_plain_cookies(compose: Compose) -> None:
    """Log in as behind a TLS proxy, which speaks plain HTTP to the API server and says so.

    Raises:
        CheckFailed: a cookie of the login may travel in clear, or a redirect leaves TLS.
    """
    address = f"http://127.0.0.1:{compose.port('8080')}/auth/login/"
    proxied = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"}
    answers = [requests.get(address, headers=proxied, timeout=30)]
    form = {
        "csrf_token": field_of(answers[0].text, "csrf_token"),
        "username": compose.variables["ADMIN_USERNAME"],
        "password": compose.variables["ADMIN_PASSWORD"],
    }
    # A Secure cookie goes back by TLS alone: the proxy would pass it on.
    proxied |= {
        "Cookie": answers[0].headers.get("Set-Cookie", "").partition(";")[0],
        "Referer": address.replace("http:", "https:"),
    }
    answers.append(requests.post(address, headers=proxied, data=form, timeout=30, allow_redirects=False))
    cookies = [cookie for answer in answers for cookie in answer.raw.headers.getlist("Set-Cookie")]
    if not any(cookie.startswith("_token=") for cookie in cookies):
        raise CheckFailed(f"the login form lets nobody in: {answers[-1].status_code} {answers[-1].text[:500]}")
    if plain := [cookie.partition("=")[0] for cookie in cookies if "; secure" not in cookie.lower()]:
        raise CheckFailed(f"cookies of the login lack Secure: {', '.join(plain)}")
    if answers[-1].headers.get("Location", "").startswith("http:"):
        raise CheckFailed(f"a redirect leaves TLS: {answers[-1].headers['Location']}")


def look_at_public(compose: Compose) -> float:
    """Seconds that the お客様ページ takes behind its own port, with its policy; what is too long for it is not read."""
    address = f"http://127.0.0.1:{compose.port('8090')}/renkei/customer/enter"
    begun = time.monotonic()
    answer = requests.get(address, timeout=60)
    if answer.status_code != 200 or "default-src 'none'" not in answer.headers.get("Content-Security-Policy", ""):
        raise CheckFailed(f"the public service shows no page: {answer.status_code} {answer.text[:500]}")
    seconds = time.monotonic() - begun
    nobody = requests.get(address.removesuffix("enter"), timeout=60).status_code
    headers = {"Sec-Fetch-Site": "same-origin"}
    too_long = requests.post(address, data=b"x" * 70_000, headers=headers, timeout=60).status_code
    if (nobody, too_long) != (404, 413):
        raise CheckFailed(f"the public service lets in what it should not: {nobody}, {too_long}")
    return seconds


def run_once(compose: Compose, service: str) -> float:
    """Seconds that a service took that is to end, and to end well."""
    start = time.monotonic()
    command, environment = compose.command(service), compose.environment(service)
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise CheckFailed(f"{service} ended with {done.returncode}:\n{done.stdout[-1500:]}{done.stderr[-1500:]}")
    return time.monotonic() - start


def log_in_as_admin(compose: Compose) -> requests.Session:
    address = f"http://127.0.0.1:{compose.port('8080')}"
    return log_in(address, compose.variables["ADMIN_USERNAME"], compose.variables["ADMIN_PASSWORD"])


def run_dag(compose: Compose, session: requests.Session, dag_id: str) -> float:
    """Seconds from the trigger, over the API as the administrator, to the run's success."""
    dag = f"http://127.0.0.1:{compose.port('8080')}/api/v2/dags/{dag_id}"
    deadline = time.monotonic() + 600
    while session.get(dag, timeout=30).status_code == 404 and time.monotonic() < deadline:
        time.sleep(1)
    session.patch(dag, json={"is_paused": False}, timeout=30).raise_for_status()
    start = time.monotonic()
    answer = session.post(f"{dag}/dagRuns", json={"logical_date": None}, timeout=30)
    answer.raise_for_status()
    run = f"{dag}/dagRuns/{answer.json()['dag_run_id']}"
    while (state := session.get(run, timeout=30).json()["state"]) not in ("success", "failed"):
        if time.monotonic() > deadline:
            raise CheckFailed(f"{dag_id} is still {state}")
        time.sleep(0.5)
    if state == "failed":
        raise CheckFailed(f"{dag_id} failed; its logs are in {compose.work / 'logs'}")
    seconds = time.monotonic() - start
    note = session.get(run, timeout=30).json()["note"] or ""
    if "EMC-OK" not in note:  # the scheduler's listener writes it in the transaction that ends the run
        raise CheckFailed(f"the note on the run's page says nothing of its result: {note!r}")
    return seconds


def look_at_console(compose: Compose, session: requests.Session, dag_id: str) -> float:
    """Seconds that the console's list takes, the first of its process, over Postgres; a click further is the result.

    The list may have a later run's: Airflow makes up for a tick that had just passed when the Dag was switched on.
    """
    start = time.monotonic()
    address = f"http://127.0.0.1:{compose.port('8080')}/renkei/console/"
    cookie = {"_token": str(session.headers["Authorization"]).removeprefix("Bearer ")}  # as a browser has it
    took = []
    for page, wanted in (("", f"dag/{dag_id}"), (f"dag/{dag_id}/runs", "EMC-OK")):
        answer = requests.get(address + page, cookies=cookie, timeout=60)
        took.append(time.monotonic() - start)
        if wanted not in answer.text:
            raise CheckFailed(f"the console's page {page!r} lacks {wanted}: {answer.status_code} {answer.text[-3000:]}")
    return took[0]


def stop_worker(compose: Compose, worker: subprocess.Popen[bytes]) -> tuple[float, int]:
    """Seconds from SIGTERM to the end of the worker, which has pumps at work; and how many.

    Raises:
        CheckFailed: no pump is at work, or the worker does not end.
    """
    session = log_in_as_admin(compose)
    runs = f"http://127.0.0.1:{compose.port('8080')}/api/v2/dags/renkei_pump/dagRuns/~/taskInstances?state=running"
    deadline = time.monotonic() + 300
    while not (pumps := session.get(runs, timeout=30).json()["total_entries"]):
        if time.monotonic() > deadline:
            raise CheckFailed("no run of renkei_pump is at work")
        time.sleep(1)
    time.sleep(5)  # a task is running before its own process is
    begun = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    try:
        worker.wait(WORKER_ENDS_WITHIN_S)
    except subprocess.TimeoutExpired:
        raise CheckFailed(
            f"the worker did not end within {WORKER_ENDS_WITHIN_S} s\n{tail(compose, 'worker')}"
        ) from None
    return time.monotonic() - begun, pumps


def prove(compose: Compose, dag_id: str | None, demo: bool) -> None:
    """Starts everything in Compose's order and prints a row per service."""
    for program in DEBIAN:
        find_or_unpack(program, compose.work)
    print(f"{'service':<20} {'healthy after':>13} {'memory':>9}")
    with ExitStack() as stack:
        processes = {}
        for service, command in (("postgres", make_cluster(compose)), ("redis", redis_command(compose))):
            processes[service] = stack.enter_context(running(compose, service, command))
            print(f"{service:<20} {wait_healthy(compose, service, processes[service]):>11.1f} s")
        for title in ("init", "init, second time"):
            print(f"{title:<20} {run_once(compose, 'init'):>11.1f} s")
        wanted = {name: service for name, service in compose.services.items() if demo or "profiles" not in service}
        later = [name for name, service in wanted.items() if "healthcheck" in service and name not in processes]
        for service in later:
            processes[service] = stack.enter_context(running(compose, service, compose.command(service)))
        for service in later:
            seconds = wait_healthy(compose, service, processes[service])
            print(f"{service:<20} {seconds:>11.1f} s {memory_mib(processes[service]):>5} MiB")
        for service in [name for name in wanted if name != "init" and name not in processes]:
            print(f"{service:<20} {run_once(compose, service):>11.1f} s")
        refuse_open_secrets(compose, processes.values())
        refuse_plain_cookies(compose)
        print(f"public: お客様ページ after {look_at_public(compose):.1f} s")
        if dag_id:
            admin = log_in_as_admin(compose)
            print(f"{dag_id}: success after {run_dag(compose, admin, dag_id):.1f} s")
            print(f"console: listed after {look_at_console(compose, admin, dag_id):.1f} s")
            address = f"http://127.0.0.1:{compose.port('8080')}"
            try:
                seconds = prove_role(address, admin, dag_id, compose.environment("api-server"))
            except RoleFailed as failure:
                raise CheckFailed(f"the role of one tenant: {failure}") from failure
            print(f"{dag_id}: a plan approved by its own role alone after {seconds:.1f} s")
        seconds, pumps = stop_worker(compose, processes["worker"])
        print(f"worker: ended {seconds:.1f} s after SIGTERM, with {pumps} pumps at work")


def main() -> int:
    parser = argparse.ArgumentParser(description="Run the Compose file's services as processes and check them.")
    parser.add_argument("--dag", help="trigger this Dag and wait for its end")
    parser.add_argument("--dags", type=Path, default=ROOT / "dags", help="folder of Dag files")
    parser.add_argument("--demo", action="store_true", help="the services of the demo profile too")
    parser.add_argument("--keep", action="store_true", help="leave the work folder with its logs")
    options = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="renkei-production-"))
    work.chmod(0o711)
    try:
        prove(Compose(work, options.dags.resolve()), options.dag, options.demo)
    except CheckFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    finally:
        if options.keep:
            print(f"logs: {work}")
        else:
            shutil.rmtree(work, ignore_errors=True)
    print("the Compose file holds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
