"""照合: what was written, against what kintone and Hot Profile have now. It only tells: nothing is written or deleted (K2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from sqlalchemy import select

from renkei.links.hotprofile_kintone import data_sets, forms, history
from renkei.links.hotprofile_kintone.conflicts import WatchedFields, compared
from renkei.links.hotprofile_kintone.history import State
from renkei.links.hotprofile_kintone.model import Job, Now
from renkei.links.hotprofile_kintone.sheet.mapping import DataSet
from renkei.links.hotprofile_kintone.stages.plan import named
from renkei.links.hotprofile_kintone.stages.read import Source
from renkei.links.hotprofile_kintone.tables import WRITTEN
from renkei.systems.kintone.payloads import Record


class App(Protocol):
    """One kintone app, as far as all of its records are read."""

    def pages(self, app: str, fields: Sequence[str], query: str = "") -> Iterator[list[Record]]: ...


def compare(job: Job, data_set: DataSet, target: App, source: Source, now: Now) -> dict[str, int]:
    """How many records are written and not in kintone any more, in kintone alone, not in Hot Profile any more, changed
    by people in kintone.

    Ids alone are kept, so that a million records find room.
    """
    if history.lines(job)[data_set.name].state is not State.RUNNING:
        return {}
    form = forms.last(job, data_set)
    assert form is not None  # `check` stops a data set without one
    watch, in_kintone, changed = WatchedFields(job, data_set, form), set[int](), 0
    for page in target.pages(data_set.app, [data_set.key_field, *watch.codes]):
        in_kintone |= {int(record["$id"]["value"]) for record in page}
        changed += compared(watch, job, data_set, page, now) if watch else 0
    until = source.now() - data_sets.SETTLE
    in_source = {str(one["id"]) for entries in source.changed(data_set.name, data_sets.FIRST, until) for one in entries}
    its = (WRITTEN.c.tenant == job.tenant, WRITTEN.c.data_set == data_set.name)
    query = select(WRITTEN.c.source_id, WRITTEN.c.record_id).where(*its).order_by(WRITTEN.c.source_id)
    missing, gone, known = list[str](), list[str](), 0
    with job.database.reading() as connection:
        for source_id, record_id in connection.execute(query.execution_options(yield_per=10_000)):
            if int(record_id) in in_kintone:
                known += 1
            else:
                missing.append(source_id)
            if source_id not in in_source:
                gone.append(source_id)
    found = {"missing": len(missing), "foreign": len(in_kintone) - known, "gone": len(gone), "changed": changed}
    said = [
        *([f"連携済みですが、kintoneにありません {len(missing):,}件（ID {named(missing)}）"] if missing else []),
        *([f"kintoneにだけあります {found['foreign']:,}件"] if found["foreign"] else []),
        *([f"kintoneで変更された項目があります {changed:,}件（「競合」の画面で確認できます）"] if changed else []),
        *([f"連携済みですが、Hot Profileにありません {len(gone):,}件（ID {named(gone)}）"] if gone else []),
    ]
    history.note(
        job,
        data_set,
        read=len(in_source),
        state=State.DONE.value,
        said="\n".join(said or ["違いはありません。"]),
        ended_at=now(),
    )
    return found
