"""A sheet reviewed with what a running SmartHR says of its custom fields agrees with the read of a run (E17, L8)."""

from __future__ import annotations

from pathlib import Path

import pytest

from renkei.errors import RefusedFetchError
from renkei.links.smarthr_emc import fetch
from renkei.links.smarthr_emc.sheet.review import review
from tests.contract.test_smarthr_client import client_of
from tests.harness.clock import SkipClock
from tests.harness.smarthr import SmartHR

SHEET = """
smarthr_url: {url}
result_addresses: [soumu@acme.example.jp]
link_start_on: 2026-04-01
departments: {{yomi: ブショ}}
users:
  - {{item: ユーザID, source: 社員番号}}
  - {{item: パスワード, source: 秘密:first__acme}}
  - {{item: 氏名, source: 氏名}}
  - {{item: 氏名(ヨミ), source: 氏名(ヨミガナ)}}
  - {{item: '検索ワード1:x', source: 'カスタム項目:{name}'}}
"""


@pytest.mark.parametrize(
    ("name", "near"), [("勤務形態", ""), ("勤務型態", "勤務形態"), ("安全講習日", "安全講習受講日")]
)
def test_e17_review_and_read_agree_on_custom_fields(
    smarthr_sim: SmartHR, skipped: SkipClock, tmp_path: Path, name: str, near: str
) -> None:
    """E17: what the review names at its cell is what a run would stop at, and nothing else."""
    path = tmp_path / "acme.yaml"
    path.write_text(SHEET.format(url=smarthr_sim.url, name=name), encoding="utf-8")
    client = client_of(smarthr_sim)
    templates = [template["name"] for template in client.read_all("crew_custom_field_templates")]

    found = review(path, "acme", templates=templates, allowed_hosts=("127.0.0.1",))

    assert found.mapping is not None
    if near:
        assert [problem.where for problem in found.problems] == ["acme.yaml users[4].source"]
        assert f"「{near}」" in found.problems[0].remedy  # among all that there are: spelling says nothing of meaning
        with pytest.raises(RefusedFetchError, match=name):
            fetch.fetch_departments(client, found.mapping)
    else:
        assert found.problems == ()
        fetch.fetch_departments(client, found.mapping)
