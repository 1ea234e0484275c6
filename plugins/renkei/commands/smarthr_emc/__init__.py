"""The commands of SmartHR → Emergency Call: its sheet written, converted and rehearsed."""

from renkei.commands.lazy import LazyCommand

_SHEET, _REHEARSE = "renkei.commands.smarthr_emc.sheet", "renkei.commands.smarthr_emc.rehearse"
COMMANDS = (
    LazyCommand(
        "template", f"{_SHEET}:template",
        "記入用の連携設定シートを作ります。", "Writes a fresh workbook for a tenant to fill in.",
    ),
    LazyCommand(
        "convert", f"{_SHEET}:convert",
        "ExcelブックとYAMLを相互に変換します。", "Turns a workbook into YAML, or YAML into a workbook.",
    ),
    LazyCommand("schema", f"{_SHEET}:schema", "YAMLのJSON Schemaを出力します。", "Prints the JSON Schema of the YAML form."),
    LazyCommand(
        "rehearse", f"{_REHEARSE}:rehearse",
        "このシートで実行したら何が起こるかを示します。保存先にもEMCにも何も書き込みません。",
        "Shows what this sheet would do; writes neither to the store nor to EMC.",
    ),
    LazyCommand(
        "person", f"{_REHEARSE}:person",
        "1人について、SmartHRの値からEMCの値までを順に示します(なぜEMCにいる、いないのか)。",
        "Follows one person from SmartHR to EMC: why somebody is, or is not, in EMC.",
    ),
)  # fmt: skip
