"""E15: a number is read as Excel shows it, or refused; it is never taken bare where its format shows another text."""

from __future__ import annotations

import pytest

from renkei.sheets.workbook.date_format import show_date
from renkei.sheets.workbook.number_format import NotShownError, number_section, sections, show_number, show_text

SHOWN = [
    (7, "General", "7"),
    (7, "", "7"),
    (7, "@", "7"),
    (12345678901, "General", "12345678901"),
    (0.1 + 0.2, "General", "0.3"),
    (1 / 3, "General", "0.333333333"),
    (12345.678901234, "General", "12345.6789"),
    (-1.5, "General", "-1.5"),
    (0.0001, "General", "0.0001"),
    (5, 'General"名"', "5名"),
    (27, "00000", "00027"),
    (7, "000_ ", "007"),
    (7, '"K"000', "K007"),
    (-7, '"K"000', "-K007"),
    (7, r"\K000", "K007"),
    (123, r"00\-00", "01-23"),
    (12345, r"00\-00", "123-45"),
    (9012345678, r"000\-0000\-0000", "090-1234-5678"),
    (1000001, r"000\-0000", "100-0001"),
    (1234567, "#,##0", "1,234,567"),
    (7, "000,000", "000,007"),
    (0, "#,##0", "0"),
    (0, "#", ""),
    (1500, "0.0,", "1.5"),
    (1_500_000, "0.0,,", "1.5"),
    (1000, '"¥"#,##0;[Red]"¥"\\-#,##0', "¥1,000"),
    (-1000, '"¥"#,##0;[Red]"¥"\\-#,##0', "¥-1,000"),
    (1000, "[$¥-411]#,##0", "¥1,000"),
    (12, '0"名"', "12名"),
    (12, "0名", "12名"),
    (0.125, "0%", "13%"),
    (0.125, "0.0%", "12.5%"),
    (1.005, "0.00", "1.01"),
    (2.5, "0", "3"),
    (5, "0.##", "5."),
    (0.5, "#.##", ".5"),
    (1.5, ".00", "1.50"),
    (15, "0?", "15"),
    (-7, "_ 0_ ", "- 7"),
    (5, "??0", "5"),
    (100, '[>99]"多い";0', "多い"),
    (5, '[>99]"多い";0', "5"),
    (5, "[Red]0", "5"),
    (1, '"○";;"×"', "○"),
    (0, '"○";;"×"', "×"),
    (1234, '_ * #,##0_ ;_ * \\-#,##0_ ;_ * "-"_ ;_ @_ ', "1,234"),
    (0, '_ * #,##0_ ;_ * \\-#,##0_ ;_ * "-"_ ;_ @_ ', "-"),
    (-12, "0_);(0)", "(12)"),
]


@pytest.mark.parametrize(("value", "code", "text"), SHOWN, ids=[f"{value} as {code}" for value, code, _ in SHOWN])
def test_e15_a_number_is_as_excel_shows_it(value: float, code: str, text: str) -> None:
    """Literals, places, groups, percentages, signs, sections and conditions."""
    assert show_number(value, code) == text


@pytest.mark.parametrize(
    ("value", "code"),
    [
        pytest.param(123456789012, "General", id="a power of ten under 標準"),
        pytest.param(0.00001, "General", id="a negative power of ten under 標準"),
        pytest.param(7, "0.00E+00", id="a power of ten"),
        pytest.param(0.5, "# ?/?", id="a fraction"),
        pytest.param(7, ";;;", id="hidden"),
        pytest.param(0, "0;-0;;@", id="a hidden zero"),
        pytest.param(7, "*-0", id="filled to the column's width"),
        pytest.param(7, '"¥"* 0', id="filled in the middle"),
        pytest.param(7, "[DBNum1]0", id="kanji numerals"),
        pytest.param(7, "[$-F800]", id="the machine's own"),
        pytest.param(7, "K000", id="a letter that Excel would not take"),
        pytest.param(7, '"K000', id="a quotation without an end"),
        pytest.param(-7, "[>99]0;0", id="a negative number with a condition"),
        pytest.param(-0.4, "0", id="a negative number that rounds to zero"),
        pytest.param(5, '@"様"', id="a text's format"),
        pytest.param(1e16, "0", id="more digits than Excel has"),
        pytest.param(5, "[=1]0;[=2]0", id="no condition that holds"),
        pytest.param(float("inf"), "0", id="infinite"),
        pytest.param(5, "0#", id="places of two kinds, too few digits"),
        pytest.param(0.5, "General%", id="a percentage without places"),
    ],
)
def test_e15_a_number_that_is_shown_otherwise_is_refused(value: float, code: str) -> None:
    """L1: what a short exact rendering does not know is no number of ours."""
    with pytest.raises(NotShownError):
        show_number(value, code)


