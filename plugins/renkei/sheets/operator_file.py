"""The operator's own file (RENKEI_OPERATOR): what is the operator's word and no tenant's.

channels:   where the operator is told of things: a list as in a sheet's `notifications` (N1)
tenants:    what a tenant's sheet may use beside its own (E41): sheets/grants.py
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import yaml

from renkei.errors import Problem
from renkei.sheets.findings import Findings
from renkei.sheets.yaml_tree import Limits, Node, compose
from renkei.texts import Fault

KEYS = ("channels", "contact", "tenants")
MAX_BYTES = 1_000_000  # a line each for ten thousand tenants
LIMITS = Limits(deep="字下げと括弧を確認してください", several="「---」で分けずに、1つにまとめてください")


def read_operator_file(path: Path) -> tuple[dict[str, Any], list[Problem]]:
    """The file's parts as texts, lists and dicts, and what is wrong with it; no file is no fault, and nothing said.

    No fault quotes what a line says: it might be a secret (L7).
    """
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode) or state.st_size > MAX_BYTES:  # a pipe would be waited for
            remedy = f"{MAX_BYTES:,}バイト以下のファイルにしてください"
            return {}, [Problem(path.name, "大きすぎるか、ファイルではありません", remedy)]
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}, []
    except (OSError, ValueError) as error:
        found = f"読み取れません（{type(error).__name__}）"
        return {}, [Problem(path.name, found, "権限と文字コード(UTF-8)を確認してください")]
    findings = Findings()
    try:
        loaded = Node(compose(text, LIMITS), path.name, "", findings).plain()
    except Fault as fault:
        return {}, [fault.at(path.name)]
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path.name} {mark.line + 1}行目" if mark else path.name
        return {}, [Problem(where, "YAMLとして読めません", "字下げと記号を確認してください")]
    if loaded is None:
        return {}, findings.problems
    if not isinstance(loaded, dict) or set(loaded) - set(KEYS):
        found = f"{'、'.join(f'「{key}:」' for key in KEYS)}のほかの記入があります"
        remedy = "「channels:」の下に通知先を、「tenants:」の下に会社ごとの許可を記入してください"
        return {}, [Problem(path.name, found, remedy)]
    return loaded, findings.problems
