"""What the lines of 部署データ and ユーザデータ have in common: 連携有無, and lines of no item or of one twice (E16)."""

from __future__ import annotations

from renkei.links.smarthr_emc.sheet.raw import RawRow
from renkei.sheets.findings import Findings
from renkei.texts import CHECKS, CIRCLES, CROSSES, Fault, RawCell, fold, is_ditto, trim

_LINKED = {
    fold(word) for word in (*CIRCLES, *CHECKS, "有", "有り", "あり", "する", "連携", "連携する", "はい", "true", "yes")
}
_CONSTANT = {fold(word) for word in ("固定値", "連携しない(固定値)")}
UNLINKED = {
    fold(word) for word in ("", *CROSSES, "-", "ー", "無", "無し", "なし", "しない", "連携無し", "連携しない", "いいえ")
} | {"false", "no"}
DITTO = Fault(
    "「同上」「〃」などは使えません", "行を移すと意味が変わります。上の行と同じ内容をそのまま記入してください"
)


def is_linked(row: RawRow, findings: Findings, *, quoted: bool = True) -> bool:
    """Whether 連携有無 asks for this line; without that column, whether it has a source.

    A cell that says something else is a problem, and taken for yes; not `quoted` where it may be a password in the
    wrong column (L7).
    """
    if row.linked is None:
        return bool(trim(row.source.text))

    def read(text: str) -> bool:
        if fold(text) in _LINKED or fold(text) in _CONSTANT:
            return True
        if fold(text) in UNLINKED:
            return False
        what = f"の「{trim(text)}」" if quoted else ""
        raise Fault(f"連携有無{what}は使えない言葉です", "連携する場合は○、しない場合は空白にしてください")

    return findings.read(read, row.linked, quoted=quoted, ditto=DITTO) is not False


def is_constant(row: RawRow) -> bool:
    """Whether 連携有無 says that the source is the text itself (固定値)."""
    return row.linked is not None and fold(row.linked.text) in _CONSTANT


def asks_for_nothing(row: RawRow) -> bool:
    """True for a heading between the lines: no 連携有無, no source."""
    linked = row.linked is not None and fold(row.linked.text) not in UNLINKED
    return not linked and fold(row.source.text) in UNLINKED


def unknown_line(row: RawRow, part: str, remedy: str, findings: Findings) -> None:
    """Tells of a line of an item that there is not; only doubtful where it asks for nothing, as a heading does."""
    where, text = row.item.where, trim(row.item.text)
    if is_ditto(text):
        findings.problems.append(DITTO.at(where))
    elif asks_for_nothing(row):
        found = f"「{text}」という{part}の項目はないので、この行は読みません"
        findings.warning(where, found, "見出しや説明の行であれば、このままで構いません")
    else:
        findings.problem(where, f"「{text}」という{part}の項目はありません", remedy)


def twice(cell: RawCell, name: str, first: str, findings: Findings) -> None:
    """Tells of a second line of an item."""
    findings.problem(cell.where, f"{name}が2回記入されています(1回目は{first})", "どちらか1行を削除してください")
