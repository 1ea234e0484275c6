"""What `make run` shows of LINE WORKS → KING OF TIME: set up on the console's pages, then a talk, its punch, its reply."""

from __future__ import annotations

import datetime as dt
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

from renkei.systems.kingoftime.hours import reading_opens_in
from scripts.local_airflow import PASSWORD, USER, LocalAirflow
from scripts.neighbours import Neighbours, sim
from scripts.page_forms import field_of, forms_of
from scripts.sample_sheets import write_sample

LINK, TENANT = "lineworks_kot", "hinata"
DAG = f"{LINK}__{TENANT}"
SCOPES = ["bot", "bot.message", "bot.read", "calendar", "user.read", "user.email.read"]  # of all links: one app
ACCOUNTS = {"1001": "sato@acme.example", "1002": "suzuki@acme.example", "1003": "tanaka@acme.example"}
PATIENCE_S = 240.0

Expect = Callable[[str, object, object], None]
Say = Callable[[str], None]


def write_sheet(mappings: Path, tenant: str = TENANT) -> Path:
    own = {"company_name": "ひなた工業株式会社", "result_addresses": ["soumu@hinata.example.jp"]}
    return write_sample(mappings, LINK, tenant, lambda sheet: sheet.update(own))


def connections(urls: dict[str, str], tenant: str = TENANT) -> dict[str, str]:
    """KING OF TIME's, as an operator would enter it; LINE WORKS' is registered on the console's page."""
    kingoftime = {"conn_type": "kingoftime", "host": urls["kingoftime"], "password": "kot_sim_token"}
    return {f"AIRFLOW_CONN_KINGOFTIME__{tenant.upper()}": json.dumps(kingoftime)}


def show(airflow: LocalAirflow, neighbours: Neighbours, expect: Expect, say: Say) -> None:
    """From LINE WORKSのAPI登録 to a punch that was pressed twice and is one."""
    if wait := reading_opens_in(dt.datetime.now(dt.UTC)):
        say(f"left out: KING OF TIME lets nobody read its employees for another {wait / 60:.0f} minutes")
        return
    chat, kingoftime = neighbours.urls["chat"], neighbours.urls["kingoftime"]
    bot = neighbours.chat_registrations()["lineworks"]
    callback = f"{airflow.url}/renkei/lineworks/{TENANT}/callback"
    sim("POST", chat, "lineworks", {"scopes": SCOPES, "callback_url": callback})
    airflow.wait_for_dags([DAG, "renkei_pump", "renkei_jobs"])
    for dag in ("renkei_pump", "renkei_jobs"):
        airflow.unpause(dag)
    _set_up(airflow, bot, expect, say)

    began = time.monotonic()
    _said(chat, "sato@acme.example", "出勤します")
    _said(chat, "sato@acme.example", "出勤")
    _said(chat, "tanaka@acme.example", "休憩開始")  # her 雇用区分 allows none
    _said(chat, "suzuki@acme.example", "おはようございます")  # no word of 打刻メッセージ
    punched = _until(lambda: sim("GET", kingoftime, "punches"))
    say(f"{time.monotonic() - began:5.1f} s  出勤します: punched")
    replies = _until(lambda: said if len(said := _replies(chat)) >= 3 else [])
    found = [(one["employee"], one["kind"]) for one in sim("GET", kingoftime, "punches")]
    expect("KING OF TIME: punches", [("1001", "1")], found)
    for words in ("出勤を記録しました", "受付済みです", "休憩打刻が許可されていません"):
        expect(f"LINE WORKS, a reply with {words}", True, any(words in text for text in replies))
    expect("LINE WORKS, first messages", 3, sum("打刻連携の設定が完了しました" in text for text in _texts(chat)))
    assert punched


