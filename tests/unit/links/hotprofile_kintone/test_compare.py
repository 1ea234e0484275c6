"""照合 of Hot Profile → kintone."""

from __future__ import annotations

from renkei.links.hotprofile_kintone import history
from renkei.links.hotprofile_kintone.model import Mode
from renkei.links.hotprofile_kintone.stages.check import check
from renkei.links.hotprofile_kintone.stages.compare import compare
from tests.harness.hotprofile_kintone import LinkWorld


def test_k2_照合_tells_what_is_missing_on_either_side_and_writes_nothing(world: LinkWorld) -> None:
    for number in range(5):
        world.hotprofile.put(number + 1)
    world.wait(minutes=5)
    world.run()
    del world.hotprofile.entries["2"]
    del world.kintone.records[next(one for one, has in world.kintone.records.items() if has["id"] == "4")]
    world.kintone.records["99"] = {"id": "foreign", "name": "手で入力"}
    before = dict(world.kintone.records)
    job = world.job(Mode.RECONCILE)
    (data_set,) = job.data_sets
    check(job, lambda one: world.target(job, one), world.now)
    found = compare(job, data_set, world.target(job, data_set), world.hotprofile, world.now)
    assert found == {"missing": 1, "foreign": 1, "gone": 1, "changed": 0}
    said = history.lines(job)["companies"].said
    assert "kintoneにありません 1件（ID 4）" in said
    assert "kintoneにだけあります 1件" in said
    assert "Hot Profileにありません 1件（ID 2）" in said
    assert world.kintone.records == before
