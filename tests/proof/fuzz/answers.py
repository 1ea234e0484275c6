"""SmartHR's answers bent in every way, for the client, the fetch and the snapshot (E33, L1, L6).

`bent` makes one seeded company whose answers hold one or two faults, served through an adapter; `HOSTILE` are bytes
from a socket. What the reads must give is written here by hand (`PEOPLE`), not computed by Renkei.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import random
import socket
import threading
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any
from unittest import mock
from urllib.parse import parse_qs, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from renkei.errors import RenkeiError
from renkei.links.smarthr_emc import fetch, snapshot
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.systems.smarthr import client as module
from renkei.systems.smarthr.client import SmartHRClient
from tests.harness.clock import no_waits
from tests.proof.fuzz.workbook import deflated

URL = "https://acme.smarthr.jp"
TOKEN = "shr_himitsu_4711"
CANARIES = ("himitsu", "山田", "taro@", "090-1234")  # the token and personal data: in no message (L6, L7)
FIRST, TEMPLATES, CREWS = "departments", "crew_custom_field_templates", "crews"

LISTS: dict[str, list[Any]] = {
    FIRST: [
        {"id": "d1", "code": "A", "name": "本社", "full_name": "本社", "parent": None},
        {"id": "d2", "code": "B", "name": "営業部", "full_name": "本社/営業部", "parent": {"id": "d1", "code": "A"}},
        {"id": "d3", "code": "C", "name": "総務部", "full_name": "本社/総務部", "parent": {"id": "d1", "code": "A"}},
    ],
    TEMPLATES: [
        {"id": "t0", "name": "資格", "type": "string", "elements": None},
        {
            "id": "t1",
            "name": "勤務地",
            "type": "enum",
            "elements": [{"id": "e1", "name": "東京", "physical_name": "tokyo"}, {"id": "e2", "name": "大阪"}],
        },
    ],
    CREWS: [
        {
            "id": f"c{n}",
            "emp_status": "absent" if n == 2 else "employed",
            "emp_code": f"{n:05}",
            "email": f"taro@{n}.example.jp",
            "last_name": f"山田{n}",
            "first_name": "太郎",
            "last_name_yomi": "ヤマダ",
            "first_name_yomi": "タロウ",
            "departments": [{"id": "d2", "code": "B", "name": "営業部", "full_name": "本社/営業部"}, None],
            "address": {"pref": "東京都", "city": "x"},
            "custom_fields": [{"value": "e2" if n == 3 else "tokyo", "template": {"id": "t1"}}],
        }
        for n in range(1, 6)
    ],
}
# What the read must hold of each crew that nobody bent.
PEOPLE = {
    f"c{n}": {
        "社員番号": f"{n:05}",
        "メールアドレス": f"taro@{n}.example.jp",
        "姓": f"山田{n}",
        "名": "太郎",
        "姓(ヨミガナ)": "ヤマダ",
        "名(ヨミガナ)": "タロウ",
        "部署1(コード)": "B",
        "住所(都道府県)": "東京都",
        "カスタム項目:勤務地": "大阪" if n == 3 else "東京",
    }
    for n in range(1, 6)
}

_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 12, 10**30, 1.5, 1e300, "", " ", "0", "null", "x" * 5_000, [], [None], [[]], {}, {"id": 1},
    {"code": []}, [1, "x", {}], "\ud800", "a\udfffb", "\u0000", "a\nb", "\u202e‮", "😀", "Ａ１", "retired", "employed", "c1",
    ["c1"], {"name": "x"}, "\u200b", [{"template": None}], [{"template": "x", "value": 1}], {"template": {"id": "t1"}},
)  # fmt: skip
_LITERALS = ("NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 5_000, "[" * 30_000, '{"a":' * 30_000, '"\\ud83d"', "tru", '"\t"', "01")  # fmt: skip
_HEADERS: dict[str, tuple[str, ...]] = {
    "x-total-count": ("", "-1", "0", "1", "6", "1e3", "999999999999", "9" * 400, "9" * 5_000, "５", "5.0", "nan", " 5 ", "5, 5", "0x5", "x"),
    "x-page": ("0", "2", "-1", "x", "1e9", "9" * 5_000, ""),
    "x-per-page": ("0", "1", "-1", "x", "9" * 400, "1000000", ""),
    "x-rate-limit-remaining": ("0", "-1", "x", "inf"),
    "x-intensive-rate-limit-remaining": ("0",),
    "content-type": ("text/html", "application/json; charset=shift_jis", "application/json; charset=\xff", "x" * 9_000, "application/json; charset=utf-16"),
    "content-encoding": ("gzip", "deflate", "br", "zstd", "x", "gzip, gzip"),
    "content-length": ("0", "5", "99999999", "-1", "x"),
    "link": ('<https://evil.example.com/x>; rel="next"', "<", "x" * 60_000),
    "location": ("https://evil.example.com/", "http://[", "\xff\xfe", "//evil.example.com", "file:///etc/passwd"),
    "retry-after": ("-1", "1e999", "x"),
    "set-cookie": ("a=b; domain=.example.com", "\xff" * 500),
}  # fmt: skip
_RESETS = ("1", "0", "-5", "inf", "nan", "1e308", "99999999999", "x", "")


@dataclass
class Answer:
    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Company(HTTPAdapter):
    """Answers with prepared bytes; remembers every host that was asked."""

    def __init__(self, answers: dict[str, Answer]) -> None:
        super().__init__()
        self.answers = answers
        self.hosts: set[str] = set()

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        parts = urlsplit(str(request.url))
        self.hosts.add(str(parts.netloc))
        answer = self.answers[str(parts.path).rsplit("/", 1)[-1]]
        page = parse_qs(str(parts.query)).get("page", ["1"])[0]
        body = answer.body if page == "1" or answer.status != 200 else b"[]"
        raw = HTTPResponse(body=io.BytesIO(body), headers=answer.headers, status=answer.status, preload_content=False)
        return self.build_response(request, raw)


@contextlib.contextmanager
def no_pauses() -> Iterator[None]:
    """The client's pauses cost nothing, and it keeps its warnings to itself."""
    with (
        no_waits(module),
        mock.patch.object(module.log, "disabled", True),
        mock.patch.object(fetch.log, "disabled", True),
    ):
        yield


