"""The items of Hot Profile by the names that a sheet gives them, and where each stands in a record (K8)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from renkei.links.hotprofile_kintone.sheet.mapping import CUSTOM
from renkei.texts import narrow

_COMPANY = {
    "会社ID": "id",
    "会社名": "name",
    "会社名カナ": "name_kana",
    "会社名略称": "name_disp",
    "法人番号": "corporate_number",
    "郵便番号": "zip",
    "都道府県": "pref",
    "住所": "address",
    "住所1": "address1",
    "住所2": "address2",
    "住所3": "address3",
    "緯度": "latitude",
    "経度": "longitude",
    "業種": "business_category_kbn",
    "従業員数": "worker_number_kbn",
    "資本金": "capital_kbn",
    "株式公開": "ipo_kbn",
    "直近売上高": "sales_last_year",
    "代表電話番号": "main_tel",
    "URL": "url",
    "メールドメイン": "mail_domain",
    "備考": "note",
    "担当者": "user_name",
    "担当者コード": "user_code",
    "作成日時": "created_at",
    "更新日時": "updated_at",
}
_DEPARTMENT = {
    "部署ID": "id",
    "部署名": "organization_name",
    "部署階層": "organization_hierarchy",
    "会社ID": "client_id",
    "会社名": "client_name",
    "更新日時": "updated_at",
}
_LEAD = {
    "リードID": "id",
    "会社ID": "client_id",
    "会社名": "client_name",
    "部署ID": "organization_id",
    "部署名": "organization_name",
    "部署階層": "organization_hierarchy",
    "役職": "post",
    "姓": "family_name",
    "名": "first_name",
    "姓カナ": "family_name_kana",
    "名カナ": "first_name_kana",
    "氏名": "name",
    "氏名カナ": "name_kana",
    "電話番号": "tel",
    "内線番号": "extension",
    "FAX": "fax",
    "メールアドレス": "email",
    "携帯電話番号": "mobile_tel",
    "携帯メールアドレス": "mobile_email",
    "郵便番号": "zip",
    "都道府県ID": "pref_id",
    "都道府県": "pref",
    "住所": "address",
    "住所1": "address1",
    "住所2": "address2",
    "住所3": "address3",
    "URL": "url",
    "リードステータス": "lead_status",
    "リードステータス名": "lead_status_name",
    "リードソースID": "lead_source_kbn_id",
    "リードソース区分": "lead_source_kbn_name",
    "リードソース": "lead_source",
    "備考": "note",
    "取引日": "trade_on",
    "所有者ID": "owner_user_id",
    "所有者コード": "owner_user_code",
    "所有者": "owner_user_name",
    "担当者": "user_names",
    "タグID": "tag_ids",
    "タグ": "tags",
    "関心製品ID": "interest_product_type_ids",
    "関心製品": "interest_product_type_names",
    "顧客ID": "customer_id",
    "メールエラー": "error_mail_flg",
    "電話エラー": "error_tel_flg",
    "FAXエラー": "error_fax_flg",
    "住所エラー": "error_address_flg",
    "メール不可": "not_mail_flg",
    "電話不可": "not_tel_flg",
    "FAX不可": "not_fax_flg",
    "DM不可": "not_dm_flg",
    "競合": "competitor_flg",
    "重要顧客": "important_customer_flg",
    "エンドユーザー": "end_user_flg",
    "販売店": "store_flg",
    "作成日時": "created_at",
    "更新日時": "updated_at",
}
ITEMS: dict[str, dict[str, str]] = {"companies": _COMPANY, "departments": _DEPARTMENT, "leads": _LEAD}
ID_ITEMS = {"companies": "会社ID", "departments": "部署ID", "leads": "リードID"}


def has_item(data_set: str, name: str) -> bool:
    """Whether Hot Profile may have such an item; カスタム項目 are the customer's own, so any may be there."""
    return name in ITEMS[data_set] or (name.startswith(CUSTOM) and len(name) > len(CUSTOM))


def values_of(entry: Mapping[str, Any], data_set: str, names: Iterable[str]) -> dict[str, Any]:
    """What a record has for each item of `names`, as Hot Profile writes it; None for what it does not have."""
    custom = {narrow(str(one.get("label"))): one.get("value") for one in entry.get("items") or ()}
    return {
        name: custom.get(narrow(name.removeprefix(CUSTOM)))
        if name.startswith(CUSTOM)
        else entry.get(ITEMS[data_set][name])
        for name in names
    }
