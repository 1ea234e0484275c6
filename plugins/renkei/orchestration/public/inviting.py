"""Invitations to the お客様ページ, as the console makes them."""

from __future__ import annotations

from collections.abc import Mapping

from renkei import settings
from renkei.orchestration.connections import open_store
from renkei.orchestration.line.connection import page_url
from renkei.orchestration.link import LINKS, split_dag_id
from renkei.storage.database.database import open_database
from renkei.web.customer.facts import InvitationServices
from renkei.web.customer.invitations import CustomerRight, Invitations

PART = "customer"  # of the public pages


def invitations() -> Invitations:
    """Raises StoreError."""
    return Invitations(open_database(settings.database_url()), open_store())


def address() -> str:
    """Of the お客様ページ, as customers reach it."""
    return f"{page_url()}/{PART}"


def offers(dag_id: str) -> Mapping[CustomerRight, str]:
    """What customers of this company can be let do."""
    named = split_dag_id(dag_id)
    assert named is not None
    return offered(named[0])


def offered(link: str) -> Mapping[CustomerRight, str]:
    """By what each is called."""
    found = LINKS[link]
    connection = {CustomerRight.CONNECTION: f"{found.source}の接続"} if found.connector else {}
    return {**connection, CustomerRight.SHEET: "シート", CustomerRight.RESULTS: "結果"}


def connection(dag_id: str) -> str:
    """Connections are named after their system and their tenant."""
    named = split_dag_id(dag_id)
    assert named is not None
    return f"{LINKS[named[0]].source.lower()}__{named[1]}"


INVITING = InvitationServices(invitations, address, offers, connection)
