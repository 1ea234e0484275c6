"""E15: both forms of the sheet hold the same mapping, and nothing is lost between them."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from renkei.links.smarthr_emc.sheet.catalogue import CATALOGUE
from renkei.links.smarthr_emc.sheet.expression import format_source, parse_source
from renkei.links.smarthr_emc.sheet.index import mapping_from_json, mapping_to_json
from renkei.links.smarthr_emc.sheet.items import DEPARTMENT_REFERENCES, USER_ITEMS, Item
from renkei.links.smarthr_emc.sheet.mapping import (
    Action,
    Cell,
    Cells,
    Constant,
    CustomField,
    DepartmentRules,
    FieldRule,
    Guards,
    LinkState,
    Loader,
    Mapping,
    RootDepartment,
    Secret,
    Source,
    SourceField,
)
from renkei.links.smarthr_emc.sheet.names import fold, trim
from renkei.links.smarthr_emc.sheet.parse import parse
from renkei.links.smarthr_emc.sheet.workbook import read_workbook, write_workbook
from renkei.links.smarthr_emc.sheet.yaml_form import read_yaml, write_yaml

HOSTS = ("127.0.0.1:8181",)
QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])

_letters = st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp", "Cn", "Co"))
_awkward = st.sampled_from(
    ["A or B", "姓&名", "「」", '『』"', "固定値「x」", "=1+1", "または", "あ: い", "# x", "”", "無し", "-"]
)
_any_text = st.text(_letters, min_size=1, max_size=12) | _awkward
words = _any_text.map(trim).filter(bool)
constants = words.filter(lambda text: not fold(text).startswith("秘密")).map(Constant)
fields = st.sampled_from(sorted(CATALOGUE)).map(SourceField)
customs = words.map(CustomField)
blanks = st.sampled_from([" ", "　"]).map(Constant)
id_terms = fields | customs
secrets = st.from_regex(r"[A-Za-z0-9_.-]{1,10}", fullmatch=True).map(Secret)


def sources(terms: st.SearchStrategy) -> st.SearchStrategy[Source]:
    """Sources whose every alternative has something that is not blank."""
    alone = st.tuples(terms)
    joined = st.tuples(terms, blanks | constants | fields, terms)
    return st.lists(alone | joined, min_size=1, max_size=3).map(lambda found: Source(tuple(found)))


plain_sources = sources(fields | customs | constants)


def cells(item: Item, draw: st.DrawFn) -> tuple[Cells, Cells]:
    """Policies that the item may have."""
    if item.key == "operation":
        auto = Cells(Cell(Action.AUTO), Cell(Action.AUTO))
        return auto, auto
    default = draw(words.map(lambda text: Cell(Action.DEFAULT, text)))
    if item.key.endswith("_medium"):
        default = Cell(Action.DEFAULT, "アプリ")
    keep, put, error = Cell(Action.SKIP), Cell(Action.SET), Cell(Action.REJECT)
    if item.key == "user_id":
        return Cells(put, draw(st.sampled_from([keep, error]))), Cells(draw(st.sampled_from([put, keep])), error)
    if item.key == "password":
        return Cells(put, draw(st.sampled_from([error, default]))), Cells(keep, keep)
    if item.required:
        blank = st.sampled_from([error, default])
        return Cells(put, draw(blank)), Cells(draw(st.sampled_from([put, keep])), draw(blank))
    present, blank = st.sampled_from([put, keep]), st.sampled_from([put, keep, error, default])
    return Cells(draw(present), draw(blank)), Cells(draw(present), draw(blank))


@st.composite
def rules(draw: st.DrawFn) -> tuple[FieldRule, ...]:
    """Lines of ユーザデータ, with the contacts in pairs."""
    optional = [item.key for item in USER_ITEMS if not item.required]
    chosen = set(draw(st.lists(st.sampled_from(optional), max_size=8)))
    chosen |= {key.replace("_medium", "_address") for key in chosen}
    chosen |= {key.replace("_address", "_medium") for key in chosen if key.startswith("contact_")}
    if draw(st.booleans()):
        chosen.add("operation")
    found = []
    for item in USER_ITEMS:
        if not (item.key in chosen or (item.required and item.key != "operation")):
            continue
        source = draw(plain_sources)
        if item.key == "operation" or (item.key == "password_reset" and draw(st.booleans())):
            source = Source()
        elif item.key == "user_id":
            source = draw(sources(id_terms))
        elif item.key == "password":
            source = draw(sources(fields | secrets | constants))
        elif item.key.endswith("_medium"):
            source = Source(((Constant("電話番号"),),))
        elif item.key in DEPARTMENT_REFERENCES:
            source = Source(((SourceField("部署10(コード)"),), (draw(customs),)))
        label = draw(st.just("") | words) if item.key.startswith("search_word_") else ""
        found.append(FieldRule(item.key, source, *cells(item, draw), label))
    return tuple(found)


percents = st.integers(0, 1_000_000).map(lambda n: n / 10_000)
counts = st.integers(0, 999_999_999)
visible = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=",\"'"), min_size=1, max_size=8)
mappings = st.builds(
    Mapping,
    tenant=st.just("acme"),
    smarthr_url=st.sampled_from(["https://acme.smarthr.jp", "https://a-1.daruma.space", "http://127.0.0.1:8181"]),
    result_addresses=st.lists(
        st.sampled_from([f"soumu{n}@acme.example.jp" for n in range(9)]), min_size=1, max_size=5, unique=True
    ).map(tuple),
    link_start_on=st.dates(dt.date(1990, 1, 1), dt.date(2200, 1, 1)),
    departments=st.builds(
        DepartmentRules,
        name=st.sampled_from(["部署名", "部署名(階層)"]).map(lambda name: Source(((SourceField(name),),))),
        yomi=words.filter(lambda text: not fold(text).startswith("秘密")),
    ),
    users=rules(),
    emc_account=st.sampled_from(["acme", "group", "0_-"]),
    id_prefix=st.just("") | visible,
    root_department=st.none() | st.builds(RootDepartment, id=visible, name=words, yomi=words),
    run_at=st.builds(dt.time, st.integers(0, 23), st.integers(0, 59)),
    state=st.sampled_from(LinkState),
    loader=st.sampled_from(Loader),
    requests_per_second=st.integers(1, 10),
    guards=st.builds(Guards, percents, counts, counts, percents, counts, percents, counts, percents, counts),
)


@QUICK
@given(source=sources(fields | customs | constants | secrets) | st.just(Source()))
def test_e17_a_source_survives_being_written(source: Source) -> None:
    """The text of a source reads back as that source."""
    assert parse_source(format_source(source)) == source


@QUICK
@given(mapping=mappings)
def test_e15_a_mapping_survives_both_forms(mapping: Mapping) -> None:
    """Mapping → workbook → mapping → YAML → mapping → JSON → mapping loses nothing."""
    with tempfile.TemporaryDirectory() as folder:
        workbook, text = Path(folder, "acme.xlsx"), Path(folder, "acme.yaml")

        write_workbook(mapping, workbook)
        from_workbook, _ = parse(read_workbook(workbook), "acme", HOSTS)
        write_yaml(from_workbook, text)
        from_yaml, _ = parse(read_yaml(text), "acme", HOSTS)

    assert from_workbook == mapping
    assert from_yaml == mapping
    assert mapping_from_json(mapping_to_json(mapping)) == mapping
