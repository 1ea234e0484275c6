"""What is promised to whoever installs Renkei: the Compose file, the locks, the settings to fill in."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

from scripts import local_airflow

ROOT = Path(__file__).resolve().parents[1]
COMPOSE = (ROOT / "docker-compose.yaml").read_text(encoding="utf-8")
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")
LOCKED = ["requirements", "requirements-dev", "simulators/requirements"]
SECRET = re.compile(r"PASSWORD|SECRET|_KEY$|REDISCLI_AUTH")


def validate(path: Path) -> subprocess.CompletedProcess[str]:
    schema = ["--builtin-schema", "vendor.compose-spec"]
    return subprocess.run([sys.executable, "-m", "check_jsonschema", *schema, path], capture_output=True, text=True)


def locked(name: str) -> dict[str, set[str]]:
    """Versions by package; more than one where the interpreter decides."""
    versions: dict[str, set[str]] = {}
    for package, version in re.findall(r"^([\w.-]+)==(\S+)", (ROOT / f"{name}.txt").read_text(), re.MULTILINE):
        versions.setdefault(package, set()).add(version)
    return versions


def environments() -> list[tuple[str, str, str]]:
    """Service, variable and value, as written."""
    services = yaml.safe_load(COMPOSE)["services"]
    return [
        (name, variable, str(value))
        for name, service in services.items()
        for variable, value in service.get("environment", {}).items()
    ]


def test_compose_file_follows_its_schema() -> None:
    """The published Compose schema accepts the file."""
    done = validate(ROOT / "docker-compose.yaml")
    assert done.returncode == 0, done.stdout


def test_misspelt_key_of_compose_file_is_noticed(tmp_path: Path) -> None:
    """The schema is one that would tell a typing error, else the test above proves nothing."""
    broken = tmp_path / "docker-compose.yaml"
    broken.write_text(COMPOSE.replace("healthcheck:", "heathcheck:", 1), encoding="utf-8")
    assert validate(broken).returncode != 0


def test_every_service_that_stays_up_has_a_health_check() -> None:
    """All but those that end."""
    services = yaml.safe_load(COMPOSE)["services"]
    assert [name for name, service in services.items() if "healthcheck" not in service] == ["init", "demo-tenants"]


def test_s2_only_the_api_server_can_be_let_write_the_sheets() -> None:
    """S2: its pages put them into force. What the internet reaches, and what runs tasks, reads them."""
    place = "/opt/airflow/include/mappings:"
    modes = {
        name: [volume.partition(place)[2] for volume in service["volumes"] if place in volume]
        for name, service in yaml.safe_load(COMPOSE)["services"].items()
        if service.get("image", "").startswith("renkei:")
    }
    assert modes.pop("api-server") == ["${MAPPINGS_MODE:-ro}"]
    assert len(modes) == 7
    assert [name for name, mode in modes.items() if mode != ["ro"]] == []


def test_the_api_server_has_what_the_others_have_mounted() -> None:
    """Its list is its own: a folder that is added to the others' is added to it."""
    services = yaml.safe_load(COMPOSE)["services"]
    own, others = ([one.partition(":/")[0] for one in services[name]["volumes"]] for name in ("api-server", "worker"))
    assert own == others


def test_what_local_airflows_take_over_from_compose_is_what_stands_there() -> None:
    """The bench's figures are those of the settings that a customer's installation has."""
    there = yaml.safe_load(COMPOSE)["services"]["worker"]["environment"]
    ours = dict(local_airflow.COMPOSE)
    slots = ours.pop("AIRFLOW__CORE__PARALLELISM")  # of one worker: a local Airflow has no Celery
    assert there["AIRFLOW__CELERY__WORKER_CONCURRENCY"] == f"${{WORKER_CONCURRENCY:-{slots}}}"
    assert ours == {name: there[name] for name in ours}


def test_workers_can_be_scaled() -> None:
    """A fixed name or port would allow one worker per machine."""
    worker = yaml.safe_load(COMPOSE)["services"]["worker"]
    assert not {"container_name", "ports"} & worker.keys()


