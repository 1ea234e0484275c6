"""What an operator sets by environment variable (docs/operations.md); read when needed, never at import."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import re
import stat
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

from renkei.errors import SettingError

MAX_SPREAD = 180  # minutes: before people come to work


def _airflow_home() -> Path:
    return Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser()


def store_url() -> str:
    """RENKEI_STORE: where snapshots and records live, as an Airflow ObjectStoragePath (`s3://bucket/renkei`)."""
    return os.environ.get("RENKEI_STORE") or (_airflow_home() / "renkei" / "store").as_uri()


def store_conn_id() -> str | None:
    """RENKEI_STORE_CONN_ID: the Airflow Connection that opens the store, where one is needed."""
    return os.environ.get("RENKEI_STORE_CONN_ID") or None


def store_key_conn_id() -> str | None:
    """RENKEI_STORE_KEY_CONN_ID: the Airflow Connection whose password encrypts the store; without one it is plain."""
    return os.environ.get("RENKEI_STORE_KEY_CONN_ID") or None


def keep_days() -> int:
    """RENKEI_KEEP_DAYS: days for which the records of runs are kept.

    Raises:
        SettingError: it is not a whole number from 1 up; nothing must be deleted by a typing mistake.
    """
    configured = os.environ.get("RENKEI_KEEP_DAYS") or "400"
    if not re.fullmatch(r"[0-9]{1,5}", configured) or int(configured) < 1:
        raise SettingError(f"RENKEI_KEEP_DAYS「{configured}」は1以上、5桁以内の整数（日数）で指定してください。")
    return int(configured)


def index_folder() -> Path:
    """RENKEI_INDEX: where compiled mapping files are kept; may be lost at any time.

    Where it cannot be written to, a folder of this user's own on this machine: without one no sheet is ever compiled
    for long enough.
    """
    wanted = Path(os.environ.get("RENKEI_INDEX") or _airflow_home() / "renkei" / "index")
    there = next(folder for folder in (wanted, *wanted.parents) if folder.exists())
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        return wanted
    own = Path(tempfile.gettempdir()) / f"renkei-index-{os.getuid()}"
    with contextlib.suppress(OSError):
        own.mkdir(mode=0o700, exist_ok=True)
        found = own.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077:
            return own
    return wanted


def mappings_folder(dag_file: str, link: str) -> Path:
    """RENKEI_MAPPINGS: the folder with one folder of mapping files per link; default beside dags/."""
    return _mappings(dag_file) / link


def _mappings(dag_file: str) -> Path:
    configured = os.environ.get("RENKEI_MAPPINGS")
    return Path(configured) if configured else Path(dag_file).parents[1] / "include" / "mappings"


def allowed_hosts() -> tuple[str, ...]:
    """RENKEI_ALLOWED_HOSTS: hosts (`host` or `host:port`, comma list) that may stand in for SmartHR's own."""
    return tuple(host.strip() for host in os.environ.get("RENKEI_ALLOWED_HOSTS", "").split(",") if host.strip())


def outgoing_ip() -> str:
    """RENKEI_OUTGOING_IP: the address that this machine is seen with from outside, for a customer who must allow it."""
    return os.environ.get("RENKEI_OUTGOING_IP", "").strip()


def emc_format_file(dag_file: str) -> Path:
    """RENKEI_EMC_FORMAT: the format of EMC's import files."""
    configured = os.environ.get("RENKEI_EMC_FORMAT")
    return Path(configured) if configured else Path(dag_file).parents[1] / "include" / "contracts" / "emc_format.yaml"


def mail_from() -> str | None:
    """RENKEI_MAIL_FROM: the sender of result mails; default the SMTP Connection's."""
    return os.environ.get("RENKEI_MAIL_FROM") or None


def channel_failures() -> int:
    """RENKEI_CHANNEL_FAILURES: after how many runs in a row that it could not be told a channel is disabled (N2)."""
    configured = os.environ.get("RENKEI_CHANNEL_FAILURES") or "5"
    return int(configured) if re.fullmatch(r"[1-9][0-9]{0,3}", configured) else 5


def operator_file(dag_file: str) -> Path:
    """RENKEI_OPERATOR: the operator's own channels; default `operator.yaml` beside the links' folders of mappings."""
    configured = os.environ.get("RENKEI_OPERATOR")
    return Path(configured) if configured else _mappings(dag_file) / "operator.yaml"


def silence_grace() -> dt.timedelta:
    """RENKEI_SILENCE_HOURS: how long after its time of day a tenant's result may take before it counts as missing.

    Raises:
        SettingError: it is no number above 0 and up to 48; a typing mistake must not end the watch unseen.
    """
    configured = os.environ.get("RENKEI_SILENCE_HOURS") or "3"
    if not re.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,4})?", configured) or not 0 < float(configured) <= 48:
        raise SettingError(
            f"RENKEI_SILENCE_HOURS「{configured[:20]}」は0より大きく48以下の数（時間）で指定してください。"
        )
    return dt.timedelta(hours=float(configured))


def spread_minutes() -> int:
    """RENKEI_SPREAD_MINUTES: over how many minutes from 4:30 on the tenants are spread that name no 処理時刻; 0 = none."""
    configured = os.environ.get("RENKEI_SPREAD_MINUTES") or "0"
    return min(int(configured), MAX_SPREAD) if re.fullmatch(r"[0-9]{1,4}", configured) else 0


def retry_delay() -> dt.timedelta:
    """RENKEI_RETRY_DELAY_S: seconds before a passing fault is tried again; doubles each time."""
    return dt.timedelta(seconds=float(os.environ.get("RENKEI_RETRY_DELAY_S") or 120))


def database_url() -> str:
    """RENKEI_DATABASE: where rows that change one by one live, as an SQLAlchemy URL; default a file beside the store."""
    configured = os.environ.get("RENKEI_DATABASE")
    if configured:
        return configured
    store = urlsplit(store_url())
    beside = Path(unquote(store.path)).parent if store.scheme in ("", "file") else _airflow_home() / "renkei"
    return f"sqlite:///{beside / 'renkei.db'}"


def pumps() -> int:
    """RENKEI_PUMPS: among how many Dags the tenants with an inbox are shared, 1 to 16."""
    configured = os.environ.get("RENKEI_PUMPS") or "1"
    return min(16, int(configured)) if re.fullmatch(r"[1-9][0-9]?", configured) else 1


def drop_folder() -> Path | None:
    """RENKEI_DROP: where events come as files, in `<link>/<tenant>/`; none come where it is not set."""
    configured = os.environ.get("RENKEI_DROP")
    return Path(configured) if configured else None


def public_url() -> str | None:
    """RENKEI_PUBLIC_URL: where the internet reaches `renkei serve` (`https://renkei.example.jp`); without it, what it would
    serve is in Airflow's API server.
    """
    return os.environ.get("RENKEI_PUBLIC_URL", "").strip().rstrip("/") or None


def check_public_url() -> None:
    """Raises SettingError: RENKEI_PUBLIC_URL is no address that pages, cookies and forms' origins could begin with."""
    url = public_url()
    if url and not re.fullmatch(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?", url):
        raise SettingError(
            f"RENKEI_PUBLIC_URL「{url}」を、https://renkei.example.jp の形（小文字のホスト名、後ろのパスなし）にしてください。"
        )
