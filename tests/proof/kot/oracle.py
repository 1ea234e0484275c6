"""What KING OF TIME and people must have in the end, by the rules and nothing of ours: strings, and a list of who is who."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from tests.harness.kingoftime import KingOfTime
from tests.proof.kot.world import OPEN, Message, PunchWorld

WORDS = {"出勤": "1", "退勤": "2", "休憩開始": "3", "休憩終了": "4", "外出": "7", "戻り": "8"}
WHO = {"u-sato": ("1001", "00:00", True), "u-tanaka": ("1003", "05:00", False)}  # code, boundary, may punch breaks
ANSWERS = {
    "punch": "を記録しました",
    "double": "受付済み",
    "two": "両方が含まれている",
    "off": "使用していません",
    "break": "許可されていません",
    "future": "未来",
    "old": "24時間より前",
    "stranger": "登録されていない",
    "nothing": "文言がない",
}


def moment(text: str) -> datetime:
    day, _, time = text.partition(" ")
    month = 11 if int(day) > 15 else 12
    return datetime.fromisoformat(f"2026-{month}-{int(day):02} {time if time.count(':') == 2 else time + ':00'}")


def wanted(messages: Sequence[Message]) -> Iterator[tuple[Message, str, tuple[str, str, str, str] | None]]:
    """Each message in the order of its arrival: what it is, and its punch (code, day, time, kind)."""
    punched: list[tuple[str, str, datetime]] = []
    for one in sorted(messages, key=lambda each: moment(each.arrives or each.issued)):
        text = "".join(unicodedata.normalize("NFKC", one.text).split())
        kinds = [code for word, code in WORDS.items() if word in text]
        on = [code for code in kinds if code in "1234"] or kinds
        said, came = moment(one.issued), moment(one.arrives or one.issued)
        if one.user not in WHO:
            yield one, "stranger", None
        elif not kinds:
            yield one, "nothing", None
        elif len(on) > 1:
            yield one, "two", None
        elif on[0] in "78":
            yield one, "off", None
        elif on[0] in "34" and not WHO[one.user][2]:
            yield one, "break", None
        elif said > came + timedelta(minutes=2):
            yield one, "future", None
        elif said < came - timedelta(hours=24):
            yield one, "old", None
        elif any(
            code == WHO[one.user][0] and kind == on[0] and abs((when - said).total_seconds()) <= 60
            for code, kind, when in punched
        ):
            yield one, "double", None
        else:
            code, boundary, _ = WHO[one.user]
            punched.append((code, on[0], said))
            day = (said - timedelta(days=said.strftime("%H:%M") < boundary)).strftime("%Y-%m-%d")
            yield one, "punch", (code, day, said.strftime("%Y-%m-%dT%H:%M:%S+09:00"), on[0])


def wrong(world: PunchWorld, king: KingOfTime, messages: Sequence[Message]) -> list[str]:
    """What does not hold, one line each."""
    expected = list(wanted(messages))
    there, ours = Counter(king.punches()), Counter(punch for _, _, punch in expected if punch)
    found = [f"missing {one}" for one in ours - there] + [f"too many {one}" for one in there - ours]
    counts = world.inbox.counts()
    found += [f"{counts[state]} messages still {state}" for state in OPEN if counts[state]]
    answers = world.finals()
    strangers = set[str]()
    for number, (message, what, _) in enumerate(expected, start=1):
        said = answers.get(number, [])
        if what == "stranger" and message.user + message.issued[:2] in strangers:
            if said:
                found.append(f"{message} was answered: {said}")
            continue
        if what == "stranger":
            strangers.add(message.user + message.issued[:2])
        if len(said) != 1 or ANSWERS[what] not in said[0]:
            found.append(f"{message} is {what}, and the answer was {said}")
    return found