def bent(seed: str) -> tuple[dict[str, Answer], set[str], bool]:
    """Answers with faults, the crews that were left alone, and whether the custom field was."""
    rnd = random.Random(seed)
    lists, untouched, custom = deepcopy(LISTS), set(PEOPLE), True
    resource = rnd.choice((FIRST, TEMPLATES, CREWS, CREWS, CREWS))
    literal = ""
    if rnd.random() < 0.75:
        for _ in range(rnd.choice((1, 1, 2, 3))):
            index = rnd.randrange(len(lists[resource]))
            if resource == CREWS:
                untouched.discard(f"c{index + 1}")
            custom = custom and resource != TEMPLATES
            literal = _bend(rnd, lists[resource], index) or literal
    answers = {}
    for name, records in lists.items():
        text = json.dumps(records, ensure_ascii=rnd.random() < 0.5)
        body = text.replace('"LITERAL"', literal).encode("utf-8", "surrogatepass")
        answers[name] = Answer(body, 200, {"x-total-count": str(len(records)), "content-type": "application/json"})
    if rnd.random() < 0.4:
        answers[resource] = _bent_answer(rnd, answers[resource])
        untouched, custom = set(), False
    return answers, untouched, custom


def _bend(rnd: random.Random, records: list[Any], index: int) -> str:
    """Change one value somewhere inside a record; the literal that is to stand there, if any."""
    node: Any = records
    key: Any = index
    while isinstance(node[key], dict | list) and node[key] and rnd.random() < 0.8:
        node = node[key]
        key = rnd.choice(list(node)) if isinstance(node, dict) else rnd.randrange(len(node))
    if isinstance(node, dict) and rnd.random() < 0.2:
        del node[key]
        return ""
    if rnd.random() < 0.15:
        node[key] = "LITERAL"
        return rnd.choice(_LITERALS)
    node[key] = deepcopy(rnd.choice(_VALUES))
    return ""


