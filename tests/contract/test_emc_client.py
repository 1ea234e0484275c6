"""EmcClient against a running EMC: applied once or not at all, and the key always tells which (E27, E37, L2, L4)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
import requests

from renkei.errors import LoadError, RejectedLoadError, RetriableLoadError
from renkei.systems.emc import client as module
from renkei.systems.emc.client import EmcClient, ImportBusyError
from renkei.systems.emc.encode import ImportFile, encode
from tests.harness.clock import SkipClock, no_waits
from tests.harness.emc import Emc
from tests.harness.tenant import FORMAT, Recording

DIGEST = "d" * 64
FAULTS = [
    "slow",
    "status_429",
    "status_500",
    "maintenance_503",
    "drop_before",
    "drop_after",
    "truncated",
    "not_json",
    "expired_token",
    "stuck_applying",
]
# Every request of a submit: what it is and which request of /imports… it is.
STEPS = {
    "open": ("POST", "/api/v1/imports"),
    "departments": ("PUT", "/api/v1/imports/*/departments"),
    "users": ("PUT", "/api/v1/imports/*/users"),
    "commit": ("POST", "/api/v1/imports/*/commit"),
}


@pytest.fixture
def clock() -> Iterator[SkipClock]:
    with no_waits(module) as clock:
        yield clock


@pytest.fixture
def client(emc_sim: Emc, clock: SkipClock) -> Iterator[EmcClient]:
    with Recording("emc_sim_acme") as session:
        yield EmcClient(session, emc_sim.url)


def department_file(*ids: str, operation: str = "CREATE") -> ImportFile:
    rows = pd.DataFrame({"department_id": list(ids)}, dtype="str").assign(
        operation=operation, name="営業部", name_yomi="エイギョウブ"
    )
    return encode(rows, FORMAT.department_columns, FORMAT)


def user_file(*ids: str, operation: str = "CREATE", **items: str | None) -> ImportFile:
    values = {
        "full_name": "山田　太郎",
        "full_name_yomi": "ヤマダ　タロウ",
        "password": "Secret-1",
        "password_reset": "T",
    }
    if operation != "CREATE":
        values = {}
    rows = pd.DataFrame({"user_id": list(ids)}, dtype="str").assign(operation=operation, **(values | items))
    return encode(rows, FORMAT.user_columns, FORMAT)


def test_e37_what_is_submitted_is_what_emc_has(client: EmcClient, emc_sim: Emc) -> None:
    """Departments and users in one import, with counts; the values survive the file."""
    found = client.submit(
        "k1",
        "acme",
        DIGEST,
        department_file("d1"),
        user_file("u1", "u2", primary_department_id="d1", role_1='髙"橋, ①'),
    )

    assert (found.state, found.key) == ("committed", "k1")
    assert found.counts["users"]["added"] == 2
    assert sorted(emc_sim.export("users")) == ["u1", "u2"]
    assert emc_sim.export("users")["u1"]["保有権限1"] == '髙"橋, ①'
    assert emc_sim.export("departments")["d1"]["部署名"] == "営業部"


def test_e18_a_blank_clears_and_a_missing_cell_leaves(client: EmcClient, emc_sim: Emc) -> None:
    """The clear marker empties what EMC has; an empty cell does not."""
    client.submit("k1", "acme", DIGEST, None, user_file("u1", role_1="管理者", role_2="一般", search_word_1="東京"))
    client.submit("k2", "acme", DIGEST, None, user_file("u1", operation="UPDATE", role_1="", role_2=None))

    user = emc_sim.export("users")["u1"]
    assert "保有権限1" not in user
    assert (user["保有権限2"], user["検索ワード1"], user["氏名"]) == ("一般", "東京", "山田　太郎")


def test_l4_the_same_key_applies_once(client: EmcClient, emc_sim: Emc) -> None:
    """A second submit of the same import gets the first one's answer and changes nothing."""
    first = client.submit("k1", "acme", DIGEST, None, user_file("u1"))
    version = emc_sim.sim("GET", "accounts/acme")["version"]
    again = client.submit("k1", "acme", DIGEST, None, user_file("u1"))

    assert again == first
    assert emc_sim.sim("GET", "accounts/acme")["version"] == version


def test_l4_a_key_used_for_something_else_is_refused(client: EmcClient, emc_sim: Emc) -> None:
    """Another content under a known key is nobody's wish."""
    client.submit("k1", "acme", DIGEST, None, user_file("u1"))

    with pytest.raises(RejectedLoadError, match="KEY_REUSED"):
        client.submit("k1", "acme", DIGEST, None, user_file("u2"))
    assert sorted(emc_sim.export("users")) == ["u1"]


