"""An invented company's masters: the department tree of two to four levels, titles, employment types, custom fields."""

from __future__ import annotations

import random
from typing import Any

from .company import FIRST_DAY, Company, new_uuid, timestamp
from .places import ESTABLISHMENTS, PREFECTURES

_DIVISIONS = [
    "経営管理", "営業", "技術", "製造", "研究開発", "人事", "情報システム", "物流", "品質保証", "マーケティング",
    "海外事業", "カスタマーサポート",
]  # fmt: skip
_SECTIONS = ["{}企画", "第一{}", "第二{}", "{}推進", "{}管理", "東日本{}", "西日本{}", "第三{}", "{}業務", "第四{}"]
_ORDINALS = ["第一", "第二", "第三", "第四", "第五", "第六", "第七", "第八", "第九", "第十"]

_TITLES = [
    ("代表取締役", 1, "T01"), ("取締役", 2, "T02"), ("本部長", 10, "T10"), ("部長", 20, "T20"),
    ("課長", 30, "T30"), ("係長", 40, "T40"), ("主任", 50, "T50"), ("リーダー", 60, None),
]  # fmt: skip
_EMPLOYMENT_TYPES = [
    ("役員", "board_member", "E01"),
    ("正社員", "full_timer", "E02"),
    ("契約社員", "contract_worker", "E03"),
    ("派遣社員", "permatemp", "E04"),
    ("アルバイト・パート", "part_timer", "E05"),
    ("業務委託", "outsourcing_contractor", None),
    ("その他", "etc", None),
    ("嘱託社員", None, "E08"),
]
_RECRUITMENT_TYPES = [("新卒", "new_graduate"), ("中途", "mid_career"), ("パート・アルバイト", "part_time")]
_PAYMENT_PERIODS = [("月給", "monthly"), ("日給", "daily"), ("時給", "hourly")]

BORN = timestamp(FIRST_DAY.replace(year=2020), 9 * 3600)


def add_masters(company: Company, rng: random.Random) -> None:
    """Fill `company.masters`, keyed by the name of the endpoint."""

    def entry(**values: Any) -> dict[str, Any]:
        return {"id": new_uuid(rng)} | values | {"created_at": BORN, "updated_at": BORN}

    firm = entry(
        name=f"株式会社{company.name}",
        code="C01",
        corporate_number="1234567890123",
        address=address("東京都", "千代田区", "架空町1-1-1", "見本ビル10F", "100-0000"),
        tel_number="03-0000-0000",
        owner_id=None,
    )
    company.masters = {
        "companies": [firm],
        "job_titles": [entry(name=name, rank=rank, code=code) for name, rank, code in _TITLES],
        "employment_types": [entry(name=name, preset_type=kind, code=code) for name, kind, code in _EMPLOYMENT_TYPES],
        "grades": [entry(name=f"{rank}等級", rank=rank) for rank in range(1, 9)],
        "job_categories": [entry(name=name) for name in ("営業職", "事務職", "技術職", "技能職", "研究職")],
        "recruitment_types": [entry(name=name, preset_type=kind) for name, kind in _RECRUITMENT_TYPES],
        "payment_periods": [entry(name=name, period_type=kind) for name, kind in _PAYMENT_PERIODS],
        "biz_establishments": [
            _establishment(entry, name, prefecture, firm["id"])
            for name, prefecture in ESTABLISHMENTS[: max(1, min(len(ESTABLISHMENTS), company.size // 40))]
        ],
    }
    _add_custom_fields(company, rng, entry)


def address(pref: str, city: str, street: str, building: str, zip_code: str, yomi: str = "") -> dict[str, str]:
    """An Address with every documented part; unset parts are empty strings."""
    return {
        "country_number": "",
        "zip_code": zip_code,
        "pref": pref,
        "city": city,
        "street": street,
        "building": building,
        "literal_yomi": yomi,
    }


def _establishment(entry: Any, name: str, prefecture: str, company_id: str) -> dict[str, Any]:
    yomi, postcode, _, cities = PREFECTURES[prefecture]
    place = address(prefecture, cities[0], "架空町1-1-1", "", f"{postcode}00-0001", yomi)
    values: dict[str, Any] = entry(
        hel_ins_type="kyokai_kenpo",
        hel_ins_name=None,
        company_id=company_id,
        hel_ins_ref_code=None,
        name=name,
        soc_ins_name=name,
        soc_ins_owner_id=None,
        soc_ins_address=place,
        soc_ins_tel_number="03-0000-0000",
        soc_ins_ref_code=None,
        soc_ins_number=None,
        lab_ins_name=name,
        lab_ins_owner_id=None,
        lab_ins_address=place,
        lab_ins_tel_number="03-0000-0000",
        lab_ins_number=None,
        emp_ins_number=None,
        sr=None,
        jurisdiction_tax=None,
        salary_payer_address=place,
    )
    return values


def _add_custom_fields(company: Company, rng: random.Random, entry: Any) -> None:
    group = entry(name="会社独自の項目", position=1, access_type="read_and_update")
    work_styles = [("通常勤務", "normal"), ("フレックス", "flex"), ("シフト勤務", None), ("在宅勤務", None)]

    def template(position: int, name: str, kind: str, elements: list[dict[str, Any]] | None = None) -> dict[str, Any]:
        values: dict[str, Any] = entry(
            name=name,
            type=kind,
            elements=elements,
            group_id=group["id"],
            hint=None,
            scale=None,
            separated_by_commas=None,
            position=position,
        )
        return values

    company.masters["crew_custom_field_template_groups"] = [group]
    company.masters["crew_custom_field_templates"] = [
        template(1, "社員区分コード", "string"),
        template(
            2,
            "勤務形態",
            "enum",
            [
                {"id": new_uuid(rng), "name": name, "physical_name": physical, "position": number}
                for number, (name, physical) in enumerate(work_styles, start=1)
            ],
        ),
        template(3, "安全講習受講日", "date"),
        template(4, "緊急連絡用メール", "text"),
    ]


def add_departments(company: Company) -> None:
    """Grow a department tree in proportion to the company: two levels for a few dozen people, four for thousands."""
    wanted = max(4, company.size // 18)
    serial = 0

    def add(name: str, parent_id: str | None, position: int) -> str:
        nonlocal serial
        serial += 1
        return company.add_department(name, f"D{serial:05d}", parent_id, position)

    divisions = min(len(_DIVISIONS), max(2, wanted // 8))
    firsts = [(base, add(f"{base}本部", None, n)) for n, base in enumerate(_DIVISIONS[:divisions], start=1)]
    seconds: list[tuple[str, str]] = []
    room = min(len(_SECTIONS), max(1, -(-wanted // divisions) - 1))
    for base, parent in firsts:
        count = min(room, 3 + wanted // 60) if wanted > 12 else room
        seconds += [
            (section.format(base), add(f"{section.format(base)}部", parent, n))
            for n, section in enumerate(_SECTIONS[:count], start=1)
        ]
    thirds = _spread(seconds, wanted - serial, "課", add)
    _spread(thirds, wanted - serial, "係", add)
    for department in company.departments.values():
        department["created_at"] = department["updated_at"] = BORN


def _spread(parents: list[tuple[str, str]], wanted: int, kind: str, add: Any) -> list[tuple[str, str]]:
    """Hang up to ten numbered units below each parent until `wanted` are added."""
    added: list[tuple[str, str]] = []
    for number, ordinal in enumerate(_ORDINALS, start=1):
        for base, parent in parents:
            if len(added) >= wanted:
                return added
            name = f"{base}{ordinal}"
            added.append((name, add(f"{name}{kind}", parent, number)))
    return added
