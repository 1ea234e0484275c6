"""E14, E15, L7: a mapping as JSON, what is kept of it, and when two sheets write the same."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json

import pytest

from renkei.channel import Channel, Event, Service
from renkei.links.smarthr_emc.sheet.codec import (
    mapping_from_json,
    mapping_to_json,
    section_digest,
    without_password,
)
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
from renkei.links.smarthr_emc.sheet.parse import parse
from renkei.links.smarthr_emc.sheet.yaml_form import raw_from_yaml
from renkei.values.conversion import Conversion, Convert
from tests.builders import SHEET, mapping


def converted(*conversions: Conversion) -> Mapping:
    """The least mapping, 氏名 with these conversions."""
    sheet = mapping()
    users = (dataclasses.replace(r, conversions=conversions) if r.item == "full_name" else r for r in sheet.users)
    return dataclasses.replace(sheet, users=tuple(users))


def test_e15_conversions_are_kept_in_their_order() -> None:
    """E15: JSON gives an equal mapping back, on one line."""
    sheet = converted(Conversion(Convert.HALF_WIDTH), Conversion(Convert.DATE, "YYYY年M月D日"))
    text = mapping_to_json(sheet)
    assert mapping_from_json(text) == sheet
    assert "\n" not in text


def test_e14_a_conversion_is_a_change_of_the_sheet() -> None:
    """E14: adding one, another form or another order write other values; the departments stay as they are."""
    date, other = Conversion(Convert.DATE, "YYYY"), Conversion(Convert.DATE, "MM")
    lower = Conversion(Convert.LOWER)
    sheets = [mapping(), converted(date), converted(other), converted(date, lower), converted(lower, date)]
    assert len({section_digest(sheet, "users") for sheet in sheets}) == len(sheets)
    assert len({section_digest(sheet, "departments") for sheet in sheets}) == 1


def test_e14_a_sheet_without_conversions_keeps_its_digest() -> None:
    """E14: the column alone changes nothing: a rule without any is written as before there were any."""
    assert all(len(rule) == 7 for rule in json.loads(mapping_to_json(mapping()))["users"])


CHANNELS = (
    Channel("総務", Service.SLACK_BOT, "slack_bot__acme", "社員:1", True, frozenset({Event.FAILURE, Event.HOLD})),
    Channel("店長", Service.MAIL, "", "a@b.example.jp", False, frozenset()),
)


def test_n1_channels_are_kept_in_their_order() -> None:
    """N1: JSON gives equal channels back."""
    sheet = dataclasses.replace(mapping(), channels=CHANNELS)
    assert mapping_from_json(mapping_to_json(sheet)) == sheet


def test_e14_channels_are_no_change_of_the_sheet() -> None:
    """E14: they decide no value."""
    sheet = dataclasses.replace(mapping(), channels=CHANNELS)
    for section in ("departments", "users"):
        assert section_digest(sheet, section) == section_digest(mapping(), section)


def test_l7_no_literal_password_is_kept() -> None:
    """L7: neither as a constant nor as a default, and the digest does not tell two of them apart."""
    one, other = (
        mapping({"パスワード": (f"社員番号&固定値「{text}」", "登録", f"デフォルト:{text}")})
        for text in ("Tulip7", "Rose88")
    )
    kept = mapping_to_json(without_password(one))
    assert "Tulip7" in mapping_to_json(one)
    assert "Tulip7" not in kept
    assert "社員番号" in kept
    assert section_digest(one, "users") == section_digest(other, "users")


@pytest.fixture
def sheet() -> Mapping:
    return parse(raw_from_yaml(SHEET.encode(), "acme.yaml"), "acme")[0]


def test_l7_a_record_of_the_sheet_has_no_password(sheet: Mapping) -> None:
    """Constants and defaults of the password go; its SmartHR item and all else stay."""
    bare = without_password(sheet)
    rule = bare.rule("password")

    assert rule is not None
    assert rule.source.alternatives == ((Constant(""),), (SourceField("社員番号"),))
    assert rule.on_create == Cells(Cell(Action.SET), Cell(Action.DEFAULT))
    assert not {"Sesame", "Open"} & set(mapping_to_json(bare).replace('"', " ").split())
    assert dataclasses.replace(bare, users=sheet.users) == sheet


def _policy_changed(sheet: Mapping) -> Mapping:
    *rest, last = sheet.users
    changed = dataclasses.replace(last, on_update=Cells(Cell(Action.SET), Cell(Action.SET)))
    return dataclasses.replace(sheet, users=(*rest, changed))


def _label_changed(sheet: Mapping) -> Mapping:
    *rest, last = sheet.users
    return dataclasses.replace(sheet, users=(*rest, dataclasses.replace(last, label="拠点")))


@pytest.mark.parametrize(
    ("change", "departments", "users"),
    [
        (_policy_changed, False, True),
        (_label_changed, False, False),
        (lambda m: dataclasses.replace(m, users=tuple(r for r in m.users if r.item != "password")), False, True),
        (lambda m: dataclasses.replace(m, id_prefix="x"), True, True),
        (lambda m: dataclasses.replace(m, root_department=RootDepartment("0", "a", "b")), True, False),
        (lambda m: dataclasses.replace(m, departments=dataclasses.replace(m.departments, yomi="x")), True, False),
        (lambda m: dataclasses.replace(m, guards=Guards(clear_least=9), run_at=dt.time(1)), False, False),
    ],
)
def test_e14_a_data_sets_digest_follows_the_rules_that_decide_it(
    change, departments: bool, users: bool, sheet: Mapping
) -> None:
    """A change of the sheet is a change of just the data sets that it concerns."""
    after = change(sheet)

    assert (section_digest(sheet, "departments") != section_digest(after, "departments")) == departments
    assert (section_digest(sheet, "users") != section_digest(after, "users")) == users


OLD = """
{"tenant":"acme","smarthr_url":"https://acme.smarthr.jp","result_addresses":["soumu@acme.example.jp"],
"link_start_on":"2026-04-01","departments":{"name":[[["field","部署名"]]],"yomi":"ブショ"},"users":[
["user_id","",[[["field","社員番号"]],[["custom","番号"]]],["SET",""],["REJECT",""],["SKIP",""],["REJECT",""]],
["password","",[[["secret","first__acme"]]],["SET",""],["DEFAULT","x"],["SKIP",""],["SKIP",""]],
["full_name","",[[["field","姓"],["constant","　"],["field","名"]]],["SET",""],["REJECT",""],["SET",""],["REJECT",""],
[["HALF_WIDTH",""],["DATE","YYYY"]]]],
"emc_account":"group","id_prefix":"ac","root_department":{"id":"0","name":"本社","yomi":"ホンシャ"},
"run_at":"04:30:00","state":"FROZEN","loader":"FILE_DROP","requests_per_second":3,"guards":{"clear_least":7}}
"""


def test_e14_a_record_of_version_0_4_is_read_and_has_its_digest() -> None:
    """E14: a baseline outlives an upgrade, which is no change of the sheet."""
    sheet = mapping_from_json(OLD)

    users = [
        FieldRule(
            "user_id",
            Source(((SourceField("社員番号"),), (CustomField("番号"),))),
            Cells(Cell(Action.SET), Cell(Action.REJECT)),
            Cells(Cell(Action.SKIP), Cell(Action.REJECT)),
        ),
        FieldRule(
            "password",
            Source(((Secret("first__acme"),),)),
            Cells(Cell(Action.SET), Cell(Action.DEFAULT, "x")),
            Cells(Cell(Action.SKIP), Cell(Action.SKIP)),
        ),
        FieldRule(
            "full_name",
            Source(((SourceField("姓"), Constant("　"), SourceField("名")),)),
            Cells(Cell(Action.SET), Cell(Action.REJECT)),
            Cells(Cell(Action.SET), Cell(Action.REJECT)),
            conversions=(Conversion(Convert.HALF_WIDTH), Conversion(Convert.DATE, "YYYY")),
        ),
    ]
    assert sheet == Mapping(
        tenant="acme",
        smarthr_url="https://acme.smarthr.jp",
        result_addresses=("soumu@acme.example.jp",),
        link_start_on=dt.date(2026, 4, 1),
        departments=DepartmentRules(Source(((SourceField("部署名"),),)), "ブショ"),
        users=tuple(users),
        emc_account="group",
        id_prefix="ac",
        root_department=RootDepartment("0", "本社", "ホンシャ"),
        run_at=dt.time(4, 30),
        state=LinkState.FROZEN,
        loader=Loader.FILE_DROP,
        requests_per_second=3,
        guards=Guards(clear_least=7),
        company_name="acme",
    )
    assert [section_digest(sheet, section) for section in ("departments", "users")] == [
        "b6af25e449d5a7d576e6fe255e4872a54aa358165bf05ca707da2b9585cbabcf",
        "941fc5df69787d840f07d803f7306d4a0d385da879731395edc6fa51c8ed3293",
    ]