def test_l2_a_rejected_import_brings_every_reason_and_applies_nothing(client: EmcClient, emc_sim: Emc) -> None:
    """Two bad users and a good department: none of it, both reasons, by file, line, item and code."""
    found = client.submit(
        "k1",
        "acme",
        DIGEST,
        department_file("d1"),
        user_file("u1", "u2", primary_department_id="d9"),
    )

    assert (found.state, found.error_count) == ("rejected", 2)
    assert [(p.file, p.line, p.item, p.code) for p in found.errors] == [
        ("users", 1, "所属部署コード", "UNKNOWN_DEPARTMENT"),
        ("users", 2, "所属部署コード", "UNKNOWN_DEPARTMENT"),
    ]
    assert emc_sim.export("departments") == {}
    assert client.find_import("k1") == found


def test_deleting_what_is_gone_is_done_with_a_notice(client: EmcClient) -> None:
    """A leaver whom somebody deleted by hand does not stop the load."""
    found = client.submit("k1", "acme", DIGEST, None, user_file("u9", operation="DELETE"))

    assert found.state == "committed"
    assert [(p.line, p.code) for p in found.notices] == [(1, "ALREADY_ABSENT")]


def test_e27_a_busy_account_is_told_apart_and_freed_by_its_owner(client: EmcClient, emc_sim: Emc) -> None:
    """While somebody's import is open nobody else gets in; once withdrawn it is as if it never was."""
    emc_sim.open(None, b'"a"\r\n', key="other")
    with pytest.raises(ImportBusyError):
        client.submit("k1", "acme", DIGEST, None, user_file("u1"))
    other = client.find_import("other")
    assert other is not None
    assert other.state == "open"
    client.withdraw(other)

    assert client.submit("k1", "acme", DIGEST, None, user_file("u1")).state == "committed"


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize(("method", "path"), STEPS.values(), ids=STEPS.keys())
@pytest.mark.parametrize("times", [1, 10], ids=["once", "stays"])
def test_l4_after_any_fault_the_key_tells_the_truth_and_nothing_is_applied_twice(
    client: EmcClient, emc_sim: Emc, kind: str, method: str, path: str, times: int
) -> None:
    """Whatever breaks, wherever: the answer or the key says what EMC did, and a second attempt completes it once."""
    departments, users = department_file("d1"), user_file("u1", primary_department_id="d1")
    emc_sim.fault(kind, path, method=method, times=times, seconds=0.1, retry_after=0)
    try:
        answered: Any = client.submit("k1", "acme", DIGEST, departments, users)
    except LoadError as error:
        answered = error
    emc_sim.sim("DELETE", "faults")
    told = client.find_import("k1")
    applied = sorted(emc_sim.export("users"))

    assert applied == (["u1"] if told is not None and told.state == "committed" else [])
    if isinstance(answered, RejectedLoadError):
        assert kind == "expired_token"
    if not isinstance(answered, LoadError):
        assert answered.state == "committed"
        assert answered == told
    if told is not None and told.state == "open":
        client.withdraw(told)
        told = None
    again = client.submit("k1" if told else "k2", "acme", DIGEST, departments, users)
    assert again.state == "committed"
    assert emc_sim.sim("GET", "accounts/acme")["imports"]["committed"] == 1
    assert sorted(emc_sim.export("users")) == ["u1"]


@pytest.mark.parametrize("kind", ["status_429", "status_500", "maintenance_503", "drop_before", "truncated"])
@pytest.mark.parametrize(("method", "path"), STEPS.values(), ids=STEPS.keys())
def test_a_passing_fault_of_a_submit_goes_unnoticed(
    client: EmcClient, emc_sim: Emc, kind: str, method: str, path: str
) -> None:
    """Two broken requests in a row are the client's business alone."""
    emc_sim.fault(kind, path, method=method, times=2, retry_after=0)

    assert client.submit("k1", "acme", DIGEST, department_file("d1"), user_file("u1")).state == "committed"


@pytest.mark.parametrize("kind", ["drop_after", "truncated", "status_500"])
def test_l4_an_abort_can_be_repeated(client: EmcClient, emc_sim: Emc, kind: str) -> None:
    """The answer to an abort is lost: the account is free all the same, and the caller hears no refusal."""
    emc_sim.open(None, b'"a"\r\n', key="k1")
    found = client.find_import("k1")
    assert found is not None
    emc_sim.fault(kind, "/api/v1/imports/*", method="DELETE")
    client.withdraw(found)

    aborted = client.find_import("k1")
    assert aborted is not None
    assert aborted.state == "aborted"


def test_l4_an_unknown_key_is_none(client: EmcClient) -> None:
    """Nothing was ever opened under it."""
    assert client.find_import("k1") is None


def test_l1_nobody_is_not_the_answer_of_an_emc_that_cannot_answer(client: EmcClient, emc_sim: Emc) -> None:
    """`find`, `outcome` and `ever_committed` raise rather than say "no"."""
    emc_sim.fault("maintenance_503", times=100)
    for ask in (
        lambda: client.find("users", ["u1"], ["ユーザID"]),
        lambda: client.find_import("k1"),
        lambda: client.ever_committed("acme"),
    ):
        with pytest.raises(RetriableLoadError):
            ask()


