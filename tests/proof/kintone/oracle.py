"""What kintone must hold after the last run, told by the two simulators' own lists alone, without the product."""

from __future__ import annotations

from typing import Any

LONGEST_NAME = 10  # of the app's field, in UTF-16 units; the names here have no other characters

Records = list[dict[str, Any]]


def wrong_about(
    since: str,
    companies: Records,
    leads: Records,
    in_companies: Records,
    in_leads: Records,
    failed: set[tuple[str, str]],
) -> list[str]:
    """Every record of Hot Profile that was updated `since` is there once, as it is now, or is listed as failed.

    `failed`: data set and id of 失敗レコード. A record that cannot be written may stand as it was written before.
    """
    companies = [one for one in companies if one["updated_at"] >= since]
    good = {str(one["id"]): _company(one) for one in companies if len(one["name"]) <= LONGEST_NAME}
    bad = {str(one["id"]) for one in companies} - good.keys()
    there = {record["id"] for record in in_companies}
    leads = [one for one in leads if one["updated_at"] >= since]
    linked = {str(one["id"]): _lead(one) for one in leads if str(one["client_id"]) in there}
    lost = {str(one["id"]) for one in leads} - linked.keys()
    return [
        *_compared("companies", good, bad, in_companies, failed),
        *_compared("leads", linked, lost, in_leads, failed),
    ]


def _company(one: dict[str, Any]) -> dict[str, str]:
    return {"id": str(one["id"]), "name": one["name"], "note": one["note"] or ""}


def _lead(one: dict[str, Any]) -> dict[str, str]:
    return {"id": str(one["id"]), "name": one["name"] or "", "company": str(one["client_id"])}


def _compared(
    name: str, good: dict[str, dict[str, str]], bad: set[str], found: Records, failed: set[tuple[str, str]]
) -> list[str]:
    wrong = []
    ids = [record["id"] for record in found]
    if twice := sorted({one for one in ids if ids.count(one) > 1}):
        wrong.append(f"{name} {twice} are in kintone twice")
    if strange := sorted(set(ids) - good.keys() - bad):
        wrong.append(f"{name} {strange} are in kintone, and were not to come")
    by_id = {record["id"]: record for record in found}
    if missing := sorted(good.keys() - by_id.keys()):
        wrong.append(f"{name} {missing} are not in kintone")
    for number, values in good.items():
        record = by_id.get(number, values)
        if other := {code: record[code] for code in values if (record[code] or "") != values[code]}:
            wrong.append(f"{name} {number} has {other} in kintone, {values} in Hot Profile")
    listed = {number for data_set, number in failed if data_set == name}
    if listed != bad:
        wrong.append(f"{name} {sorted(listed)} are listed as failed, right is {sorted(bad)}")
    return wrong
