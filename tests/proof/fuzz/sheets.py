"""Bent sheets from a seed: from their cells on, as workbooks, as YAML forms; each read and judged."""

from __future__ import annotations

import datetime as dt
import json
import random
from collections.abc import Sequence
from pathlib import Path

from renkei.errors import MappingError
from renkei.links.smarthr_emc.sheet.compile import compile_sheet
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.sheet.parse import parse, partial_sheet
from renkei.links.smarthr_emc.sheet.raw import RawRow, RawSetting, RawSheet
from renkei.sheets.compiled import Compiled
from renkei.sheets.tenant_files import read_bytes
from renkei.texts import RawCell
from tests.proof.fuzz import workbook as workbooks
from tests.proof.fuzz.judgement import judge, judge_mapping, judge_problem
from tests.proof.fuzz.workbook import DEPARTMENTS, PASSWORD, SETTINGS, USERS, YAML

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


def load(path: Path, tenant: str) -> Compiled[Mapping]:
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
