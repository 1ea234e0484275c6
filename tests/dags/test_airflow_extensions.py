"""What Airflow loads of ours besides Dags: plugins, connection types, hooks."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import smtplib
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from renkei.errors import ConnectionError_
from renkei.links.smarthr_emc.sheet.mapping import Loader
from renkei.notifications.services import SPECS
from renkei.orchestration.channel_hooks import ChannelHook
from renkei.orchestration.hotprofile_kintone.connections import HotProfileHook
from renkei.orchestration.plain_mail import MailMessenger, PlainMailHook, quoted
from renkei.orchestration.provider import get_provider_info
from renkei.orchestration.smarthr_emc import connections
from renkei.orchestration.smarthr_emc.hooks import EmcHook, SmartHRHook
from renkei.orchestration.workplace_lineworks.connections import WorkplaceHook
from renkei.systems.delivery import Message, Verdict
from renkei.texts import mail_addresses
from scripts.chat_connections import chat_connections
from scripts.neighbours import Neighbours
from tests.builders import mapping
from tests.conftest import ROOT

SCAN = """
import json, pathlib, sys
from airflow import plugins_manager
plugins_manager.ensure_plugins_loaded()
folder = pathlib.Path(sys.argv[1])
ours = {name: module.__file__ for name, module in sys.modules.items()
        if "." not in name and name != "renkei" and folder in pathlib.Path(getattr(module, "__file__", None) or "/").parents}
import calendar, copy, queue, select, types
print(json.dumps({
    "errors": plugins_manager.get_import_errors(),
    "ours": ours,
    "own": [calendar.monthrange(2026, 2)[1], queue.Queue().qsize(), copy.copy(1), types.ModuleType.__name__],
}))
"""


def scan(folder: Path, home: Path) -> dict[str, Any]:
    """What Airflow's plugin manager makes of a plugins folder, in a process of its own."""
    environment = os.environ | {"AIRFLOW__CORE__PLUGINS_FOLDER": str(folder), "AIRFLOW_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-c", SCAN, str(folder)], capture_output=True, text=True, env=environment, cwd=home
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_plugin_manager_leaves_our_modules_alone(tmp_path: Path) -> None:
    """Of ours, only the plugin is imported under its bare name; the standard library is what it was."""
    ours = {"renkei_plugin": str(ROOT / "plugins" / "renkei_plugin.py")}
    assert scan(ROOT / "plugins", tmp_path) == {"errors": {}, "ours": ours, "own": [28, 0, 1, "module"]}


def test_plugin_manager_would_take_a_module_that_is_not_excluded(tmp_path: Path) -> None:
    """Without the ignore file the scan above sees such modules, so it can fail."""
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "queue_of_ours.py").write_text("value = 1\n")
    assert list(scan(plugins, tmp_path)["ours"]) == ["queue_of_ours"]


def test_connection_types_have_japanese_forms() -> None:
    """Airflow finds both connection types through the installed package, with their hooks and labels."""
    from airflow.api_fastapi.core_api.services.ui.connections import HookMetaService

    forms = {form.connection_type: form for form in HookMetaService.hook_meta_data()}
    shown = {}
    for kind in ("smarthr", "emc"):
        fields = forms[kind].standard_fields
        assert fields is not None
        assert fields.host is not None
        assert fields.password is not None
        hidden = [name for name in ("login", "port", "url_schema") if (field := getattr(fields, name)) and field.hidden]
        shown[kind] = (forms[kind].hook_class_name, fields.host.title, fields.password.title, hidden)
    hooks, hidden = "renkei.orchestration.smarthr_emc.hooks", ["login", "port", "url_schema"]
    assert shown == {
        "smarthr": (f"{hooks}.SmartHRHook", "SmartHRのURL（任意）", "アクセストークン", hidden),
        "emc": (f"{hooks}.EmcHook", "EMC取込APIのURL", "トークン", hidden),
    }


@pytest.fixture
def connect(neighbours: Neighbours, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Registers a Connection; SmartHR's simulator may stand in for SmartHR."""
    monkeypatch.setenv("RENKEI_ALLOWED_HOSTS", urlsplit(neighbours.urls["smarthr"]).netloc)

    def register(conn_type: str, host: str, password: str) -> None:
        connection = {"conn_type": conn_type, "host": host, "password": password}
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_type.upper()}__ACME", json.dumps(connection))

    return register