def test_no_secret_has_a_default() -> None:
    """Each password and key comes from .env and stops Compose when it is missing."""
    written = {value for _, variable, value in environments() if SECRET.search(variable)}
    assert len(written) >= 7
    # As it stands, or as the password of a Connection.
    assert [value for value in written if not re.fullmatch(r'(\{.*"password": ")?\$\{\w+:\?\}("\})?', value)] == []


def test_no_secret_in_an_address_is_written_out() -> None:
    """Between user and host of every URL stands a variable that must be set."""
    passwords = re.findall(r"://[^/\s]*?:([^/\s]*)@", COMPOSE)
    assert len(passwords) == 4
    assert [password for password in passwords if not re.fullmatch(r"\$\{\w+:\?\}", password)] == []


def test_no_secret_stands_in_a_command_line() -> None:
    """Every process of a machine may read the command lines of all others."""
    services = yaml.safe_load(COMPOSE)["services"]
    given = {(name, variable) for name, variable, _ in environments() if SECRET.search(variable)}
    assert ("init", "ADMIN_PASSWORD") in given
    assert ("redis", "REDISCLI_AUTH") in given
    for name, variable in given:
        for line in " ".join(services[name].get("command", [])).splitlines():
            # Of a shell's own words: printf is no process, and a line of a here-document is no argument.
            assert f"${variable}" not in line or re.match(r"\s*(printf |requirepass )", line), (name, line)
    assert re.findall(r"--password|--requirepass", COMPOSE) == []


def test_l5_no_container_has_more_than_it_needs() -> None:
    """No capability, no way to get one, a bound on memory; Postgres and Redis are out of everybody's reach but Airflow's."""
    compose = yaml.safe_load(COMPOSE)
    for name, service in compose["services"].items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["mem_limit"], name
    assert [name for name, service in compose["services"].items() if "cap_add" in service] == ["postgres", "redis"]
    assert "exec docker-entrypoint.sh redis-server " in compose["services"]["redis"]["command"][-1], (
        "else it stays root"
    )
    assert compose["networks"]["data"] == {"internal": True}
    inside = {name for name, service in compose["services"].items() if "data" in service.get("networks", [])}
    assert compose["services"]["postgres"]["networks"] == compose["services"]["redis"]["networks"] == ["data"]
    simulators = {name for name, service in compose["services"].items() if "simulators" in service["image"]}
    assert inside.isdisjoint(simulators)


def test_required_settings_are_in_the_example_without_a_value() -> None:
    """Who copies .env.example is asked for exactly what Compose insists on."""
    required = set(re.findall(r"\$\{(\w+):\?", COMPOSE))
    assert set(re.findall(r"^(\w+)=$", EXAMPLE, re.MULTILINE)) == required
    assert re.findall(r"^\w+=.+$", EXAMPLE, re.MULTILINE) == []


def test_optional_settings_are_in_the_example_with_their_default() -> None:
    """A line of the example that is uncommented unchanged changes nothing."""
    shown = re.findall(r"^#(\w+)=(.*)$", EXAMPLE, re.MULTILINE)
    defaults = set(re.findall(r"\$\{(\w+):-([^}]*)\}", COMPOSE))
    assert {name for name, _ in defaults} <= {name for name, _ in shown}
    assert defaults - set(shown) == {("RENKEI_STORE", "file:///opt/airflow/store")}  # the example shows a bucket


@pytest.mark.parametrize("name", LOCKED)
def test_lock_names_no_place_to_load_from(name: str) -> None:
    """Where packages come from is the installing machine's business."""
    text = (ROOT / f"{name}.txt").read_text(encoding="utf-8")
    assert re.findall(r"\S*://\S*|--(?:extra-)?index\S*|--find-links\S*", text) == []


@pytest.mark.parametrize("name", LOCKED)
def test_lock_holds_every_requirement_with_hashes(name: str) -> None:
    """No line of the .in file was forgotten and no package may be exchanged."""
    asked = re.findall(r"^([a-z][\w.-]*)", (ROOT / f"{name}.in").read_text(encoding="utf-8"), re.MULTILINE)
    versions = locked(name)
    assert asked
    assert [package for package in asked if package not in versions] == []
    for block in re.split(r"\n(?=\w)", (ROOT / f"{name}.txt").read_text(encoding="utf-8"))[1:]:
        assert "--hash=sha256:" in block, block


