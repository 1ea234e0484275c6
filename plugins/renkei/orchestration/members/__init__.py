"""マイ情報: the page on which members register where they are reached (N4, W2)."""
