"""The documentation is held to what the code, the Makefile and the tests say."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from renkei.links.smarthr_emc.model import Reason
from renkei.links.smarthr_emc.sheet import SHEETS
from renkei.links.smarthr_emc.sheet.items import USER_ITEM, USER_ITEMS
from renkei.links.smarthr_emc.sheet.policy import Place, default_cell, format_cell
from renkei.links.smarthr_emc.sheet.settings import SETTINGS
from renkei.links.smarthr_emc.wording import AHEAD_BAD, AHEAD_HELD, SUBJECTS
from renkei.orchestration.smarthr_emc.form import FORM
from renkei.sheets.load import load
from renkei.systems.emc.file_format import EmcFormat
from tests.proof.__main__ import GROUPS

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
RULES = [f"L{n}" for n in range(1, 9)] + [f"E{n}" for n in range(1, 45)] + [f"N{n}" for n in range(1, 9)]
RULES += [f"K{n}" for n in range(1, 24)]
RULES += [f"C{n}" for n in range(1, 12)]
RULES += [f"W{n}" for n in range(1, 10)]
RULES += [f"P{n}" for n in range(1, 21)]
RULES += [f"S{n}" for n in range(1, 7)]
LINK = re.compile(r"\]\((?!https?://)([^)#\s]*)(?:#([^)\s]+))?\)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def code(document: str, language: str) -> list[str]:
    """The code blocks of one language."""
    return [body for found, body in FENCE.findall(document) if found == language]


def cells(document: str) -> list[list[str]]:
    """The rows of all tables."""
    rows = [line for line in FENCE.sub("", document).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def anchors(document: str) -> set[str]:
    """The addresses of a page's headings, made as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", document), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@cache
def in_file(path: Path) -> dict[str, str]:
    """Name and docstring of every test in a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {node.name: ast.get_docstring(node) or "" for node in found if node.name.startswith("test_")}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_files_lead_somewhere(path: Path) -> None:
    """Every relative link names a file that is there, and a heading that is in it."""
    broken = []
    for target, anchor in LINK.findall(path.read_text(encoding="utf-8")):
        file = (path.parent / target).resolve() if target else path
        if not file.exists() or (anchor and anchor not in anchors(file.read_text(encoding="utf-8"))):
            broken.append(f"{target}#{anchor}")
    assert broken == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_make_targets_exist(path: Path) -> None:
    """Whoever types what is written gets what is meant."""
    document = path.read_text(encoding="utf-8")
    shell = "\n".join(code(document, "sh"))
    named = set(re.findall(r"`make ([a-z-]+)", document)) | set(re.findall(r"^make ([a-z-]+)", shell, re.MULTILINE))
    assert named <= set(re.findall(r"^([a-z-]+):", text("Makefile"), re.MULTILINE))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_python_in_the_documents_compiles(path: Path) -> None:
    """What stands between the quotes of `python -c` is Python."""
    for block in code(path.read_text(encoding="utf-8"), "sh"):
        for program in re.findall(r"python -c '(.*?)'", block, re.DOTALL):
            compile(program, path.name, "exec")


@pytest.mark.parametrize("readme", ["README.md", "README.ja.md"])
def test_l8_e39_every_subject_has_its_remedy(readme: str) -> None:
    """The table of mails has exactly the subjects that a mail can have, each with something to do."""
    rows = {row[0].strip("`"): row[1:] for row in cells(text(readme)) if row[0].startswith("`EMC-")}
    assert set(rows) == {*SUBJECTS.values(), AHEAD_BAD, AHEAD_HELD}
    assert all(len(row) == 2 and all(row) for row in rows.values())


@pytest.mark.parametrize("readme", ["README.md", "README.ja.md"])
def test_e3_every_way_to_run_is_explained(readme: str) -> None:
    """What the trigger form offers is in the table of 実行方法."""
    assert {mode.label for mode in FORM.modes.values()} <= {row[0] for row in cells(text(readme))}


def test_settings_are_documented() -> None:
    """Every RENKEI_ variable is explained, can be set under Compose, and no other is spoken of."""
    known = set(re.findall(r'os\.environ\.get\("(RENKEI_\w+)"', text("plugins/renkei/settings.py")))
    explained = {row[0].strip("`") for row in cells(text("docs/operations.md")) if row[0].startswith("`RENKEI_")}
    assert explained == known
    deployed = text(".env.example") + text("docker-compose.yaml")
    assert {name for name in known if name not in deployed} == set()
    spoken_of = {name for path in DOCUMENTS for name in re.findall(r"RENKEI_[A-Z_]+", path.read_text(encoding="utf-8"))}
    assert spoken_of <= known


def test_e15_every_line_of_the_sheet_is_documented() -> None:
    """連携情報: each label with its YAML key, and the limits of the guards as the workbook states them."""
    document = text("docs/sheet.ja.md")
    rows = {row[0]: row for row in cells(document)}
    for setting in SETTINGS:
        assert re.sub(r"\d$", "", setting.label) in document
        assert f"`{setting.key}`" in document
        if setting.key.startswith("guards."):
            assert rows[setting.label][2] == setting.note


def test_e16_every_item_is_documented() -> None:
    """ユーザデータ: each item by its name, numbered ones by their range."""
    document = re.sub(r"\d+", "", text("docs/sheet.ja.md"))
    assert [item.name for item in USER_ITEMS if re.sub(r"\d+", "", item.name) not in document] == []


@pytest.mark.parametrize(
    ("line", "item"),
    [
        ("ユーザID", "user_id"),
        ("パスワード", "password"),
        ("パスワード強制変更", "password_reset"),
        ("氏名、氏名(ヨミ)", "full_name"),
        ("その他", "search_word_1"),
    ],
)
def test_e18_blank_policy_cells_mean_what_is_written(line: str, item: str) -> None:
    """The table of defaults says what a blank cell becomes."""
    (row,) = [row for row in cells(text("docs/sheet.ja.md")) if row[0] == line and len(row) == 5]
    assert row[1:] == [format_cell(default_cell(USER_ITEM[item], place), place) for place in Place]


def test_e15_example_sheet_can_be_used_as_it_is(tmp_path: Path) -> None:
    """The YAML example has neither a mistake nor anything to warn of."""
    (example,) = code(text("docs/sheet.ja.md"), "yaml")
    path = tmp_path / "acme.yaml"
    path.write_text(example, encoding="utf-8")
    found = load(SHEETS, path, "acme")
    assert (found.problems, found.warnings) == ((), ())
    assert found.mapping is not None
    assert found.mapping.emc_account == "acme"


def test_a_constant_or_variable_in_a_document_is_somewhere_in_the_repository() -> None:
    """Whoever searches for a `NAME_LIKE_THIS` finds it: one that was renamed is renamed in the documents, too."""
    folders = ("plugins", "dags", "simulators", "scripts", "tests")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    files += [ROOT / name for name in ("Makefile", "Dockerfile", "docker-compose.yaml", ".env.example")]
    known = set(re.findall(r"\w+", "\n".join(path.read_text(encoding="utf-8") for path in files)))
    named = {
        (path.name, word)
        for path in DOCUMENTS
        for span in re.findall(r"`([^`\n]+)`", path.read_text(encoding="utf-8"))
        for word in re.findall(r"(?<![\w.])[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+(?!\w)", span)
    }
    assert len(named) > 40
    assert {(name, word) for name, word in named if word not in known} == set()


def test_every_file_of_a_run_is_documented() -> None:
    """Whatever the stages write into a run's folder is in the table of the store, and so is every reason."""
    document = text("docs/store.md")
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "plugins/renkei").rglob("*.py"))
    written = {
        *(f"{name}.json" for name in re.findall(r'FILE: ClassVar\[str\] = "(\w+)"', source)),
        *(f"{name}.parquet" for name in re.findall(r'write_table\(\s*"(\w+)"', source)),
        *(f"{name}_diff.parquet" for name in ("departments", "users")),
    }
    assert len(written) > 15
    assert {name for name in written if f"`{name}`" not in document} == set()
    assert {reason.value for reason in Reason if reason and f"`{reason.value}`" not in document} == set()


