"""The access token of a company that allowed us by OAuth, renewed once for all who need it (S3, docs/decisions/0023).

A renewal is noted before its refresh token is sent, and the note stays: of many at once one sends it, and who finds a
note waits for the next grant. Where none has come when the lease is over, the writer died or its answer was lost, and
the refresh token may be spent: it is never sent again, and a person has to log in (再認可が必要).
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from enum import StrEnum
from urllib.parse import urlsplit

from renkei.clock import utcnow
from renkei.errors import RefusedFetchError, RetriableFetchError
from renkei.storage.source_grants import Grant, GrantEvent, Renewal, SourceGrants
from renkei.storage.store import DamagedFileError
from renkei.storage.tenant_folder import TenantFolder
from renkei.systems.smarthr.oauth import (
    LostAnswerError,
    OAuthError,
    RefusedGrantError,
    SmartHROAuth,
    Tokens,
)

log = logging.getLogger(__name__)

AHEAD = dt.timedelta(minutes=5)  # before its end a grant is renewed
LEASE = dt.timedelta(seconds=60)  # three times as long as the longest exchange
LOOK_S = 0.5  # how often who waits looks for the next grant


class GrantState(StrEnum):
    """The state of a company's grant at SmartHR (OAuth)."""

    NONE = "NONE"  # 未連携, or 連携解除
    LINKED = "LINKED"  # 連携済み
    VOID = "VOID"  # 再認可が必要
    ELSEWHERE = "ELSEWHERE"  # 会社が違います: it was proven at another SmartHR than the sheet names now


class ReauthoriseError(RefusedFetchError):
    """再認可が必要: nobody but a person can get a new grant."""


