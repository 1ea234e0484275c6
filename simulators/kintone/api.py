"""The REST API below /k/v1 and /k/guest/{space}/v1."""

from __future__ import annotations

import base64
import binascii
import json
import re
import secrets
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from simulators.kintone.domain import App, Caller, Cursor, Domain, Record, Right
from simulators.kintone.errors import KintoneError, number_of_records, parameter
from simulators.kintone.form import WITHOUT_VALUE
from simulators.kintone.query import select
from simulators.kintone.records import Writer, told

PATH = re.compile(r"/k/(?:guest/(?P<space>\d+)/)?v1/(?P<api>[\w/]+)\.json")
IN_BRACKETS = re.compile(r"(\w+)((?:\[\w*\])+)")
MAX_WRITE, MAX_READ, MAX_BULK, MAX_CURSORS, MAX_TOKENS = 100, 500, 20, 10, 9
CURSOR_S = 600.0
HTML = "<!doctype html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"
Params = dict[str, Any]


@dataclass
class Ask:
    """One request, or one of a bulkRequest."""

    domain: Domain
    caller: Caller
    space: int | None
    params: Params

    def app(self, *rights: Right, name: str = "app") -> App:
        """The app that the request names, on which the caller has these rights.

        Raises:
            KintoneError: no such app, a token of another one, a right that is missing.
        """
        app_id = self.number(name)
        app = self.domain.app(app_id, self.space)
        if self.caller.user is None:
            if app.id not in self.caller.rights:
                raise KintoneError("GAIA_IA02")
            if not all(self.caller.may(app.id, right) for right in rights):
                raise KintoneError("GAIA_NO01")
        return app

    def number(self, name: str) -> int:
        raw = self.params.get(name)
        if raw in (None, ""):
            raise parameter(name)
        text = str(raw)
        if isinstance(raw, bool) or not re.fullmatch(r"-?\d{1,18}", text):
            raise parameter(name, ("整数でなければなりません。", "must be an integer"))  # (guess)
        if int(text) < 1:
            raise parameter(name, ("最小でも1以上です。", "must be greater than or equal to 1"))
        return int(text)

    def texts(self, name: str) -> list[str]:
        raw = self.params.get(name) or []
        if not isinstance(raw, list) or not all(isinstance(each, str | int) for each in raw):
            raise parameter(name, ("配列でなければなりません。", "must be an array"))  # (guess)
        return [str(each) for each in raw]

    def list_of(self, name: str, most: int) -> list[Any]:
        raw = self.params.get(name)
        if raw is None:
            raise parameter(name)
        if not isinstance(raw, list):
            raise parameter(name, ("配列でなければなりません。", "must be an array"))  # (guess)
        if len(raw) > most:
            raise number_of_records(name, most)
        return raw


def get_record(ask: Ask) -> Params:
    app = ask.app("view")
    return {"record": told(ask.domain, app, existing(app, ask.number("id")), set())}


def get_records(ask: Ask) -> Params:
    app = ask.app("view")
    only = set(ask.texts("fields"))
    total = str(ask.params.get("totalCount", "")).lower() == "true"
    found, query = select(str(ask.params.get("query") or ""), ask.domain, app, ask.caller, all_of_them=total)
    page = found[query.offset : query.offset + query.limit]
    return {
        "records": [told(ask.domain, app, record, only) for record in page],
        "totalCount": str(len(found)) if total else None,
    }


def post_record(ask: Ask) -> Params:
    app = ask.app("add")
    writer = Writer(ask.domain, app, ask.caller)
    record = writer.insert(ask.params.get("record") or {}, "record")
    writer.finish()
    return {"id": str(record.id), "revision": str(record.revision)}


def post_records(ask: Ask) -> Params:
    app = ask.app("add")
    writer = Writer(ask.domain, app, ask.caller)
    sent = ask.list_of("records", MAX_WRITE)
    made = [writer.insert(each, f"records[{index}]") for index, each in enumerate(sent)]
    writer.finish()
    return {"ids": [str(one.id) for one in made], "revisions": [str(one.revision) for one in made]}


def put_record(ask: Ask) -> Params:
    app = ask.app("edit")
    writer = Writer(ask.domain, app, ask.caller)
    record, _ = chosen(writer, ask.params, "", upsert=False)
    assert record
    writer.update(record, ask.params.get("record"), ask.params.get("revision"), "record")
    writer.finish()
    return {"revision": str(record.revision)}