def test_e37_every_entry_of_the_file_format_is_an_assumption() -> None:
    """Whoever has EMC's real specification finds each line to replace."""
    document = text("docs/assumptions.md")
    assert {name for name in EmcFormat.model_fields if f"`{name}`" not in document} == set()


def test_changelog_speaks_of_this_version() -> None:
    """The newest entry is the version that gets installed."""
    (version,) = re.findall(r'^version = "(.+)"$', text("pyproject.toml"), re.MULTILINE)
    assert re.findall(r"^## (\S+)", text("CHANGELOG.md"), re.MULTILINE)[0] == version


def test_every_group_of_the_campaign_is_a_promise() -> None:
    """The table of promises names each group of `make proof`, and no other."""
    rows = [row[1] for row in cells(text("docs/reliability.md")) if len(row) == 3]
    assert {name for row in rows for name in re.findall(r"^`(\w+)`:", row)} == set(GROUPS)


def test_decisions_are_numbered_without_a_gap() -> None:
    """A decision can be named by its number."""
    numbers = [int(path.name[:4]) for path in sorted((ROOT / "docs/decisions").glob("*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_names_its_tests(rule: str) -> None:
    """docs/rules.md has a row for each rule; its tests exist and say which rule they hold."""
    rows = [row for row in cells(text("docs/rules.md")) if row[0] == rule]
    assert len(rows) == 1
    named = re.findall(r"\[`(test_\w+)`\]\(\.\./([^)]+)\)", rows[0][-1])
    assert named or rows[0][-1] == "—"
    mention = re.compile(rf"(?<![a-z0-9]){rule.lower()}(?![0-9])")
    for name, file in named:
        found = in_file(ROOT / file)
        assert name in found, f"{file} has no {name}"
        assert mention.search(f"{name} {found[name]}".lower().replace("_", " ")), f"{name} does not speak of {rule}"


def test_what_security_promises_is_tested() -> None:
    """Every test that docs/security.md names is in the file that it links."""
    named = re.findall(r"\[`(test_\w+)`\]\(([^)]+\.py)\)", text("docs/security.md"))
    assert len(named) > 50
    assert [(test, file) for test, file in named if test not in in_file((ROOT / "docs" / file).resolve())] == []