def _set_up(airflow: LocalAirflow, bot: dict[str, Any], expect: Expect, say: Say) -> None:
    """As an administrator does it, page by page."""
    # The page knows no simulator: where LINE WORKS is, the operator has entered.
    registered = {"connection_id": f"lineworks__{TENANT}", "conn_type": "lineworks", "host": bot["base_url"]}
    airflow.api("POST", "/connections", json=registered)
    console = Console(airflow.url, f"/renkei/console/dag/{DAG}")
    console.post("lineworks", "lineworks/agree", agreed="1")
    names = ("client_id", "client_secret", "service_account", "private_key", "bot_id")
    told = console.job("lineworks", "lineworks/first", **{name: bot[name] for name in names})
    expect("LINE WORKSのAPI登録, first stage", True, "第一段階のAPI登録が成功しました。" in told)
    console.post("lineworks", "lineworks/second", bot_secret=bot["bot_secret"])
    told = console.get("lineworks")
    expect("LINE WORKSのAPI登録, second stage", True, "LINE WORKS と連携できました。" in told)
    told = console.job("accounts", "accounts/read")
    expect("KING OF TIME: employees", True, "従業員 4名を読み込みました。" in told)
    lines = "".join(f"{code},{account}\n" for code, account in ACCOUNTS.items())
    file = ("accounts.csv", f"従業員コード,LINE WORKSアカウントID\n{lines}".encode())
    preview = console.job("accounts", "accounts/import", files={"file": file})
    told = console.job("accounts", "accounts/import/confirm", file=field_of(preview, "file"))
    expect("一括インポート", True, "登録しました（変更 3名）。" in told)
    told = console.job("accounts", "accounts/check")
    expect("LINE WORKS: accounts", True, "登録済 3件" in told)
    console.job("first", "first/send", sure="1")
    say("registered, three accounts, first messages on their way")


class Console:
    """The console in a browser of one user: forms carry the token of the page that they are on."""

    def __init__(self, airflow: str, dag: str) -> None:
        self._base, self._airflow, self._session = f"{airflow}{dag}", airflow, requests.Session()
        answer = requests.post(f"{airflow}/auth/token", json={"username": USER, "password": PASSWORD}, timeout=60)
        self._session.cookies.set("_token", answer.json()["access_token"])
        self._session.headers["Sec-Fetch-Site"] = "same-origin"

    def get(self, path: str) -> str:
        answer = self._session.get(f"{self._base}/{path}", timeout=60)
        answer.raise_for_status()
        return answer.text

    def post(self, page: str, path: str, **form: str) -> str:
        """The page that is shown then."""
        answer = self._send(page, path, None, form)
        answer.raise_for_status()
        return answer.text

    def job(self, page: str, path: str, files: Any = None, **form: str) -> str:
        """The job's page once it is over."""
        place = self._send(page, path, files, form).url

        def over() -> str:
            shown = self._session.get(place, timeout=60).text
            return shown if 'class="answer"' in shown or "失敗しました" in shown else ""

        return _until(over)

    def _send(self, page: str, path: str, files: Any, form: dict[str, str]) -> requests.Response:
        shown = self.get(page)
        drawn = next((one.fields for one in forms_of(shown) if one.action.endswith(f"/{path}")), {})
        token = field_of(shown, "token")  # for the form of a job's answer
        data = {"token": token, **drawn, **form}
        answer = self._session.post(f"{self._base}/{path}", data=data, files=files, timeout=60)
        if not answer.ok:
            said = re.sub(r"<[^>]+>|\s+", " ", answer.text)[-800:]
            raise RuntimeError(f"{path}: {answer.status_code} {said}")
        return answer


def _until(ask: Callable[[], Any]) -> Any:
    """What `ask` gives once it gives something; at last, whatever it gives."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := ask()) and time.monotonic() < deadline:
        time.sleep(0.3)
    return found


def _said(chat: str, user: str, text: str) -> None:
    sim("POST", chat, "lineworks/said", [{"user": user, "text": text}])


def _texts(chat: str) -> list[str]:
    return [one["text"] for one in sim("GET", chat, "messages?service=lineworks")]


def _replies(chat: str) -> list[str]:
    """What the bot answered to punches, each of which begins with its time."""
    return [text for text in _texts(chat) if re.match(r"\d{1,2}:\d\d ", text)]
