"""What an invitation allows (S5), and of one company one at a time, whatever threads do (L5)."""

from __future__ import annotations

import datetime as dt
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from renkei.web.customer import guard
from renkei.web.customer.guard import Busy, Limits, NotFound, Visitor
from renkei.web.customer.invitations import CustomerRight, Invitation, Session

AT = dt.datetime(2026, 11, 30, tzinfo=dt.UTC)


def visitor(tenant: str = "acme", allows: frozenset[CustomerRight] = frozenset(), services: Any = None) -> Visitor:
    made = Invitation("smarthr_emc", tenant, 1, "", "", allows, AT, "yuki", AT)
    return Visitor(services, Limits(), Session(made, "form"), "cookie")


def test_s5_a_visitor_may_what_the_invitation_allows_and_its_link_has() -> None:
    offers = {CustomerRight.SHEET: "シート", CustomerRight.RESULTS: "結果"}
    services = SimpleNamespace(inviting=SimpleNamespace(offers={"smarthr_emc__acme": offers}.__getitem__))
    found = visitor(allows=frozenset({CustomerRight.SHEET, CustomerRight.CONNECTION}), services=services)
    assert [what for what in CustomerRight if found.may(what)] == [CustomerRight.SHEET]


@pytest.mark.parametrize("right", CustomerRight)
def test_s5_each_page_asks_for_its_own_right(right: CustomerRight) -> None:
    """S5: one that the invitation does not allow is as one that does not exist."""
    enter = getattr(guard, f"sees_{right.value}")
    services = SimpleNamespace(inviting=SimpleNamespace(offers=lambda dag_id: dict.fromkeys(CustomerRight, "")))
    allowed = visitor(allows=frozenset({right}), services=services)
    assert enter(allowed) is allowed
    with pytest.raises(NotFound):
        enter(visitor(allows=frozenset(CustomerRight) - {right}, services=services))


def test_l5_two_requests_of_one_moment_are_not_both_the_first() -> None:
    """The second one looks while the first one has looked and not yet said so."""
    came: list[str] = []

    def second() -> None:
        try:
            with visitor().alone(among):
                came.append("in")
        except Busy:
            came.append("busy")

    class Between(set[str]):
        """Whoever looks here first is interrupted then."""

        other = threading.Thread(target=second)

        def __contains__(self, one: object) -> bool:
            found = super().__contains__(one)
            if not self.other.ident:
                self.other.start()
                self.other.join(0.2)  # it is over by then, or waits for us
            return found

    among = Between()
    with visitor().alone(among):
        among.other.join()
        assert came == ["busy"]
    assert not among
    with visitor("beta").alone(among), visitor().alone(among):
        assert len(among) == 2
