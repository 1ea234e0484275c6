"""Invitations and sessions over PostgreSQL: what holds over SQLite holds there, whatever its time zone."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem
from sqlalchemy import make_url

from renkei.storage.cipher import Cipher
from renkei.storage.database.database import open_database
from renkei.storage.store import Store
from renkei.web.customer.invitations import Invitations
from renkei.web.customer.tables import INVITATION, SESSION
from tests.harness.postgresql import folder_of_programs
from tests.unit.web.customer import test_invitations as same
from tests.unit.web.customer.test_invitations import KEY, LINK, NOW, invite

pytestmark = pytest.mark.skipif(folder_of_programs() is None, reason="PostgreSQL is not installed")
TESTS: dict[str, Callable[..., None]] = {
    name: test
    for name, test in inspect.getmembers(same, inspect.isfunction)
    if name.startswith("test_") and set(inspect.signature(test).parameters) <= {"invitations", "url", "monkeypatch"}
}


@pytest.fixture(scope="module")
def url(postgresql_url: str) -> Iterator[str]:
    elsewhere = make_url(postgresql_url).update_query_dict({"options": "-c timezone=Asia/Tokyo"})
    url = elsewhere.render_as_string(hide_password=False)
    yield url
    open_database(url).engine.dispose()


@pytest.fixture
def invitations(url: str, tmp_path: Path) -> Invitations:
    database = open_database(url)
    with database.writing() as connection:
        for table in (SESSION, INVITATION):
            connection.execute(table.delete())
    return Invitations(database, Store(LocalFileSystem(), str(tmp_path), Cipher(KEY)))


@pytest.mark.parametrize("name", sorted(TESTS))
def test_what_holds_over_sqlite_holds(
    name: str, invitations: Invitations, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"invitations": invitations, "url": url, "monkeypatch": monkeypatch}
    wanted = inspect.signature(TESTS[name]).parameters
    TESTS[name](**{key: value for key, value in given.items() if key in wanted})


def test_many_that_are_made_and_used_at_once(invitations: Invitations) -> None:
    """Each gets a number of its own, and of one invitation no more come in than may be there."""
    with ThreadPoolExecutor(8) as people:
        made = list(people.map(lambda _: invite(invitations), range(16)))
        assert sorted(one.number for one, _ in made) == list(range(1, 17))
        token = made[0][1]
        entered = list(people.map(lambda _: invitations.enter(token, NOW), range(8)))
    assert all(entered)
    assert len(invitations.listed(LINK, "acme")) == 16
    invitations.revoke(LINK, "acme", made[0][0].number, "yuki", NOW)
    assert [invitations.session(one[1], NOW) for one in entered if one] == [None] * 8