def put_records(ask: Ask) -> Params:
    upsert = ask.domain.settings.upsert and ask.params.get("upsert") is True
    app = ask.app(*(("edit", "add") if upsert else ("edit",)))
    writer = Writer(ask.domain, app, ask.caller)
    written: list[tuple[Record, str]] = []
    keys: set[tuple[str, str]] = set()
    for index, each in enumerate(ask.list_of("records", MAX_WRITE)):
        prefix = f"records[{index}]"
        if not isinstance(each, dict):
            raise parameter(prefix)
        record, key = chosen(writer, each, f"{prefix}.", upsert=upsert)
        if key:
            # (guess) one record by its key twice in a request: refused, so that nobody relies on an order
            if (key[0], str(key[1])) in keys:
                raise parameter(f"{prefix}.updateKey.value", ("値が重複しています。", "The value is duplicated."))
            keys.add((key[0], str(key[1])))
        sent = each.get("record") or {}
        if key and isinstance(sent, dict) and key[0] in sent:
            told_key = sent[key[0]].get("value") if isinstance(sent[key[0]], dict) else None
            if str(told_key) != str(key[1]):  # (guess)
                raise parameter(
                    f"{prefix}.record.{key[0]}", ("更新キーは変更できません。", "The key cannot be changed.")
                )
        if record is None:
            if key:
                sent = {**sent, key[0]: {"value": key[1]}}
            written.append((writer.insert(sent, prefix), "INSERT"))
        else:
            writer.update(record, sent, each.get("revision"), prefix)
            written.append((record, "UPDATE"))
    writer.finish()
    return {
        "records": [
            {"id": str(record.id), "revision": str(record.revision)} | ({"operation": operation} if upsert else {})
            for record, operation in written
        ]
    }


def delete_records(ask: Ask) -> Params:
    app = ask.app("delete")
    ids = ask.texts("ids")
    sent = ask.params.get("revisions")
    revisions = [str(-1 if each in (None, "") else each) for each in (sent if isinstance(sent, list) else [])]
    if not ids:
        raise parameter("ids")
    if len(ids) > MAX_WRITE:
        raise number_of_records("ids", MAX_WRITE)
    writer = Writer(ask.domain, app, ask.caller)
    for index, each in enumerate(ids):
        record = existing(app, int(each) if each.isdecimal() else 0)
        if revisions[index : index + 1] not in ([], ["-1"], [str(record.revision)]):
            raise KintoneError("GAIA_CO02")
        writer.delete(record)
    return {}


def existing(app: App, record_id: int) -> Record:
    record = app.records.get(record_id)
    if record is None:
        raise KintoneError("GAIA_RE01", record_id)
    return record


def chosen(writer: Writer, sent: Params, prefix: str, *, upsert: bool) -> tuple[Record | None, tuple[str, Any] | None]:
    """The record that an entry names by id or updateKey, with the key; None where an upsert makes one."""
    key = sent.get("updateKey")
    if (key is None) == (sent.get("id") in (None, "")):
        raise parameter(f"{prefix}id") if key is None else KintoneError("CB_IL02")
    if key is not None:
        record, code, value = writer.by_key(key, prefix.rstrip("."))
        if record is None and not upsert:
            raise KintoneError("GAIA_RE20", value)
        return record, (code, value)
    text = str(sent["id"])
    record = writer.app.records.get(int(text)) if text.isdecimal() else None
    if record is None and not upsert:
        raise KintoneError("GAIA_RE01", text)
    return record, None


def post_cursor(ask: Ask) -> Params:
    app = ask.app("view")
    size = ask.number("size") if ask.params.get("size") is not None else 100
    if size > MAX_READ:
        raise parameter("size", ("最大でも500以下です。", "must be less than or equal to 500"))
    found, query = select(str(ask.params.get("query") or ""), ask.domain, app, ask.caller)
    if query.limited:
        raise parameter("query", ("limitとoffsetは指定できません。", "limit and offset cannot be used."))  # (guess)
    now = ask.domain.clock.seconds()
    ask.domain.cursors = {name: one for name, one in ask.domain.cursors.items() if one.ends_at > now}
    if len(ask.domain.cursors) >= MAX_CURSORS:
        raise KintoneError("GAIA_TM12")
    name = secrets.token_hex(16)
    ids = deque(record.id for record in found)
    ask.domain.cursors[name] = Cursor(app.id, ask.texts("fields"), ids, size, now + CURSOR_S)
    return {"id": name, "totalCount": str(len(found))}


