"""How cells look."""

from __future__ import annotations

from renkei.sheets.workbook.drawing import FONT, HEADER, dress, heading, new_book, put, rule_above


def test_each_cell_has_its_own_look_in_every_book() -> None:
    """Looks are made once for all books: what one cell is given shows in no other."""
    for _ in range(2):
        sheet = new_book().create_sheet("x")
        head, plain = (
            dress(put(sheet, 1, 1, "a"), HEADER, bold=True),
            dress(put(sheet, 1, 2, "b"), size=9, color="FF0000"),
        )
        heading(sheet, 2, "c")
        dress(put(sheet, 3, 1, "d"))
        rule_above(sheet, 3, 1)
        below = sheet.cell(3, 1)

        assert (head.font.name, head.font.b, head.font.sz, head.fill.fgColor.rgb) == (FONT, True, 11, f"00{HEADER}")
        assert (plain.font.b, plain.font.sz, plain.font.color.rgb, plain.fill.fill_type) == (False, 9, "00FF0000", None)
        assert {getattr(cell.border, side).style for cell in (head, plain) for side in ("left", "top")} == {"thin"}
        assert [bool(cell.alignment.wrap_text) for cell in (head, plain, sheet.cell(2, 1))] == [True, True, False]
        assert sheet.cell(2, 1).border.left.style is None
        assert (below.border.top.style, below.border.left.style) == ("medium", "thin")
