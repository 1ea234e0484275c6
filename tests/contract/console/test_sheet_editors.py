"""S2: the sheets of three links as a form, over HTTP: what is saved is a new version, checked like any; who may."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from renkei.links.hotprofile_kintone.forms import keep_of
from renkei.orchestration import jobs
from renkei.storage import once
from renkei.storage.versions import Origin
from renkei.systems.kintone.form import Field, Form
from scripts.page_forms import field_of, forms_of
from tests.conftest import ROOT
from tests.contract.console import kintone_world, punching_world, workplace_world
from tests.contract.console.kintone_world import KintoneWorld
from tests.contract.console.punching_world import PunchingWorld
from tests.contract.console.workplace_world import WorkplaceWorld
from tests.contract.console.world import BASE, NOW, OwnPagesWorld, text_of
from tests.harness.hotprofile_kintone import FORM

DAGS = {"kintone": kintone_world.DAG, "punching": punching_world.DAG, "workplace": workplace_world.DAG}
MANY = {f"table.9.{n}.item": "" for n in range(1_000)}  # a big sheet has more fields than a form usually may


@pytest.fixture(params=DAGS)
def world(request: pytest.FixtureRequest, place: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[OwnPagesWorld, str]:
    made: Any = {
        "kintone": lambda: KintoneWorld(place),
        "punching": lambda: PunchingWorld(place, monkeypatch),
        "workplace": lambda: WorkplaceWorld(place),
    }[request.param]
    return made(), DAGS[request.param]


def test_s2_the_form_of_each_link_is_saved_as_a_new_version(world: tuple[OwnPagesWorld, str]) -> None:
    """As it is shown it changes nothing; 会社名 changed is the one difference; nothing is in force before it is enabled."""
    console, dag = world
    path, sheets = f"{BASE}/dag/{dag}/sheet-form", f"{BASE}/dag/{dag}/sheets"
    yuki = console.browser("yuki")
    before = console.services.sheets.of(dag).file()
    assert "画面で編集する" in yuki.get(sheets).text
    shown = yuki.get(path)
    assert shown.status_code == 200, text_of(shown.text)
    (drawn,) = [form.fields for form in forms_of(shown.text) if form.action.endswith("/sheet-form")]
    sent = MANY | drawn | {"token": console.token("yuki")}
    name = re.search(r'<label for="(setting\.\d+)">会社名<', shown.text)
    assert name
    for company, said in ((sent[name[1]], "違いはありません"), ("アクメ改", "アクメ改")):
        answer = yuki.post(path, data=sent | {name[1]: company})
        assert answer.status_code == 303, text_of(answer.text)
        page = text_of(yuki.get(answer.headers["location"]).text)
        assert said in page
        number = int(answer.headers["location"].rpartition("/")[2])
        assert "誤りがあるため" not in page
    assert console.services.sheets.of(dag).versions.read(number).origin is Origin.FORM
    assert console.services.sheets.of(dag).file() == before
    assert console.browser("ken").get(path).status_code in (403, 404)
    assert console.browser("ken").post(path, data={"of": "1", "token": console.token("ken")}).status_code in (403, 404)


@pytest.mark.parametrize("world", ["kintone"], indirect=True)
def test_k8_the_codes_that_were_read_are_offered_to_their_data_set(world: tuple[KintoneWorld, str]) -> None:
    """Those of the app, of a table's columns, and the tables; nothing where no form was read."""
    console, dag = world
    path = f"{BASE}/dag/{dag}/sheet-form"
    yuki = console.browser("yuki")
    offered = re.compile(r'<input name="table\.0\.\d+\.(?:field|table)"[^>]* list="([^"]+)"')
    assert not offered.findall(yuki.get(path).text)
    rows = Field("rows", "SUBTABLE", "明細", cells=(Field("cell", "SINGLE_LINE_TEXT", "<品名>"),))
    form = Form("1", "3", {**FORM.fields, "rows": rows})
    keep_of(console.link.database, "acme", "acme.cybozu.com", "1", form, NOW)
    shown = yuki.get(path).text
    lists = dict(re.findall(r'<datalist id="([^"]+)">(.*?)</datalist>', shown))
    told = [re.findall(r'value="([^"]*)"', lists[one]) for one in dict.fromkeys(offered.findall(shown))]
    assert told == [["id", "name", "note", "cell"], ["rows"]]
    others = set(re.findall(r'<input name="table\.[12]\.\d+\.(?:field|table)"[^>]* list=', shown))
    assert not others


def test_n1_a_channel_is_registered_in_the_sheet_of_each_link(world: tuple[OwnPagesWorld, str]) -> None:
    """通知連携の登録 writes a line of 通知, and leaves all else of the sheet as it was."""
    console, dag = world
    yuki, sheet = console.browser("yuki"), console.services.sheets.of(dag)
    before = sheet.file()
    assert before.path
    had = console.services.sheets.review(dag, before.path.name, before.content)
    shown = yuki.get(f"{BASE}/dag/{dag}/channels/new?service=MAIL")
    form = {
        "digest": field_of(shown.text, "digest"),
        "service": "MAIL",
        "name": "人事のメール",
        "to": "jinji@acme.example.jp",
    }
    answer = yuki.post(f"{BASE}/dag/{dag}/channels", data=form | {"token": console.token("yuki")})
    assert (answer.status_code, "version=" in answer.headers["location"]) == (303, True), text_of(answer.text)
    now = console.services.sheets.review(dag, before.path.name, sheet.file().content)
    assert now.mapping == had.mapping
    assert [one.name for one in now.channels] == [*(one.name for one in had.channels), "人事のメール"]


def test_s2_sheets_of_each_link_come_in_a_zip(
    world: tuple[OwnPagesWorld, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """S2, S6: a changed one, a new company's, a broken one; what is sound is put into force."""
    console, dag = world
    link, sheet = dag.partition("__")[0], console.services.sheets.of(dag)
    own = sheet.file()
    assert own.path
    changed = own.content.replace("株式会社アクメ".encode(), "アクメ改".encode())
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w") as new:
        for name, content in (("acme", changed), ("gamma", own.content), ("delta", b"nonsense: [1")):
            new.writestr(f"{name}.yaml", content)
    omar, token = console.browser("omar"), {"token": console.token("omar")}
    files = {"file": ("sheets.zip", found.getvalue())}
    answer = omar.post(f"{BASE}/many", data=token | {"link": link}, files=files)
    assert answer.headers.get("location") == f"{BASE}/many/{link}/1", text_of(answer.text)
    monkeypatch.setattr(jobs, "utcnow", lambda: NOW)
    monkeypatch.setattr("renkei.web.console.many.ENABLED_S", 1_000.0)
    (kept,) = (key for key in console.store.files(f"{link}/tenants/operator/jobs/00000001") if "request" in key)
    (run,) = re.findall(r"job__1__\w+", console.store.read(kept).decode())
    jobs.run_job(f"{link}__operator/1", run, str(ROOT / "dags/renkei_jobs.py"))
    shown = text_of(omar.get(f"{BASE}/many/{link}/1").text)
    assert "有効にできる 2 誤り 1 全3件" in shown
    omar.post(f"{BASE}/many/{link}/1/enable", data=token | {"reason": "一括の登録", "once": once.new(NOW)})
    assert sheet.file().content == changed
    assert (own.path.parent / "gamma.yaml").read_bytes() == own.content
    assert not (own.path.parent / "delta.yaml").exists()
