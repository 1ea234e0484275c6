"""The commands of LINE WORKS → KING OF TIME, `renkei kingoftime …`."""

from renkei.commands.lazy import LazyCommand

COMMANDS = (
    LazyCommand(
        "kingoftime",
        "renkei.commands.lineworks_kot.sheet:app",
        "LINE WORKS → KING OF TIME の連携設定シートを作ります。",
        "Sheets of LINE WORKS → KING OF TIME.",
    ),
)
