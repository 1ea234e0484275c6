"""E15: both forms of the sheet hold the same mapping, and nothing is lost between them."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from renkei.links.smarthr_emc.sheet.codec import mapping_from_json, mapping_to_json
from renkei.links.smarthr_emc.sheet.conversion import conversions_of
from renkei.links.smarthr_emc.sheet.excel.writer import write_workbook
from renkei.links.smarthr_emc.sheet.expression import format_source, parse_source
from renkei.links.smarthr_emc.sheet.items import PASSWORD, USER_ITEM
from renkei.links.smarthr_emc.sheet.mapping import (
    Action,
    Cell,
    Cells,
    Constant,
    CustomField,
    DepartmentRules,
    FieldRule,
    Mapping,
    RootDepartment,
    Source,
)
from renkei.links.smarthr_emc.sheet.parse import parse
from renkei.links.smarthr_emc.sheet.yaml_form import raw_from_yaml, to_yaml, write_yaml
from renkei.values.conversion import Conversion, Convert, format_conversions
from tests.builders import mapping as least_mapping
from tests.unit.links.smarthr_emc.sheet.mappings import (
    HOSTS,
    ODD_TEXTS,
    constants,
    conversions,
    customs,
    fields,
    mappings,
    raw_sheet,
    secrets,
    sources,
)

# Without shrinking: a smaller mapping would take minutes to find.
QUICK = settings(
    max_examples=15,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
SPARE = [f"role_{n}" for n in range(1, 6)]
SOFFICE = shutil.which("soffice")


def texts(problems: tuple) -> list[tuple[str, str]]:
    """What warnings say, without their places."""
    return sorted((problem.found, problem.remedy) for problem in problems)


@QUICK
@given(source=sources(fields | customs | constants | secrets) | st.just(Source()))
def test_e17_a_source_survives_being_written(source: Source) -> None:
    """The text of a source reads back as that source."""
    assert parse_source(format_source(source)) == source


@QUICK
@given(found=conversions)
def test_e22_conversions_survive_being_written(found: tuple[Conversion, ...]) -> None:
    """E22: the text of 変換 reads back as the same conversions, in their order."""
    assert conversions_of(format_conversions(found), USER_ITEM["full_name"]) == found


@QUICK
@given(mapping=mappings)
def test_e15_a_mapping_survives_both_forms(mapping: Mapping) -> None:
    """E15: mapping → workbook → YAML → workbook → YAML loses nothing, and both forms are warned of the same."""
    with tempfile.TemporaryDirectory() as folder:
        workbook, text = Path(folder, "acme.xlsx"), Path(folder, "acme.yaml")

        write_workbook(mapping, workbook)
        from_workbook, of_workbook = parse(raw_sheet(workbook), "acme", HOSTS)
        write_yaml(from_workbook, text)
        from_yaml, of_yaml = parse(raw_sheet(text), "acme", HOSTS)
        write_workbook(from_yaml, workbook)
        again, _ = parse(raw_sheet(workbook), "acme", HOSTS)

    assert from_workbook == mapping
    assert from_yaml == mapping
    assert again == mapping
    assert to_yaml(again) == to_yaml(mapping)
    assert texts(of_workbook) == texts(of_yaml)
    assert mapping_from_json(mapping_to_json(mapping)) == mapping


@pytest.mark.parametrize("ending", ["yaml", "xlsx"])
def test_l5_a_copy_of_a_sheet_is_the_other_tenant_s_own(ending: str, tmp_path: Path) -> None:
    """Under another file's name it neither loads into the first one's EMC account nor tells mails in its name."""
    copy = tmp_path / f"beta.{ending}"
    (write_yaml if ending == "yaml" else write_workbook)(least_mapping(), copy)
    found, _ = parse(raw_sheet(copy), "beta")
    assert (found.emc_account, found.company_name) == ("beta", "beta")


def odd_mapping(text: str, *more: str) -> Mapping:
    """A mapping that says `text` wherever the customer's own words may stand, and `more` in lines of their own."""
    default = Cell(Action.DEFAULT, text)
    keep = Cell(Action.SKIP)
    rules = {rule.item: rule for rule in least_mapping().users}
    if re.fullmatch(PASSWORD, text):
        rules["password"] = dataclasses.replace(rules["password"], source=Source(((Constant(text),),)))
    rules["full_name"] = dataclasses.replace(
        rules["full_name"],
        source=Source(((Constant(text), CustomField(text)), (Constant(text),))),
        on_create=Cells(Cell(Action.SET), default),
        conversions=(Conversion(Convert.HALF_WIDTH), Conversion(Convert.DATE, "YYYY年M月D日")),
    )
    word = FieldRule("search_word_1", Source(((CustomField(text),),)), Cells(keep, default), Cells(keep, default), text)
    cells = Cells(Cell(Action.SET), keep)
    others = [
        FieldRule(
            item, Source(((CustomField(other), Constant(other)),)), cells, Cells(keep, Cell(Action.DEFAULT, other))
        )
        for item, other in zip(SPARE, more, strict=False)
    ]
    return dataclasses.replace(
        least_mapping(),
        users=(*rules.values(), *others, word),
        departments=DepartmentRules(least_mapping().departments.name, text),
        root_department=RootDepartment("000", text, text),
    )


@pytest.mark.parametrize("text", ODD_TEXTS)
def test_e15_odd_texts_survive_both_forms(tmp_path: Path, text: str) -> None:
    """E15: quotes, formulas, numbers, dates, invisible signs and long texts stay what they are."""
    mapping, path = odd_mapping(text), tmp_path / "acme.xlsx"

    write_workbook(mapping, path)

    assert parse(raw_sheet(path), "acme")[0] == mapping
    assert parse(raw_from_yaml(to_yaml(mapping).encode(), "acme.yaml"), "acme")[0] == mapping


@pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed")
def test_e15_a_workbook_saved_again_by_libreoffice_is_the_same_mapping(tmp_path: Path) -> None:
    """E15: what another program makes of the cells reads to the same mappings and the same warnings."""
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    odd = {f"odd{n}": odd_mapping(*ODD_TEXTS[n : n + 6]) for n in range(0, len(ODD_TEXTS), 6)}
    for name, mapping in odd.items():
        write_workbook(dataclasses.replace(mapping, tenant=name, emc_account=name), before / f"{name}.xlsx")

    command = [SOFFICE, f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", "xlsx"]
    subprocess.run(
        [*command, "--outdir", after, *sorted(before.glob("*.xlsx"))], check=True, capture_output=True, timeout=180
    )

    for name in odd:
        ours, warned = parse(raw_sheet(before / f"{name}.xlsx"), name)
        theirs, also_warned = parse(raw_sheet(after / f"{name}.xlsx"), name)
        assert theirs == ours, name
        assert warned == also_warned, name
