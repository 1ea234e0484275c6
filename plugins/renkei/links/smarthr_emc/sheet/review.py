"""A sheet looked at before it is used: what Airflow would say of it, and what only other files and SmartHR tell."""

from __future__ import annotations

import datetime as dt
import difflib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from renkei.errors import MappingError, Problem
from renkei.links.smarthr_emc.sheet.checks.information import start_warnings
from renkei.links.smarthr_emc.sheet.index import compile_sheet, load, read_bytes, shown
from renkei.links.smarthr_emc.sheet.mapping import CustomField, Mapping
from renkei.links.smarthr_emc.sheet.names import fold, trim
from renkei.links.smarthr_emc.sheet.parse import Judged
from renkei.systems.smarthr import hosts

NAMED_MOST = 5  # neighbours in one message
_NEIGHBOURS_KEPT = 20_000


@dataclass(frozen=True, slots=True)
class Review:
    """What was found; `mapping` is there exactly when there is no problem that Airflow, too, would find.

    `content` is the file as it was read, empty when it could not be.
    """

    tenant: str
    mapping: Mapping | None
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    content: bytes


@dataclass(frozen=True, slots=True)
class _Neighbour:
    """What a sheet must know of another; `account` is empty for one that is broken itself."""

    tenant: str
    account: str = ""
    id_prefix: str = ""
    smarthr_url: str = ""


def review(
    path: Path,
    tenant: str,
    *,
    neighbours: Collection[Path] = (),
    templates: Collection[str] | None = None,
    allowed_hosts: Collection[str] = (),
    today: dt.date | None = None,
    cache: Path | None = None,
) -> Review:
    """Everything wrong or doubtful in the sheet at `path`, each at its cell, in reading order (E15–E27).

    `neighbours` are other tenants' sheets; `templates` the names of this SmartHR tenant's custom fields, one twice if
    there are two of it, and None if nobody asked; `today` is the day for 連携開始日, which is not looked at without
    one. `cache` is the folder of compiled sheets that neighbours are read from. Never raises for what a file holds.
    """
    try:
        content = read_bytes(path)
    except MappingError as error:
        return Review(tenant, None, shown(error.problems), (), b"")
    compiled, judged = compile_sheet(path.name, content, tenant, allowed_hosts)
    problems, warnings = list(compiled.problems), list(judged.warnings if judged else ())
    problems += _twins(path, tenant, neighbours)
    if judged is not None:
        problems += () if templates is None else _custom_fields(judged, templates)
        others = [other for each in neighbours if (other := _neighbour(each, allowed_hosts, cache)).tenant != tenant]
        warnings += _neighbour_warnings(judged, tenant, others, allowed_hosts, path.name)
        start = judged.settings.get("link_start_on")
        if today is not None and start is not None:
            warnings += start_warnings(start, today, _cell(judged, "link_start_on", path.name))
    return Review(tenant, compiled.mapping, shown(problems), shown(warnings), content)


def _cell(judged: Judged, key: str, name: str) -> str:
    """Where a setting stands; its table where it is left out."""
    return next((cell.where for cell in judged.cells.get(key, ())), f"{name} 連携情報")


# -- SmartHR's custom fields --------------------------------------------------------------------------------------------


def _custom_fields(judged: Judged, templates: Collection[str]) -> Iterator[Problem]:
    """The custom fields that a run would stop at: names are compared exactly, as the read does (E17)."""
    known = Counter(name.strip() for name in templates)
    for key, rule in judged.rules.items():
        wanted = dict.fromkeys(term.name for term in rule.source.terms if isinstance(term, CustomField))
        for name in wanted:
            where = judged.rows[key].source.where
            if known[name] > 1:
                found = f"カスタム項目「{name}」はSmartHRに{known[name]}つあり、どれか決められません"
                yield Problem(where, found, "SmartHRで、どちらかの項目の名前を変えてください")
            elif not known[name]:
                remedy = _nearest(name, known) or "SmartHRの「従業員項目」で項目名を確認してください"
                yield Problem(where, f"カスタム項目「{name}」はSmartHRにありません", remedy)


def _nearest(name: str, known: Iterable[str]) -> str:
    """The custom field most like `name`; a name that only differs in width or blanks is the same one to a reader."""
    by_fold = {fold(each): each for each in known}
    close = difflib.get_close_matches(fold(name)[:200], by_fold, n=1, cutoff=0.4)
    return (
        f"「カスタム項目:{by_fold[close[0]]}」ではありませんか。SmartHRの項目名のとおりに記入してください"
        if close
        else ""
    )