def _bent_answer(rnd: random.Random, answer: Answer) -> Answer:
    body, status, headers = answer.body, answer.status, dict(answer.headers)
    kind = rnd.randrange(8)
    if kind == 0:
        body = body[: rnd.randrange(len(body))]
    elif kind == 1:
        at = rnd.randrange(len(body))
        body = body[:at] + rnd.choice((b"\xff", b"\x00", b"\xed\xa0\x80", b'"', b"}", b"\xe3\x81")) + body[at + 1 :]
    elif kind == 2:
        body = rnd.choice(
            (b"", b"null", b"{}", b"[]", b"[null]", b"1", b'"x"', b"<html>", b"[" * 99_999, b"\xef\xbb\xbf" + body)
        )
    elif kind == 3:
        body = rnd.choice((body.decode("utf-8", "replace").encode("utf-16"), gzip.compress(body), body + body, b" " * 9_999 + body))  # fmt: skip
    elif kind == 4:
        status = rnd.choice((100, 201, 204, 206, 300, 301, 302, 304, 307, 400, 401, 403, 404, 422, 429, 500, 503, 599, 999))  # fmt: skip
        body = rnd.choice((body, b"", b'{"code": 15}', b'{"code": true}', b'{"code": ' + b"9" * 4_000 + b"}", b"[" * 99_999, '{"message": "山田"}'.encode()))  # fmt: skip
    for _ in range(rnd.choice((0, 1, 1, 2)) if kind < 5 else rnd.choice((1, 2, 3))):
        name = rnd.choice(list(_HEADERS))
        headers[name] = rnd.choice(_HEADERS[name])
        if name.endswith("remaining"):
            headers[name.replace("remaining", "reset")] = rnd.choice(_RESETS)
    if rnd.random() < 0.1:
        headers.pop("x-total-count", None)
    return Answer(body, status, headers)


def read(mapping: Mapping, answers: dict[str, Answer]) -> tuple[Any, str, set[str]]:
    """The frozen users or None, the message of the refusal, and the hosts that were asked."""
    company = Company(answers)
    session = requests.Session()
    session.trust_env = False
    session.headers["Authorization"] = f"Bearer {TOKEN}"
    session.mount("https://", company)
    session.mount("http://", company)
    client = SmartHRClient(session, URL)
    try:
        departments, masters = fetch.fetch_departments(client, mapping)
        json.dumps(masters, ensure_ascii=False).encode()
        users = fetch.fetch_users(client, mapping, masters, ("c1",))
        frozen = snapshot.freeze(departments, users, mapping)
    except RenkeiError as error:
        return None, str(error), company.hosts
    return frozen.users, "", company.hosts


def judge(users: Any, message: str, hosts: set[str], untouched: set[str], custom: bool) -> str:
    """What is wrong with the outcome of one read, or nothing."""
    if hosts - {"acme.smarthr.jp"}:
        return f"asked {sorted(hosts)}"
    if users is None:
        return judge_message(message)
    for _, row in users.iterrows():
        for column, expected in PEOPLE.get(row["crew_id"], {}).items() if row["crew_id"] in untouched else ():
            if row[column] != expected and (custom or not column.startswith("カスタム")):
                return f"{row['crew_id']}: {column} is not what SmartHR has"
    if untouched - set(users["crew_id"]):
        return "a crew is missing"
    if any(not isinstance(value, str) for value in users["user_id"]):
        return "an id that is no text"
    return ""


def judge_message(message: str) -> str:
    """A message says in Japanese what to do, can be written anywhere, and names nobody."""
    if not any("ぁ" <= c <= "ん" for c in message) or len(message) > 600:
        return f"not a message for a person ({len(message)} characters)"
    if any("\ud800" <= c <= "\udfff" or (c < " ") for c in message):
        return "a message with characters that cannot be shown"
    if any(word in message for word in CANARIES):
        return "a message with personal data or the token"
    return ""


