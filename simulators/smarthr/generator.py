"""Invents a company from a name, a seed and a size: the same three give the same people, ids included."""

from __future__ import annotations

import random
from bisect import bisect
from datetime import date, timedelta
from itertools import accumulate, count
from typing import Any

from .company import FIRST_DAY, Company, Crew, Switches, new_uuid, timestamp
from .organisation import add_departments, add_masters, address
from .people import GIVEN, SURNAME_WEIGHTS, SURNAMES, romaji
from .places import BUILDINGS, PREFECTURES, TOWNS

RETIRED_SHARE = 0.08
ABSENT_SHARE = 0.02
BUSINESS_NAME_SHARE = 0.04
MAX_MAIL_LENGTH = 36  # where it becomes a user id, that takes 40 characters, of which a prefix has some

_SURNAME_SUMS = list(accumulate(SURNAME_WEIGHTS))
_PREFECTURE_NAMES = list(PREFECTURES)
_PREFECTURE_SUMS = list(accumulate(share for _, _, share, _ in PREFECTURES.values()))
_TITLE_OF_LEVEL = {1: "本部長", 2: "部長", 3: "課長", 4: "係長"}
_ROMAJI = {yomi: romaji(yomi) for _, yomi in [*SURNAMES, *GIVEN["male"], *GIVEN["female"]]}


