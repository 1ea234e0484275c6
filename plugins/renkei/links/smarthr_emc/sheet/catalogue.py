"""SmartHR's items (SmartHR項目) by their Japanese names, and where a crew's JSON holds them (E17).

`CATALOGUE` has the items that are one column each. `COMPOSITES` has those that are several joined
(氏名 = 姓 + space + 名); the parser replaces them, so a reader of crews only ever meets `CATALOGUE`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from renkei.links.smarthr_emc.sheet.mapping import Constant, SourceField
from renkei.texts import fold

SLOTS = 10  # 部署1–10, 役職1–10; since August 2023 SmartHR binds them to slots


@dataclass(frozen=True, slots=True)
class CatalogueItem:
    """One column: `fields` to ask for in `fields=`, `column` the keys and indices into the crew.

    Any step may meet null or a short list: the item is then blank. What is there is a text. `labels` turns an enum's
    code into the word SmartHR shows. With `join`, the column holds an id, and the value is the `name` of the record
    with that id in the master list `join`; or SmartHR writes `whole`, that record itself, in its place.
    """

    name: str
    column: tuple[str | int, ...]
    labels: dict[str, str] = field(default_factory=dict)
    join: str = ""
    whole: str = ""

    @property
    def fields(self) -> tuple[str, ...]:
        return (str(self.column[0]), *([self.whole] if self.whole else []))


_SPACE = Constant(" ")
_PLAIN = {
    "社員番号": "emp_code",
    "メールアドレス": "email",
    "姓": "last_name",
    "名": "first_name",
    "姓(ヨミガナ)": "last_name_yomi",
    "名(ヨミガナ)": "first_name_yomi",
    "ビジネスネーム(姓)": "business_last_name",
    "ビジネスネーム(名)": "business_first_name",
    "ビジネスネーム(姓ヨミガナ)": "business_last_name_yomi",
    "ビジネスネーム(名ヨミガナ)": "business_first_name_yomi",
    "姓(ビジネスネーム優先)": "preferred_last_name",
    "名(ビジネスネーム優先)": "preferred_first_name",
    "姓(ヨミガナ・ビジネスネーム優先)": "preferred_last_name_yomi",
    "名(ヨミガナ・ビジネスネーム優先)": "preferred_first_name_yomi",
    "電話番号": "tel_number",
    "緊急連絡先(続柄)": "emergency_relation_name",
    "緊急連絡先(姓)": "emergency_last_name",
    "緊急連絡先(名)": "emergency_first_name",
    "緊急連絡先(姓ヨミガナ)": "emergency_last_name_yomi",
    "緊急連絡先(名ヨミガナ)": "emergency_first_name_yomi",
    "緊急連絡先(電話番号)": "emergency_tel_number",
    "業務内容": "occupation",
    "入社年月日": "entered_at",
    "退職年月日": "resigned_at",
    "生年月日": "birth_at",
    "契約開始日": "contract_start_on",
    "契約終了日": "contract_end_on",
    "社員ID": "id",
    "SmartHRアカウントID": "user_id",
}
_NAMED = {"雇用形態": "employment_type", "等級": "grade", "職種": "job_category", "採用区分": "recruitment_type"}
_ADDRESSES = {"住所": "address", "住民票住所": "resident_card_address", "緊急連絡先の住所": "emergency_address"}
_ADDRESS_PARTS = {
    "都道府県": "pref",
    "市区町村": "city",
    "丁目・番地": "street",
    "建物名・部屋番号": "building",
    "郵便番号": "zip_code",
    "ヨミガナ": "literal_yomi",
}
_WHOLE_ADDRESS = ("都道府県", "市区町村", "丁目・番地", "建物名・部屋番号")


def _items() -> tuple[CatalogueItem, ...]:
    slots = range(1, SLOTS + 1)
    return (
        *(CatalogueItem(name, (key,)) for name, key in _PLAIN.items()),
        *(CatalogueItem(f"部署{n}", ("departments", n - 1, "name")) for n in slots),
        *(CatalogueItem(f"部署{n}(コード)", ("departments", n - 1, "code")) for n in slots),
        *(CatalogueItem(f"部署{n}(階層)", ("departments", n - 1, "full_name")) for n in slots),
        *(CatalogueItem(f"役職{n}", ("positions", n - 1, "name")) for n in slots),
        *(CatalogueItem(f"役職{n}(コード)", ("positions", n - 1, "code")) for n in slots),
        CatalogueItem("事業所", ("biz_establishment_id",), join="biz_establishments", whole="biz_establishment"),
        *(
            CatalogueItem(f"{name}({part})", (key, part_key))
            for name, key in _ADDRESSES.items()
            for part, part_key in _ADDRESS_PARTS.items()
        ),
        *(CatalogueItem(name, (key, "name")) for name, key in _NAMED.items()),
        CatalogueItem("雇用形態(コード)", ("employment_type", "code")),
        CatalogueItem("戸籍上の性別", ("gender",), {"male": "男性", "female": "女性"}),
        CatalogueItem("在籍状況", ("emp_status",), {"employed": "在職中", "absent": "休職中", "retired": "退職済"}),
        CatalogueItem("契約種別", ("contract_type",), {"unlimited": "無期雇用", "fixed_term": "有期雇用"}),
    )


CATALOGUE: dict[str, CatalogueItem] = {item.name: item for item in _items()}


def _two(last: str, first: str) -> tuple[SourceField | Constant, ...]:
    return (SourceField(last), _SPACE, SourceField(first))


COMPOSITES: dict[str, tuple[SourceField | Constant, ...]] = {
    "氏名": _two("姓", "名"),
    "氏名(ヨミガナ)": _two("姓(ヨミガナ)", "名(ヨミガナ)"),
    "ビジネスネーム": _two("ビジネスネーム(姓)", "ビジネスネーム(名)"),
    "ビジネスネーム(ヨミガナ)": _two("ビジネスネーム(姓ヨミガナ)", "ビジネスネーム(名ヨミガナ)"),
    "氏名(ビジネスネーム優先)": _two("姓(ビジネスネーム優先)", "名(ビジネスネーム優先)"),
    "氏名(ヨミガナ・ビジネスネーム優先)": _two("姓(ヨミガナ・ビジネスネーム優先)", "名(ヨミガナ・ビジネスネーム優先)"),
    "緊急連絡先(氏名)": _two("緊急連絡先(姓)", "緊急連絡先(名)"),
    "緊急連絡先(氏名ヨミガナ)": _two("緊急連絡先(姓ヨミガナ)", "緊急連絡先(名ヨミガナ)"),
    **{name: tuple(SourceField(f"{name}({part})") for part in _WHOLE_ADDRESS) for name in _ADDRESSES},
}

ALIASES = {
    "従業員番号": "社員番号",
    "社員コード": "社員番号",
    "Eメール": "メールアドレス",
    "E-mail": "メールアドレス",
    "メール": "メールアドレス",
    "氏名(ヨミ)": "氏名(ヨミガナ)",
    "氏名(フリガナ)": "氏名(ヨミガナ)",
    "姓(ヨミ)": "姓(ヨミガナ)",
    "名(ヨミ)": "名(ヨミガナ)",
    "姓(フリガナ)": "姓(ヨミガナ)",
    "名(フリガナ)": "名(ヨミガナ)",
    "ビジネスネーム:姓": "ビジネスネーム(姓)",
    "ビジネスネーム:名": "ビジネスネーム(名)",
    "姓(ビジネスネーム)": "ビジネスネーム(姓)",
    "名(ビジネスネーム)": "ビジネスネーム(名)",
    "姓ヨミガナ(ビジネスネーム優先)": "姓(ヨミガナ・ビジネスネーム優先)",
    "名ヨミガナ(ビジネスネーム優先)": "名(ヨミガナ・ビジネスネーム優先)",
    "入社日": "入社年月日",
    "退職日": "退職年月日",
    "性別": "戸籍上の性別",
    "戸籍上の性別(性別)": "戸籍上の性別",
    "緊急連絡先の電話番号": "緊急連絡先(電話番号)",
    "緊急連絡先の続柄": "緊急連絡先(続柄)",
    "現住所": "住所",
    **{part: f"住所({part})" for part in _ADDRESS_PARTS if part != "ヨミガナ"},
    **{f"現住所({part})": f"住所({part})" for part in _ADDRESS_PARTS},
    **{f"緊急連絡先住所({part})": f"緊急連絡先の住所({part})" for part in _ADDRESS_PARTS},
    **{f"部署{n}(名称)": f"部署{n}" for n in range(1, SLOTS + 1)},
    **{f"部署コード{n}": f"部署{n}(コード)" for n in range(1, SLOTS + 1)},
}
NAMES: tuple[str, ...] = (*CATALOGUE, *COMPOSITES)
UNIQUE = {"社員番号", "メールアドレス", "社員ID", "SmartHRアカウントID"}  # different for everybody
BY_FOLD: dict[str, str] = {fold(alias): name for alias, name in ALIASES.items()} | {fold(n): n for n in NAMES}


def canonical(text: str) -> str | None:
    """The name in `NAMES` that `text` stands for, or None."""
    return BY_FOLD.get(fold(text))
