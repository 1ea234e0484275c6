"""What each task of a run does: functions of the run, the clients and the time. Each may be repeated at any line (L4)."""
