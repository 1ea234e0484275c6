"""The stages of one run, each reading its input from the run's record and leaving its output there.

    opening.open_run → reading.fetch_departments → reading.fetch_users → reading.take_snapshot
        → comparing.make_diff → planning.validate → (approving.decide) → loading.apply → (loading.confirm)

復元 takes an earlier snapshot where the others read SmartHR. 照合 asks `comparing.compare` in place of `make_diff`; its
other stages have nothing to do.

A stage that is repeated finds what it wrote before and ends in the same state (L4). Between stages travels nothing but
the run's key (L6): each picks the run up with `job.resume`. What a stage decides by knows no run and lies one
floor below: fetch.py, snapshot.py, diff.py, reconcile.py, plan.py, guards.py; load.py is how EMC is written once.
"""
