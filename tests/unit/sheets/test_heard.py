"""N8: no sheet of any link can be used whose 失敗 or 保留 would reach nobody."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from renkei.channel import Channel, Service, result_mail, unheard
from renkei.orchestration.link import LINKS, Part
from tests.conftest import ROOT

ADDRESSES = re.compile(r"^result_addresses:\n(?:  ?- .*\n|- .*\n)+", re.M)


def sample(link: str) -> tuple[Path, str]:
    found = next((ROOT / "include/mappings" / link).glob("*.yaml"))
    return found, found.read_text(encoding="utf-8")


@pytest.mark.parametrize("link", LINKS)
def test_n8_no_sheet_is_used_whose_failures_would_reach_nobody(link: str) -> None:
    """An address is needed, and is told of both whatever 通知 says: muted channels take nothing away, and mail is never 無効."""
    compile_sheet: Any = Part(LINKS[link].sheets().compiles)()
    path, text = sample(link)
    sound, _ = compile_sheet(path.name, text.encode(), path.stem, ("127.0.0.1:8181",))
    muted = Channel("総務のSlack", Service.SLACK_WEBHOOK, muted=True)
    assert sound.mapping is not None, sound.problems
    assert unheard((*result_mail(sound.result_addresses), muted)) == []
    without, found = ADDRESSES.subn("", text)
    assert found == 1
    silent, _ = compile_sheet(path.name, without.encode(), path.stem, ("127.0.0.1:8181",))
    assert silent.mapping is None
    (problem,) = silent.problems
    assert "通知先メールアドレス" in problem.found
    assert "必須です" in problem.remedy
