"""Bad input: whatever a sheet's file or SmartHR's answer holds, it is a sound mapping or read, or problems (L1, L5, L8).

The bulk comes from a seeded generator of our own: Hypothesis spends milliseconds on an example that takes Renkei one
(`test_fuzz.py` has a property in Hypothesis). One input again: `python -m tests.proof.fuzz cells 4711`; a hostile file
by its name: `python -m tests.proof.fuzz hostile "45 MB of cells"`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import enum
import json
import multiprocessing
import os
import random
import resource
import signal
import sys
import tempfile
import time
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from renkei.errors import MappingError, Problem
from renkei.links.smarthr_emc.sheet import SHEETS
from renkei.links.smarthr_emc.sheet.compile import compile_sheet
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.sheet.parse import parse, partial_sheet
from renkei.links.smarthr_emc.sheet.raw import RawRow, RawSetting, RawSheet
from renkei.sheets.compiled import Compiled
from renkei.sheets.load import _form
from renkei.sheets.tenant_files import read_bytes
from renkei.texts import RawCell
from tests.proof import workbooks
from tests.proof.case import Case, Effort, Say
from tests.proof.workbooks import DEPARTMENTS, EITHER, PASSWORD, SAME, SETTINGS, USERS, YAML, Hostile

GROUP = "fuzz"
SEED = 20261122
LONGEST_S = 15.0  # of the processor, for one input
WAITING_MOST_S = 120.0  # by the clock: a machine with other work to do is no fault, a wait without end is one
MAX_MEMORY = 1 << 30  # over what the process had before
PROCESSES = 2
FULL = {"cells": 92_000, "workbooks": 2_500, "yaml": 4_000, "payloads": 4_000}
SLICE = {"cells": 300, "workbooks": 30, "yaml": 60, "payloads": 60}
SLICE_STEP = 3  # of the quick hostile inputs
RULES = {"cells": "L5 L7 L8 E15", "workbooks": "L5 L8 E15", "yaml": "L5 L8 E15", "payloads": "L1 L6 L8 E33"}
TITLES = {
    "cells": "cells of a sheet, bent",
    "workbooks": "workbooks, bent in cells, XML and zip",
    "yaml": "YAML forms, bent",
    "payloads": "SmartHR's answers, bent",
}


@dataclass
class Tally:
    """What came of a number of inputs."""

    tries: int = 0
    taken: int = 0
    wrong: list[str] = field(default_factory=list)
    slowest_s: float = 0.0
    memory: int = 0

    def add(self, other: Tally) -> None:
        self.tries += other.tries
        self.taken += other.taken
        self.wrong += other.wrong
        self.slowest_s = max(self.slowest_s, other.slowest_s)
        self.memory = max(self.memory, other.memory)


class TooLong(BaseException):
    """Not an Exception: nothing in Renkei may take it for a damaged file."""


def campaign(folder: Path, effort: Effort, say: Say) -> list[Case]:
    """Four bulks of bent inputs, and the hostile files and answers one by one, each in a process of its own."""
    counts = FULL if effort is Effort.FULL else SLICE
    steps = {kind: max(1, count // (12 if effort is Effort.FULL else 1)) for kind, count in counts.items()}
    started = {kind: 0.0 for kind in counts}
    tallies = {kind: Tally() for kind in counts}
    if effort is Effort.FULL:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(PROCESSES, context) as pool:
            futures = [
                (kind, pool.submit(bulk, kind, start, min(start + steps[kind], count)))
                for kind, count in counts.items()
                for start in range(0, count, steps[kind])
            ]
            for kind, future in futures:
                tally, seconds = future.result()
                tallies[kind].add(tally)
                started[kind] += seconds
                say(f"fuzz: {TITLES[kind]}: {tallies[kind].tries} of {counts[kind]}")
    else:
        for kind, count in counts.items():
            tallies[kind], started[kind] = bulk(kind, 0, count)
    cases = [_case(TITLES[kind], RULES[kind], tallies[kind], started[kind]) for kind in counts]
    for title, rules, what in (
        ("hostile workbooks and YAML forms", "L5 L8 E15", "hostile"),
        ("hostile answers of SmartHR", "L1 L6 E33", "answers"),
    ):
        begun = time.perf_counter()
        tally = _apart(what, effort is Effort.FULL)
        cases.append(_case(title, rules, tally, time.perf_counter() - begun, measured=True))
        say(f"fuzz: {title}: {tally.tries}")
    return cases


def _case(title: str, rules: str, tally: Tally, seconds: float, measured: bool = False) -> Case:
    memory = f", at most {tally.memory >> 20} MB more" if measured else ""
    afterwards = (
        f"{tally.taken} sound, {tally.tries - tally.taken} refused in words; no traceback; "
        f"slowest {tally.slowest_s:.1f} s of the processor{memory}"
    )
    return Case(GROUP, title, rules, tally.tries, tuple(tally.wrong[:20]), afterwards, seconds)


def bulk(kind: str, start: int, stop: int) -> tuple[Tally, float]:
    """The inputs `start` to `stop` of a kind, and the seconds they took."""
    from tests.proof.payloads import no_pauses

    tally, begun = Tally(), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, no_pauses(), _too_long():
        for number in range(start, stop):
            now = time.process_time()
            _set_timers()
            try:
                taken, wrong = KINDS[kind](f"{SEED}:{kind}:{number}", Path(folder))
            except (Exception, TooLong) as error:
                taken, wrong = False, f"{type(error).__name__}: {ascii(error)[:200]}"
            _set_timers(0.0, 0.0)
            tally.tries += 1
            tally.taken += taken
            tally.slowest_s = max(tally.slowest_s, time.process_time() - now)
            if wrong:
                tally.wrong.append(f"python -m tests.proof.fuzz {kind} {number}: {wrong}")
    return tally, time.perf_counter() - begun


def _set_timers(processor_s: float = LONGEST_S, clock_s: float = WAITING_MOST_S) -> None:
    signal.setitimer(signal.ITIMER_PROF, processor_s)
    signal.setitimer(signal.ITIMER_REAL, clock_s)


@contextlib.contextmanager
def _too_long() -> Iterator[None]:
    """While it lasts, the end of a timer raises TooLong."""

    def late(*_: object) -> None:
        raise TooLong(f"more than {LONGEST_S} s of the processor, or {WAITING_MOST_S} s")

    before = [(each, signal.signal(each, late)) for each in (signal.SIGALRM, signal.SIGPROF)]
    try:
        yield
    finally:
        _set_timers(0.0, 0.0)
        for each, handler in before:
            signal.signal(each, handler)


# -- what is right ----------------------------------------------------------------------------------------------------


def judge(compiled: Compiled, name: str, secret: bool = True) -> str:
    """What is wrong with what became of a file, or nothing. `secret`: the password stood in its own cell."""
    if (compiled.mapping is None) != bool(compiled.problems):
        return "neither a mapping nor problems, or both"
    for problem in (*compiled.problems, *compiled.warnings):
        for text in (problem.where, problem.found, problem.remedy):
            if len(text) > 400 or any(unicodedata.category(c) in ("Cc", "Cs") for c in text):
                return f"a problem that cannot be shown: {ascii(text)[:120]}"
        if wrong := judge_problem(problem, name, secret):
            return wrong
    form = _form(SHEETS)
    if form.validate_json(form.dump_json(compiled)) != compiled:
        return "kept in a file, it is another"
    return judge_mapping(compiled.mapping) if compiled.mapping else ""


def judge_problem(problem: Problem, name: str, secret: bool) -> str:
    if not problem.where.startswith(name) or not problem.found or not problem.remedy:
        return f"a problem without a place, a finding or a remedy: {ascii(problem)[:200]}"
    if not any("ぁ" <= c <= "ん" for c in problem.found + problem.remedy):
        return f"a problem that is not in Japanese: {ascii(problem)[:200]}"
    if secret and PASSWORD in str(problem):
        return "the password in a problem"
    return ""


def judge_mapping(mapping: Mapping) -> str:
    """The rules of the sheet that can be told from its result alone."""
    url = mapping.smarthr_url
    if not url.startswith("https://") or not url.endswith((".smarthr.jp", ".daruma.space")):
        return f"SmartHR URL {ascii(url)[:100]}"
    addresses = mapping.result_addresses
    if not 1 <= len(addresses) <= 5 or any(a.count("@") != 1 or a.split() != [a] for a in addresses):
        return f"addresses {ascii(addresses)[:100]}"
    if len(mapping.id_prefix) > 20 or any(not "!" <= c <= "~" for c in mapping.id_prefix):
        return f"prefix {ascii(mapping.id_prefix)[:100]}"
    items = [rule.item for rule in mapping.users]
    if "user_id" not in items or len(items) != len(set(items)):
        return "no user id, or an item twice"
    if not mapping.departments.yomi.strip():
        return "a blank 部署名(ヨミ)"
    for text in _texts(mapping):
        if len(text) > 33_000 or any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in text):
            return f"a text that EMC cannot take: {ascii(text)[:100]}"
    return ""


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str) and not isinstance(value, enum.Enum):
        yield value
    elif dataclasses.is_dataclass(value):
        for each in dataclasses.fields(value):
            yield from _texts(getattr(value, each.name))
    elif isinstance(value, tuple):
        for each in value:
            yield from _texts(each)


# -- bent sheets ------------------------------------------------------------------------------------------------------

_WORDS = (
    "社員番号", "メールアドレス", "姓", "名", "氏名", "部署1", "部署11", "部署1(コード)", "カスタム項目:", "カスタム項目:資格", "カスタム項目:「A or B」",
    "固定値", "固定値「本社」", "固定値:本社", "秘密:", "秘密:first", "固定値「秘密:x」", "無し(空白)", "無し", "-", "&", "＆", " or ", "または", "又は",
    "「", "」", "『", "』", '"', "＂", "“", "”", "「「", "」」", ":", "：", "(", ")", "登録", "登録しない", "更新", "更新しない", "エラー", "自動",
    "デフォルト:", "デフォルト:X", "DEFAULT:\n", "○", "×", "する", "true", "連携しない(固定値)", "ユーザID", "パスワード", "検索ワード1:x", "検索ワード9",
    "緊急連絡1 媒体", "兼務管理部署1～10", "部署ID", "処理フラグ", "https://acme.smarthr.jp", "https://evil.example.com", "https://[", "http://x.smarthr.jp:99999",
    "https://a@b.smarthr.jp", "https://app.smarthr.jp", "//", "a@b.jp", "a@b.jp,c@d.jp;e@f.jp、g@h.jp i@j.jp k@l.jp", "@", "a@[1.2.3.4]", "a@b", "2026-04-01",
    "2026/13/45", "46113", "0000-00-00", "9999-12-31", "4:30", "25:00", "4時", "4時61分", "10%", "-1", "1e5", "nan", "inf", "∞", "１０", "Ⅳ", "²", "٣", "10.55555",
    "9" * 40, "=1+1", "#REF!", "TRUE", "None", "null", "~", "!!python/object:os.system", "${jndi:x}", "{{7*7}}", "<b>", "%s%n", "../../etc/passwd", "'; --",
)  # fmt: skip
_BANDS = (
    (0x20, 0x7E), (0x00, 0x1F), (0x80, 0xA0), (0x200B, 0x200F), (0x2028, 0x202F), (0x2060, 0x2064), (0xFF01, 0xFF5E), (0x3000, 0x30FF),
    (0x4E00, 0x4E80), (0x1F600, 0x1F64F), (0x5D0, 0x5EA), (0x300, 0x310), (0xD800, 0xDFFF), (0xE000, 0xE010), (0xFE00, 0xFE0F), (0xFFF0, 0xFFFF), (0x10FFF0, 0x10FFFF),
)  # fmt: skip


def nasty(rnd: random.Random, before: str = "", xml: bool = False) -> str:
    """A text that somebody might have typed, or not; `xml`: one that XML can hold."""
    kind = rnd.randrange(10)
    if kind < 3:
        text = rnd.choice(_WORDS)
    elif kind < 6:
        text = "".join(rnd.choice(_WORDS) for _ in range(rnd.randrange(2, 9)))
    elif kind == 6:
        text = "".join(chr(rnd.randint(*rnd.choice(_BANDS))) for _ in range(rnd.randrange(1, 12)))
    elif kind == 7 and rnd.random() < 0.15:
        text = (rnd.choice((*_WORDS, " ", "　", "\u200b", "あ")) * 32_767)[: rnd.choice((33, 300, 1_999, 32_767))]
        text = rnd.choice(("", "x")) + text + rnd.choice(("", "x"))
    elif kind == 8:
        text = rnd.choice(("", " ", "　", "\u200b", "\n", "\t")) + before + rnd.choice((" ", "\ufeff", "\u3000", "\n"))
    else:
        at = rnd.randrange(len(before) + 1)
        new = rnd.choice((*'&「」":：@/-. ', "", "\u202e", "\x00", "\ud800", "か\u3099", "😀"))
        text = before[:at] + new + before[at + rnd.randrange(2) :]
    if xml:
        text = "".join(
            c for c in text if c in "\t\n\r" or " " <= c < "\ud800" or "\ue000" <= c < "\ufffe" or c > "\uffff"
        )
    return text


def _bent_tables(rnd: random.Random, xml: bool = False) -> list[list[list[str]]]:
    """The three tables with some of their cells changed; the password stays in its row and in no other."""
    tables = [[list(row) for row in table] for table in (SETTINGS, DEPARTMENTS, USERS)]
    for _ in range(rnd.choice((1, 1, 1, 2, 3, 6))):
        table = rnd.choice(tables)
        row = rnd.randrange(1, len(table))
        kind = rnd.randrange(12)
        if kind == 0 and len(table) > 3:
            del table[row]
        elif kind == 1:
            table.insert(rnd.randrange(1, len(table) + 1), list(table[row]))
        elif kind == 2:
            table.append([nasty(rnd, xml=xml) for _ in range(len(table[row]))])
        elif kind == 3:
            rnd.shuffle(table)
        else:
            column = rnd.randrange(len(table[row]))
            table[row][column] = nasty(rnd, "" if PASSWORD in table[row][column] else table[row][column], xml)
    return tables


def _raw(tables: Sequence[Sequence[Sequence[str]]]) -> RawSheet:
    """The tables as a reader would hand them on."""
    settings, departments, users = tables

    def cell(part: str, row: int, line: Sequence[str], column: int) -> RawCell:
        text = line[column] if column < len(line) else ""
        return RawCell(text, f"acme.xlsx {part}!{workbooks.letters(column)}{row}")

    def rows(part: str, table: Sequence[Sequence[str]], first: int) -> tuple[RawRow, ...]:
        return tuple(
            RawRow(*(cell(part, n, line, column) for column in (0, 2, 3, 4, 5, 6, 7)))
            for n, line in enumerate(table[first:], first + 1)
        )

    return RawSheet(
        "acme.xlsx",
        tuple(
            RawSetting(cell("連携情報", n, line, 0), cell("連携情報", n, line, 1))
            for n, line in enumerate(settings[1:], 2)
        ),
        rows("部署データ", departments, 1),
        rows("ユーザデータ", users, 2),
    )


def cells(seed: str, _: Path) -> tuple[bool, str]:
    """A bent sheet, from its cells on: no zip, no XML."""
    raw = _raw(_bent_tables(random.Random(seed)))
    try:
        mapping, warnings = parse(raw, "acme")
    except MappingError as error:
        partial_sheet(raw)
        if not error.problems:
            return False, "refused without a problem"
        return False, next((w for p in error.problems if (w := judge_problem(p, "acme.xlsx", True))), "")
    return True, judge_mapping(mapping) or next((w for p in warnings if (w := judge_problem(p, "acme.xlsx", True))), "")


def bent_workbooks(seed: str, folder: Path) -> tuple[bool, str]:
    """A bent workbook as a file."""
    rnd = random.Random(seed)
    in_cells = rnd.random() < 0.6
    content = _bent_cells(rnd) if in_cells else _bent_bytes(rnd)
    return _load(folder / "acme.xlsx", content, in_cells)


def load(path: Path, tenant: str) -> Compiled:
    """The sheet read in this process, which counts what it takes: the bound from outside must not be needed."""
    try:
        content = read_bytes(path)
    except MappingError as error:
        return Compiled(tenant, "", None, error.problems)
    return compile_sheet(path.name, content, tenant)[0]


def _load(path: Path, content: bytes, secret: bool) -> tuple[bool, str]:
    path.write_bytes(content)
    compiled = load(path, "acme")
    return compiled.mapping is not None, judge(compiled, path.name, secret)


def _bent_cells(rnd: random.Random) -> bytes:
    tables = _bent_tables(rnd, xml=True)
    parts = workbooks.parts()
    for n, table in enumerate(tables, 1):
        bend = {}
        if rnd.random() < 0.4:
            row = rnd.randrange(1, len(table) + 1)
            column = rnd.randrange(1, 4) if n > 1 else 2
            bend[row, column] = _bent_cell(rnd, f"{workbooks.letters(column - 1)}{row}")
        after = rnd.choice(
            ("", "", '<mergeCells><mergeCell ref="A1:C3"/></mergeCells>', '<sheetProtection sheet="1"/>')
        )
        parts[f"xl/worksheets/sheet{n}.xml"] = workbooks.worksheet(
            workbooks.rows_of([tuple(row) for row in table], bend), after=after
        )
    return workbooks.pack(parts)


def _bent_cell(rnd: random.Random, at: str) -> str:
    number = rnd.choice(
        ("0", "1", "46113", "46113.5", "-1", "0.2291666", "1e308", "1e999", "nan", "20260401", "12", "9" * 400)
    )
    style = rnd.randrange(5)
    shared = rnd.choice((0, 1, 2, -1))
    text = nasty(rnd, xml=True).replace("&", "").replace("<", "")
    return rnd.choice(
        (
            f'<c r="{at}" s="{style}"><v>{number}</v></c>',
            f'<c r="{at}" t="b"><v>{rnd.choice("01x")}</v></c>',
            f'<c r="{at}" t="e"><v>#REF!</v></c>',
            f'<c r="{at}" t="d"><v>2026-04-01T00:00:00</v></c>',
            f'<c r="{at}" t="s"><v>{shared}</v></c>',
            f'<c r="{at}" t="str"><f>A1&amp;B1</f><v>x</v></c>',
            f'<c r="{at}" t="str"><v>{text}</v></c>',
            f'<c r="{at}" t="inlineStr"><is><r><t>{text}</t></r><r><t>x</t></r><rPh sb="0" eb="1"><t>ヨ</t></rPh></is></c>',
            f'<c r="{at}"/>',
            f'<c r="{at}" t="{rnd.choice(("n", "zz", "", "inlineStr"))}"><v>{text}</v></c>',
        )
    )


def _bent_bytes(rnd: random.Random) -> bytes:
    parts = workbooks.parts()
    names = list(parts)
    kind = rnd.randrange(7)
    name = rnd.choice(names)
    if kind < 2:  # bytes of one part
        content = bytearray(parts[name])
        for _ in range(rnd.choice((1, 2, 5))):
            at = rnd.randrange(len(content))
            content[at : at + rnd.randrange(3)] = rnd.choice((b"", b"<", b">", b"&", b'"', b"\x00", b"\xff", bytes([rnd.randrange(256)]), b"9"))  # fmt: skip
        return workbooks.pack(parts | {name: bytes(content)})
    if kind == 2:  # parts dropped, swapped, renamed, repeated
        other = rnd.choice(names)
        how = rnd.randrange(4)
        if how == 0:
            del parts[name]
        elif how == 1:
            parts[name], parts[other] = parts[other], parts[name]
        elif how == 2:
            parts[rnd.choice((name.upper(), name + "x", "/" + name, name.replace("/", "\\")))] = parts.pop(name)
        else:
            return workbooks.pack([*parts.items(), (name, parts[other])])
        return workbooks.pack(parts)
    if kind == 3:  # an element or attribute gone
        text = parts[name].decode()
        start = rnd.randrange(len(text))
        return workbooks.pack(parts | {name: (text[:start] + text[start + rnd.randrange(1, 60) :]).encode()})
    whole = bytearray(workbooks.pack(parts, rnd.choice((0, 8, 8, 12, 14))))
    if kind == 4:
        return bytes(whole[: rnd.randrange(len(whole))])
    if kind == 5:
        for _ in range(rnd.choice((1, 3, 30))):
            whole[rnd.randrange(len(whole))] ^= 1 << rnd.randrange(8)
    else:  # in the zip's own records
        starts = [at for at in range(len(whole) - 4) if whole[at : at + 2] == b"PK"]
        at = rnd.choice(starts) + rnd.randrange(46)
        whole[at : at + 2] = rnd.choice((b"\xff\xff", b"\x00\x00", b"\x01\x00", b"\x80\x7f"))
    return bytes(whole)


def bent_yaml(seed: str, folder: Path) -> tuple[bool, str]:
    """A bent YAML form as a file."""
    rnd = random.Random(seed)
    text = YAML
    words = (
        "&a ", "*a", "!!python/object:x ", "!!int ", "!!binary ", "<<: ", "- ", "? ", "| ", ">\n", "{", "}", "[", "]", ":", "#", "%", "---\n", "...\n",
        "'", '"', "\t", "\r", "\x00", "\x85", "\u2028", "\ufeff", "\\ud800", "0x10", "1e999", ".nan", "2026-13-01", "true", "~", "9" * 5_000, "@", "`",
    )  # fmt: skip
    for _ in range(rnd.choice((1, 1, 2, 4))):
        at = rnd.randrange(len(text))
        kind = rnd.randrange(4)
        if kind == 0:
            text = text[:at] + rnd.choice(words) + text[at:]
        elif kind == 1:
            text = text[:at] + text[at + rnd.randrange(1, 30) :]
        elif kind == 2:
            lines = text.splitlines(keepends=True)
            line = rnd.randrange(len(lines))
            lines.insert(rnd.randrange(len(lines)), lines[line])
            text = "".join(lines)
        else:
            text = text[:at] + json.dumps(nasty(rnd), ensure_ascii=rnd.random() < 0.5) + text[at:]
    content = bytearray(text.encode("utf-8", "surrogatepass"))
    if rnd.random() < 0.1:
        content[rnd.randrange(len(content))] = rnd.randrange(256)
    return _load(folder / "acme.yaml", bytes(content), False)


_SOUND: dict[str, Mapping] = {}


def sound(folder: Path) -> Mapping:
    """The mapping of the file that nobody bent; some of it is checked by hand."""
    if not _SOUND:
        path = folder / "acme.yaml"
        path.write_text(YAML, encoding="utf-8")
        mapping = load(path, "acme").mapping
        assert mapping is not None
        assert mapping.link_start_on == dt.date(2026, 4, 1)
        assert mapping.run_at == dt.time(5, 30)
        assert mapping.id_prefix == "AC-"
        assert len(mapping.users) == 8
        _SOUND["sheet"] = mapping
    return _SOUND["sheet"]


def bent_payloads(seed: str, folder: Path) -> tuple[bool, str]:
    """A company whose answers have faults, read and frozen."""
    from tests.proof import payloads

    answers, untouched, custom = payloads.bent(seed)
    users, message, hosts = payloads.read(sound(folder), answers)
    return users is not None, payloads.judge(users, message, hosts, untouched, custom)


KINDS: dict[str, Callable[[str, Path], tuple[bool, str]]] = {
    "cells": cells,
    "workbooks": bent_workbooks,
    "yaml": bent_yaml,
    "payloads": bent_payloads,
}


# -- hostile inputs, each in a forked process with a bound on time and memory -----------------------------------------


def _apart(what: str, full: bool) -> Tally:
    """`trial` in a fresh process, which has no threads when it forks."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context) as pool:
        return pool.submit(trials, what, full).result()


