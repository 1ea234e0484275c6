"""Whether LINE WORKS and KING OF TIME let a company's tenant do what punching needs, each precondition by its name (P1)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from renkei.errors import SettingError
from renkei.links.lineworks_kot.preparing import refused_by_line_works
from renkei.links.lineworks_kot.sheet.mapping import Mapping
from renkei.orchestration.connection_trial import Trial, tried
from renkei.orchestration.lineworks_kot.connections import KingOfTimeHook
from renkei.orchestration.lineworks_kot.lineworks import connection_of, lineworks
from renkei.systems.delivery import Verdict

WELL = "LINE WORKSに接続できました（bot、bot.read、user.email.read）。"


def try_systems(mapping: Mapping, dag_file: str) -> Iterator[Trial]:
    """A trial of each Connection. Nothing is sent or written."""
    yield tried(connection_of(mapping.tenant), partial(try_lineworks, mapping))
    name = f"kingoftime__{mapping.tenant}"
    yield Trial(name, *KingOfTimeHook(name).test_connection())


def try_lineworks(mapping: Mapping) -> str:
    """A token for all three scopes opens the bot: LINE WORKS gives none for a scope that was not chosen.

    Raises:
        ConnectionError_, SettingError: what is missing.
    """
    answer = lineworks(mapping).bot.check()
    if answer.accepted:
        return WELL
    if answer.verdict is Verdict.REFUSED:
        raise SettingError(refused_by_line_works(answer))
    raise SettingError(f"LINE WORKSが応答しません（{answer.reason}）。時間をおいて、もう一度確かめてください。")
