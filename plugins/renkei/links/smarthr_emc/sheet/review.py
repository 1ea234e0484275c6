"""A sheet looked at before it is used: what Airflow would say of it, and what only other files and SmartHR tell."""

from __future__ import annotations

import contextlib
import datetime as dt
import difflib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from renkei.channel import Channel
from renkei.errors import MappingError, Problem
from renkei.links.smarthr_emc.sheet import SHEETS
from renkei.links.smarthr_emc.sheet.checks.information import start_warnings
from renkei.links.smarthr_emc.sheet.grants import RequiredGrants, file_warnings, secrets_of, ungranted
from renkei.links.smarthr_emc.sheet.mapping import CustomField, Loader, Mapping
from renkei.links.smarthr_emc.sheet.parse import CheckedSheet
from renkei.sheets.bounded import WRITE_ANEW, Compiler, NotCompiledError
from renkei.sheets.compiled import shown
from renkei.sheets.findings import Findings
from renkei.sheets.grants import NOTHING, Grants
from renkei.sheets.load import load_all
from renkei.sheets.review import Review
from renkei.sheets.tenant_files import TenantFile, read_bytes
from renkei.systems.smarthr import hosts
from renkei.texts import fold, trim

MAX_NAMED = 5  # neighbours in one message
_NAMES_SHOWN = 10
NEIGHBOURS_S = 5.0  # for all that nobody has compiled yet


@dataclass(frozen=True, slots=True)
class SheetReview(Review):
    """`smarthr_url` is there as soon as it can be read, whatever else is wrong."""

    smarthr_url: str = ""


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
    grants: Grants = NOTHING,
    neighbours: Collection[Path] = (),
    templates: Collection[str] | None = None,
    allowed_hosts: Collection[str] = (),
    today: dt.date | None = None,
    cache: Path | None = None,
    compiler: Compiler[Mapping] | None = None,
) -> SheetReview:
    """Everything wrong or doubtful in the sheet at `path`, each at its cell, in reading order (E15–E27).

    `grants` is what the operator has given the tenant; `neighbours` are other tenants' sheets; `templates` the names
    of this SmartHR tenant's custom fields, one twice if there are two of it, and None if nobody asked; `today` is the day for 連携開始日, which is not looked at without
    one. `cache` is the folder of compiled sheets that neighbours are read from; `compiler` serves several reviews.
    Never raises for what a file holds.
    """
    try:
        content = read_bytes(path)
    except MappingError as error:
        return SheetReview(tenant, None, shown(error.problems), (), b"")
    try:
        with contextlib.nullcontext(compiler) if compiler else Compiler(SHEETS) as at_hand:
            compiled, checked = at_hand.compile(path.name, content, tenant, allowed_hosts)
    except NotCompiledError:
        busy = Problem(path.name, "読み取りが終わりませんでした", "しばらくしてから、もう一度確認してください")
        return SheetReview(tenant, None, (busy,), (), content, is_read=False)
    if any(problem.remedy == WRITE_ANEW for problem in compiled.problems):
        content = b""  # more than a process can read: nobody else may try, not even to mark its cells
    findings = Findings(compiled.problems, checked.warnings if checked else ())
    beside: tuple[Problem, ...] = ()
    mapping = compiled.mapping
    if checked is not None:
        if not _add_grant_findings(findings, path.name, tenant, checked, compiled.channels, grants):
            mapping = None
        findings.problems += () if templates is None else _custom_fields(checked, templates)
        others = _read_neighbours([each for each in neighbours if each.stem != tenant], allowed_hosts, cache)
        beside = (*_neighbour_warnings(checked, tenant, others, allowed_hosts, path.name),)
        start = checked.settings.get("link_start_on")
        if today is not None and start is not None:
            findings.warnings += start_warnings(start, today, _cell(checked, "link_start_on", path.name))
    return SheetReview(
        tenant,
        mapping,
        shown(findings.problems),
        shown(findings.warnings),
        content,
        shown(list(_twins(path, tenant, neighbours))),
        shown(beside),
        smarthr_url=checked.settings.get("smarthr_url", "") if checked else "",
        channels=compiled.channels,
    )


def _add_grant_findings(
    findings: Findings,
    name: str,
    tenant: str,
    checked: CheckedSheet,
    channels: tuple[Channel, ...],
    grants: Grants,
) -> bool:
    """Whether the operator has given the tenant all that the sheet uses."""
    place, account = partial(_place, checked, name), checked.settings.get("emc_account", tenant)
    in_files = checked.settings.get("loader") is Loader.FILE_DROP
    uses = RequiredGrants(tenant, account, secrets_of(checked.rules.values()), in_files, channels)
    refused = list(ungranted(uses, grants, place))
    findings.problems += refused
    findings.warnings += file_warnings(uses, grants, place)
    return not refused


def _place(checked: CheckedSheet, name: str, what: str) -> str:
    """Where what the operator must give stands: see `grants.Place`."""
    if what == "emc_account":
        return _cell(checked, what, name)
    if what in checked.rows:
        return checked.rows[what].source.where
    return checked.channels.get(fold(what)) or f"{name} 通知「{what}」"


def _cell(checked: CheckedSheet, key: str, name: str) -> str:
    """Where a setting stands; its table where it is left out."""
    return next((cell.where for cell in checked.cells.get(key, ())), f"{name} 連携情報")