@pytest.mark.parametrize(
    ("serial", "code", "text", "exact"),
    [
        (46113, "yyyy/m/d", "2026/4/1", "2026-04-01"),
        (46113, "yyyy-mm-dd;@", "2026-04-01", "2026-04-01"),
        (46113, 'yyyy"年"m"月"d"日"', "2026年4月1日", "2026-04-01"),
        (46113, "yyyy年m月d日", "2026年4月1日", "2026-04-01"),
        (46113, '[$-411]ggge"年"m"月"d"日"', "令和8年4月1日", "2026-04-01"),
        (46113, "[$-ja-JP]ge.m.d;@", "R8.4.1", "2026-04-01"),
        (46113, "ge-m-d", "R8-4-1", "2026-04-01"),
        (46113, 'm"月"d"日"', "4月1日", "2026-04-01"),
        (46113, "d-mmm-yy", "1-Apr-26", "2026-04-01"),
        (46113, 'yyyy/m/d"("aaa")"', "2026/4/1(水)", "2026-04-01"),
        (46113, "aaaa", "水曜日", "2026-04-01"),
        (46113.7, "yyyy/m/d", "2026/4/1", "2026-04-01"),
        (46113.25, "yyyy/m/d h:mm", "2026/4/1 6:00", "2026-04-01 06:00"),
        (0.229166666666667, "h:mm", "5:30", "05:30"),
        (0.229166666666667, "hh:mm:ss", "05:30:00", "05:30"),
        (0.229166666666667, "h:mm AM/PM", "5:30 AM", "05:30"),
        (0.729166666666667, 'h"時"mm"分"', "17時30分", "17:30"),
        (1.5, "[h]:mm", "36:00", ""),
        (0.5, "[mm]", "720", "12:00"),
        # what is held, though not what is shown, is sure
        (46113, "[$-F800]yyyy", "", "2026-04-01"),
        (46113, "[$-407]mmmm yyyy", "", "2026-04-01"),
        (43600, "ggge", "", "2019-05-15"),
        (0.229166666666667, "[$-411]AM/PM h:mm", "", "05:30"),
    ],
)
def test_e15_a_date_is_as_excel_shows_it(serial: float, code: str, text: str, exact: str) -> None:
    """What is shown, and which day and time it is."""
    assert show_date(serial, number_section(serial, code)[0], since_1904=False) == (text, exact)


def test_e15_the_dates_of_an_old_mac_begin_in_1904() -> None:
    """date1904: the same day has another number."""
    assert show_date(46113 - 1462, sections("yyyy/m/d")[0], since_1904=True)[0] == "2026/4/1"


@pytest.mark.parametrize("serial", [59, 60, -1, 2_958_466])
def test_e15_no_day_is_refused(serial: float) -> None:
    """Excel's 29 February 1900 and the days before it, and what it shows as ####."""
    with pytest.raises(NotShownError):
        show_date(serial, sections("yyyy/m/d")[0], since_1904=False)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("General", "総務"),
        ("@", "総務"),
        ("0", "総務"),
        ('@"課"', "総務課"),
        ('0;0;0;"["@"]"', "[総務]"),
        ("_ @_ ", "総務"),
    ],
)
def test_e15_a_text_is_as_excel_shows_it(code: str, text: str) -> None:
    """A format may add to a text."""
    assert show_text("総務", code) == text


def test_e15_a_hidden_text_is_refused() -> None:
    """`;;;` shows nothing at all."""
    with pytest.raises(NotShownError, match="隠されています"):
        show_text("総務", ";;;")