def generate(
    name: str,
    seed: int,
    size: int,
    *,
    token: str | None = None,
    switches: Switches | None = None,
    missing_codes: float = 0.0,
    missing_codes_retired: float = 0.03,
) -> Company:
    """A whole company of `size` crews, retired ones included.

    `missing_codes` and `missing_codes_retired` are the shares of active and of retired crews without 社員番号.
    """
    rng = random.Random(f"{seed}/{size}")
    company = Company(
        name=name,
        seed=seed,
        size=size,
        token=token or f"shr_sim_{name}",
        switches=switches or Switches(),
        rng=rng,
        code_width=max(5, len(str(size * 5 // 4))),
    )
    add_masters(company, rng)
    add_departments(company)
    staff = Staff(company)
    for number in range(size):
        # The longest-serving first, so that employee numbers rise with the day of entry.
        years = 35 * (1 - (number + 0.5) / size) ** 1.6
        entered = FIRST_DAY - timedelta(days=int(years * 365.25))
        company.add_crew(staff.person(entered, status=_status(rng), heads=True))
        company.next_code += rng.random() < 0.1
    for crew in company.crews.values():
        share = missing_codes_retired if crew["emp_status"] == "retired" else missing_codes
        if rng.random() < share:
            crew["emp_code"] = None
    first = next(iter(company.crews), None)
    company.masters["companies"][0]["owner_id"] = first
    for establishment in company.masters["biz_establishments"]:
        establishment["soc_ins_owner_id"] = establishment["lab_ins_owner_id"] = first
    return company


def _status(rng: random.Random) -> str:
    draw = rng.random()
    if draw < RETIRED_SHARE:
        return "retired"
    return "absent" if draw < RETIRED_SHARE + ABSENT_SHARE else "employed"


class Staff:
    """Makes people who fit a company: free employee numbers and mail addresses, its departments and masters."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.rng = company.rng
        masters = company.masters
        self.domain = "".join(c for c in company.name.lower() if c.isascii() and c.isalnum()) or "company"
        self.titles = {title["name"]: title["id"] for title in masters["job_titles"]}
        self.types = {kind["name"]: kind["id"] for kind in masters["employment_types"]}
        self.grades = [grade["id"] for grade in masters["grades"]]
        self.categories = [category["id"] for category in masters["job_categories"]]
        self.recruitments = [kind["id"] for kind in masters["recruitment_types"]]
        self.establishments = [
            (place["id"], place["soc_ins_address"]["pref"]) for place in masters["biz_establishments"]
        ]
        templates = {template["name"]: template for template in masters["crew_custom_field_templates"]}
        self.custom = {name: template["id"] for name, template in templates.items()}
        self.work_styles = [e["physical_name"] or e["id"] for e in templates["勤務形態"]["elements"]]
        parents = {d["parent_id"] for d in company.departments.values()}
        self.leaves = [d for d in company.departments if d not in parents]
        # The first people become heads, from the top of the tree down.
        levels = {d: len(company.ancestry(d)) for d in company.departments}
        self.vacant = sorted(levels.items(), key=lambda item: item[1], reverse=True)

    def person(self, entered: date, status: str = "employed", *, heads: bool = False) -> Crew:
        """A new crew, not yet stored."""
        rng, company = self.rng, self.company
        gender = "male" if rng.random() < 0.58 else "female"
        last, last_yomi = SURNAMES[bisect(_SURNAME_SUMS, rng.random() * _SURNAME_SUMS[-1])]
        first, first_yomi = rng.choice(GIVEN[gender])
        business = SURNAMES[bisect(_SURNAME_SUMS, rng.random() * _SURNAME_SUMS[-1])]
        if rng.random() >= BUSINESS_NAME_SHARE:
            business = ("", "")
        titled = heads and status == "employed" and bool(self.vacant)
        department_ids, position_ids = self._posts(titled)
        kind = self._employment_type(titled)
        establishment_id, office_pref = rng.choice(self.establishments)
        home = self._address(office_pref)
        born = entered - timedelta(days=int((18 + 17 * rng.random() + 8 * rng.random() ** 2) * 365.25))
        created = timestamp(entered, rng.randrange(9 * 3600, 18 * 3600))
        resigned = None
        if status == "retired":
            resigned = entered + timedelta(days=int((FIRST_DAY - entered).days * (0.3 + 0.7 * rng.random())))
        fixed_term = kind in ("契約社員", "派遣社員", "アルバイト・パート")
        contract_end = date(company.today.year + 1, 3, 31).isoformat() if fixed_term else None
        given_name = business[0] != ""
        tel = _mobile(rng)
        return {
            "id": new_uuid(rng),
            "user_id": new_uuid(rng) if rng.random() < 0.85 else None,
            "biz_establishment_id": establishment_id,
            "emp_code": company.code(),
            "employment_type_id": self.types[kind],
            "emp_status": status,
            "last_name": last,
            "first_name": first,
            "last_name_yomi": last_yomi,
            "first_name_yomi": first_yomi,
            "business_last_name": business[0],
            "business_first_name": first if given_name else "",
            "business_last_name_yomi": business[1],
            "business_first_name_yomi": first_yomi if given_name else "",
            "birth_at": born.isoformat(),
            "gender": gender,
            "tel_number": tel,
            "address": home,
            "resident_card_address": home,
            "email": self._email(last_yomi, first_yomi),
            "emergency_relation_name": rng.choice(["父", "母", "配偶者", "兄", "姉"]),
            "emergency_last_name": last,
            "emergency_first_name": (kin := rng.choice(GIVEN["female"]))[0],
            "emergency_last_name_yomi": last_yomi,
            "emergency_first_name_yomi": kin[1],
            "emergency_tel_number": _mobile(rng),
            "emergency_address": home if rng.random() < 0.6 else None,
            "position_ids": position_ids,
            "grade_id": rng.choice(self.grades),
            "job_category_id": rng.choice(self.categories),
            "recruitment_type_id": rng.choice(self.recruitments),
            "entered_at": entered.isoformat(),
            "resigned_at": resigned.isoformat() if resigned else None,
            "resigned_reason": rng.choice(["自己都合", "定年", "契約期間満了"]) if resigned else None,
            "department_ids": department_ids,
            "contract_type": "fixed_term" if fixed_term else "unlimited",
            "contract_start_on": entered.isoformat() if fixed_term else None,
            "contract_end_on": contract_end,
            "contract_renewal_type": "renewal" if fixed_term else None,
            "custom_values": self._custom_values(entered),
            "created_at": created,
            "updated_at": created,
        }

    def _posts(self, titled: bool) -> tuple[list[str | None], list[str | None]]:
        rng = self.rng
        if not self.leaves:
            return [], []
        if titled:
            department, level = self.vacant.pop()
            title: str | None = self.titles[_TITLE_OF_LEVEL[level]]
        else:
            department = rng.choice(self.leaves)
            draw = rng.random()
            name = "主任" if draw < 0.15 else "リーダー" if draw < 0.2 else None
            title = self.titles[name] if name else None
        draw = rng.random()
        if draw > 0.08:
            return [department], [title]
        other = rng.choice(self.leaves)
        second = self.titles["リーダー"] if rng.random() < 0.5 else None
        if draw > 0.02:
            return [department, other], [title, second]
        # 部署2 was vacated and 部署3 kept its number, as SmartHR does since August 2023.
        return [department, None, other], [title, None, second]

    def _employment_type(self, titled: bool) -> str:
        if titled:
            return "正社員"
        draw = self.rng.random()
        for share, name in ((0.74, "正社員"), (0.86, "契約社員"), (0.96, "アルバイト・パート"), (0.98, "派遣社員")):
            if draw < share:
                return name
        return "嘱託社員"

    def _address(self, office_pref: str) -> dict[str, str]:
        rng = self.rng
        pref = office_pref
        if rng.random() < 0.35:
            pref = _PREFECTURE_NAMES[bisect(_PREFECTURE_SUMS, rng.random() * _PREFECTURE_SUMS[-1])]
        yomi, postcode, _, cities = PREFECTURES[pref]
        street = f"{rng.choice(TOWNS)}{rng.randrange(1, 9)}-{rng.randrange(1, 30)}-{rng.randrange(1, 20)}"
        building = rng.choice(BUILDINGS)
        if building:
            building = f"{building}{rng.randrange(101, 999)}"
        zip_code = f"{postcode}{rng.randrange(100):02d}-{rng.randrange(10000):04d}"
        return address(pref, rng.choice(cities), street, building, zip_code, yomi)

    def _email(self, last_yomi: str, first_yomi: str) -> str:
        used, first = self.company.used_emails, _ROMAJI[first_yomi]

        def spelled(number: int) -> str:
            rest = f".{_ROMAJI[last_yomi]}{number if number > 1 else ''}@{self.domain}.example.com"
            return first + rest if len(first + rest) <= MAX_MAIL_LENGTH else first[0] + rest

        email = next(email for number in count(1) if (email := spelled(number)) not in used)
        used.add(email)
        return email

    def _custom_values(self, entered: date) -> dict[str, Any]:
        rng, custom = self.rng, self.custom
        private = f"{new_uuid(rng)[:8]}@mail.example.org" if rng.random() < 0.7 else None
        course = FIRST_DAY - timedelta(days=rng.randrange(1, 1000))
        return {
            custom["社員区分コード"]: f"{rng.randrange(1, 6):02d}",
            custom["勤務形態"]: rng.choices(self.work_styles, (70, 15, 10, 5))[0],
            custom["安全講習受講日"]: course.isoformat() if course > entered else None,
            custom["緊急連絡用メール"]: private,
        }


def _mobile(rng: random.Random) -> str:
    """A number of Japan's plan: 070-0… and 090-0… are given to nobody."""
    head, middle = rng.choice("789"), rng.randrange(10000)
    return f"0{head}0-{middle + 1000 if middle < 1000 else middle:04d}-{rng.randrange(10000):04d}"