# -- SmartHR's custom fields --------------------------------------------------------------------------------------------


def _custom_fields(checked: CheckedSheet, templates: Collection[str]) -> Iterator[Problem]:
    """The custom fields that a run would stop at: names are compared exactly, as the read does (E17)."""
    known = Counter(name.strip() for name in templates)
    for key, rule in checked.rules.items():
        wanted = dict.fromkeys(term.name for term in rule.source.terms if isinstance(term, CustomField) and term.name)
        for name in wanted:
            where = checked.rows[key].source.where
            if known[name] > 1:
                found = f"カスタム項目「{name}」はSmartHRに{known[name]}つあり、どれか決められません"
                yield Problem(where, found, "SmartHRで、どちらかの項目の名前を変えてください")
            elif not known[name]:
                yield Problem(where, f"カスタム項目「{name}」はSmartHRにありません", _instead(name, known))


def _instead(name: str, known: Iterable[str]) -> str:
    """The custom field that `name` is in another width or with other blanks; else the names to choose from, likest first.

    One that is only spelled alike (資格 and 資格手当) may be another thing: a person decides.
    """
    names = sorted(
        set(known), key=lambda one: -difflib.SequenceMatcher(None, fold(name)[:200], fold(one)[:200]).ratio()
    )
    if same := [one for one in names if fold(one) == fold(name)]:
        return f"「カスタム項目:{same[0]}」と、SmartHRの項目名のとおりに記入してください"
    if not names:
        return "SmartHRにカスタム項目が1つもありません。SmartHRの項目名にするか、連携有無を空白にしてください"
    more = f"など{len(names)}個" if len(names) > _NAMES_SHOWN else ""
    choice = "".join(f"「{one}」" for one in names[:_NAMES_SHOWN])
    return f"SmartHRのカスタム項目は{choice}{more}です。使う項目を「カスタム項目:」の後ろに名前のとおり記入してください"


# -- neighbours ---------------------------------------------------------------------------------------------------------


def _twins(path: Path, tenant: str, neighbours: Iterable[Path]) -> Iterator[Problem]:
    """Other files of the same tenant: with two, Airflow uses neither."""
    others = [other for other in neighbours if other.stem == tenant and other.resolve() != path.resolve()]
    names = [other.name for other in others if other.name != path.name]
    if names:
        found = f"同じ会社のファイルがほかにもあります({'、'.join(names[:MAX_NAMED])})"
        yield Problem(path.name, found, "1社につき1つのファイルだけを置いてください")


_known: dict[tuple[object, ...], _Neighbour] = {}  # `renkei check` of many sheets reads each of them once


def _read_neighbours(paths: Sequence[Path], allowed_hosts: Collection[str], cache: Path | None) -> list[_Neighbour]:
    """The few settings of each of the sheets; one that is not compiled in time is as good as broken."""
    keys = [(path, _state(path), *sorted(allowed_hosts)) for path in paths]
    new = [(key, TenantFile(path, path.stem)) for key, path in zip(keys, paths, strict=True) if key not in _known]
    sheets = load_all(SHEETS, [file for _, file in new], cache, allowed_hosts, NEIGHBOURS_S)
    for (key, file), sheet in zip(new, sheets, strict=True):
        found = sheet.mapping
        settings = (found.emc_account, found.id_prefix, found.smarthr_url) if found else ()
        _known[key] = _Neighbour(file.tenant, *settings)
    return [_known[key] for key in keys]


def _state(path: Path) -> tuple[int, int]:
    """Tells a changed file apart."""
    try:
        stat = path.stat()
    except OSError:
        return (0, 0)
    return stat.st_mtime_ns, stat.st_size


def _neighbour_warnings(
    checked: CheckedSheet, tenant: str, others: Collection[_Neighbour], allowed_hosts: Collection[str], name: str
) -> Iterator[Problem]:
    """What two sheets of one EMC account should not have alike (E24, E27)."""
    account = checked.settings.get("emc_account", tenant)
    shared = [other for other in others if other.account == account]
    mine = checked.settings.get("id_prefix", "")
    if "id_prefix" not in checked.cells or "id_prefix" in checked.settings:
        key = "id_prefix" if "id_prefix" in checked.cells else "emc_account"
        yield from _prefix_clashes(mine, shared, account, _cell(checked, key, name))
    url = checked.settings.get("smarthr_url", "")
    same = [other.tenant for other in shared if other.smarthr_url == url] if url else []
    if same and hosts.is_smarthr_url(url):  # an operator's stand-in may serve several tenants
        found = f"SmartHR URLが同じEMCアカウントの{_names(same)}と同じです"
        yield Problem(_cell(checked, "smarthr_url", name), found, "同じ社員が二重に登録されます。URLを確認してください")
    unread = sum(not other.account for other in others)
    if unread and "emc_account" in checked.cells:  # not named: nobody knows whether they share the account (L5)
        found = f"ほかの会社の連携設定シート{unread}件に誤りがあるため、ID付与コードを比べていません"
        remedy = "運用担当者は、そのシートを直してから、もう一度確認してください"
        yield Problem(_cell(checked, "emc_account", name), found, remedy)


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
    first = [f"「{trim(tenant)}」" for tenant in sorted(tenants)[:MAX_NAMED]]
    more = len(tenants) - len(first)
    return "".join(first) + (f"ほか{more}社" if more else "")
