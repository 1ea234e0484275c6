"""E41: a sheet uses only what the operator has given its tenant; everything else is an error, found by reading it."""

from __future__ import annotations

from pathlib import Path

import pytest

from renkei.links.smarthr_emc.sheet.compile import compile_sheet
from renkei.links.smarthr_emc.sheet.grants import check_grants
from renkei.sheets.grants import NOTHING, Grants, read_grants

SHEET = """
smarthr_url: https://acme-kk.smarthr.jp
result_addresses: [soumu@acme-kk.jp]
link_start_on: 2026-04-01
emc_account: '{account}'
loader: {loader}
departments: {{name: 部署名, yomi: ブショ}}
users:
  - {{item: ユーザID, source: 社員番号}}
  - {{item: パスワード, source: '{password}'}}
  - {{item: 氏名, source: 姓&名}}
  - {{item: 氏名(ヨミ), source: 姓(ヨミガナ)&名(ヨミガナ)}}
  - {{item: 所属部署コード, source: 部署1}}
  - {{item: 緊急連絡1 媒体, source: 固定値「メールアドレス」}}
  - {{item: 緊急連絡1 アドレス, source: メールアドレス}}
notifications:
  - {{name: chat, service: SLACK_WEBHOOK, connection: '{connection}'}}
"""


def judged(
    grants: Grants = NOTHING,
    tenant: str = "acme",
    *,
    account: str = "",
    loader: str = "HTTP",
    password: str = "社員番号",
    connection: str = "",
) -> list[str]:
    """What is wrong with the sheet; nothing where it can be used."""
    text = SHEET.format(account=account, loader=loader, password=password, connection=connection)
    compiled, _ = compile_sheet(f"{tenant}.yaml", text.encode(), tenant)
    found = check_grants(compiled, grants, f"{tenant}.yaml")
    assert (found.mapping is None) == bool(found.problems)
    assert (found.side_runs == ()) == bool(found.problems)  # what is wrong is told once a day, not oftener
    return [str(problem) for problem in found.problems]


@pytest.mark.parametrize("account", ["victim", "ｖｉｃｔｉｍ", " victim ", "acme2", "acm", "acme__x", "group"])
def test_e41_another_account_is_refused_and_the_line_to_add_is_named(account: str) -> None:
    """However it is written; the message says who must write what into which file."""
    (problem,) = judged(account=account)
    line = f"acme: {{emc_accounts: [{account.strip().replace('ｖｉｃｔｉｍ', 'victim')}]}}"
    assert f"運用担当者が operator.yaml の「tenants:」の下に「{line}」と書き足します" in problem


@pytest.mark.parametrize("account", ["", "acme", "ＡＣＭＥ".lower()])
def test_e41_the_account_of_the_tenants_own_name_needs_no_word(account: str) -> None:
    assert judged(account=account) == []


def test_e41_what_the_operator_has_given_may_be_used() -> None:
    """An account, a secret and a channel's Connection that several tenants share."""
    given = Grants(frozenset({"group"}), frozenset({"first"}), frozenset({"slack_all"}))
    assert judged(given, account="group", password="秘密:first", connection="slack_all") == []
    assert len(judged(account="group", password="秘密:first", connection="slack_all")) == 3


@pytest.mark.parametrize(
    "name",
    [
        "smarthr__victim",
        "emc__group",
        "first",
        "first_acme",
        "first__ACME",
        "first__acme_",
        "first__acme.x",
        "smarthr__acme",
        "SmartHR__acme",  # AIRFLOW_CONN_SMARTHR__ACME answers to it
        "emc__acme",
        "emc_drop__acme",
        "slack_webhook__acme",
        "smtp_default",
    ],
)
def test_e41_a_secret_is_the_tenants_own_and_opens_no_system(name: str) -> None:
    """Neither another company's, nor an unmarked one, nor the token by which this company's own systems are reached."""
    (problem,) = judged(password=f"秘密:{name}")
    assert f"「秘密:{name}」は、この会社（acme）に許可されていません" in problem


@pytest.mark.parametrize("source", ["秘密:first__acme", "固定値「秘密:first__acme」", "秘密:first__acme&社員番号"])
def test_e41_a_secret_that_ends_in_the_tenants_name_is_its_own(source: str) -> None:
    assert judged(password=source) == []


@pytest.mark.parametrize("connection", ["slack_all", "emc_default", "smarthr_default"])
def test_e41_a_connection_that_is_marked_as_nobodys_must_be_given(connection: str) -> None:
    (problem,) = judged(connection=connection)
    assert f"acme: {{connections: [{connection}]}}" in problem


def test_e41_a_secret_goes_into_a_file_only_by_the_operators_word() -> None:
    """Then the customer is warned all the same."""
    (problem,) = judged(loader="FILE_DROP", password="秘密:first__acme")
    assert "acme: {passwords_in_files: true}" in problem
    text = SHEET.format(account="", loader="FILE_DROP", password="秘密:first__acme", connection="")
    compiled, _ = compile_sheet("acme.yaml", text.encode(), "acme")
    found = check_grants(compiled, Grants(passwords_in_files=True), "acme.yaml")
    assert found.mapping is not None
    assert any("取込ファイルに文字のまま" in problem.found for problem in found.warnings)


def test_e41_a_channel_without_right_is_not_told_of_the_failure() -> None:
    """The sheet's fault goes to its mail addresses, never through the Connection that it has no right to."""
    text = SHEET.format(account="victim", loader="HTTP", password="社員番号", connection="slack_all")
    compiled, _ = compile_sheet("acme.yaml", text.encode(), "acme")
    found = check_grants(compiled, Grants(), "acme.yaml")
    assert (found.channels, found.result_addresses) == ((), ("soumu@acme-kk.jp",))


FILE = "tenants:\n  acme: {emc_accounts: [group], secrets: [first], passwords_in_files: true}\n  beta: {emc_accounts: [010]}\n"


BROKEN = {
    "no yaml": "tenants: {",
    "another key": "tenant: {acme: {emc_accounts: [group]}}",
    "no mapping": "tenants: [acme]",
    "an unknown key": "tenants: {acme: {emc_account: [group]}}",
    "no list": "tenants: {acme: {emc_accounts: group}}",
    "nested": "tenants: {acme: {emc_accounts: [[group]]}}",
    "no name": "tenants: {acme: {emc_accounts: ['']}}",
    "no flag": "tenants: {acme: {emc_accounts: [group], passwords_in_files: perhaps}}",
    "deep": "tenants: " + "[" * 50_000 + "]" * 50_000,
    "deep blocks": "- " * 50_000,
    "an anchor": "tenants: {beta: &all {emc_accounts: [group]}, acme: *all}",
    "two documents": FILE + "---\n" + FILE,
    "large": FILE + "#" * 1_000_000,
    "not a tenant": "tenants: {T0kenLike/Secret: {emc_accounts: [group]}}",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN.keys())
def test_e41_a_broken_operators_file_gives_nothing_and_says_so(text: str, tmp_path: Path) -> None:
    """Fail closed (L1); the sheet's message tells why, and quotes nothing that might be a secret (L7)."""
    path = tmp_path / "operator.yaml"
    path.write_text(text)
    found = read_grants(path)
    (problem,) = found.problems
    assert "T0kenLike" not in str(problem)
    (told,) = judged(found.of("acme"), account="group")
    assert "いまは読み取れません" in told