def trials(what: str, full: bool, only: str = "") -> Tally:
    """Every hostile input of a kind."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = _hostile_files(folder) if what == "hostile" else _hostile_answers()
        for number, (title, quick, prepare, check) in enumerate(found):
            if (only and title != only) or not (full or (quick and number % SLICE_STEP == 0)):
                continue
            prepare()
            taken, wrong, seconds, memory = _trial(check)
            tally.add(Tally(1, taken, [], seconds, memory))
            if wrong:
                tally.wrong.append(f'python -m tests.proof.fuzz {what} "{title}": {wrong}')
    return tally


_Trial = tuple[str, bool, Callable[[], None], Callable[[], tuple[bool, str]]]


def _hostile_files(folder: Path) -> Iterator[_Trial]:
    import email_validator  # noqa: F401  (what the reader brings with it is no memory of the file)
    import openpyxl  # noqa: F401

    expected = sound(folder)

    def check(case: Hostile, path: Path) -> tuple[bool, str]:
        compiled = load(path, "acme")
        wrong = judge(compiled, path.name)
        if not wrong and case.expected == SAME and compiled.mapping != expected:
            wrong = f"not the sound sheet: {ascii(compiled.problems[:1])[:200]}"
        elif not wrong and case.expected not in (SAME, EITHER):
            found = [str(problem) for problem in compiled.problems]
            if not any(case.expected in text for text in found):
                wrong = f"no problem says {case.expected}: {found[:2]}"
        return compiled.mapping is not None, wrong

    for case in workbooks.hostile():
        path = folder / f"acme{case.suffix}"

        def run(case: Hostile = case, path: Path = path) -> tuple[bool, str]:
            return check(case, path)

        def prepare(case: Hostile = case, path: Path = path) -> None:
            path.write_bytes(case.build())

        yield case.name, case.quick, prepare, run


def _hostile_answers() -> Iterator[_Trial]:
    from tests.proof import payloads

    quick = {
        "a redirect elsewhere",
        "a redirect to no address",
        "a trillion records",
        "a total of 400 digits",
        "nothing",
    }
    for title in payloads.hostile(1):

        def run(title: str = title) -> tuple[bool, str]:
            other, visits = payloads.serve(b"")
            port, asked = payloads.serve(payloads.hostile(other)[title]())
            message = payloads.read_from(port)
            if visits or not asked:
                return False, "a request went elsewhere, or nowhere"
            if title == "a reset at the end of days":  # an empty list all the same
                return True, message
            return False, payloads.judge_message(message)

        yield title, title in quick, lambda: None, run


def _trial(check: Callable[[], tuple[bool, str]]) -> tuple[bool, str, float, int]:
    """Whether the input was taken, what was wrong, the seconds and the bytes of memory that it took."""
    reading, writing = os.pipe()
    base = _pages(1) * resource.getpagesize()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _bound_memory()
        _set_timers()  # whose end ends the process
        try:
            outcome: tuple[bool, str] = check()
        except BaseException as error:
            outcome = False, f"{type(error).__name__}: {ascii(error)[:200]}"
        os.write(writing, json.dumps(outcome).encode()[:60_000])
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    _, status, used = os.wait4(child, 0)
    seconds, memory = used.ru_utime + used.ru_stime, max(0, used.ru_maxrss * 1024 - base)
    if status or not said:
        return False, f"no end in time, or killed (status {status})", seconds, memory
    taken, wrong = json.loads(said)
    if not wrong and memory > MAX_MEMORY:
        wrong = f"{memory >> 20} MB"
    return bool(taken), str(wrong), seconds, memory


def _pages(which: int) -> int:
    """Of this process: 0 for all that is mapped, 1 for what is in memory."""
    return int(Path("/proc/self/statm").read_text().split()[which])


def _bound_memory() -> None:
    size = _pages(0) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + MAX_MEMORY, size + MAX_MEMORY))


def main(arguments: Sequence[str]) -> int:
    """One input again."""
    kind, which = arguments
    if kind in KINDS:
        tally, _ = bulk(kind, int(which), int(which) + 1)
    else:
        tally = trials(kind, True, which)
    print(tally)
    return 1 if tally.wrong or not tally.tries else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
