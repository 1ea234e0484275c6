"""What EMC must hold, computed with no function of the product, and where two states of EMC differ."""

from __future__ import annotations

from typing import Any

Export = dict[str, dict[str, dict[str, str]]]  # departments and users by id, each without its id and blank items
FILES = {"departments": "部署ID", "users": "ユーザID"}


def written_by_sheet(crew: dict[str, Any], places: dict[str, str]) -> dict[str, str]:
    """The items that `SHEET` maps, "" = cleared; search words without a value are left as they are."""
    slots = [*(slot and slot["code"] for slot in crew["departments"] or ()), None, None, None]
    style = next(f for f in crew["custom_fields"] if f["template"]["name"] == "勤務形態")
    labels = {e["physical_name"] or e["name"]: e["name"] for e in style["template"]["elements"]}
    labels |= {e["id"]: e["name"] for e in style["template"]["elements"]}
    words = {
        "検索ワード1": places.get(crew["biz_establishment_id"] or "", ""),
        "検索ワード2": labels.get(style["value"], style["value"]) or (crew["employment_type"] or {}).get("name", ""),
    }
    return {
        "氏名": f"{crew['last_name']}　{crew['first_name']}",
        "氏名(ヨミ)": f"{crew['last_name_yomi']}　{crew['first_name_yomi']}",
        "所属部署コード": slots[0] or "",
        "兼務管理部署1": slots[1] or "",
        "兼務管理部署2": slots[2] or "",
        "緊急連絡1 媒体": "メールアドレス" if crew["email"] else "",
        "緊急連絡1 アドレス": crew["email"] or "",
        "緊急連絡2 媒体": "電話番号" if crew["tel_number"] else "",
        "緊急連絡2 アドレス": crew["tel_number"] or "",
    } | {item: word for item, word in words.items() if word}


def differences(found: Export, expected: Export) -> list[str]:
    """Ids and items in which two states of EMC differ; values are not shown."""
    wrong = []
    for file in FILES:
        for key in sorted(found[file].keys() | expected[file].keys()):
            have, want = found[file].get(key), expected[file].get(key)
            if have is None or want is None:
                wrong.append(f"{file} {key} is {'missing from' if have is None else 'still in'} EMC")
            elif have != want:
                items = [item for item in sorted(have.keys() | want.keys()) if have.get(item) != want.get(item)]
                wrong.append(f"{file} {key} differs in {'、'.join(items)}")
    return wrong[:5] + ([f"and {len(wrong) - 5} more"] if len(wrong) > 5 else [])