def test_test_button_accepts_a_good_token(connect: Any, neighbours: Neighbours) -> None:
    """Both forms say that they reached the other side."""
    connect("smarthr", neighbours.urls["smarthr"], "shr_sim_acme")
    connect("emc", neighbours.urls["emc"], "emc_sim_acme")
    assert SmartHRHook("smarthr__acme").test_connection() == (True, "SmartHRに接続できました。")
    ok, message = EmcHook("emc__acme").test_connection()
    assert ok
    assert message.startswith("EMCに接続できました（アカウント acme、")


def test_test_button_refuses_a_bad_token(connect: Any, neighbours: Neighbours) -> None:
    """Both forms say what is wrong with it, without repeating it."""
    connect("smarthr", neighbours.urls["smarthr"], "shr_sim_wrong")
    connect("emc", neighbours.urls["emc"], "emc_sim_wrong")
    smarthr, emc = SmartHRHook("smarthr__acme").test_connection(), EmcHook("emc__acme").test_connection()
    assert (smarthr[0], emc[0]) == (False, False)
    assert "アクセストークンが無効です" in smarthr[1]
    assert "EMCのトークンが無効か、権限がありません" in emc[1]
    assert "wrong" not in smarthr[1] + emc[1]


@pytest.mark.parametrize(
    ("host", "message"),
    [("", "SmartHRのURLを入力してから"), ("https://smarthr.example.com", "SmartHRのURLではありません")],
)
def test_l7_test_button_sends_no_token_elsewhere(connect: Any, host: str, message: str) -> None:
    """A URL that is not SmartHR's is refused before anything is sent."""
    connect("smarthr", host, "shr_sim_acme")
    ok, said = SmartHRHook("smarthr__acme").test_connection()
    assert not ok
    assert message in said


@pytest.mark.parametrize(("hook", "kind"), [(SmartHRHook, "smarthr"), (EmcHook, "emc")])
def test_l7_a_host_without_a_scheme_is_spoken_to_by_https(connect: Any, hook: Any, kind: str) -> None:
    """HttpHook alone would take http, and send the token in clear."""
    connect(kind, "acme.smarthr.jp", "token")
    found = hook(f"{kind}__acme")
    found.get_conn()
    assert found.base_url == "https://acme.smarthr.jp"


@pytest.mark.parametrize(
    ("url", "ok"),
    [
        ("https://emc.example.jp", True),
        ("https://emc.example.jp:8443/import", True),
        ("http://127.0.0.1:8282", True),
        ("http://localhost:8282", True),
        ("http://stand-in:8282", True),
        ("http://stand-in:8283", False),
        ("http://emc.example.jp", False),
        ("HTTP://emc.example.jp:443", False),
        ("http://127.0.0.1.example.jp", False),
        ("http://127.0.0.1@emc.example.jp", False),
        ("http://emc.example.jp\\@127.0.0.1", False),
        ("ftp://emc.example.jp", False),
    ],
)
def test_l7_emc_is_not_spoken_to_in_clear(connect: Any, monkeypatch: pytest.MonkeyPatch, url: str, ok: bool) -> None:
    """Only on this machine, or with a stand-in that the operator allows."""
    monkeypatch.setenv("RENKEI_ALLOWED_HOSTS", "stand-in:8282")
    connect("emc", url, "emc_sim_acme")
    if ok:
        assert EmcHook("emc__acme").client() is not None
    else:
        with pytest.raises(ConnectionError_, match=r"「emc__acme」.*https://"):
            EmcHook("emc__acme").client()
        assert EmcHook("emc__acme").test_connection()[0] is False


