"""What the お客様ページ and the console's page of invitations are given by whoever mounts them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from renkei.web.customer.invitations import Allowed, Invitations


@dataclass(frozen=True, slots=True)
class Inviting:
    """What it takes to invite customers."""

    invitations: Callable[[], Invitations]  # may raise StoreError
    address: Callable[[], str]  # of the お客様ページ, as customers reach it
    offers: Callable[[str], Mapping[Allowed, str]]  # what a company's customers can be let do, by dag id, and its name

    def link(self, token: str) -> str:
        """Behind `#` no browser sends it, so no log on the way has it."""
        return f"{self.address()}/#{token}"
