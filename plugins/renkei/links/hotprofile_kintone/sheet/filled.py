"""What a sheet says word for word, for a workbook and for a page (E15, S2)."""

from __future__ import annotations

from renkei.links.hotprofile_kintone.items import ITEMS
from renkei.links.hotprofile_kintone.sheet.form import MARK, item_words, setting_values, setting_word
from renkei.links.hotprofile_kintone.sheet.mapping import DATA_SETS, Mapping
from renkei.links.hotprofile_kintone.sheet.parse import KEEP_WORD, OVERWRITE_WORD, SKIP_BLANK, WRITE_BLANK
from renkei.links.hotprofile_kintone.sheet.workbook import COLUMNS, USER_COLUMNS, USERS
from renkei.links.hotprofile_kintone.sheet.yaml_form import OF_ITEM
from renkei.notifications.form.filled import Filled, Table
from renkei.values.conversion import WORDS, Convert, format_conversions, parse_conversions

CONVERSIONS = tuple(word + (":YYYY/MM/DD" if convert is Convert.DATE else "") for convert, word in WORDS.items())
_ITEM_COLUMNS = dict(zip(OF_ITEM, (titles[0] for titles in COLUMNS.values()), strict=True))
TABLES = (
    *(
        Table(
            *(label, f"{name}.items", _ITEM_COLUMNS),
            words={
                "key": ("", MARK),
                "when_blank": ("", WRITE_BLANK, SKIP_BLANK),
                "conflict": ("", OVERWRITE_WORD, KEEP_WORD),
            },
            offers={"convert": CONVERSIONS},
            given=tuple(ITEMS[name]),
        )
        for name, label in DATA_SETS.items()
    ),
    Table(USERS, "users", {key: titles[0] for key, titles in USER_COLUMNS.items()}),
)


def filled(mapping: Mapping) -> Filled:
    """What the sheet says; 項目定義 has the lines that are linked."""
    tables = {
        one.label: [
            tuple(item_words(one, item, format_conversions(parse_conversions(item.conversion))).values())
            for item in one.items
        ]
        for one in mapping.data_sets
    }
    settings = {key: str(setting_word(key, value)) for key, value in setting_values(mapping)}
    return Filled(settings, tables | {USERS: mapping.users})
