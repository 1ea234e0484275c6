"""What must hold after every death, told without the product."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd

from tests.proof.crashes.world import TENANT, Seen

COUNTS = ("前回 有効件数", "受信 有効件数", " 新規件数", " 更新件数", " 削除件数")


def wrong_about_baselines(seen: Seen, store: Path) -> list[str]:
    """One baseline per confirmed load, and the newest one names exactly whom EMC has (L3)."""
    wrong = []
    keys = sorted(baseline["import_key"] for baseline in seen.baselines)
    if keys != seen.committed:
        wrong.append(f"baselines are of the imports {keys}, EMC committed {seen.committed}")
    if [baseline["generation"] for baseline in seen.baselines] != list(range(1, len(seen.baselines) + 1)):
        wrong.append(f"the baselines' generations are {[baseline['generation'] for baseline in seen.baselines]}")
    if len(set(seen.plans)) != len(seen.plans):
        wrong.append("EMC committed a plan twice")
    if seen.baselines:
        newest = seen.baselines[-1]
        ids = baseline_ids(store / TENANT / "runs" / newest["run"])
        wrong += [
            f"the baseline's {name} are {sorted(found)}, EMC has {sorted(seen.emc[name.removesuffix('_target')])}"
            for name, found in ids.items()
            if found != set(seen.emc[name.removesuffix("_target")])
        ]
        if (newest["users"], newest["departments"]) != (len(seen.emc["users"]), len(seen.emc["departments"])):
            wrong.append(f"the baseline counts {newest['users']} people and {newest['departments']} departments")
    elif seen.emc["users"] or seen.emc["departments"]:
        wrong.append("EMC has people, and there is no baseline")
    return wrong


def baseline_ids(folder: Path) -> dict[str, set[str]]:
    """The ids in the tables of a baseline's run, which docs/store.md describes."""
    users, departments = pd.read_parquet(folder / "users.parquet"), pd.read_parquet(folder / "departments.parquet")
    target = pd.read_parquet(folder / "users_target.parquet", columns=["user_id"])
    valid = set(users.loc[users["valid"] & (users["user_id"] != ""), "user_id"])
    return {
        "users": valid,
        "users_target": set(target["user_id"]),
        "departments": set(departments["department_id"]),
    }


def counts_of(before: set[str], after: set[str]) -> list[int]:
    """前回有効, 受信有効, 新規, 更新, 削除 (E6, E11)."""
    return [len(before), len(after), len(after - before), len(after & before), len(before - after)]


def wrong_about_success(mail: dict[str, Any], before: set[str], after: set[str]) -> list[str]:
    """A mail that says that all went well, with the right figures (E4, E39)."""
    body = mail["body"]
    wrong = [] if mail["subject"].split()[0] == "EMC-OK" else [f"the mail's subject is {mail['subject']}, not EMC-OK"]
    if not body.startswith("処理結果: 成功\n"):
        wrong.append("the mail does not say 成功")
    found = [int(number) for name in COUNTS for number in re.findall(f"^社員データ{name}: (\\d+)$", body, re.MULTILINE)]
    if found != counts_of(before, after):
        wrong.append(f"the mail counts {found}, right is {counts_of(before, after)}")
    return wrong


def wrong_about_death(mail: dict[str, Any], task: str) -> list[str]:
    """The mail of a run whose task was killed for good: names the task, promises nothing about EMC."""
    body = mail["body"]
    wrong = []
    if not mail["subject"].startswith("EMC-ERROR-X(System NG) ") or not body.startswith("処理結果: 失敗\n"):
        wrong.append(f"{task} was killed for good, the mail's subject is {mail['subject']}")
    if f"タスク {task} が途中で終了しました" not in body:
        wrong.append(f"the mail does not name {task}")
    if "書き込んでいません" in body or "反映されていません" in body:
        wrong.append("the mail says that nothing was written, which nobody knew")
    return wrong


def is_about(mail: dict[str, Any], run_id: str) -> bool:
    return f"/runs/{run_id}\n" in mail["body"] + "\n"


def mails_of(seen: Seen, run_id: str) -> list[dict[str, Any]]:
    return [mail for mail in seen.mails if is_about(mail, run_id)]
