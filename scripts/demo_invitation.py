"""An invitation to the お客様ページ of one company, by the environment of `make run`: `python -m scripts.demo_invitation TENANT`."""

from __future__ import annotations

import sys

from renkei.clock import utcnow
from renkei.orchestration.public.inviting import INVITING, offered
from renkei.storage.tokens import new_token

LINK = "smarthr_emc"
DAYS = 30


def main(tenant: str) -> None:
    """Prints the address; it is kept nowhere else."""
    whom, token = ("総務部 ご担当者様（デモ）", "make run"), new_token()
    INVITING.invitations().invite(LINK, tenant, *whom, offered(LINK), DAYS, "make run", utcnow(), token)
    print(INVITING.link(token))


if __name__ == "__main__":
    main(sys.argv[1])