def test_l7_scheme_of_the_connection_does_not_put_emc_in_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow keeps a scheme in a field of its own, too."""
    connection = {"conn_type": "emc", "host": "emc.example.jp", "schema": "http", "password": "t"}
    monkeypatch.setenv("AIRFLOW_CONN_EMC__ACME", json.dumps(connection))
    with pytest.raises(ConnectionError_, match="https://"):
        EmcHook("emc__acme").client()


@pytest.mark.parametrize(("hook", "kind"), [(SmartHRHook, "smarthr"), (EmcHook, "emc")])
@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("shr_Ａbc", "5文字目が全角文字です"),
        ("shr_abc　def", "8文字目が空白または見えない文字です"),
        ("shr abc", "4文字目が空白または見えない文字です"),
        ("shr_a\nbc", "6文字目が改行です"),
        ("shr\u200b_abc", "4文字目が空白または見えない文字です"),
        ("shr_é", "5文字目が半角英数字と記号以外の文字です"),
        ("shr_\x00", "5文字目が空白または見えない文字です"),
    ],
)
def test_l8_token_that_no_header_can_carry_is_named_by_place_and_kind(
    connect: Any, hook: Any, kind: str, token: str, words: str
) -> None:
    """Before anything is sent, and without repeating it."""
    connect(kind, "https://acme.smarthr.jp", token)
    ok, said = hook(f"{kind}__acme").test_connection()
    assert not ok
    assert words in said
    assert token not in said


def test_l7_no_client_for_a_host_that_is_not_smarthrs(connect: Any) -> None:
    """A sheet kept from a time when other hosts were allowed is checked once more before the token goes out."""
    connect("smarthr", "", "shr_sim_acme")
    with pytest.raises(ConnectionError_, match="トークンを送りませんでした"):
        SmartHRHook("smarthr__acme").client("https://smarthr.example.com", 10)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        *(({"extra": extra}, "の形のJSONにしてください") for extra in ("[1]", "null", "3", '"{}"')),
        ({"conn_type": "slack_bot"}, "種類が「"),
        ({"host": "https://u:p@acme.smarthr.jp"}, ""),
        ({"host": "https://acme.smarthr.jp:abc"}, ""),
        ({"extra": {"verify": "/no/such.pem"}}, "URL(Host)またはExtraに誤り"),
        ({"extra": {"cert": "/no/such.pem"}}, "URL(Host)またはExtraに誤り"),
        ({"extra": {"timeout_s": 5}}, "URL(Host)またはExtraに誤り"),
    ],
)
@pytest.mark.parametrize(
    ("hook", "kind"),
    [
        (SmartHRHook, "smarthr"),
        (EmcHook, "emc"),
        (HotProfileHook, "hotprofile"),
        (WorkplaceHook, "workplace"),
    ],
)
def test_l8_what_a_connection_says_wrongly_is_told_as_that(
    monkeypatch: pytest.MonkeyPatch, hook: Any, kind: str, fields: dict[str, Any], words: str
) -> None:
    """Never as an exception, a service that is away, or an address that should begin as it does."""
    good = {"conn_type": kind, "host": "https://acme.smarthr.jp", "password": "t0ken"}
    monkeypatch.setenv(f"AIRFLOW_CONN_{kind.upper()}__ACME", json.dumps(good | fields))
    ok, said = hook(f"{kind}__acme").test_connection()
    assert not ok
    assert words in said
    assert "https:// で始まりません" not in said
    assert "t0ken" not in said


@pytest.mark.parametrize(
    "fields",
    [
        *({"conn_type": kind, "extra": {"path": "/tmp/drop"}} for kind in ("ftp", "ssh", "SFTP", "s3", "")),
        *({"conn_type": "fs", "extra": {"path": path}} for path in ("  ", "drop", "~/drop", "file:///drop", 5, ["/a"])),
        *({"conn_type": "fs", "extra": extra} for extra in ("[1]", "null", '"/drop"')),
        {"conn_type": "sftp"},
        *(
            {"conn_type": "sftp", "host": "127.0.0.1", "extra": extra}
            for extra in ("[1]", {"host_key": ["a"]}, {"private_key": "t0ken"}, {"private_key": 5, "key_file": 3})
        ),
    ],
)
def test_l1_a_folder_that_is_not_sure_gets_no_people(monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any]) -> None:
    """E38: another service's files never come to lie on the worker, or wherever it was started."""
    monkeypatch.setenv("AIRFLOW_CONN_EMC_DROP__ACME", json.dumps(fields))
    with pytest.raises(ConnectionError_, match="接続「emc_drop__acme」") as refused:
        connections.drop_folder(dataclasses.replace(mapping(), loader=Loader.FILE_DROP))
    assert "t0ken" not in str(refused.value)


def test_test_button_says_when_emc_is_out_of_reach(connect: Any, closed_port: int) -> None:
    """No answer is told as such."""
    connect("emc", f"http://127.0.0.1:{closed_port}", "emc_sim_acme")
    ok, message = EmcHook("emc__acme").test_connection()
    assert not ok
    assert "EMCに接続できない" in message


def test_l7_connection_of_another_company_is_refused(connect: Any) -> None:
    """The sheet's SmartHR and the Connection's must be one, or one company's people would reach another's EMC."""
    connect("smarthr", "https://other.smarthr.jp", "shr_sim_other")
    with pytest.raises(ConnectionError_, match="連携設定シートのSmartHR URLが異なります"):
        SmartHRHook("smarthr__acme").client("https://acme.smarthr.jp", 10)


