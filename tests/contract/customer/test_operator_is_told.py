"""What a customer does on the お客様ページ is told to the operator, by the watch's next look (S2, S5, L6)."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import pytest

from renkei.channel import OPERATOR, Event
from renkei.errors import NotificationError
from renkei.orchestration.link import LINKS
from renkei.orchestration.monitor import customers
from renkei.orchestration.monitor.monitor import monitor
from renkei.orchestration.monitor.once import Notices
from renkei.storage import customer_acts, records
from renkei.storage.customer_acts import CustomerAct, CustomerActKind
from renkei.storage.source_grants import Grant, GrantEvent, SourceGrants
from renkei.storage.store import StoreError
from renkei.storage.tenant_folder import TenantFolder
from renkei.storage.versions import Origin, Versions
from renkei.systems.delivery import refused
from renkei.web.tenant_sheet import TenantSheet
from tests.contract.customer.world import LINK, NOW, CustomerWorld, sheet
from tests.dags.monitor.looks import DAG_FILE, Ear

BROKEN = sheet().replace("source: 社員番号".encode(), "source: 社員番号 または".encode())
PERSONAL = "山田太郎の連携設定シート.yaml"
PAGE = "http://airflow.example.jp/renkei/console/dag/smarthr_emc__acme"
CUSTOMER = "【確認】SmartHR → EMC: お客様の操作があります"


class Watching:
    """Looks at the world, an operator's channel beside it."""

    def __init__(self, world: CustomerWorld) -> None:
        self.world, self.ear = world, Ear()

    def look(self, minutes: int = 15) -> list[tuple[str, str, str]]:
        """Title, lines and address of what is told of customers."""
        self.ear.said.clear()
        monitor(self.world.store, DAG_FILE, NOW + dt.timedelta(minutes=minutes), self.ear)
        said = [
            one
            for one in self.ear.said
            if one[2].title.startswith(("【確認】", "【失敗】SmartHR → EMC: SmartHRの再認可"))
        ]
        assert all(whom == OPERATOR and event in (Event.HOLD, Event.FAILURE) for whom, event, _, _ in said)
        return [(message.title, "\n".join(message.lines), message.link) for _, _, message, _ in said]

    def told(self) -> int:
        """How many keys of what was told are kept, in a file that each look reads."""
        return len(Notices(LINKS[LINK], self.world.store, NOW, self.ear).told_before(OPERATOR))

    def waiting(self) -> int:
        return len(customer_acts.noted(self.world.store, LINK, 100))


@pytest.fixture
def watching(world: CustomerWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watching:
    operator = tmp_path / "operator.yaml"
    operator.write_text("channels:\n- {name: 運用, service: slack_webhook, connection: ops}\n", encoding="utf-8")
    monkeypatch.setenv("RENKEI_OPERATOR", str(operator))
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "http://airflow.example.jp")
    return Watching(world)


def test_s2_an_upload_is_told_once_with_its_findings_and_its_page(watching: Watching) -> None:
    """Nothing of it names a person: neither whom the invitation is for, nor the file's name, nor a cell."""
    guest = watching.world.guest()
    guest.upload(BROKEN, PERSONAL)
    ((title, lines, page),) = watching.look()
    assert title == f"{CUSTOMER}（1件）"
    assert "株式会社アクメ（acme）: 連携設定シート（YAML、版1）をアップロードしました。誤り" in lines
    assert not [one for one in ("山田", "総務部", "社員番号") if one in title + lines + page]
    assert page == f"{PAGE}/sheets/1"
    assert Versions(TenantFolder(watching.world.store, LINK, "acme")).errors(1), "the lists know, too"
    assert (watching.look(30), watching.waiting(), watching.told()) == ([], 0, 0)
    for minutes in (5, 6):  # each upload is one, of the same bytes too
        watching.world.now = NOW + dt.timedelta(minutes=minutes)
        guest.upload(sheet())
    ((title, lines, _),) = watching.look(45)
    assert title == f"{CUSTOMER}（2件）"
    for number in (2, 3):
        assert f"版{number}）をアップロードしました。誤り0件、注意4件。 {PAGE}/sheets/{number}" in lines


def test_n8_an_operator_who_hears_of_no_holds_is_told_as_of_a_failure(watching: Watching, tmp_path: Path) -> None:
    """A sheet that waits is 保留; with 保留 switched off everywhere it would wait unseen until it is forgotten."""
    operator = tmp_path / "operator.yaml"
    said = "channels:\n- {name: 運用, service: slack_webhook, connection: ops, events: [FAILURE]}\n"
    watching.world.guest().upload(sheet())
    operator.write_text(said.replace("FAILURE", "SUCCESS"), encoding="utf-8")
    assert (watching.look(), watching.waiting()) == ([], 1)
    operator.write_text(said, encoding="utf-8")
    assert [title for title, _, _ in watching.look(30)] == [f"{CUSTOMER}（1件）"]
    assert watching.waiting() == 0


