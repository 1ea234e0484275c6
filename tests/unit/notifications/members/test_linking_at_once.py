"""Two tabs, two accounts, two members at the same time; a process that dies at any step (N4)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from renkei.notifications.members.linking import Linked
from renkei.notifications.members.table import LineTakenError
from renkei.notifications.members.troubles import LinkingError, LinkingFailure
from renkei.storage.store import Store
from tests.unit.notifications.members.line_account import HANAKO, NOW, TARO, World, refused
from tests.unit.systems.transport import network


def test_a_trip_counts_once(world: World) -> None:
    """N4: a code is never exchanged twice; once linked, the page may be loaded again."""
    departure = world.begin(world.invite())
    world.line.status = 400
    with refused(LinkingFailure.LINE):
        world.finish(departure)
    world.line.status = 200
    with refused(LinkingFailure.STATE):
        world.finish(departure)
    assert world.line.codes == ["CODE"]
    again = world.begin(world.linking.invite(["001"], 14, NOW)["001"])
    world.finish(again)
    assert world.finish(again) == Linked("001", None)
    assert world.line.codes == ["CODE", "CODE"]


def test_two_tabs_of_one_person_both_end_well(world: World) -> None:
    """N4"""
    token = world.invite()
    first, second = world.begin(token), world.begin(token)
    assert first.cookie != second.cookie
    assert world.finish(second).friend
    assert world.finish(first).friend
    assert world.line_id() == TARO


@pytest.mark.parametrize("accounts", [(TARO, HANAKO), (TARO, TARO)], ids=["two accounts", "one account"])
def test_of_two_accounts_at_once_one_is_linked(world: World, accounts: tuple[str, str]) -> None:
    """N4: both come back before either is noted; the same account twice is harmless."""
    token = world.invite()
    attempts = [world.begin(token), world.begin(token)]
    read_link = world.linking.link_of
    both_looked = threading.Barrier(2, timeout=10)
    told: list[str] = []

    def look(invitation: Any) -> Any:
        found = read_link(invitation)
        both_looked.wait()
        return found

    others = [World(world.folder), World(world.folder)]
    for other, account in zip(others, accounts, strict=True):
        other.line.person = account
        other.linking.link_of = look  # type: ignore[method-assign]
    network(lambda request: others["code=1" in request.body.decode()].line(request))

    def come(number: int) -> None:
        account = accounts[number]
        try:
            others[number].finish(attempts[number], code=str(number))
            told.append(account)
        except LinkingError as error:
            told.append(error.trouble)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(come, range(2)))
    link = world.linking.members.line_link("001")
    assert link is not None
    if accounts[0] == accounts[1]:
        assert told == [TARO, TARO]
    else:
        assert sorted(told) == sorted([link.line_user_id, LinkingFailure.SPENT])


def test_two_tabs_with_two_accounts_link_the_first(world: World) -> None:
    """N4: an invitation serves once."""
    token = world.invite()
    first, second = world.begin(token), world.begin(token)
    world.finish(first)
    world.line.person = HANAKO
    with refused(LinkingFailure.SPENT):
        world.finish(second)
    assert world.line_id() == TARO


def test_one_account_does_not_serve_two_members(world: World) -> None:
    """N4: the second is told so, and may try again with the right account."""
    tokens = world.linking.invite(["001", "002"], 14, NOW)
    world.finish(world.begin(tokens["001"]))
    with refused(LinkingFailure.TAKEN):
        world.finish(world.begin(tokens["002"]))
    assert (world.line_id("001"), world.line_id("002")) == (TARO, "")
    world.line.person = HANAKO
    world.finish(world.begin(tokens["002"]))
    assert world.line_id("002") == HANAKO


class Died(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("step", range(10))
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_whatever_step_it_dies_at_opening_the_invitation_again_ends_well(
    world: World, monkeypatch: pytest.MonkeyPatch, step: int, after: bool
) -> None:
    """N4, L4: at every write to the store, and on both sides of it."""
    token = world.invite()
    count = -1

    def dying(name: str) -> Any:
        real = getattr(Store, name)

        def call(self: Store, key: str, content: bytes) -> Any:
            nonlocal count
            count += 1
            if count == step and not after:
                raise Died
            answer = real(self, key, content)
            if count == step:
                raise Died
            return answer

        return call

    with monkeypatch.context() as patch:
        for name in ("create", "write"):
            patch.setattr(Store, name, dying(name))
        try:
            world.finish(world.begin(token))
            died = False
        except Died:
            died = True
    assert died == (step < 7), "count, attempt, note, invitation's claim, account's claim, link, invitation"
    invitation = world.linking.invitation(token)
    if world.line_id():
        assert world.linking.link_of(invitation) is not None, "linked is linked, noted or not"
    if world.linking.link_of(invitation) is None:
        world.finish(world.begin(token))
    else:
        with refused(LinkingFailure.SPENT):
            world.begin(token)
    assert world.line_id() == TARO
    assert world.linking.link_of(world.linking.invitation(token)) is not None


def together(*calls: Callable[[], object]) -> list[object]:
    """What each gives back, or the trouble it raises, all begun at once."""
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], object]) -> object:
        start.wait()
        try:
            return call()
        except LinkingError as error:
            return error.trouble

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_a_double_tap_exchanges_the_code_once(world: World) -> None:
    """N4, L4: whoever comes second is told that it is done, or to begin anew."""
    for _ in range(5):
        departure = world.begin(world.invite())
        world.line.codes.clear()
        found = together(*[partial(world.finish, departure)] * 4)
        assert found.count(Linked("001", True)) == 1, found
        assert set(found) <= {Linked("001", True), Linked("001", None), LinkingFailure.STATE}
        assert world.line.codes == ["CODE"]


def test_two_members_at_once_do_not_get_one_account(world: World) -> None:
    """N4: whichever comes first has it."""
    members = world.linking.members

    def claim(user_id: str) -> str:
        try:
            members.link_line(user_id, TARO, now=NOW)
        except LineTakenError:
            return "taken"
        return "linked"

    for _ in range(10):
        found = together(lambda: claim("001"), lambda: claim("002"))
        assert sorted(map(str, found)) == ["linked", "taken"]
        assert sorted([world.line_id("001"), world.line_id("002")]) == ["", TARO]
        assert members.unlink_line("001") != members.unlink_line("002")
