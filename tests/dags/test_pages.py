"""Foreign text in Airflow's pages: shown, and never read as Markdown (L5, L6, L7)."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from renkei.channel import Channel, Service
from renkei.errors import Problem
from renkei.links.smarthr_emc.model import Mode, RecordSet
from renkei.links.smarthr_emc.records import RunStart
from renkei.links.smarthr_emc.sheet.mapping import Constant, RootDepartment, Source
from renkei.links.smarthr_emc.stages.job import Job
from renkei.orchestration.documentation import page_of
from renkei.orchestration.ended_run import MAX_NOTE, note_text
from renkei.orchestration.link import LINKS
from renkei.orchestration.markdown import quoted
from renkei.orchestration.smarthr_emc.approval_page import crew_link, plan_body
from renkei.orchestration.tenant import Tenant
from renkei.sheets.compiled import Compiled
from renkei.storage.baselines import Baseline, Baselines
from renkei.storage.runs import RunRecord
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from tests.builders import mapping

CREW = "0c5b7a4e-6f0d-4a3b-9f31-1c2d3e4f5a6b"
UNTIL = dt.datetime(2026, 4, 2, 19, 15, tzinfo=dt.UTC)
NASTY = (
    "![x](https://evil.example/p.png)",
    "![x](//evil.example/p.png)",
    "![x][1]\n\n[1]: https://evil.example",
    "[安全な画面](https://evil.example)",
    "[安全](javascript:alert(1))",
    "<https://evil.example>",
    "https://evil.example/a",
    "www.evil.example",
    "who@evil.example",
    "mailto:who@evil.example",
    "xmpp:who@evil.example/a",
    "<img src=x onerror=alert(1)>",
    "<!-- ",
    "` ![x](//evil) `",
    "`` ` ``![x](//evil)``",
    "```\n![x](//evil)\n```",
    "a|![x](//evil)|b",
    "a\\|b\\",
    "\\",
    "`",
    "~~~\n# 見出し",
    "\n# 見出し\n---\n- [ ] x",
    "\r# 見出し",
    "[^1]: https://evil.example",
    "| a |\n|---|",
    "{{ 7 * 7 }}{% raw %}",
    "\u202egnp.exe",
    "&lt;img&gt;&#33;[x](//evil)",
    "**強い**",
    "x" * 5000 + "![x](//evil)",
    "/etc/passwd.md",
)
MARKDOWN = MarkdownIt("gfm-like")
# What remark-gfm makes links of in the text that is left, escaped or not.
BARE = re.compile(r"https?://|www\.|(?<![\w.+-])[-.\w+]+@[-\w]+(\.[-\w]+)+", re.I)


def harmful(page: str) -> list[str]:
    """Everything in a page's Markdown that loads, links or is HTML, other than a link to SmartHR's page of a crew."""
    found = []
    for token in MARKDOWN.parse(page):
        for part in (token, *(token.children or ())):
            if part.type in ("image", "html_inline", "html_block", "fence", "code_block"):
                found.append(part.type)
            elif part.type == "link_open" and part.attrs["href"] != f"https://acme.smarthr.jp/crews/{CREW}":
                found.append(f"link {part.attrs['href']}")
            elif part.type == "text" and BARE.search(part.content):
                found.append(f"bare {part.content}")
    return found


def headings(page: str) -> int:
    return sum(token.type == "heading_open" for token in MARKDOWN.parse(page))


@settings(max_examples=50)
@given(st.text(max_size=60))
@example("`" * 40)
def test_l6_a_quoted_value_is_one_code_span_whatever_it_holds(value: str) -> None:
    """In a list, in a cell of a table, at the start of a line: code, and all of it."""
    for text in (value, f"{value}![x](//evil.example){value}"):
        shown = quoted(text)
        for page in (shown, f"- {shown}", f"| a | b |\n|---|---|\n| {shown} | {shown} |"):
            parts = [part for token in MARKDOWN.parse(page) for part in token.children or ()]
            spans = [part.content for part in parts if part.type == "code_inline"]
            assert harmful(page) == []
            assert len(spans) == (0 if shown == "（なし）" else page.count(shown))


@pytest.mark.parametrize("value", NASTY)
def test_l6_no_value_of_a_sheet_is_markdown_on_the_dags_page(value: str) -> None:
    """Cells, names of channels and departments, warnings and the file's own name."""
    sheet = mapping()
    rule = dataclasses.replace(sheet.users[-1], source=Source(((Constant(value),),)))
    channel = Channel(value, Service.SLACK_WEBHOOK, connection=value)
    sheet = dataclasses.replace(
        sheet,
        root_department=RootDepartment("r", value, "ヨミ"),
        id_prefix=value,
        users=(*sheet.users[:-1], rule),
        channels=(channel,),
    )
    problem = Problem(value, value, value)
    sound = Compiled("acme", "0" * 64, sheet, (), (problem,), channels=(channel,))
    for compiled in (sound, Compiled("acme", "0" * 64, None, (problem,))):
        description, page = page_of(Tenant(LINKS["smarthr_emc"], "acme", compiled, value, ""))
        assert harmful(page) == []
        assert headings(page) == 1
        assert not page.endswith(".md")  # which Airflow would take for the name of a file
        assert description.isprintable()


