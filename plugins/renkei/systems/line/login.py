"""LINE Login v2.1: who in LINE is the person in front of the browser (N4).

The steps, in the order in which a page takes them: `authorize_url`, `exchange`, `verify`, `is_friend`.
What lies between them (state, nonce, verifier, whose browser) is kept by the caller.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field
from typing import Any, TypeGuard
from urllib.parse import urlencode

import jwt

from renkei.errors import RenkeiError
from renkei.systems.chat import Answer, ask
from renkei.systems.delivery import Delivery, clean, words
from renkei.systems.transport import HEADER_TEXT

ISSUER = ASK_HOST = "https://access.line.me"
API_HOST = "https://api.line.me"
LEEWAY_S = 60  # between LINE's clock and ours
USER_ID = re.compile(r"U[0-9a-f]{32}")

AGAIN = "もう一度、最初からやり直してください。"
UNREACHABLE = "LINEに接続できませんでした。しばらくしてから、もう一度、最初からやり直してください。"
SETTING = "LINEログインの設定に誤りがあるため、連携できません。管理者に連絡してください。"
USED_UP = f"LINEログインの有効期限が切れたか、すでに使われています。{AGAIN}"
UNPROVEN = f"LINEから受け取ったログイン情報を確認できませんでした。{AGAIN}続くときは管理者に連絡してください。"


class LineLoginError(RenkeiError):
    """The login came to nothing; `str()` is for the member, `reason` for the log. Neither holds a token or a person."""

    def __init__(self, message: str, reason: str = "") -> None:
        self.reason = words(reason)
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What LINE gives for a code."""

    access_token: str = field(repr=False)
    id_token: str = field(repr=False)


class LineLogin:
    """A LINE Login channel. It must be under the same provider as the official account, else the ids differ."""

    def __init__(self, channel_id: str, channel_secret: str, base_url: str = "") -> None:
        base = base_url.rstrip("/")
        self._ask_host, self._api_host = base or ASK_HOST, base or API_HOST
        self._channel_id, self._channel_secret = channel_id, channel_secret

    def authorize_url(self, redirect_uri: str, state: str, nonce: str, challenge: str) -> str:
        """Where to send the browser. LINE also offers to add the official account as a friend."""
        query = {
            "response_type": "code",
            "client_id": self._channel_id,
            "redirect_uri": redirect_uri,
            "state": state,
            "scope": "profile openid",
            "nonce": nonce,
            "bot_prompt": "aggressive",  # on a page of its own: without it no message arrives
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{self._ask_host}/oauth2/v2.1/authorize?{urlencode(query)}"

    def exchange(self, code: str, redirect_uri: str, verifier: str) -> Tokens:
        """The tokens for a code. A code is good once and for ten minutes, so nothing is tried twice.

        Raises:
            LineLoginError: LINE gave none, or could not be asked.
        """
        answer = ask(
            "POST",
            f"{self._api_host}/oauth2/v2.1/token",
            data={
                "grant_type": "authorization_code",
                "code": clean(code),
                "redirect_uri": redirect_uri,
                "client_id": self._channel_id,
                "client_secret": self._channel_secret,
                "code_verifier": verifier,
            },
        )
        if isinstance(answer, Delivery):
            raise LineLoginError(UNREACHABLE, answer.reason)
        if answer.status != 200:
            raise _refusal(answer)
        access_token, id_token = answer.json_object.get("access_token"), answer.json_object.get("id_token")
        if not _is_token(access_token) or not _is_token(id_token):
            raise LineLoginError(UNPROVEN, "no access_token or id_token in the answer")
        return Tokens(access_token, id_token)

    def verify(self, id_token: str, nonce: str, now: float) -> str:
        """The LINE user id that `id_token` proves.

        `nonce` is the one that went into `authorize_url` for this browser; `now` in Unix seconds.

        Raises:
            LineLoginError: the token is not LINE's, not for this channel, not for this login, or out of date.
        """
        try:
            # The algorithm is fixed: a token that names none, or a public key's, proves nothing. The times are
            # compared below, with the caller's clock.
            claims = jwt.decode(
                id_token,
                self._channel_secret,
                algorithms=["HS256"],
                issuer=ISSUER,
                audience=self._channel_id,
                options={
                    "require": ["iss", "sub", "aud", "exp", "iat", "nonce"],
                    "strict_aud": True,
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
            # The texts of these errors can hold parts of the token.
            raise LineLoginError(UNPROVEN, type(error).__name__) from None
        fault = _fault(claims, nonce, now)
        if fault:
            raise LineLoginError(UNPROVEN, fault)
        return str(claims["sub"])

    def is_friend(self, access_token: str) -> bool | None:
        """Whether the official account is the person's friend, and so can send; None where LINE does not say."""
        if not HEADER_TEXT.fullmatch(access_token):
            return None
        answer = ask(
            "GET",
            f"{self._api_host}/friendship/v1/status",
            headers={"Authorization": f"Bearer {access_token}"},
        )
        if isinstance(answer, Delivery) or answer.status != 200:
            return None
        friend = answer.json_object.get("friendFlag")
        return friend if isinstance(friend, bool) else None


def _fault(claims: dict[str, Any], nonce: str, now: float) -> str:
    """Why these claims of a well-signed token do not count, "" when they do."""
    expires, issued = claims["exp"], claims["iat"]
    if type(expires) is not int or type(issued) is not int:
        return "exp or iat is no integer"
    if now >= expires + LEEWAY_S:
        return "id_token is expired"
    if issued > now + LEEWAY_S:
        return "id_token is from the future: check the clocks"
    if not nonce or not isinstance(claims["nonce"], str) or not _equal(claims["nonce"], nonce):
        return "nonce differs"
    if not USER_ID.fullmatch(claims["sub"]):
        return "sub is no LINE user id"
    return ""


def _refusal(answer: Answer) -> LineLoginError:
    error, description = (answer.json_object.get(name) for name in ("error", "error_description"))
    reason = ": ".join([f"HTTP {answer.status}", *(text for text in (error, description) if isinstance(text, str))])
    if answer.status >= 500 or answer.status in (408, 429):
        return LineLoginError(UNREACHABLE, reason)
    if error == "invalid_grant":
        return LineLoginError(USED_UP, reason)
    return LineLoginError(SETTING, reason)


def _is_token(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and HEADER_TEXT.fullmatch(value) is not None


def _equal(left: str, right: str) -> bool:
    """Compared in a time that does not tell where they differ."""
    return hmac.compare_digest(left.encode("utf-8", "surrogatepass"), right.encode("utf-8", "surrogatepass"))