def test_s2_what_was_not_told_is_told_later_and_what_was_not_done_is_not(
    watching: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The channel fails, the watch dies after telling, the store fails between note and sheet."""
    guest = watching.world.guest()
    guest.upload(sheet())
    watching.ear.answer = refused(404, "gone")
    with pytest.raises(Exception, match="保留を届けられませんでした"):
        watching.look()
    watching.ear.answer = Ear().answer

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(customer_acts, "forget", dies)
        with pytest.raises(KeyboardInterrupt):
            watching.look(30)
    assert [title for title, _, _ in watching.look(45)] == []
    assert watching.waiting() == 0

    def fails(*_: object, **__: object) -> int:
        raise StoreError("no")

    with monkeypatch.context() as patch:
        patch.setattr(TenantSheet, "keep", fails)
        watching.world.now = NOW + dt.timedelta(minutes=1)
        assert guest.upload(sheet()).status_code >= 500
    assert (watching.look(50), watching.waiting()) == ([], 1)
    assert (watching.look(62), watching.waiting()) == ([], 0)


def test_s2_a_version_that_cannot_be_read_is_a_fault_for_an_hour(watching: Watching) -> None:
    """The watch says so, and is not red for ever: then the operator is told that there was something."""
    watching.world.guest().upload(sheet())
    watching.world.store.write(f"{watching.world.folder().sheets}/versions/00000001.json", b"torn")
    with pytest.raises(NotificationError, match=r"acme: お客様の操作を確かめられませんでした（DamagedFileError）"):
        watching.look()
    ((_, lines, page),) = watching.look(75)
    assert "株式会社アクメ（acme）: お客様の操作がありましたが、内容を読み取れませんでした。" in lines
    assert (page, watching.look(90), watching.waiting()) == (PAGE, [], 0)


def test_s2_nobodys_acts_hold_up_anybody_elses(watching: Watching, monkeypatch: pytest.MonkeyPatch) -> None:
    """L5: neither acts that left nothing, nor ones that cannot be read; each look tells a few, and the next one the rest."""
    store = watching.world.store
    for second in range(25):
        at = NOW + dt.timedelta(seconds=second)
        customer_acts.note(store, LINK, CustomerAct("acme", CustomerActKind.CONNECTION, at, "invitation 1"))
    watching.world.now = NOW + dt.timedelta(minutes=1)
    watching.world.guest("beta").upload(sheet())
    watching.world.guest("beta").upload(sheet())
    monkeypatch.setattr(customers, "MAX_TOLD", 1)
    for minutes in (15, 30):
        ((title, lines, _),) = watching.look(minutes)
        assert title == f"{CUSTOMER}（1件）"
        assert "beta" in lines
    assert watching.look(45) == []


def test_s2_two_machines_clocks_may_differ(watching: Watching) -> None:
    """The console's is behind: the version that it made after the customer's looks older than that one."""
    watching.world.guest().upload(sheet())
    versions = Versions(watching.world.folder())
    own = versions.read(1)
    before = dataclasses.replace(own, at=own.at - dt.timedelta(seconds=30), by="omar", origin=Origin.UPLOAD)
    versions.add(before, versions.content(own))
    ((_, lines, _),) = watching.look()
    assert "版1）をアップロードしました" in lines


def test_s2_nothing_is_looked_through_for_nobody(watching: Watching, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a channel for 保留 it waits, and costs nothing."""
    monkeypatch.setenv("RENKEI_OPERATOR", "")
    watching.world.guest().upload(sheet())
    with monkeypatch.context() as patch:
        patch.setattr(customers, "_line", None)
        assert (watching.look(), watching.waiting()) == ([], 1)


def test_s3_a_connection_and_its_end_are_told_once_each(watching: Watching) -> None:
    """連携する is told where a grant of that invitation stands; 再認可が必要 once for each grant."""
    store, grants = watching.world.store, SourceGrants(watching.world.folder())
    act = CustomerAct("acme", CustomerActKind.CONNECTION, NOW, "invitation 1")
    customer_acts.note(store, LINK, act)
    assert watching.look() == []  # under way
    grant = Grant(GrantEvent.ALLOWED, NOW, "invitation 1", "総務部", access_token="token")
    for number in (1, 2):
        store.write_json(f"{watching.world.folder().source_grants}/{number:08d}.json", records.to_plain(grant))
        if number == 1:
            ((_, lines, page),) = watching.look(20)
            assert "株式会社アクメ（acme）: SmartHRと連携しました。" in lines
            assert (page, "総務部" in lines, "有効にする" in lines) == (PAGE, False, False)
        grants.note_void()
        ((title, lines, _),) = watching.look(30 + number)
        assert "再認可が必要です（1社）" in title
        assert f"株式会社アクメ（acme）: {PAGE}" in lines
        assert watching.look(40 + number) == []