def test_connection_without_host_takes_the_sheets(connect: Any) -> None:
    """The URL of the sheet is enough."""
    connect("smarthr", "", "shr_sim_acme")
    assert SmartHRHook("smarthr__acme").client("https://acme.smarthr.jp", 10) is not None


@pytest.mark.parametrize(("hook", "conn_id"), [(SmartHRHook, "smarthr__nobody"), (EmcHook, "emc__nobody")])
def test_missing_connection_is_named(hook: Any, conn_id: str) -> None:
    """The message names the Connection and where to register it."""
    ok, message = hook(conn_id).test_connection()
    assert not ok
    assert message.startswith(f"Airflowの接続「{conn_id}」（")
    assert "Admin > Connections" in message


def test_l7_missing_secret_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """秘密:NAME of a sheet: a Connection that is not there, or has no password, is told by its name."""
    with pytest.raises(
        ConnectionError_, match="Airflowの接続「initial_password」（連携設定シートの「秘密:」）がありません"
    ):
        connections.secret("initial_password")
    monkeypatch.setenv("AIRFLOW_CONN_INITIAL_PASSWORD", json.dumps({"conn_type": "generic"}))
    with pytest.raises(ConnectionError_, match="接続「initial_password」にPasswordがありません"):
        connections.secret("initial_password")
    monkeypatch.setenv("AIRFLOW_CONN_INITIAL_PASSWORD", json.dumps({"conn_type": "generic", "password": "Aa1!"}))
    assert connections.secret("initial_password") == "Aa1!"


