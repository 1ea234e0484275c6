"""The 連携設定シート as types: one `Mapping` per tenant, whatever form it was written in (E15).

Nothing here reads files. `parse.py` makes a `Mapping` from the cells that `excel/` or
`yaml_form.py` found; `items.py` lists EMC's items and `catalogue.py` SmartHR's.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator

from renkei.channel import Channel
from renkei.clock import DAILY_AT
from renkei.values.conversion import Conversion, Convert


@dataclass(frozen=True, slots=True)
class SourceField:
    """A SmartHR item (SmartHR項目) by its catalogue name, e.g. `社員番号`, `住所(都道府県)`, `部署1`."""

    name: str


@dataclass(frozen=True, slots=True)
class CustomField:
    """A customer's own SmartHR item (`カスタム項目:NAME`), by the name of its template."""

    name: str


@dataclass(frozen=True, slots=True)
class Constant:
    """固定値「…」, or the quoted text inside a joining such as `姓&"　"&名`."""

    text: str


@dataclass(frozen=True, slots=True)
class Secret:
    """`秘密:NAME`: a text kept in Airflow, looked up only while loading (L7)."""

    name: str


Term = SourceField | CustomField | Constant | Secret
_TERMS: dict[str, type[Term]] = {"field": SourceField, "custom": CustomField, "constant": Constant, "secret": Secret}
_TAGS = {kind: tag for tag, kind in _TERMS.items()}


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value comes from: the first alternative (`A or B`) that has a value.

    Each alternative is the joining of its terms (`姓&名`). It has a value when it holds no field at
    all, or when at least one of its fields has one. No alternatives at all is 無し(空白).
    """

    alternatives: tuple[tuple[Term, ...], ...] = ()

    @property
    def terms(self) -> tuple[Term, ...]:
        return tuple(term for alternative in self.alternatives for term in alternative)

    @classmethod
    def from_plain(cls, plain: list[list[list[str]]]) -> Source:
        return cls(tuple(tuple(_TERMS[tag](text) for tag, text in terms) for terms in plain))

    def as_plain(self) -> list[list[list[str]]]:
        """Each term as its tag and its text."""
        return [
            [[_TAGS[type(term)], term.text if isinstance(term, Constant) else term.name] for term in terms]
            for terms in self.alternatives
        ]


class Action(StrEnum):
    """The word in a policy cell (E18)."""

    SET = "SET"  # 登録 / 更新; on a blank it clears the value in EMC
    SKIP = "SKIP"  # 登録しない / 更新しない; EMC keeps what it has
    REJECT = "REJECT"  # エラー
    DEFAULT = "DEFAULT"  # デフォルト:X
    AUTO = "AUTO"  # 自動, for 処理フラグ alone


@dataclass(frozen=True, slots=True)
class Cell:
    """One policy cell; `default` is X of デフォルト:X and empty for every other action."""

    action: Action
    default: str = ""


@dataclass(frozen=True, slots=True)
class Cells:
    """The two policy cells of 新規登録処理 or of 更新処理: 値がある場合, 値が無い場合."""

    when_present: Cell
    when_blank: Cell

    @property
    def writes(self) -> bool:
        """Whether either of them may write: the item is ours then, not only EMC's."""
        return bool({self.when_present.action, self.when_blank.action} & {Action.SET, Action.DEFAULT})


@dataclass(frozen=True, slots=True)
class FieldRule:
    """One line of ユーザデータ: an EMC item, its source and its four policy cells (E16–E18).

    `item` is a key of `items.py` (`full_name`, `contact_1_address` …); `label` is the tenant's own
    word of a search word (`検索ワード1:勤務地` → `勤務地`), else empty. `conversions` are applied to the
    value of the source, in their order; never to デフォルト:X.
    """

    item: str
    source: Source
    on_create: Cells
    on_update: Cells
    label: str = ""
    conversions: tuple[Conversion, ...] = ()

    @property
    def cells(self) -> tuple[Cell, Cell, Cell, Cell]:
        """In the order of the sheet (`policy.Place`)."""
        create, update = self.on_create, self.on_update
        return create.when_present, create.when_blank, update.when_present, update.when_blank

    @classmethod
    def from_plain(cls, plain: list[Any]) -> FieldRule:
        item, label, source, *cells = plain[:7]
        one, two, three, four = (Cell(Action(action), default) for action, default in cells)
        conversions = tuple(Conversion(Convert(convert), form) for found in plain[7:] for convert, form in found)
        return cls(item, Source.from_plain(source), Cells(one, two), Cells(three, four), label, conversions)

    def as_plain(self) -> list[Any]:
        """The rule as a list, so that a sheet stays small when it is kept."""
        cells = (cell for side in (self.on_create, self.on_update) for cell in (side.when_present, side.when_blank))
        plain = [self.item, self.label, self.source.as_plain(), *([c.action.value, c.default] for c in cells)]
        # Only where there are some: a sheet without any keeps the digest that its baseline has (E14).
        return plain + ([[[c.convert.value, c.form] for c in self.conversions]] if self.conversions else [])


