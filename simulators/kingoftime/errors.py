"""Refusals of the API, in either of the two shapes that the vendor describes."""

from __future__ import annotations

from typing import Any, Literal

Shape = Literal["listed", "flat"]


class KotError(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def body(self, shape: Shape = "listed") -> dict[str, Any]:
        """Listed, the code is a number; flat, it is a text."""
        if shape == "flat":
            return {"code": str(self.code), "message": self.message}
        return {"errors": [{"message": self.message, "code": self.code}]}


def unauthenticated() -> KotError:
    """The token, its address or its right: the same answer for each."""
    return KotError(403, 100, "認証に失敗しました")


def forbidden_hours() -> KotError:
    return KotError(403, 104, "次の時間帯(JST)はAPIへのアクセスが禁止されています [08:30 ~ 10:00, 17:30 ~ 18:30]")


def down() -> KotError:
    return KotError(500, 300, "Resource Server Error.")


def too_many() -> KotError:
    """Always flat; its HTTP status is not published (guess)."""
    return KotError(429, 303, "Too Many Requests")


def nobody() -> KotError:
    """Status, code and text as in the test of a public client."""
    return KotError(400, 100, "employee not found")


def invalid(message: str) -> KotError:
    """(guess) The codes of bad requests are not published."""
    return KotError(400, 101, message)
