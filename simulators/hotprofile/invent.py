"""Companies and leads made of a number and a seed: the same every time, and made only when somebody looks."""

from __future__ import annotations

from typing import Any

FIRMS = (
    "日向",
    "桜",
    "湊",
    "青葉",
    "北斗",
    "山吹",
    "常盤",
    "若葉",
    "高千穂",
    "瀬戸",
    "藤",
    "白樺",
    "富士見",
    "緑川",
    "東雲",
    "大和",
)
TRADES = ("商事", "製作所", "運輸", "建設", "食品", "電機", "印刷", "設計", "薬品", "不動産", "物産", "精機")
PLACES = (
    ("東京都", 13, "千代田区"),
    ("大阪府", 27, "北区"),
    ("愛知県", 23, "中村区"),
    ("福岡県", 40, "博多区"),
    ("北海道", 1, "中央区"),
)
FAMILY = (
    ("佐藤", "サトウ"),
    ("鈴木", "スズキ"),
    ("高橋", "タカハシ"),
    ("田中", "タナカ"),
    ("伊藤", "イトウ"),
    ("渡辺", "ワタナベ"),
    ("山本", "ヤマモト"),
    ("中村", "ナカムラ"),
    ("𠮷田", "ヨシダ"),
    ("髙島", "タカシマ"),
)
GIVEN = (
    ("翔", "ショウ"),
    ("葵", "アオイ"),
    ("蓮", "レン"),
    ("陽菜", "ヒナ"),
    ("湊", "ミナト"),
    ("凛", "リン"),
    ("樹", "イツキ"),
    ("結衣", "ユイ"),
)
POSTS = ("", "部長", "課長", "係長", "主任", "代表取締役")
SECTIONS = ("営業部", "総務部", "情報システム部", "購買部", "技術部", "経理部")
STATUSES = ("新規", "接触済", "商談中", "失注")
RANKS = ("A", "B", "C")


def mixed(seed: int, number: int, use: int) -> int:
    """A number that looks thrown; another for every `use`."""
    found = (number * 0x9E3779B97F4A7C15 + seed * 0xC2B2AE3D27D4EB4F + use * 0x165667B19E3779F9) & (2**64 - 1)
    found ^= found >> 29
    found = (found * 0xBF58476D1CE4E5B9) & (2**64 - 1)
    return found ^ (found >> 32)


def company_name(seed: int, number: int) -> str:
    """Without its legal form."""
    return f"{FIRMS[mixed(seed, number, 1) % len(FIRMS)]}{TRADES[mixed(seed, number, 2) % len(TRADES)]}{number}"


def company(seed: int, number: int) -> dict[str, Any]:
    """Everything but id and times."""
    pref, _, city = PLACES[mixed(seed, number, 3) % len(PLACES)]
    short = company_name(seed, number)
    return {
        "name": f"株式会社{short}",
        "name_kana": "",
        "name_disp": short,
        "zip": f"{100 + mixed(seed, number, 4) % 800}-{mixed(seed, number, 5) % 10000:04}",
        "pref": pref,
        "address": f"{pref}{city}{1 + number % 9}-{1 + number % 30}",
        "address1": city,
        "address2": f"{1 + number % 9}-{1 + number % 30}",
        "address3": "",
        "latitude": None,
        "longitude": None,
        "business_category_kbn": TRADES[mixed(seed, number, 2) % len(TRADES)],
        "worker_number_kbn": str(10 + mixed(seed, number, 6) % 990),
        "capital_kbn": "",
        "ipo_kbn": "",
        "sales_last_year": "",
        "main_tel": f"03-{1000 + mixed(seed, number, 7) % 9000}-{number % 10000:04}",
        "url": f"https://{number}.example.com/",
        "mail_domain": f"{number}.example.com",
        "note": "",
        "user_name": "担当 一郎",
        "user_code": "tantou",
        "corporate_number": f"{1 + number % 9}{number:012}"[:13],
        "items": [{"label": "取引ランク", "value": RANKS[mixed(seed, number, 8) % len(RANKS)]}],
    }


def lead(
    seed: int, number: int, client_id: int, client_name: str, organization: tuple[int, str] | None
) -> dict[str, Any]:
    """Everything but id and times; the department is the company's."""
    family, family_kana = FAMILY[mixed(seed, number, 1) % len(FAMILY)]
    first, first_kana = GIVEN[mixed(seed, number, 2) % len(GIVEN)]
    pref, pref_id, city = PLACES[mixed(seed, number, 3) % len(PLACES)]
    status = mixed(seed, number, 4) % len(STATUSES)
    return {
        "client_id": client_id,
        "client_name": client_name,
        "organization_id": organization[0] if organization else None,
        "organization_name": organization[1] if organization else "",
        "organization_hierarchy": [organization[1]] if organization else [],
        "post": POSTS[mixed(seed, number, 5) % len(POSTS)],
        "family_name": family,
        "first_name": first,
        "family_name_kana": family_kana,
        "first_name_kana": first_kana,
        "name": f"{family} {first}",
        "name_kana": f"{family_kana} {first_kana}",
        "tel": f"03-{1000 + mixed(seed, number, 6) % 9000}-{number % 10000:04}",
        "extension": "",
        "fax": "",
        "email": f"lead{number}@example.com",
        "mobile_tel": "",
        "mobile_email": "",
        "zip": f"{100 + mixed(seed, number, 7) % 800}-{number % 10000:04}",
        "pref_id": pref_id,
        "pref": pref,
        "address": f"{pref}{city}{1 + number % 9}",
        "address1": city,
        "address2": f"{1 + number % 9}",
        "address3": "",
        "url": "",
        "lead_status": status + 1,
        "lead_status_name": STATUSES[status],
        "lead_source_kbn_id": None,
        "lead_source_kbn_name": "",
        "lead_source": "",
        "note": "",
        "trade_on": f"2026/{1 + number % 12:02}/{1 + number % 28:02}",
        "owner_user_id": 1,
        "owner_user_code": "tantou",
        "owner_user_name": "担当 一郎",
        "user_names": ["担当 一郎"],
        "tag_ids": [],
        "tags": [],
        "interest_product_type_ids": [],
        "interest_product_type_names": [],
        "customer_id": None,
        **dict.fromkeys(FLAGS, False),
        "items": [{"label": "希望連絡時間", "value": f"{9 + number % 9:02}:00"}],
    }


FLAGS = (
    *("error_mail_flg", "error_tel_flg", "error_fax_flg", "error_address_flg"),
    *("not_mail_flg", "not_tel_flg", "not_fax_flg", "not_dm_flg"),
    *("competitor_flg", "important_customer_flg", "end_user_flg", "store_flg"),
)