# -- bytes from a socket ----------------------------------------------------------------------------------------------


def _ok(body: bytes, *headers: str, total: str = "5") -> bytes:
    head = ["HTTP/1.1 200 OK", f"x-total-count: {total}", *headers]
    head += [f"Content-Length: {len(body)}"]
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body


def hostile(other_port: int) -> dict[str, Callable[[], bytes]]:
    """What a socket sends for every request, by name; each must be refused, and nothing may reach the other port."""

    def bomb() -> bytes:
        return b"\x1f\x8b\x08" + bytes(7) + deflated(bytes(1_000_000), 4_000)

    hundred = json.dumps([{"id": f"c{n}"} for n in range(100)]).encode()
    redirect = f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{other_port}/\r\n"
    return {
        "a gzip bomb of 4 GB": lambda: _ok(bomb(), "Content-Encoding: gzip"),
        "a gzip bomb as an error": lambda: _ok(bomb(), "Content-Encoding: gzip").replace(b"200 OK", b"403 No"),
        "a gzip bomb in a redirect": lambda: (redirect + "Content-Encoding: gzip\r\nConnection: close\r\n\r\n").encode() + bomb(),
        "a redirect elsewhere": lambda: (redirect + "Content-Length: 0\r\n\r\n").encode(),
        "a redirect to no address": lambda: b"HTTP/1.1 301 x\r\nLocation: http://[\xff\r\nContent-Length: 0\r\n\r\n",
        "an id of 10 MB": lambda: _ok(b'[{"id": "' + b"a" * 10_000_000 + b'"}]', total="1"),
        "60 MB of records": lambda: _ok(b"[" + b'{"id": "x"},' * 5_000_000 + b"{}]"),
        "15 MB of depth": lambda: _ok(b"[" * 15_000_000),
        "a number of 15 MB": lambda: _ok(b"[" + b"9" * 15_000_000 + b"]"),
        "a trillion records": lambda: _ok(hundred, total="1000000000000"),
        "a total of 400 digits": lambda: _ok(hundred, total="9" * 400),
        "a million pages of one": lambda: _ok(b'[{"id": "c1"}]', "x-per-page: 1", total="1000000"),
        "a header of 1 MB": lambda: _ok(b"[]", "x-long: " + "a" * 1_000_000),
        "10,000 headers": lambda: _ok(b"[]", *(f"x-{n}: a" for n in range(10_000))),
        "a reset at the end of days": lambda: _ok(b"[]", "x-rate-limit-remaining: 0", "x-rate-limit-reset: inf", total="0"),
        "no HTTP at all": lambda: b"\x16\x03\x01" + bytes(range(256)) * 40,
        "a length that is none": lambda: b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\n[]",
        "a chunk that is none": lambda: b"HTTP/1.1 200 OK\r\nx-total-count: 0\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n[]\r\n",
        "a chunk of 16 TB": lambda: b"HTTP/1.1 200 OK\r\nx-total-count: 0\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffff\r\n[]\r\n",
        "half a header": lambda: b"HTTP/1.1 200 OK\r\nx-total-c",
        "nothing": lambda: b"",
    }  # fmt: skip


def serve(answer: bytes) -> tuple[int, list[bytes]]:
    """A port of this machine that answers every connection with the same bytes and closes; the requests it got."""
    listening = socket.create_server(("127.0.0.1", 0))
    got: list[bytes] = []

    def one(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            got.append(connection.recv(65_536))
            connection.sendall(answer)

    def accept() -> None:
        while True:
            connection, _ = listening.accept()
            threading.Thread(target=one, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return int(listening.getsockname()[1]), got


def read_from(port: int) -> str:
    """The message with which a read of that port is refused; empty when it was taken for a list."""
    session = requests.Session()
    session.trust_env = False
    session.headers["Authorization"] = f"Bearer {TOKEN}"
    with no_pauses():
        try:
            SmartHRClient(session, f"http://127.0.0.1:{port}").read_all("crews")
        except RenkeiError as error:
            return str(error)
    return ""
