"""Hostile YAML forms."""

from __future__ import annotations

from collections.abc import Callable

from tests.proof.fuzz.hostile import EITHER, SAME, Hostile
from tests.proof.fuzz.workbook import YAML, pack, parts


def yaml_forms() -> list[Hostile]:
    def text(name: str, expected: str, content: str, quick: bool = True) -> Hostile:
        return Hostile(f"yaml: {name}", expected, lambda: content.encode(), ".yaml", quick)

    def raw(name: str, expected: str, content: Callable[[], bytes]) -> Hostile:
        return Hostile(f"yaml: {name}", expected, content, ".yaml")

    aliases = "a: &a [x]\n" + "".join(
        f"{c}: &{c} [{', '.join([f'*{p}'] * 9)}]\n" for p, c in zip("abcdefgh", "bcdefghi", strict=True)
    )
    tag = YAML.replace("run_at: 5:30", 'run_at: !!python/object/apply:os.system ["touch /tmp/renkei-was-here"]')
    users = YAML + "".join(f"  - {{item: 項目{n * 7919}, source: 姓}}\n" for n in range(20_000))
    return [
        text("sound", SAME, YAML),
        raw("with BOM", SAME, lambda: b"\xef\xbb\xbf" + YAML.encode()),
        text("CRLF", SAME, YAML.replace("\n", "\r\n")),
        text("alias bomb", "参照", aliases),
        text("anchor", "参照", YAML + "x: &a 1\n"),
        text("merge key", "キーはありません", YAML + "<<: {run_at: 4:30}\n"),
        text("python tag", "文字ではありません", tag),
        text("python name tag", EITHER, YAML.replace("5:30", "!!python/name:os.system")),
        text("binary tag", EITHER, YAML.replace("AC-", "!!binary QUMt")),
        text("custom tag", EITHER, YAML.replace("AC-", "!include /etc/passwd")),
        text("key twice", "2回", YAML + "run_at: 4:30\n"),
        text("two documents", "2つ以上", YAML + "---\nx: 1\n"),
        text("deep lists", "入れ子", "[" * 100_000),
        text("deep mappings", "入れ子", "{a: " * 100_000),
        text("deep blocks", "入れ子", "- " * 100_000),
        text("deep keys", EITHER, "? " * 100_000),
        text("a list as key", "キーはありません", YAML + "? [a, b]\n: x\n"),
        text("a list for everything", "キー", "- 1\n- 2\n"),
        text("one word", "キー", "x"),
        text("a date as prefix", EITHER, YAML.replace("AC-", "2026-01-01")),
        text("a huge integer", EITHER, YAML.replace("percent: 10", "percent: " + "9" * 100_000)),
        text("not a number", "割合ではありません", YAML.replace("percent: 10", "percent: .nan")),
        text("a list of users as mapping", "一覧ではありません", YAML.replace("  - {", "  x: {", 1).split("  - {")[0]),
        text("tabs", EITHER, YAML.replace("  - ", "\t- ")),
        text("NUL", "YAMLとして", YAML + "\0"),
        text("control characters", EITHER, YAML.replace("AC-", '"A\\x01\\u202e\\uD800"')),
        text("only comments", "空です", "#" * 900_000),
        text("900,000 blanks", EITHER, " " * 900_000 + "x"),
        text("100,000 blank lines", SAME, "\n" * 100_000 + YAML),
        text("300,000 blanks in a text", EITHER, YAML.replace("AC-", "'a" + " " * 300_000 + "b'")),
        text("a folded text of 50,000 lines", EITHER, YAML + "id_prefixx: >\n" + "  a\n" * 50_000),
        text("a quoted text of 100,000 lines", EITHER, YAML.replace("AC-", '"' + "a\n  \n" * 100_000 + '"')),
        text("100,000 flow entries", EITHER, YAML + "x: [" + "a," * 100_000 + "]\n", False),
        text("60,000 unknown keys", EITHER, YAML + "".join(f"k{n * 7919}: 1\n" for n in range(60_000)), False),
        text("20,000 unknown users", EITHER, users, False),
        text("100,000 colons", EITHER, YAML + ":" * 100_000),
        text("100,000 question marks", EITHER, YAML + "?\n" * 100_000, False),
        text("500,000 percent signs", EITHER, "%" * 500_000),
        text("500,000 directives", EITHER, "%X y\n" * 100_000, False),
        text("500,000 tags", EITHER, "!a " * 100_000, False),
        text("an endless tag", EITHER, "x: !" + "a" * 500_000 + " 1"),
        raw("Shift_JIS", "UTF-8", lambda: YAML.encode("cp932")),
        raw("UTF-16", "UTF-8", lambda: YAML.encode("utf-16")),
        raw("a workbook", "中身はExcelブック", lambda: pack(parts())),
        raw("random bytes", "UTF-8", lambda: bytes(range(256)) * 50),
        raw("2 MB", "大きすぎます", lambda: b"x: y\n" * 400_000),
        raw("empty", "空です", lambda: b""),
    ]  # fmt: skip