# -- neighbours ---------------------------------------------------------------------------------------------------------


def _twins(path: Path, tenant: str, neighbours: Iterable[Path]) -> Iterator[Problem]:
    """Other files of the same tenant: with two, Airflow uses neither."""
    others = [other for other in neighbours if other.stem == tenant and other.resolve() != path.resolve()]
    names = [other.name for other in others if other.name != path.name]
    if names:
        found = f"同じ会社のファイルがほかにもあります({'、'.join(names[:NAMED_MOST])})"
        yield Problem(path.name, found, "1社につき1つのファイルだけを置いてください")


def _neighbour(path: Path, allowed_hosts: Collection[str], cache: Path | None) -> _Neighbour:
    try:
        stat = path.stat()
    except OSError:
        return _Neighbour(path.stem)
    return _read_neighbour(path, (stat.st_mtime_ns, stat.st_size), tuple(sorted(allowed_hosts)), cache)


@lru_cache(_NEIGHBOURS_KEPT)
def _read_neighbour(
    path: Path, state: tuple[int, int], allowed_hosts: tuple[str, ...], cache: Path | None
) -> _Neighbour:
    """The few settings of a sheet, read once for all that it is a neighbour of; `state` tells a changed file apart."""
    mapping = load(path, path.stem, cache, allowed_hosts).mapping
    if mapping is None:
        return _Neighbour(path.stem)
    return _Neighbour(path.stem, mapping.emc_account, mapping.id_prefix, mapping.smarthr_url)


def _neighbour_warnings(
    judged: Judged, tenant: str, others: Collection[_Neighbour], allowed_hosts: Collection[str], name: str
) -> Iterator[Problem]:
    """What two sheets of one EMC account should not have alike (E24, E27)."""
    account = judged.settings.get("emc_account", tenant)
    shared = [other for other in others if other.account == account]
    mine = judged.settings.get("id_prefix", "")
    if "id_prefix" not in judged.cells or "id_prefix" in judged.settings:
        key = "id_prefix" if "id_prefix" in judged.cells else "emc_account"
        yield from _prefix_clashes(mine, shared, account, _cell(judged, key, name))
    url = judged.settings.get("smarthr_url", "")
    same = [other.tenant for other in shared if other.smarthr_url == url] if url else []
    if same and hosts.is_smarthr_url(url):  # an operator's stand-in may serve several tenants
        found = f"SmartHR URLが同じEMCアカウントの{_names(same)}と同じです"
        yield Problem(_cell(judged, "smarthr_url", name), found, "同じ社員が二重に登録されます。URLを確認してください")
    unread = sum(not other.account for other in others)
    if unread and "emc_account" in judged.cells:  # not named: nobody knows whether they share the account (L5)
        found = f"ほかの会社の連携設定シート{unread}件に誤りがあるため、ID付与コードを比べていません"
        remedy = "運用担当者は、そのシートを直してから、もう一度確認してください"
        yield Problem(_cell(judged, "emc_account", name), found, remedy)


def _prefix_clashes(mine: str, shared: Collection[_Neighbour], account: str, where: str) -> Iterator[Problem]:
    remedy = "片方がもう片方の先頭にならない、会社ごとに異なるコードにしてください"
    equal = [other.tenant for other in shared if other.id_prefix == mine]
    if equal:
        what = f"ID付与コード「{mine}」" if mine else "ID付与コード(空白)"
        found = f"{what}が、同じEMCアカウント「{account}」の{_names(equal)}と同じです"
        yield Problem(where, found, f"同じIDの人がいると登録できません。{remedy}")
    begun = [
        o for o in shared if o.id_prefix != mine and (o.id_prefix.startswith(mine) or mine.startswith(o.id_prefix))
    ]
    if begun:
        codes = _names([f"{other.tenant}:{other.id_prefix or '空白'}" for other in begun])
        found = (
            f"ID付与コード「{mine or '空白'}」と、同じEMCアカウント「{account}」の{codes}は、片方がもう片方の先頭です"
        )
        yield Problem(where, found, f"別の人が同じIDになることがあります。{remedy}")


def _names(tenants: Collection[str]) -> str:
    first = [f"「{trim(tenant)}」" for tenant in sorted(tenants)[:NAMED_MOST]]
    more = len(tenants) - len(first)
    return "".join(first) + (f"ほか{more}社" if more else "")
