"""Makes the pictures of docs/sheet.ja.md from the real template: `python -m scripts.sheet_pictures`.

Needs LibreOffice and poppler, and the Noto fonts in place of 游ゴシック (Debian: libreoffice-calc poppler-utils
fonts-noto-cjk); without them it says so and changes nothing.
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl

from renkei.links.smarthr_emc.sheet.excel.reader import TITLES
from renkei.links.smarthr_emc.sheet.excel.template import write_template
from renkei.links.smarthr_emc.sheet.review import review
from renkei.sheets.workbook.marked import RESULT, mark

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "pictures"
TOOLS = ("soffice", "pdftoppm", "pdftotext", "pdfinfo")
DOTS_PER_INCH = 110
COLOURS = 64
_FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>
<include>/etc/fonts/fonts.conf</include><match target="pattern"><test name="family"><string>游ゴシック</string></test>
<edit name="family" mode="assign" binding="strong"><string>Noto Sans CJK JP</string></edit></match></fontconfig>"""
# Without it LibreOffice takes Japanese for Chinese, and 戸 is drawn as a Chinese reader writes it.
_JAPANESE = """<?xml version="1.0" encoding="UTF-8"?><oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Linguistic/General"><prop oor:name="DefaultLocale_CJK" oor:op="fuse">
<value>ja-JP</value></prop></item><item oor:path="/org.openoffice.Setup/L10N">
<prop oor:name="ooSetupSystemLocale" oor:op="fuse"><value>ja-JP</value></prop></item></oor:items>"""
_ANSWERS: dict[str, dict[tuple[str | int, int], str]] = {
    "連携情報": {
        ("会社名", 2): "さくら商事株式会社",
        ("SmartHR URL", 2): "https://sakura.smarthr.jp",
        ("結果通知先メールアドレス1", 2): "soumu@sakura.example.jp",
        ("連携開始日", 2): "2026-04-01",
    },
    "部署データ": {("部署名(ヨミ)", 4): "ブショ"},
    "ユーザデータ": {
        ("ユーザID", 4): "社員番号",
        ("パスワード", 4): "秘密:first_password__sakura",
        ("氏名", 4): '姓&"　"&名',
        ("氏名(ヨミ)", 4): '姓(ヨミガナ)&"　"&名(ヨミガナ)',
        ("氏名(ヨミ)", 9): "全角カナ",
        ("所属部署コード", 3): "○",
        ("所属部署コード", 4): "部署1",
        ("兼務管理部署1", 3): "○",
        ("兼務管理部署1", 4): "部署2",
    },
    "通知": {
        (row, column): text
        for row, texts in enumerate(
            (
                ("総務のチャット", "Slack(Webhook)", "", "", "", "", "○", "○", "", "○", "○"),
                ("総務のルーム", "チャットワーク", "", "123456789", "", "", "", "", "", "", ""),
                ("担当者本人", "LINE WORKS", "", "社員:1001", "", "", "○", "○", "", "○", ""),
                ("店長会", "Microsoft Teams", "teams_tencho__sakura", "", "○", "", "○", "", "", "", ""),
            ),
            5,
        )
        for column, text in enumerate(texts, 1)
    },
}
_MISTAKES: dict[tuple[str | int, int], str] = {
    ("氏名", 4): "氏めい",
    ("氏名(ヨミ)", 8): "更新",
    ("所属部署コード", 5): "とうろく",
}


def main() -> int:
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        print(f"not installed: {', '.join(missing)} (LibreOffice and poppler-utils)", file=sys.stderr)
        return 1
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        empty, filled, marked = folder / "empty.xlsx", folder / "filled.xlsx", folder / "marked.xlsx"
        write_template(empty, tenant="桜商事株式会社")
        _fill(empty, filled, _ANSWERS)
        _fill(filled, marked, {"ユーザデータ": _MISTAKES})
        marked.write_bytes(_marked(marked))
        _draw(empty, {"はじめに": "introduction", "SmartHR項目一覧": "items", "記入例": "example"})
        parts = {"連携情報": "information", "部署データ": "departments", "ユーザデータ": "users"}
        _draw(filled, parts | {"通知": "notifications"})
        _draw(marked, {RESULT: "result", "ユーザデータ": "marked"})
    for path in sorted(PICTURES.glob("*.png")):
        print(f"{path.name} {path.stat().st_size:,}")
    return 0


