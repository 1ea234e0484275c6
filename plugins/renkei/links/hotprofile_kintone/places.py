"""Where people see an app and a record in kintone."""

from __future__ import annotations

from renkei.links.hotprofile_kintone.sheet.mapping import DataSet, Mapping


def app_page(mapping: Mapping, data_set: DataSet) -> str:
    guest = f"guest/{mapping.guest_space}/" if mapping.guest_space else ""
    return f"{mapping.domain}/k/{guest}{data_set.app}/"


def record_page(mapping: Mapping, data_set: DataSet, record_id: str) -> str:
    return f"{app_page(mapping, data_set)}show#record={record_id}"
