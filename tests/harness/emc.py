"""The simulated EMC, a client that checks every answer against the contract, and row builders."""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import re
from typing import Any, Self

import requests
import yaml
from jsonschema import Draft202012Validator

from tests.harness.program import ROOT, Program

CONTRACT = yaml.safe_load((ROOT / "include/contracts/emc_import.openapi.yaml").read_text(encoding="utf-8"))
DEPARTMENT_HEADER = ["処理フラグ", "部署ID", "部署名", "部署名(ヨミ)", "親部署ID"]
USER_HEADER = [
    *("処理フラグ", "ユーザID", "パスワード強制変更", "パスワード", "氏名", "氏名(ヨミ)", "所属部署コード"),
    *(f"兼務管理部署{n}" for n in range(1, 11)),
    *(f"保有権限{n}" for n in range(1, 6)),
    *(f"緊急連絡{n} {part}" for n in range(1, 11) for part in ("媒体", "アドレス")),
    *(f"検索ワード{n}" for n in range(1, 6)),
]
keys = (f"key-{number}" for number in itertools.count())


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        target: Any = CONTRACT
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = target
    return node


def check_against_contract(response: requests.Response, method: str, path: str) -> None:
    """Fail unless the answer is one that the contract has for this call."""
    template = next(
        name for name in CONTRACT["paths"] if re.fullmatch(re.sub(r"\{.*?\}", "[^/]+", name), path.partition("?")[0])
    )
    operation = CONTRACT["paths"][template].get(method.lower())
    responses = operation["responses"] if operation else {"default": CONTRACT["components"]["responses"]["Unavailable"]}
    expected = resolved(responses.get(str(response.status_code)) or responses["default"])
    content = expected.get("content")
    if content is None:
        assert response.content == b""
        return
    schema = content[response.headers["Content-Type"].partition(";")[0]]["schema"]
    if schema.get("type") != "string":
        Draft202012Validator({**schema, "components": CONTRACT["components"]}).validate(response.json())


class Emc(Program):
    """The simulated EMC, and a client of the account `acme`."""

    module = "simulators.emc"

    @classmethod
    def start(cls, *arguments: str) -> Self:
        return super().start("--account", "acme", "--account", "beta:secret", *arguments)

    def clear(self) -> None:
        """Empty accounts, no faults, counters at zero."""
        for account in self.sim("GET", "accounts")["accounts"]:
            self.sim("DELETE", f"accounts/{account['account']}")
        self.sim("DELETE", "faults")
        self.sim("DELETE", "requests")

    def call(self, method: str, path: str, token: str = "emc_sim_acme", **more: Any) -> requests.Response:
        """A request below /api/v1, whose answer is checked against the contract."""
        headers = {"Authorization": f"Bearer {token}", **more.pop("headers", {})}
        response = requests.request(method, f"{self.url}/api/v1{path}", headers=headers, timeout=20, **more)
        check_against_contract(response, method, path)
        return response

    def fault(self, kind: str, path: str = "/api/v1/*", **more: Any) -> None:
        """Put one fault in force."""
        self.sim("POST", "faults", [{"kind": kind, "path": path, **more}])

    def open(
        self, departments: bytes | None, users: bytes | None, key: str | None = None, plan_digest: str = "0" * 64
    ) -> requests.Response:
        body = {
            "source": "acme",
            "plan_digest": plan_digest,
            "departments": declared(departments),
            "users": declared(users),
        }
        return self.call("POST", "/imports", json=body, headers={"Idempotency-Key": key or next(keys)})

    def send(self, departments: bytes | None, users: bytes | None, key: str | None = None) -> str:
        """Id of an import that is ready to be committed."""
        import_id = str(self.open(departments, users, key).json()["id"])
        for file, body in (("departments", departments), ("users", users)):
            if body is not None:
                answer = self.call("PUT", f"/imports/{import_id}/{file}", data=body)
                assert answer.status_code == 204, answer.text
        return import_id

    def load(self, departments: bytes | None, users: bytes | None) -> dict[str, Any]:
        done = self.call("POST", f"/imports/{self.send(departments, users)}/commit")
        assert done.status_code == 200
        return done.json()

    def export(self, file: str) -> dict[str, dict[str, str]]:
        """Every record of departments or users by its id, without blank items."""
        items = self.call("GET", f"/{file}").json()["items"]
        return {next(iter(item.values())): {k: v for k, v in item.items() if v} for item in items}


def encoded(header: list[str], rows: tuple[list[str], ...]) -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerows([header, *rows])
    return buffer.getvalue().encode("cp932")


def departments(*rows: list[str]) -> bytes:
    return encoded(DEPARTMENT_HEADER, rows)


def users(*rows: list[str]) -> bytes:
    return encoded(USER_HEADER, rows)


def user(flag: str, user_id: str, **items: str) -> list[str]:
    """A row; one with flag A has what is required."""
    values = dict.fromkeys(USER_HEADER, "")
    if flag == "A":
        values |= {"パスワード": "Secret-1", "パスワード強制変更": "T"}
        values |= {"氏名": "山田 太郎", "氏名(ヨミ)": "ヤマダ タロウ"}
    return list((values | {"処理フラグ": flag, "ユーザID": user_id} | items).values())


def contact(medium: str, address: str, slot: int = 1) -> dict[str, str]:
    return {f"緊急連絡{slot} 媒体": medium, f"緊急連絡{slot} アドレス": address}


def declared(body: bytes | None) -> dict[str, Any] | None:
    if body is None:
        return None
    rows = len(list(csv.reader(io.StringIO(body.decode("latin-1"), newline="")))) - 1
    return {"rows": max(rows, 0), "sha256": hashlib.sha256(body).hexdigest()}


def codes(done: dict[str, Any]) -> list[tuple[str, int, str | None, str]]:
    return [(error["file"], error["line"], error["item"], error["code"]) for error in done["errors"]]