@pytest.mark.parametrize("kind", ["smarthr", "emc", "slack_webhook", "line", "sftp"])
def test_e41_what_opens_a_system_is_no_first_password(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Whatever it is called and whoever gave it: a token never reaches EMC as somebody's password."""
    monkeypatch.setenv("AIRFLOW_CONN_FIRST__ACME", json.dumps({"conn_type": kind, "password": "t0ken"}))
    with pytest.raises(ConnectionError_, match=f"種類が「{kind}」なので") as refused:
        connections.secret("first__acme")
    assert "t0ken" not in str(refused.value)


@pytest.mark.parametrize("token", ["", "   "])
def test_connection_without_token_is_named(connect: Any, neighbours: Neighbours, token: str) -> None:
    """A blank password is told as a missing token."""
    connect("smarthr", neighbours.urls["smarthr"], token)
    ok, message = SmartHRHook("smarthr__acme").test_connection()
    assert not ok
    assert "「smarthr__acme」（SmartHR）にトークン(Password)がありません" in message


def test_l6_a_refused_mail_is_told_without_addresses(
    neighbours: Neighbours, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What a mail server says quotes the address; Airflow would write it into the log of `notify`."""
    faults = f"{neighbours.urls['mail']}/_sim/faults"
    requests.post(faults, json=[{"kind": "refuse_recipient"}], timeout=10).raise_for_status()
    extra = {"disable_ssl": True, "disable_tls": True, "from_email": "renkei@example.jp"}
    connection = {"conn_type": "smtp", "host": "127.0.0.1", "port": neighbours.smtp_port, "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(connection))
    message = Message("処理結果", subject="EMC-OK")
    with caplog.at_level(logging.DEBUG):
        delivery = MailMessenger().send(message, "soumu@acme.example.jp", "1")
    assert (delivery.verdict, delivery.status) == (Verdict.REFUSED, 550)
    assert delivery.reason == "recipients refused: 550"
    assert "soumu" not in caplog.text


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("soumu@acme.example.jp", "soumu@acme.example.jp"),
        ("a..b@docomo.ne.jp", '"a..b"@docomo.ne.jp'),
        (".a@docomo.ne.jp", '".a"@docomo.ne.jp'),
        ("a.@ezweb.ne.jp", '"a."@ezweb.ne.jp'),
        ("-a@docomo.ne.jp", "-a@docomo.ne.jp"),
        ("a@xn--wgv71a119e.jp", "a@xn--wgv71a119e.jp"),
    ],
)
def test_e4_an_accepted_address_is_delivered_to(
    neighbours: Neighbours, monkeypatch: pytest.MonkeyPatch, address: str, written: str
) -> None:
    """Old addresses of carriers are written as RFC 5321 has them; no server needs to know UTF-8 in addresses."""
    assert mail_addresses(address) == (address,)
    requests.delete(f"{neighbours.urls['mail']}/_sim/messages", timeout=10).raise_for_status()
    extra = {"disable_ssl": True, "disable_tls": True, "from_email": "renkei@example.jp"}
    connection = {"conn_type": "smtp", "host": "127.0.0.1", "port": neighbours.smtp_port, "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(connection))
    assert MailMessenger().send(Message("処理結果"), address, "1").accepted
    assert [mail["to"] for mail in neighbours.mails()] == [[address]]
    assert quoted(address) == written


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (smtplib.SMTPAuthenticationError(535, b"no"), Verdict.LATER),
        (smtplib.SMTPDataError(451, b"busy"), Verdict.LATER),
        (smtplib.SMTPDataError(554, b"spam"), Verdict.REFUSED),
        (smtplib.SMTPRecipientsRefused({"a@b": (550, b"no"), "c@d": (450, b"later")}), Verdict.LATER),
        (smtplib.SMTPRecipientsRefused({"a@b": (550, b"no")}), Verdict.REFUSED),
        (smtplib.SMTPServerDisconnected(), Verdict.LATER),
        (TimeoutError(), Verdict.LATER),
    ],
    ids=str,
)
def test_n3_what_a_mail_server_may_take_later_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, error: Exception, verdict: Verdict
) -> None:
    """N3: only what it refuses for good is not."""

    def fail(self: PlainMailHook) -> None:
        raise error

    monkeypatch.setattr(PlainMailHook, "__enter__", fail)
    delivery = MailMessenger().send(Message("x"), "a@b", "1")
    assert delivery.verdict is verdict
    assert "a@b" not in delivery.reason


def test_n3_a_missing_mail_server_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the Connection smtp_default."""
    monkeypatch.delenv("AIRFLOW_CONN_SMTP_DEFAULT", raising=False)
    delivery = MailMessenger().check()
    assert delivery.verdict is Verdict.LATER  # a secrets backend that is away for a moment says the same
    assert "smtp_default" in delivery.reason


def test_n1_every_chat_service_has_a_form_and_a_hook_that_agree() -> None:
    """What `services.py` says of a service is what Airflow's connection form asks for."""
    forms = {form["connection-type"]: form for form in get_provider_info()["connection-types"]}
    for spec in SPECS:
        if not spec.fields:
            continue
        form = forms[spec.connection_type]
        module, _, name = form["hook-class-name"].rpartition(".")
        hook = getattr(import_module(module), name)
        assert (hook.service, hook.conn_type, hook.hook_name) == (spec.service, spec.connection_type, form["hook-name"])
        asked = {
            place for place in ("host", "login", "password") if place not in form["ui-field-behaviour"]["hidden-fields"]
        }
        assert asked == {field.place for field in spec.fields if field.place != "extra"}
        assert set(form["conn-fields"]) == {field.key for field in spec.fields if field.place == "extra"}


@pytest.mark.parametrize("kind", ["slack_bot", "chatwork", "lineworks", "line", "slack_webhook", "teams_workflow"])
def test_n5_the_test_button_asks_the_service(
    neighbours: Neighbours, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """A right secret passes, a wrong one is explained, and nothing is sent."""
    monkeypatch.setenv("RENKEI_ALLOWED_HOSTS", neighbours.urls["chat"].removeprefix("http://"))
    requests.post(f"{neighbours.urls['chat']}/_sim/reset", timeout=10).raise_for_status()
    connection = chat_connections(neighbours.chat_registrations(), "acme")[f"{kind}__acme"]
    hook = next(hook for hook in ChannelHook.__subclasses__() if hook.conn_type == kind)
    monkeypatch.setenv("AIRFLOW_CONN_CHAT__ACME", json.dumps(connection))
    well, text = hook("chat__acme").test_connection()
    assert well, text
    wrong = "https://evil.example.com/x" if "webhook" in kind or "workflow" in kind else "wrong-secret"
    monkeypatch.setenv("AIRFLOW_CONN_CHAT__ACME", json.dumps({**connection, "password": wrong}))
    well, text = hook("chat__acme").test_connection()
    assert not well
    assert text.endswith("。")
    assert wrong not in text
    assert neighbours.chat_messages() == []


def test_l7_no_secret_of_extra_is_a_header(monkeypatch: pytest.MonkeyPatch) -> None:
    """L7: Airflow's HttpHook makes a header of whatever Extra has; a field of ours there is none."""
    extra = {"events_secret": "s" * 40, "X-Gateway": "ours"}
    connection = {"conn_type": "workplace", "host": "https://workplace.example.jp", "password": "token", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_WORKPLACE__ACME", json.dumps(connection))
    session, _ = WorkplaceHook("workplace__acme").open_session()
    assert session.headers["X-Gateway"] == "ours"
    assert "events_secret" not in session.headers
