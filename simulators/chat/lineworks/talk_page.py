"""`/talk/lineworks`: a person's talk with the bot, to read and to type in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from simulators.chat.inbox import Inbox
from simulators.chat.lineworks.app import BOT_NAME, App
from simulators.chat.lineworks.talk import Said

STICKER = {"type": "sticker", "packageId": "1", "stickerId": "2"}


def build_talk_page(inbox: Inbox, app: App) -> APIRouter:
    router = APIRouter()
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined
    )

    def user_of(name: str) -> str:
        member = app.user(name) if name else next(iter(app.settings.users), None)
        if member is None:
            raise HTTPException(404, "no such user")
        return member.userId

    @router.get("/talk/lineworks", response_class=HTMLResponse)
    async def talk(user: str = "", channel: str = "") -> str:
        user_id = user_of(user)
        to = {"channelId": channel} if channel else {"userId": user_id}
        answers = [one for one in inbox.all("lineworks") if to.items() <= one.raw.items()]
        said = app.talk.of(user_id, channel)
        return templates.get_template("talk.html").render(
            bot=BOT_NAME,
            user=user_id,
            channel=channel,
            users=app.settings.users,
            names={one.userId: one.name for one in app.settings.users},
            channels=app.settings.channels,
            entries=sorted([*said, *answers], key=lambda one: one.at),
            buttons=pressable(answers[-1].raw["content"]) if answers else [],
            menu=app.menu["actions"] if app.menu else [],
            callback_url=app.settings.callback_url,
            state=f"{len(said)}-{len(answers)}-{sum(len(one.heard) for one in said)}",
        )

    @router.post("/talk/lineworks")
    async def say(request: Request) -> Response:
        """What was typed, or a pressed button's action as JSON."""
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        user, channel = user_of(form.get("user", "")), form.get("channel", "")
        action = json.loads(form.get("action", "null"))
        words = form.get("text", "").replace("\r\n", "\n").strip()
        if said := (said_by(action) if action else {"text": words} if words else None):
            await app.say(Said(user=user, channel=channel, **said))
        return RedirectResponse(f"/talk/lineworks?{urlencode({'user': user, 'channel': channel})}", 303)

    return router


def said_by(action: dict[str, Any]) -> dict[str, Any]:
    """What a person says by pressing a button."""
    match action["type"]:
        case "message":
            postback = {"postback": action["postback"]} if "postback" in action else {}
            return {"content": {"type": "text", "text": action.get("text", action["label"]), **postback}}
        case "postback":
            return {"type": "postback", "more": {"data": action["data"]}}
        case _:
            return {"content": STICKER}


def pressable(content: dict[str, Any]) -> list[dict[str, Any]]:
    """Buttons of the bot's last message that say something."""
    quick = [item["action"] for item in content.get("quickReply", {}).get("items", [])]
    return [one for one in [*content.get("actions", []), *quick] if one["type"] in ("message", "postback")]