@pytest.mark.parametrize("value", NASTY)
def test_l6_no_id_from_smarthr_is_markdown_in_an_approval(value: str, tmp_path: Path) -> None:
    """User ids, crew ids, departments: shown; only what is an id of SmartHR's is linked."""
    body = plan_body(held_job(tmp_path, {value: value, "E2": CREW}, value), UNTIL)
    assert harmful(body) == []
    assert f"[{CREW}](https://acme.smarthr.jp/crews/{CREW})" in body
    assert headings(body) == 0


@pytest.mark.parametrize("crew_id", ["", "abc", CREW.upper(), f"{CREW})", f"{CREW}\n", "../admin"])
def test_l6_what_is_no_id_of_smarthrs_is_not_linked(crew_id: str) -> None:
    """SmartHR's ids are UUIDs."""
    assert "](" not in crew_link("https://acme.smarthr.jp", crew_id)


def held_job(folder: Path, leavers: dict[str, str], department: str = "D1") -> Job:
    """A run whose plan deletes these people (user id: crew id), with a baseline that has them."""
    import pandas as pd

    sheet = mapping()
    record = RunRecord(TenantFolder(Store(LocalFileSystem(), str(folder)), "smarthr_emc", "acme"), "then")
    ids, crews = list(leavers), list(leavers.values())
    text = {"dtype": "str"}
    record.write_table("users_target", pd.DataFrame({"user_id": ids, "primary_department_id": department}, **text))
    tree = pd.DataFrame({"department_id": [department], "name": [department]}, **text)
    record.write_table("departments", tree)
    Baselines(TenantFolder(record.store, "smarthr_emc", "acme")).promote(
        Baseline(1, "then", "", "", "2026-04-01T04:30:00", 2, 1)
    )
    now = record.sibling("now")
    gone = pd.DataFrame({"id": ids, "crew_id": crews, "operation": "DELETE", "reason": "retired"}, **text)
    now.write_table("users_diff", gone)
    gone_departments = pd.DataFrame({"id": [department], "operation": ["DELETE"]}, **text)
    now.write_table("departments_diff", gone_departments)
    now.write_json("warnings", {"people": [["lost_contact", user, crew] for user, crew in leavers.items()]})
    now.write_json(
        "hold", {"digest": "d" * 64, "holds": [{"kind": "delete_users", "text": "削除", "count": 2, "of": 2}]}
    )
    counts = dict.fromkeys(("previous_total", "previous_valid", "received_total", "received_valid"), 0)
    counts |= {"created": 0, "updated": 0, "deleted": len(ids)}
    now.write_json("diff", {"generation": 1, "sets": {s.value: {"counts": counts, "changed": True} for s in RecordSet}})
    return Job(now, sheet, RunStart("now", Mode.NORMAL, False, "2026-04-02T00:00:00+00:00", ""))


@pytest.mark.parametrize("kept", ["", "見た。", "x" * 985, "x" * 1000])
@pytest.mark.parametrize("lines", [["EMC-OK acme"], ["EMC-OK acme", *NASTY]])
def test_l6_a_note_keeps_a_persons_words_and_fits_its_column(kept: str, lines: list[str]) -> None:
    """More than Airflow's column takes would fail in the scheduler; written again it stays the same."""
    note = note_text(lines, kept)
    assert len(note) <= MAX_NOTE
    assert note.startswith(kept)
    assert note_text(lines, note) == note
    assert harmful(note) == []


def test_e2_a_note_that_is_too_long_says_what_fits() -> None:
    """And that there is more; the first line is the subject."""
    note = note_text(["EMC-OK acme", *(f"{number}: " + "x" * 150 for number in range(20))])
    assert note.startswith("**Renkei**: ")
    assert "EMC-OK acme" in note.splitlines()[0]
    assert "0: xxx" in note
    assert note.endswith("\n- …")
    assert len(note) > MAX_NOTE - 200
