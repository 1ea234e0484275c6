"""The persistent menu below a bot's talk: up to four buttons that say a text (P18).

https://developers.worksmobile.com/jp/docs/bot-persistentmenu-create
"""

from __future__ import annotations

from collections.abc import Sequence

from renkei.systems.delivery import Delivery
from renkei.systems.lineworks.answers import delivery_of
from renkei.systems.lineworks.api import LineWorksApi
from renkei.systems.lineworks.auth import bot_fault

MAX_BUTTONS, MAX_TEXT = 4, 300
PATH = "persistentmenu"


def put_menu(api: LineWorksApi, bot_id: str, texts: Sequence[str]) -> Delivery:
    """Replaces the bot's menu: each button says its text, as if the member had written it. None at all takes it away."""
    if fault := bot_fault(bot_id):
        raise ValueError(fault)
    if not texts:
        answer = api.ask("bot-persistentmenu-delete", "DELETE", f"/bots/{bot_id}/{PATH}")
        return answer if isinstance(answer, Delivery) else delivery_of(answer, 204)
    actions = [{"type": "message", "label": text, "text": text} for text in texts[:MAX_BUTTONS]]
    answer = api.ask(
        "bot-persistentmenu-create", "POST", f"/bots/{bot_id}/{PATH}", json={"content": {"actions": actions}}
    )
    return answer if isinstance(answer, Delivery) else delivery_of(answer, 201)
