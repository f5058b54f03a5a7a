"""The deployed drill asks a deployed function of the user's, and believes a clear yes alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.judge import Judge
from tests.e2e.restorer import Restorer

if TYPE_CHECKING:
    from tests.cloud.deployment import Json
    from tests.cloud.remote import RemoteCloud
    from tests.cloud.stack import LocalCloud
    from tests.e2e.tagger import Tagger


@pytest.fixture(scope="module")
def judge(cloud: LocalCloud) -> Judge:
    """The function that the stack's DrillJudgeArn names."""
    return Judge(cloud)


@pytest.mark.parametrize(
    ("answer", "ended"),
    [("yes", "done"), ("no", "judged_not_proven"), ("raise", "judge_failed")],
)
def test_a_deployed_judge_is_asked_and_a_clear_yes_alone_proves(
    tagger: Tagger, ec2: RemoteCloud, judge: Judge, answer: str, ended: str
) -> None:
    ec2.settings(creating_seconds=1, attaching_seconds=1, detaching_seconds=1, deleting_seconds=1)
    restorer = Restorer(tagger.stack, f"judged-{answer}")
    (machine,) = restorer.machines(1)
    judge.answers(answer)
    event = {
        "policy": restorer.policy,
        "sample": {"everything": True},
        "how": "volume",
        "judge": True,
    }
    told = tagger.stack.invoke(tagger.stack.outputs["DrillFunctionName"], event)
    items = [each for each in told["outcomes"] if each["action"] == "drill"]
    assert {_end(each) for each in items} == {ended}
    assert {each["target"] for each in items} == set(machine.volume_ids)
    if answer != "raise":
        assert {each["detail"]["message"] for each in items} == {machine.id}
    left = {each["detail"]["volume"] for each in items}
    there = {e["VolumeId"] for e in ec2.state()["volumes"] if e["State"] != "deleting"}
    assert left.isdisjoint(there)


def _end(item: Json) -> str:
    return str(item["error"]["code"] if item.get("error") else item["result"])
