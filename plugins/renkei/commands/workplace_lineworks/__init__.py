"""The commands of WORKPLACE → LINE WORKS, `renkei workplace …`."""

from renkei.commands.lazy import LazyCommand

COMMANDS = (
    LazyCommand(
        "workplace",
        "renkei.commands.workplace_lineworks.sheet:app",
        "WORKPLACE → LINE WORKS の連携設定シートを作ります。",
        "Sheets of WORKPLACE → LINE WORKS.",
    ),
)
