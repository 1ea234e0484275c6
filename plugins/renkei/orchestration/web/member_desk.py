"""The invitations of a company's members, for the console: which there are, and their addresses (N4)."""

from __future__ import annotations

from collections.abc import Mapping

from renkei.errors import ConnectionError_
from renkei.orchestration.line.connection import invitation_url, login_channel, page_url
from renkei.orchestration.web import state

LINE, OWN_PAGE = "line", "my"


class MemberDesk:
    """The part of `renkei.web.services.Knowledge` on members (`renkei.web.member_facts.MemberInvitations`)."""

    def member_invitations(self, dag_id: str) -> Mapping[str, str]:
        link = state.dags()[dag_id].link
        view = link.console() if link.console else None
        return {LINE: "LINE連携", **({OWN_PAGE: "マイ情報"} if view and view.own_page else {})}

    def member_invitation_fault(self, dag_id: str, kind: str) -> str:
        if kind == LINE:
            try:
                login_channel(state.dags()[dag_id].tenant)
            except ConnectionError_ as error:
                return str(error)
        return ""

    def member_invitation_url(self, dag_id: str, kind: str, token: str) -> str:
        tenant = state.dags()[dag_id].tenant
        return invitation_url(tenant, token) if kind == LINE else f"{page_url()}/my/{tenant}/{token}"