def get_cursor(ask: Ask) -> Params:
    cursor, app = _cursor(ask)
    page = [app.records.get(cursor.ids.popleft()) for _ in range(min(cursor.size, len(cursor.ids)))]
    if not cursor.ids:
        del ask.domain.cursors[ask.params["id"]]
    only = set(cursor.fields)
    return {
        "records": [told(ask.domain, app, record, only) for record in page if record is not None],
        "next": bool(cursor.ids),
    }


def delete_cursor(ask: Ask) -> Params:
    _cursor(ask)
    del ask.domain.cursors[ask.params["id"]]
    return {}


def _cursor(ask: Ask) -> tuple[Cursor, App]:
    cursor = ask.domain.cursors.get(str(ask.params.get("id", "")))
    if cursor is None or cursor.ends_at <= ask.domain.clock.seconds():
        raise KintoneError("GAIA_CN01")
    ask.params["app"] = cursor.app
    return cursor, ask.app("view")


def get_app(ask: Ask) -> Params:
    return _app(ask.domain, ask.app(name="id"))


def get_apps(ask: Ask) -> Params:
    """Only for users (guess: a token belongs to one app and may not list)."""
    if ask.caller.user is None:
        raise KintoneError("GAIA_NO01")
    return {"apps": [_app(ask.domain, app) for app in ask.domain.apps.values() if app.guest_space == ask.space]}


def _app(domain: Domain, app: App) -> Params:
    maker = {"code": "Administrator", "name": domain.users["Administrator"].name}
    space = str(app.guest_space) if app.guest_space else None
    return {
        "appId": str(app.id),
        "code": app.code,
        "name": app.name,
        "description": "",
        "spaceId": space,
        "threadId": space,
        "createdAt": app.made_at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "creator": maker,
        "modifiedAt": app.changed_at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "modifier": maker,
    }


def get_fields(ask: Ask) -> Params:
    app = ask.app()
    properties = {code: one.definition for code, one in app.fields.items()}
    return {"properties": properties, "revision": str(app.revision)}


def get_layout(ask: Ask) -> Params:
    """One field a row: where they stand on the form is nobody's matter here."""
    app = ask.app()
    rows: list[Params] = []
    for code, one in app.fields.items():
        if one.type == "SUBTABLE":
            cells = [{"type": cell.type, "code": name, "size": {"width": "200"}} for name, cell in one.table.items()]
            rows.append({"type": "SUBTABLE", "code": code, "fields": cells})
        elif one.type not in WITHOUT_VALUE:
            rows.append({"type": "ROW", "fields": [{"type": one.type, "code": code, "size": {"width": "200"}}]})
    return {"layout": rows, "revision": str(app.revision)}


Handler = Callable[[Ask], Params]
HANDLERS: dict[str, dict[str, Handler]] = {
    "record": {"GET": get_record, "POST": post_record, "PUT": put_record},
    "records": {"GET": get_records, "POST": post_records, "PUT": put_records, "DELETE": delete_records},
    "records/cursor": {"GET": get_cursor, "POST": post_cursor, "DELETE": delete_cursor},
    "app": {"GET": get_app},
    "apps": {"GET": get_apps},
    "app/form/fields": {"GET": get_fields},
    "app/form/layout": {"GET": get_layout},
    "preview/app/form/fields": {"GET": get_fields},
    "preview/app/form/layout": {"GET": get_layout},
}
IN_BULK = frozenset(
    {("record", "POST"), ("record", "PUT"), ("records", "POST"), ("records", "PUT"), ("records", "DELETE")}
)


def carried_out(ask: Ask, method: str, api: str, handler: Handler) -> Params:
    """One request as a whole or not at all, counted for the app that it names, refused or not (guess: the latter)."""
    status = 200
    try:
        with ask.domain.transaction():
            return handler(ask)
    except KintoneError as error:
        status = error.status
        raise
    finally:
        app = str(ask.params.get("id" if api in ("app", "apps") else "app") or "")
        if app.isdecimal() and int(app) in ask.domain.apps:
            ask.domain.count(method, api, int(app), status)


class BulkFailedError(Exception):
    """The answer of a bulkRequest of which one request failed."""

    def __init__(self, results: list[KintoneError | None], status: int) -> None:
        super().__init__("bulkRequest")
        self.results, self.status = results, status


def bulk(ask: Ask) -> Params:
    """All requests in their order, or none."""
    requests = ask.list_of("requests", MAX_BULK)
    if not requests:
        raise parameter("requests")
    results: list[Params] = []
    with ask.domain.transaction():
        for index, each in enumerate(requests):
            try:
                results.append(_one_of_bulk(ask, each, f"requests[{index}]"))
            except KintoneError as error:
                failed: list[KintoneError | None] = [None] * len(requests)
                failed[index] = error
                raise BulkFailedError(failed, error.status) from error
    return {"results": results}


