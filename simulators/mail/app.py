"""The web side: the mailbox as a page and as JSON, and the faults to play."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from simulators.mail.receiver import Fault, Receiver


def build_app(receiver: Receiver) -> FastAPI:
    app = FastAPI(title="Mail sink", docs_url=None, redoc_url=None)
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined
    )
    mailbox = receiver.mailbox

    @app.get("/", response_class=HTMLResponse)
    def page() -> str:
        return templates.get_template("mails.html").render(mails=mailbox.newest_first())

    @app.get("/mails/{name}.eml")
    def source(name: str) -> Response:
        """The message as kept, headers and all."""
        if mailbox.find(name) is None:
            raise HTTPException(404)
        return Response((mailbox.folder / f"{name}.eml").read_bytes(), media_type="text/plain; charset=utf-8")

    @app.get("/_sim/messages")
    def messages() -> list[dict[str, Any]]:
        return [mail.as_json() for mail in mailbox.newest_first()]

    @app.delete("/_sim/messages", status_code=204)
    def clear() -> Response:
        mailbox.clear()
        return Response(status_code=204)

    # Faults belong to the event loop that the SMTP side runs in, hence no worker threads here.
    @app.get("/_sim/faults")
    async def pending() -> list[Fault]:
        return receiver.faults

    @app.post("/_sim/faults", status_code=204)
    async def add(faults: list[Fault]) -> Response:
        receiver.faults += faults
        return Response(status_code=204)

    @app.delete("/_sim/faults", status_code=204)
    async def clear_faults() -> Response:
        receiver.faults.clear()
        return Response(status_code=204)

    return app
