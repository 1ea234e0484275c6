"""What a sheet would do, by the very code that does it, writing nothing anywhere: neither store nor EMC (リハーサル)."""

from renkei.links.smarthr_emc.rehearsal.result import Rehearsal
from renkei.links.smarthr_emc.rehearsal.whole import rehearse

__all__ = ["Rehearsal", "rehearse"]
