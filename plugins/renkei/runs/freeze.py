"""災害時凍結 in the words of those who set it, and of those who look whether it was forgotten."""

from __future__ import annotations

import datetime as dt

ALL = "all"  # in place of a tenant: every one
FORGOTTEN = dt.timedelta(hours=72)  # one that lasts longer may have been forgotten