def _fill(source: Path, target: Path, answers: dict[str, dict[tuple[str | int, int], str]]) -> None:
    book = openpyxl.load_workbook(source)
    for title, cells in answers.items():
        sheet: Any = book[title]
        rows = {cell.value: cell.row for cell in sheet["A"]}
        for (item, column), text in cells.items():
            sheet.cell(item if isinstance(item, int) else rows[item], column).value = text or None
    book.save(target)


def _marked(workbook: Path) -> bytes:
    found = review(workbook, "sakura")
    return mark(found.content, found.problems, found.warnings, TITLES)


def _draw(workbook: Path, names: dict[str, str]) -> None:
    """The first page of each worksheet in `names`; a page says in its footer which worksheet it belongs to."""
    folder = workbook.parent
    fonts = folder / "fonts.conf"
    fonts.write_text(_FONTS, encoding="utf-8")
    settings = folder / "profile" / "user" / "registrymodifications.xcu"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(_JAPANESE, encoding="utf-8")
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    _run("soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", folder, workbook, FONTCONFIG_FILE=fonts)
    pdf = workbook.with_suffix(".pdf")
    pages = int(_run("pdfinfo", pdf).split("Pages:")[1].split()[0])
    for page in range(pages, 0, -1):  # the first of several pages is drawn last
        footer = _run("pdftotext", "-f", page, "-l", page, "-layout", pdf, "-").strip().rsplit("\n", 1)[-1]
        title = footer.rsplit(maxsplit=1)[0].strip() if footer.split() else ""
        if title in names:
            drawn = folder / "page"
            _run("pdftoppm", "-r", DOTS_PER_INCH, "-f", page, "-l", page, "-singlefile", pdf, drawn)
            (PICTURES / f"{names[title]}.png").write_bytes(small_png(_cut(_pixels(drawn.with_suffix(".ppm")))))


def _run(*command: object, **environment: object) -> str:
    known = {**os.environ, **{name: str(value) for name, value in environment.items()}}
    return subprocess.run(
        [str(part) for part in command], check=True, capture_output=True, text=True, env=known, timeout=180
    ).stdout


def _pixels(path: Path) -> Any:
    """A PPM picture: height × width × 3."""
    _, size, _, body = path.read_bytes().split(b"\n", 3)
    width, height = map(int, size.split())
    return np.frombuffer(body, np.uint8).reshape(height, width, 3)


def _cut(pixels: Any) -> Any:
    """Without the footer and the white around the rest."""
    above = pixels[: int(len(pixels) * 0.935)]
    dark = (above < 250).any(axis=2)
    rows, columns = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    return above[max(0, rows[0] - 12) : rows[-1] + 13, max(0, columns[0] - 12) : columns[-1] + 13]


def small_png(pixels: Any) -> bytes:
    """A PNG of the most frequent colours; the others become the nearest of them."""
    height, width, _ = pixels.shape
    found, where, counts = np.unique(pixels.reshape(-1, 3), axis=0, return_inverse=True, return_counts=True)
    order = np.argsort(-counts)  # of shades that are much alike the most frequent one stands for all
    _, first, alike = np.unique(found[order] >> 3, axis=0, return_index=True, return_inverse=True)
    most = np.argsort(-np.bincount(alike.reshape(-1), counts[order]))[:COLOURS]
    palette = found[order][first][most]
    distances = ((found[:, None, :].astype(int) - palette[None, :, :].astype(int)) ** 2).sum(axis=2)
    indices = distances.argmin(axis=1).astype(np.uint8)[where.reshape(-1)].reshape(height, width)
    lines = b"".join(b"\0" + row.tobytes() for row in indices)
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = ((b"IHDR", header), (b"PLTE", palette.tobytes()), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    )


if __name__ == "__main__":
    sys.exit(main())