def test_e31_history_is_the_tenant_s_own(client: EmcClient) -> None:
    """A committed import is history for its source; a rejected one, or another tenant's, is not."""
    assert client.ever_committed("acme") is False
    client.submit("k1", "acme", DIGEST, None, user_file("u1", full_name=""))
    client.submit("k2", "beta", DIGEST, None, user_file("u1"))
    assert client.ever_committed("acme") is False
    client.submit("k3", "acme", DIGEST, None, user_file("u2"))

    assert client.ever_committed("acme") is True


def test_find_tells_which_ids_emc_has(client: EmcClient) -> None:
    """Only those that exist, with the items asked for."""
    client.submit("k1", "acme", DIGEST, None, user_file("u1", "u2"))

    found = client.find("users", ["u2", "u3"], ["ユーザID", "氏名"])
    assert found == [{"ユーザID": "u2", "氏名": "山田　太郎"}]


def test_the_account_s_own_name_comes_with_a_check(client: EmcClient) -> None:
    """The connection's test button shows whose token it is."""
    assert client.check()["account"] == "acme"


def test_a_wrong_token_is_final(emc_sim: Emc, clock: SkipClock) -> None:
    """One request, and where to look."""
    with Recording("wrong") as session, pytest.raises(RejectedLoadError, match="トークン"):
        EmcClient(session, emc_sim.url).check()
    assert sum(emc_sim.sim("GET", "requests").values()) == 1


def test_l6_a_file_changed_on_the_way_is_not_taken(client: EmcClient, emc_sim: Emc) -> None:
    """The digest that was declared is not the file's: nothing is applied, nothing is committed."""
    file = user_file("u1")

    class Other(ImportFile):
        @property
        def sha256(self) -> str:
            return "0" * 64

    with pytest.raises(LoadError):
        client.submit(
            "k1", "acme", DIGEST, None, Other(**{f.name: getattr(file, f.name) for f in dataclasses.fields(file)})
        )
    assert emc_sim.export("users") == {}


def add_users(emc: Emc, *ids: str) -> None:
    emc.sim("POST", "accounts/acme/users", [{"ユーザID": one, "氏名": f"名前{one}"} for one in ids])


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7])
def test_e37_an_export_has_everybody_once_whatever_the_pages(
    client: EmcClient, emc_sim: Emc, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """No user, less than a page, full pages, one more; ids in code-point order, signs and kanji among them."""
    monkeypatch.setattr(module, "RECORDS_PER_PAGE", 3)
    everybody = ["A+b@x.jp", "A b", "a&after=z", "a", "山田", "００１", "001"][:size]
    add_users(emc_sim, *everybody)
    found = client.export("users", ["ユーザID", "氏名", "検索ワード1"])

    assert found.to_dict("list") == {
        "ユーザID": sorted(everybody),
        "氏名": [f"名前{one}" for one in sorted(everybody)],
        "検索ワード1": [""] * size,
    }


def test_l1_an_account_changed_between_two_pages_is_read_again(
    client: EmcClient, emc_sim: Emc, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody is deleted and somebody added where the export has been already: it sees both."""
    monkeypatch.setattr(module, "RECORDS_PER_PAGE", 2)
    add_users(emc_sim, "u1", "u3", "u5")
    changes = iter([lambda: (emc_sim.sim("DELETE", "accounts/acme/users/u1"), add_users(emc_sim, "u2"))])
    client._session.hooks["response"].append(lambda *_, **__: next(changes, lambda: None)() and None)

    assert client.export("users", ["ユーザID"])["ユーザID"].tolist() == ["u2", "u3", "u5"]


@pytest.mark.parametrize("kind", ["status_429", "status_500", "maintenance_503", "drop_after", "truncated", "not_json"])
def test_l1_an_export_is_whole_or_fails(
    client: EmcClient, emc_sim: Emc, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """A passing fault on the second page goes unnoticed; one that stays leaves no half list."""
    monkeypatch.setattr(module, "RECORDS_PER_PAGE", 2)
    add_users(emc_sim, "u1", "u2", "u3")
    if kind != "not_json":  # a proxy's page with status 200 is no passing fault
        emc_sim.fault(kind, "/api/v1/users", after=1, retry_after=0)
        assert len(client.export("users", ["ユーザID"])) == 3
    emc_sim.fault(kind, "/api/v1/users", after=1, times=10, retry_after=0)

    with pytest.raises(RetriableLoadError):
        client.export("users", ["ユーザID"])


def test_l6_no_user_id_of_an_export_is_logged(
    client: EmcClient, emc_sim: Emc, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A page's URL names the last id of the page before, and the HTTP library logs URLs when told to be talkative."""
    monkeypatch.setattr(module, "RECORDS_PER_PAGE", 1)
    add_users(emc_sim, "tanaka", "yamada")
    with caplog.at_level("DEBUG", "urllib3"):
        assert len(client.export("users", ["ユーザID"])) == 2
        assert caplog.text == ""
        requests.get(emc_sim.url, timeout=20)  # somebody else's, of whom the library may speak

    assert "urllib3" in caplog.text
