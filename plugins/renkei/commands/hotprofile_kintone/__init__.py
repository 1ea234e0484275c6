"""The commands of Hot Profile → kintone, `renkei kintone …`: its sheet written and converted."""

from renkei.commands.lazy import LazyCommand

COMMANDS = (
    LazyCommand(
        "kintone",
        "renkei.commands.hotprofile_kintone.sheet:app",
        "Hot Profile → kintone の連携設定シートを作り、変換します。",
        "Sheets of Hot Profile → kintone.",
    ),
)
