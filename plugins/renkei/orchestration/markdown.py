"""Foreign text in the Markdown of Airflow's pages: shown as it is, never read as Markdown.

Airflow reads GitHub's Markdown in `doc_md`, in the body of an approval and in a run's note. It drops HTML, but a
picture loads from anywhere, a link shows any text, and a bare address becomes a link even where it is escaped. In a
code span nothing of that is read: so every value that a tenant, SmartHR or a file brings is put into one, here.
"""

from __future__ import annotations

import re

from renkei.texts import one_line

MAX_VALUE = 1000  # characters; a page is no place for more of one value


def quoted(value: object) -> str:
    """The value as a code span, on one line and at most `MAX_VALUE` characters of it; fit for a cell of a table."""
    text = plain(value).replace("|", "｜")  # a bar ends a cell of a table, even in a code span
    if not text.strip():
        return "（なし）"
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    edge = " " if text[0] in "` " or text[-1] in "` " else ""  # one blank at each end is not shown
    return f"{fence}{edge}{text}{edge}{fence}"


def plain(value: object) -> str:
    """The value as one line of visible characters, for texts that are no Markdown."""
    text = str(value)
    shown = one_line(text[:MAX_VALUE])  # characters that show nothing may turn the others round
    return shown if len(text) <= MAX_VALUE else shown + "…"