class GrantedToken:
    """The token that counts now, for one tenant. May be asked from several threads."""

    def __init__(
        self,
        folder: TenantFolder,
        oauth: Callable[[], SmartHROAuth],
        page: str = "",
        now: Callable[[], dt.datetime] = utcnow,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`oauth` is asked only where a grant must be renewed; `page` is the address at which a person connects."""
        self.grants = SourceGrants(folder)
        self._tenant, self._oauth, self._page = folder.tenant, oauth, page
        self._now, self._sleep = now, sleep

    def exists(self) -> bool:
        """Whether the company is, or was until SmartHR said otherwise, connected by OAuth."""
        _, grant = self.grants.newest()
        return grant is not None and grant.made is not GrantEvent.ENDED

    def is_of(self, smarthr_url: str) -> bool:
        """As `is_of`, of the grant that counts."""
        return is_of(self.grants.newest()[1], smarthr_url)

    def log_in(self) -> str | None:
        """As `Grant.log_in`, of the grant that counts."""
        _, grant = self.grants.newest()
        return grant.log_in if grant else None

    def token(self) -> str:
        """The access token, renewed where it is about to expire.

        Raises:
            ReauthoriseError: a person has to log in.
            RetriableFetchError: SmartHR could not be asked for a new one, and the old one is over.
        """
        number, grant = self.grants.newest()
        if grant is None or not grant.is_valid:
            raise self._reauthorise("no grant")
        now = self._now()
        if grant.expires_at is None or now < grant.expires_at - AHEAD:
            return grant.access_token
        valid = now < grant.expires_at
        if not grant.refresh_token:
            if valid:
                return grant.access_token
            raise self._reauthorise("expired, and no refresh token")
        try:
            return self._renewed(number).access_token
        except RetriableFetchError:
            if valid:  # for minutes yet
                return grant.access_token
            raise

    def instead_of(self, refused: str) -> str:
        """Another token than this one, which SmartHR has refused; raises as `token`."""
        number, grant = self.grants.newest()
        if grant is not None and grant.is_valid and grant.access_token != refused:
            return self.token()
        if grant is None or not grant.is_valid:
            raise self._reauthorise("no grant")
        if not grant.refresh_token:
            self._end(number, grant)
            return self._after(number, "refused, and no refresh token").access_token
        return self._renewed(number).access_token

    def _renewed(self, number: int) -> Grant:
        """The grant after `number`."""
        known: Renewal | None = None
        waited = 0.0  # for the same note: nobody waits longer than the lease, whatever the clocks say
        while True:
            newest, grant = self.grants.newest()
            if newest != number:
                if grant is None or not grant.is_valid:
                    raise self._reauthorise("no grant")
                return grant
            assert grant is not None
            if self.grants.begin_renewal(number, self._now()):
                if self.grants.newest()[0] == number:  # again: it may have come while the note was won
                    return self._renew(number, grant)
                self.grants.undo_renewal(number)
                continue
            note = self.grants.renewal(number)
            if note != known:
                known, waited = note, 0.0
            if note and (self._now() - note.at > LEASE or waited > LEASE.total_seconds()):
                if self.grants.newest()[0] == number:
                    raise self._reauthorise("a renewal without an answer")
                continue
            self._sleep(LOOK_S)
            waited += LOOK_S

    def _renew(self, number: int, grant: Grant) -> Grant:
        """Sends the refresh token; the only place that does."""
        try:
            oauth = self._oauth()
        except Exception:
            self.grants.undo_renewal(number)
            raise
        try:
            tokens = oauth.renew(grant.refresh_token, self._now())
        except RefusedGrantError as error:
            self._end(number, grant)
            return self._after(number, error.reason)
        except LostAnswerError as error:
            if oauth.settings.rotates:  # the note stays: it is never sent again
                return self._after(number, error.reason)
            raise self._undone(number, error) from None
        except OAuthError as error:  # not taken up, or the app's registration refused
            raise self._undone(number, error) from None
        return self._kept(number, grant, tokens, oauth)

    def _after(self, number: int, reason: str) -> Grant:
        """What a person allowed while `number` turned out to be void.

        Raises:
            ReauthoriseError: nothing.
        """
        newest, grant = self.grants.newest()
        if newest == number or grant is None or not grant.is_valid:
            raise self._reauthorise(reason) from None
        return grant

    def _end(self, number: int, grant: Grant) -> None:
        """SmartHR says that it is void. Where another record is there already, that one counts."""
        self.grants.follow(number, Grant(GrantEvent.VOID, self._now(), grant.by, grant.by_name, grant.allowed_at))

    def _kept(self, number: int, grant: Grant, tokens: Tokens, oauth: SmartHROAuth) -> Grant:
        renewed = replace(
            grant,
            made=GrantEvent.RENEWED,
            at=self._now(),
            access_token=tokens.access_token,
            refresh_token=tokens.refresh_token,
            expires_at=tokens.expires_at,
            scope=tokens.scope or grant.scope,
        )
        if self.grants.follow(number, renewed):
            log.info("smarthr grant renewed tenant=%s grant=%d", self._tenant, number + 1)
            self.grants.forget_void()
            return renewed
        try:
            return self._after(number, "ended meanwhile")
        except ReauthoriseError:  # 連携解除: nobody is to hold what came after it
            oauth.revoke(tokens.refresh_token or tokens.access_token)
            raise

    def _undone(self, number: int, error: OAuthError) -> RetriableFetchError:
        self.grants.undo_renewal(number)
        log.warning("smarthr grant not renewed tenant=%s reason=%s", self._tenant, error.reason)
        return RetriableFetchError(f"SmartHRの許可を更新できませんでした。{error}")

    def _reauthorise(self, reason: str) -> ReauthoriseError:
        log.warning("smarthr grant is void tenant=%s reason=%s", self._tenant, reason)
        if self.exists():  # after 連携解除 nobody has to log in
            self.grants.note_void()
        there = (
            f"次のページを開き、「連携する」を押してください: {self._page}"
            if self._page
            else "「連携する」を押してください。"
        )
        return ReauthoriseError(
            "SmartHRの許可の期限が切れたか、取り消されました（再認可が必要）。何も書き込んでいません。"
            f"SmartHRの管理者が、連携の「SmartHRの接続」の画面から許可し直してください。{there}"
        )


def is_of(grant: Grant | None, smarthr_url: str) -> bool:
    """Whether it was proven at this SmartHR: a sheet may name another one since. One without tokens goes nowhere."""
    if grant is None or not grant.is_valid or not grant.source:
        return True
    return urlsplit(grant.source).netloc == urlsplit(smarthr_url).netloc


def grant_state(grants: SourceGrants, now: dt.datetime, smarthr_url: str = "") -> GrantState:
    """The state by the records alone; SmartHR is not asked. `smarthr_url` is the sheet's; empty: nobody knows it.

    What every page shows; a run takes a grant where this is LINKED, and never another token where it is not NONE.
    """
    number, grant = grants.newest()
    if grant is None or grant.made is GrantEvent.ENDED:
        return GrantState.NONE
    if not grant.is_valid:
        return GrantState.VOID
    if smarthr_url and not is_of(grant, smarthr_url):
        return GrantState.ELSEWHERE
    note = grants.renewal(number)
    if note is not None and now - note.at > LEASE:
        return GrantState.VOID
    over = grant.expires_at is not None and now >= grant.expires_at and not grant.refresh_token
    return GrantState.VOID if over else GrantState.LINKED


def tidy(grants: SourceGrants, now: dt.datetime) -> int:
    """Delete grants long replaced, and a mark 再認可が必要 that does not hold; how many grants.

    Whoever makes that mark may be overtaken by a log-in, and whoever takes it away may die before he does.
    """
    with suppress(DamagedFileError):  # of one tenant: the next one's are tidied all the same
        if grant_state(grants, now) is not GrantState.VOID:
            grants.forget_void()
    return grants.tidy()
