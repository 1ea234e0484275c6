"""Write all of a batch but its bad records, for few requests more (K18, K19)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from renkei.systems.kintone.errors import RecordRefusedError, Refusal

R = TypeVar("R")
W = TypeVar("W")


def write_all_but_the_bad(
    records: Sequence[R],
    write: Callable[[Sequence[R]], Sequence[W]],
    suspects: Callable[[Sequence[R]], Mapping[int, Refusal]] = lambda batch: {},
) -> Iterator[tuple[R, W | Refusal]]:
    """Each record with what `write` gave for it, or with what is wrong with it; in no order, as it becomes known.

    `write` writes all that it is given, in its order, or nothing. Records that a refusal names by their place are left
    out and the others sent again: one request more. Where it names none, `suspects` may tell, and is asked once; what is
    left is sent by halves: of a hundred with one bad record at most 14 requests more. Whatever else `write` raises ends
    it: what has been given until then is written.
    """
    waiting = [list(records)]
    is_asked = False
    while waiting:
        batch = waiting.pop()
        if not batch:
            continue
        try:
            written = write(batch)
        except RecordRefusedError as error:
            told = reversed(error.refusals)
            named = {one.index: one for one in told if one.index is not None and one.index < len(batch)}
            if not named and len(batch) > 1 and not is_asked:
                is_asked, named = True, dict(suspects(batch))
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
