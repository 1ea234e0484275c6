"""The 連携設定シート of this link."""