KeptRule = Annotated[FieldRule, PlainValidator(FieldRule.from_plain), PlainSerializer(FieldRule.as_plain)]


@dataclass(frozen=True, slots=True)
class DepartmentRules:
    """部署データ: 部署ID is 部署コード and 親部署ID is 親部署コード; what a tenant chooses is the rest (E13, E21)."""

    name: Annotated[
        Source, PlainValidator(Source.from_plain), PlainSerializer(Source.as_plain)
    ]  # 部署名, or 部署名(階層)
    yomi: str  # 部署名(ヨミ), one constant per tenant, never blank


@dataclass(frozen=True, slots=True)
class RootDepartment:
    """最上位部署: put above SmartHR's first level; its id gets ID付与コード in front (E26)."""

    id: str
    name: str
    yomi: str


class LinkState(StrEnum):
    """連携状態: ACTIVE runs; FROZEN (連携解除) leaves EMC as it is and writes nothing (E32)."""

    ACTIVE = "ACTIVE"
    FROZEN = "FROZEN"


class Loader(StrEnum):
    """取込方式: the import contract over HTTP (E37), or files for upload by hand or SFTP (E38)."""

    HTTP = "HTTP"
    FILE_DROP = "FILE_DROP"


class Reconcile(StrEnum):
    """照合: whether EMC's export is compared with the baseline every day after the load (E44)."""

    DAILY = "DAILY"
    NEVER = "NEVER"


@dataclass(frozen=True, slots=True)
class Guards:
    """Limits past which a plan is held for a person (E34, E35). Percentages are of the baseline."""

    delete_users_percent: float = 10.0
    delete_users_least: int = 5
    delete_users_most: int = 500
    delete_departments_percent: float = 20.0
    delete_departments_least: int = 3
    lost_contact_percent: float = 1.0
    lost_contact_least: int = 5
    clear_percent: float = 10.0
    clear_least: int = 5


@dataclass(frozen=True, slots=True)
class Mapping:
    """Everything one tenant's 連携設定シート says.

    `users` has at most one rule per item, in the order of `items.py`, and always one for `user_id`.
    Items that the sheet leaves out (連携有無 blank) have no rule: they are never written.
    """

    tenant: str  # `[a-z0-9][a-z0-9_-]*`; the file's name
    smarthr_url: str  # https://….smarthr.jp, without a slash at the end
    result_addresses: tuple[str, ...]  # 1 to 5
    link_start_on: dt.date  # 連携開始日
    departments: DepartmentRules
    users: tuple[KeptRule, ...]
    emc_account: str = ""  # EMCアカウント; as parsed never empty: defaults to the tenant
    id_prefix: str = ""  # ID付与コード
    root_department: RootDepartment | None = None
    run_at: dt.time = DAILY_AT  # 処理時刻, Asia/Tokyo
    state: LinkState = LinkState.ACTIVE
    loader: Loader = Loader.HTTP
    requests_per_second: int = 10  # SmartHR's limit per token; lower it when the token is shared
    guards: Guards = field(default_factory=Guards)
    channels: tuple[Channel, ...] = ()  # 通知, beside the result mail (N1)
    check_at: dt.time | None = None  # 事前確認時刻 (E43)
    reconcile: Reconcile = Reconcile.DAILY
    company_name: str = ""  # 会社名; as parsed never empty: defaults to the tenant

    def rule(self, item: str) -> FieldRule | None:
        """The rule of an item, or None when the sheet does not link it."""
        return next((rule for rule in self.users if rule.item == item), None)
