"""Write all of a batch but its bad records, for few requests more (K18, K19)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from renkei.systems.kintone.errors import RecordRefusedError, Refusal

R = TypeVar("R")
W = TypeVar("W")


def write_all_but_the_bad(
    records: Sequence[R], write: Callable[[Sequence[R]], Sequence[W]]
) -> Iterator[tuple[R, W | Refusal]]:
    """Each record with what `write` gave for it, or with what is wrong with it; in no order, as it becomes known.

    `write` writes all that it is given, in its order, or nothing. Records that a refusal names by their place are left
    out and the others sent again: one request more. Where it names none, halves are sent: of a hundred with one bad
    record at most 14 more. Whatever else `write` raises ends it: what has been given until then is written.
    """
    waiting = [list(records)]
    while waiting:
        batch = waiting.pop()
        if not batch:
            continue
        try:
            written = write(batch)
        except RecordRefusedError as error:
            named = {one.index: one for one in reversed(error.refusals) if one.index in range(len(batch))}
            if named:
                yield from ((record, named[index]) for index, record in enumerate(batch) if index in named)
                waiting.append([record for index, record in enumerate(batch) if index not in named])
            elif len(batch) == 1:
                yield batch[0], error.first
            else:
                middle = len(batch) // 2
                waiting += [batch[middle:], batch[:middle]]
        else:
            yield from zip(batch, written, strict=True)
