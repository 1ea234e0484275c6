"""The texts in a workbook's XML: what XML cannot hold is written `_x000D_` there (ECMA-376 part 1, 22.9.2.19)."""

from __future__ import annotations

import re

_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_LIKE_ONE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")


def decoded(text: str) -> str:
    """The text that Excel shows."""
    if "_x" not in text:
        return text
    plain = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
    return _PAIR.sub(lambda match: match[0].encode("utf-16", "surrogatepass").decode("utf-16"), plain)


def encoded(text: str) -> str:
    """The text as it must be written so that Excel shows it: what only looks like an escape is protected."""
    return _LIKE_ONE.sub("_x005F_", text)
