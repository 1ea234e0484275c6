"""Sound mappings of every shape, for tests that must hold for all of them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from hypothesis import strategies as st

from renkei.channel import RESULT_MAIL, Channel, Event, Service
from renkei.links.smarthr_emc.sheet.catalogue import CATALOGUE
from renkei.links.smarthr_emc.sheet.conversion import UNCONVERTED
from renkei.links.smarthr_emc.sheet.excel.reader import raw_from_workbook
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
from renkei.links.smarthr_emc.sheet.raw import RawSheet
from renkei.links.smarthr_emc.sheet.yaml_form import raw_from_yaml
from renkei.notifications.form.cells import MAX_NAME
from renkei.notifications.form.secrecy import is_secret
from renkei.notifications.services import connection_needed
from renkei.texts import fold, is_ditto, trim
from renkei.values.conversion import Conversion, Convert

HOSTS = ("127.0.0.1:8181",)  # a stand-in of the operator's
ODD_TEXTS = (
    "A or B",
    "姓&名",
    "「」",
    '『』"',
    "固定値「x」",
    "または",
    "無し",
    "”",
    # what Excel or YAML would take for something else
    "=1+1",
    "+81",
    "-",
    "@x",
    "'x'",
    "#N/A",
    "# x",
    "あ: い",
    "{a: [b]}",
    "&x",
    "*x",
    "~",
    "null",
    "TRUE",
    "on",
    "0012",
    "1e5",
    "0x1F",
    "4:30",
    "2026-04-01",
    "100%",
    "<b>&amp;",
    "a\\nb",
    # what is not seen, or not one sign
    "a\u200bb",
    "a\u3000\u3000b",
    "か\u3099ﾞ",
    "髙﨑𠮷",
    "🙂",
    "あ" * 250,
)

_letters = st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp", "Cn", "Co"))
odd_texts = st.sampled_from(ODD_TEXTS)
words = (st.text(_letters, min_size=1, max_size=12) | odd_texts).map(trim).filter(bool)
short_words = words.filter(lambda text: len(text) <= 12)
constants = words.filter(lambda text: not fold(text).startswith("秘密")).map(Constant)
fields = st.sampled_from(sorted(CATALOGUE)).map(SourceField)
customs = words.map(CustomField)
blanks = st.sampled_from([" ", "　"]).map(Constant)
passwords = st.from_regex(r"[!-~]{1,12}", fullmatch=True)  # all that EMC takes as one
secrets = st.from_regex(r"[A-Za-z0-9_.-]{1,10}", fullmatch=True).map(Secret)
date_forms = st.lists(st.sampled_from(["YYYY", "MM", "M", "DD", "D"]), min_size=1, max_size=3).flatmap(
    lambda parts: st.sampled_from(["/", "-", ".", "年"]).map(lambda mark: mark.join(parts))
)
conversions = st.lists(st.sampled_from(Convert), max_size=3, unique=True).flatmap(
    lambda found: st.tuples(
        *(st.builds(Conversion, st.just(c), date_forms if c is Convert.DATE else st.just("")) for c in found)
    )
)


def sources(terms: st.SearchStrategy, between: st.SearchStrategy = constants | fields) -> st.SearchStrategy[Source]:
    """Sources whose every alternative has something that is not blank."""
    alone = st.tuples(terms)
    joined = st.tuples(terms, blanks | between, terms)
    return st.lists(alone | joined, min_size=1, max_size=3).map(lambda found: Source(tuple(found)))


plain_sources = sources(fields | customs | constants)
# what tells people apart, and leaves room for ID付与コード
id_sources = sources(st.sampled_from(["社員番号", "社員ID"]).map(SourceField) | customs, st.just(Constant("-")))


def _cells(item: Item, draw: st.DrawFn) -> tuple[Cells, Cells]:
    """Policies that the item may have."""
    if item.key == "operation":
        auto = Cells(Cell(Action.AUTO), Cell(Action.AUTO))
        return auto, auto
    default = Cell(Action.DEFAULT, draw(words))
    if item.key.endswith("_medium"):
        default = Cell(Action.DEFAULT, "アプリ")
    if item.key == "password":
        default = Cell(Action.DEFAULT, draw(passwords))
    if item.key == "password_reset":
        default = Cell(Action.DEFAULT, "T")
    keep, put, error = Cell(Action.SKIP), Cell(Action.SET), Cell(Action.REJECT)
    if item.key == "user_id":
        return Cells(put, draw(st.sampled_from([keep, error]))), Cells(draw(st.sampled_from([put, keep])), error)
    if item.key == "password":
        return Cells(put, draw(st.sampled_from([error, default]))), Cells(keep, keep)
    if item.required:
        blank = st.sampled_from([error, default])
        return Cells(put, draw(blank)), Cells(draw(st.sampled_from([put, keep])), draw(blank))
    if item.key in DEPARTMENT_REFERENCES:
        default = Cell(Action.DEFAULT, draw(short_words))
    present, blank = st.sampled_from([put, keep]), st.sampled_from([put, keep, error, default])
    if item.key.endswith("_medium"):
        return Cells(put, draw(blank)), Cells(draw(present), draw(blank))
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
        if item.key == "operation":
            source = Source()
        elif item.key == "password_reset":
            source = draw(st.sampled_from([Source(), Source(((Constant("F"),),))]) | sources(fields | customs))
        elif item.key == "user_id":
            source = draw(id_sources)
        elif item.key == "password":
            fixed = passwords.map(Constant)
            either = st.tuples(fields | secrets | fixed) | st.tuples(fixed, fields | secrets)
            source = Source(tuple(draw(st.lists(either, min_size=1, max_size=3))))
        elif item.key.endswith("_medium"):
            source = Source(((Constant("電話番号"),),))
        elif item.key in DEPARTMENT_REFERENCES:
            source = Source(((SourceField("部署10(コード)"),), (draw(customs),)))
        label = draw(st.just("") | words) if item.key.startswith("search_word_") else ""
        converted = () if item.key in UNCONVERTED else draw(conversions)
        found.append(FieldRule(item.key, source, *_cells(item, draw), label, converted))
    return tuple(found)


DESTINATIONS = {
    Service.MAIL: ("a@acme.example.jp", "a@acme.example.jp, b@acme.example.jp"),
    Service.SLACK_WEBHOOK: ("",),
    Service.SLACK_BOT: ("U012ABCDEF", "C0123456789", "社員:0012"),
    Service.CHATWORK: ("123456789", "00012"),
    Service.TEAMS: ("",),
    Service.LINEWORKS: ("tanaka@example", "channel:0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f", "社員:taro@acme.example.jp"),
    Service.GOOGLE_CHAT: ("", "社員:Ｅ1"),
    Service.LINE: (f"U{'0123456789abcdef' * 2}", "社員:E001"),
}
channel_names = words.filter(
    lambda text: (
        len(text) <= MAX_NAME and not is_ditto(text) and not is_secret(text) and fold(text) != fold(RESULT_MAIL)
    )
)


@st.composite
def channels(draw: st.DrawFn) -> Channel:
    """Channels of every service, as a sheet may ask for them."""
    service = draw(st.sampled_from(Service))
    to = draw(st.sampled_from(DESTINATIONS[service]))
    connection = draw(st.sampled_from(["slack__acme", "0012", "a.b-c_D", "true", "1e5"]))
    return Channel(
        draw(channel_names),
        service,
        connection if connection_needed(service, to) else "",
        to,
        draw(st.booleans()),
        draw(st.frozensets(st.sampled_from(Event))),
    )


_percents = st.integers(0, 1_000_000).map(lambda n: n / 10_000)
_counts = st.integers(0, 999_999_999)
_visible = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=",\"'"), min_size=1, max_size=8
)
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
    emc_account=st.sampled_from(["acme", "group", "0_-", "1e5", "010"]),
    company_name=words.filter(lambda text: len(text) <= 40 and not is_ditto(text)),
    id_prefix=st.just("") | _visible | st.sampled_from(["0012", "1e5", "true", "null", "0x1F", "~"]),
    root_department=st.none() | st.builds(RootDepartment, id=_visible, name=words, yomi=words),
    run_at=st.builds(dt.time, st.integers(0, 23), st.integers(0, 59)),
    state=st.sampled_from(LinkState),
    loader=st.sampled_from(Loader),
    requests_per_second=st.integers(1, 10),
    guards=st.builds(Guards, _percents, _counts, _counts, _percents, _counts, _percents, _counts, _percents, _counts),
    channels=st.lists(channels(), max_size=5, unique_by=lambda channel: fold(channel.name) or channel.name).map(tuple),
)


def raw_sheet(path: Path) -> RawSheet:
    """What a file says, whichever of the two forms it has."""
    read = raw_from_workbook if path.suffix == ".xlsx" else raw_from_yaml
    return read(path.read_bytes(), path.name)