MAIN, DEV, SIMULATORS = "requirements.in", "requirements-dev.in", "simulators/requirements.in"


@pytest.mark.parametrize(
    ("folder", "asked"),
    [
        ("plugins", [MAIN]),
        ("dags", [MAIN]),
        ("simulators", [SIMULATORS]),
        ("scripts", [MAIN, SIMULATORS, DEV]),
        ("tests", [MAIN, SIMULATORS, DEV]),
    ],
)
def test_every_import_has_its_line(folder: str, asked: list[str]) -> None:
    """What is used is asked for by name: another package that happens to bring it may stop to."""
    names = [
        re.findall(r"^([A-Za-z][\w.-]*)", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE) for name in asked
    ]
    known = {_normal(name) for found in names for name in found}
    of_module = packages_distributions()
    ours = {"renkei", "renkei_plugin", "scripts", "simulators", "tests", *sys.stdlib_module_names}
    missing = {
        module
        for path in (ROOT / folder).rglob("*.py")
        for module in _imports(path) - ours
        if known.isdisjoint(map(_normal, of_module.get(module, [_provider(module)])))
    }
    assert missing == set()


def _imports(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    taken = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level}
    return {_module(name) for name in plain | taken}


def _module(name: str) -> str:
    """The module that a package is known by: of Airflow's providers each has its own."""
    parts = name.split(".")
    return ".".join(parts[:3]) if parts[:2] == ["airflow", "providers"] else parts[0]


def _provider(module: str) -> str:
    return module.replace("airflow.", "apache-airflow-", 1)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_locks_agree_on_what_they_share() -> None:
    """One environment is made of all of them."""
    main, *others = map(locked, LOCKED)
    different = [package for lock in others for package in lock.keys() & main.keys() if lock[package] != main[package]]
    assert different == []


def test_celery_executor_loads_with_the_locked_packages(tmp_path: Path) -> None:
    """Celery 5.7 satisfied the provider's own requirement and yet the scheduler could not start with it."""
    load = "import airflow.providers.celery.executors.celery_executor"
    environment = os.environ | {"AIRFLOW_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", load], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr


def test_plugin_scanner_sees_plugin_files_alone() -> None:
    """Airflow imports every file below plugins/ that this does not exclude, under its bare name."""
    assert (ROOT / "plugins/.airflowignore").read_text(encoding="utf-8").split() == ["*", "!*_plugin.py"]


def test_unfit_python_is_refused_with_the_reason(tmp_path: Path) -> None:
    """`make` says which versions will do, before anything is made."""
    ready = tmp_path / "ready"
    done = subprocess.run(["make", ready, f"READY={ready}", "PYTHON=false"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode != 0
    assert "Renkei needs Python 3.11, 3.12 or 3.13" in done.stderr
    assert not ready.exists()


@pytest.mark.parametrize(("run_id", "taken"), [("r" * 200, True), ("r" * 201, False), ("毎日", False)])
def test_e1_a_run_id_has_room_in_the_name_of_a_log_folder(
    run_id: str, taken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Airflow refuses a longer one at once; a run that it took could not say why none of its tasks runs."""
    from airflow.models.dagrun import DagRun

    (pattern,) = {value for _, name, value in environments() if name == "AIRFLOW__SCHEDULER__ALLOWED_RUN_ID_PATTERN"}
    monkeypatch.setenv("AIRFLOW__SCHEDULER__ALLOWED_RUN_ID_PATTERN", pattern)
    assert f'r"{pattern}"' in (ROOT / "scripts" / "local_airflow.py").read_text(encoding="utf-8")
    if taken:
        DagRun(dag_id="smarthr_emc__acme", run_id=run_id)
    else:
        with pytest.raises(ValueError, match="does not match"):
            DagRun(dag_id="smarthr_emc__acme", run_id=run_id)
