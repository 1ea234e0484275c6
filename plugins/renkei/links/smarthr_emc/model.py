"""The nouns of a run, and the columns of its tables (docs/store.md).

Tables travel between stages as parquet in the run's folder:

    users        line (0 = not received: 災害時凍結 keeps it), crew_id, valid, user_id and one text column
                 per source ("" = no value)
    departments  line, source_id, department_id, parent_id, name, name_yomi, orphan
    *_diff       id, crew_id, line, operation, write_as, reason, was (this crew's user id at the baseline)
    *_plan       line, crew_id, operation, id and one column per EMC item
                 (missing = leave what EMC has, "" = clear)
    *_target     what EMC has once the plan is applied
    hygiene      doubtful values that are about to be written: line, id, crew_id, item, kind, detail
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RecordSet(StrEnum):
    """部署データ and 社員データ."""

    DEPARTMENTS = "departments"
    USERS = "users"

    @property
    def id_column(self) -> str:
        return "department_id" if self is RecordSet.DEPARTMENTS else "user_id"


class Operation(StrEnum):
    """処理フラグ: 新規, 更新(維持), 削除."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"


class Mode(StrEnum):
    """What a manual trigger asks for (E3, E32)."""

    NORMAL = "NORMAL"  # 通常
    CHECK_ONLY = "CHECK_ONLY"  # 確認のみ
    WRITE_ALL = "WRITE_ALL"  # 全件書き込み
    RELINK = "RELINK"  # 再連携
    RELINK_CHECK = "RELINK_CHECK"  # 再連携の確認のみ
    RECONCILE = "RECONCILE"  # 照合: compare EMC with the baseline
    RESTORE = "RESTORE"  # 復元: back to an applied snapshot

    @property
    def writes(self) -> bool:
        return self not in (Mode.CHECK_ONLY, Mode.RELINK_CHECK, Mode.RECONCILE)

    @property
    def reads(self) -> bool:
        """Whether SmartHR is read at all."""
        return self not in (Mode.RECONCILE, Mode.RESTORE)

    @property
    def relinks(self) -> bool:
        return self in (Mode.RELINK, Mode.RELINK_CHECK)


class Reason(StrEnum):
    """Why an id is deleted, or why it is written otherwise than the baseline suggests."""

    GONE = "gone"  # the crew is no longer in SmartHR
    RETIRED = "retired"  # 退職済
    LOST_ID = "lost_id"  # the crew has no user id any more
    ID_CHANGE = "id_change"  # the same crew has another user id (ID変更)
    ADOPTED = "adopted"  # new to us, but EMC has it already
    RECREATED = "recreated"  # ours, but EMC does not have it any more
    TAKEN_OVER = "taken_over"  # kept id, another crew of the same name has it now: registered anew in SmartHR
    HANDED_OVER = "handed_over"  # 引き継ぎ: kept id, but another person has it now (E40)
    REPLACED = "replaced"  # 再連携: deleted and added again
    NONE = ""


@dataclass(frozen=True, slots=True)
class Counts:
    """前回 / 受信 × 全件数 / 有効件数, and 新規, 更新, 削除 of one record set (E7, E11)."""

    previous_total: int
    previous_valid: int
    received_total: int
    received_valid: int
    created: int
    updated: int
    deleted: int

    def broken_law(self) -> str | None:
        """The equation of E11 that does not hold, or None."""
        if self.received_valid != self.created + self.updated:
            return f"受信有効{self.received_valid} ≠ 新規{self.created} + 更新{self.updated}"
        if self.previous_valid - self.deleted + self.created != self.received_valid:
            return f"前回有効{self.previous_valid} − 削除{self.deleted} + 新規{self.created} ≠ 受信有効{self.received_valid}"
        return None
