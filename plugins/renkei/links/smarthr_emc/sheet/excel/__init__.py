"""The 連携設定シート as an Excel workbook, read and written (E15–E18, E21).

Reading: `container` (is the file harmless?) → `grid` (cells) → `reader` (lines).
Writing: `drawing` (looks) → `layout` → `example`, `item_list` → `template` → `writer`; `marked` copies a customer's own.
"""