def _one_of_bulk(ask: Ask, each: Any, place: str) -> Params:
    if not isinstance(each, dict) or not isinstance(each.get("payload"), dict):
        raise parameter(f"{place}.payload")
    found = PATH.fullmatch(str(each.get("api")))
    method = str(each.get("method"))
    if found is None or (found["api"], method) not in IN_BULK:
        raise parameter(f"{place}.api", ("指定できないAPIです。", "The API cannot be used."))
    space = int(found["space"]) if found["space"] else None
    inner = Ask(ask.domain, ask.caller, space, each["payload"])
    return carried_out(inner, method, found["api"], HANDLERS[found["api"]][method])


async def answer(domain: Domain, request: Request) -> Response:
    """What kintone answers to a request below /k/."""
    language = _language(request.headers.get("accept-language", ""))
    target = len(request.scope.get("raw_path", b"")) + len(request.scope["query_string"])
    if target > domain.settings.url_most:
        return HTMLResponse(HTML.format("414 Request-URI Too Large"), 414)
    found = PATH.fullmatch(request.url.path)
    if found is None or (found["api"] not in HANDLERS and found["api"] != "bulkRequest"):
        return HTMLResponse(HTML.format("404 Not Found"), 404)
    api, space = found["api"], int(found["space"]) if found["space"] else None
    method = request.method
    if method == "POST":
        method = request.headers.get("x-http-method-override", "POST").upper()
    try:
        params = _params(request, await request.body())
        ask = Ask(domain, _caller(domain, request), space, params)
        if api == "bulkRequest" and method == "POST":
            return _json(bulk(ask))
        handler = HANDLERS.get(api, {}).get(method)
        if handler is None:
            return HTMLResponse(HTML.format("405 Method Not Allowed"), 405)
        return _json(carried_out(ask, method, api, handler))
    except BulkFailedError as failed:
        results = [error.body(language) if error else {} for error in failed.results]
        return _json({"results": results}, failed.status)
    except KintoneError as error:
        return _json(error.body(language), error.status, {"X-Cybozu-Error": error.code})


def _language(accepted: str) -> int:
    return 1 if accepted.lower().startswith("en") else 0


def _json(body: Params, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(text.encode(), status, headers, "application/json;charset=UTF-8")


def _caller(domain: Domain, request: Request) -> Caller:
    """Whom the headers prove.

    Raises:
        KintoneError: nobody, or not rightly.
    """
    if login := request.headers.get("x-cybozu-authorization"):
        try:
            name, _, password = base64.b64decode(login, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise KintoneError("CB_WA01") from None
        user = domain.users.get(name)
        if (
            user is None
            or user.password is None
            or not secrets.compare_digest(user.password.encode(), password.encode())
        ):
            raise KintoneError("CB_WA01")
        return Caller({}, name)
    given = [token.strip() for token in request.headers.get("x-cybozu-api-token", "").split(",") if token.strip()]
    if not given:
        raise KintoneError("CB_AU01")
    if len(given) > MAX_TOKENS:
        raise KintoneError("CB_IL02")  # (guess: number and code)
    rights: dict[int, frozenset[Right]] = {}
    for token in (domain.tokens[each] for each in given if each in domain.tokens):
        rights[token.app] = rights.get(token.app, frozenset()) | token.rights
    return Caller(rights)


def _params(request: Request, body: bytes) -> Params:
    """Query and body as one; a body must be JSON that says so, and nothing else may say so.

    Raises:
        KintoneError: it is not.
    """
    params = _in_query(parse_qsl(request.url.query, keep_blank_values=True))
    says_json = request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"
    if not body:
        if says_json:
            raise KintoneError("CB_IJ01")
        return params
    if not says_json:
        raise KintoneError("CB_IL02")  # (guess)
    try:
        sent = json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise KintoneError("CB_IJ01") from None
    if not isinstance(sent, dict):
        raise KintoneError("CB_IJ01")
    return params | sent


def _refuse(word: str) -> Any:
    raise ValueError(word)


def _in_query(pairs: Iterable[tuple[str, str]]) -> Params:
    """`fields[0]=a&fields[1]=b` as a list."""
    found: Params = {}
    for name, value in pairs:
        if part := IN_BRACKETS.fullmatch(name):
            found.setdefault(part[1], []).append(value)
        else:
            found[name] = value
    return found
