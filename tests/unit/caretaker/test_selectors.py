from __future__ import annotations

from typing import Any

import pytest

from caretaker import tags as tag
from caretaker.ec2 import Instance, Volume
from caretaker.selectors import Select, reason_to_skip
from tests.support.builders import BACKED_UP, POLICY, a_volume, an_instance

WEB = an_instance("i-00000001", tags={"env": "prod", "role": "db-1"})
PLAIN = a_volume(at=WEB.id, tags={"Name": "data"})


def reason(volume: Volume, *instances: Instance, **select: Any) -> str | None:
    known = {instance.id: instance for instance in instances or (WEB,)}
    return reason_to_skip(volume, known, Select(**select), POLICY)


@pytest.mark.parametrize("value", ["daily", "weekly daily"])
def test_by_default_the_volume_s_own_tag_selects(value: str) -> None:
    assert reason(a_volume(tags={tag.BACKUP: value})) is None


def test_by_default_the_instance_s_tag_selects_too() -> None:
    assert reason(PLAIN, an_instance(WEB.id, tags=BACKED_UP)) is None


def test_any_of_the_instances_of_a_multi_attach_volume_selects_it() -> None:
    volume = a_volume(at=["i-00000001", "i-00000002"], tags={})

    assert reason(volume, WEB, an_instance("i-00000002", tags=BACKED_UP)) is None


@pytest.mark.parametrize("tags", [{}, {tag.BACKUP: "dailyish"}, {tag.BACKUP: "Daily"}])
def test_else_a_volume_is_not_selected(tags: dict[str, str]) -> None:
    assert reason(a_volume(tags=tags)) == "not_selected"


@pytest.mark.parametrize(
    ("select", "expected"),
    [
        ({"everything": True}, None),
        ({"volumes": [PLAIN.id]}, None),
        ({"volumes": ["vol-00000009"]}, "not_selected"),
        ({"instances": [WEB.id]}, None),
        ({"instances": ["i-00000009"]}, "not_selected"),
        ({"tags_any": ["env=prod", "x"]}, None),
        ({"tags_any": ["env=test", "x"]}, "not_selected"),
        ({"tags_any": ["role=db-*"]}, None),
        ({"tags_any": ["rol?"]}, None),
        ({"tags_any": ["ENV=prod"]}, "not_selected"),
        ({"tags_all": ["env=prod", "Name"]}, None),
        ({"tags_all": ["env=prod", "x"]}, "not_selected"),
        ({"tags_any": ["Name"], "tags_all": ["env=test"]}, "not_selected"),
        ({"tags_any": ["x"], "tags_all": ["env=prod"]}, "not_selected"),
        ({"volumes": ["vol-00000009"], "tags_any": ["env=prod"]}, None),
        ({"everything": True, "exclude_volumes": [PLAIN.id]}, "excluded"),
        ({"everything": True, "exclude_instances": [WEB.id]}, "excluded"),
        ({"everything": True, "exclude_tags": ["env=p*"]}, "excluded"),
        ({"everything": True, "exclude_tags": ["env=t*"]}, None),
        ({"everything": True, "states": ["available"]}, "excluded"),
        ({"everything": True, "states": ["in-use"]}, None),
    ],
    ids=str,
)
def test_the_event_selects(select: dict[str, Any], expected: str | None) -> None:
    assert reason(PLAIN, **select) == expected


def test_asking_for_tags_replaces_the_rule_of_the_backup_tag() -> None:
    assert reason(a_volume(tags=BACKED_UP), tags_any=["env"]) == "not_selected"


def test_exclusions_alone_keep_the_rule_of_the_backup_tag() -> None:
    assert reason(a_volume(tags={}), exclude_tags=["x"]) == "not_selected"


@pytest.mark.parametrize("state", ["creating", "deleting", "error"])
def test_a_volume_that_cannot_be_used_is_left_out(state: str) -> None:
    assert reason(a_volume(state=state)) == "volume_state"


@pytest.mark.parametrize(
    "volume",
    [
        a_volume(tags={**BACKED_UP, tag.IGNORE: "yes"}),
        a_volume(tags=BACKED_UP, at="i-00000002"),
    ],
    ids=["volume", "instance"],
)
def test_the_opt_out_wins_over_everything(volume: Volume) -> None:
    owner = an_instance("i-00000002", tags={tag.IGNORE: "yes"})

    assert reason(volume, owner, everything=True, volumes=[volume.id]) == "ignored"


def test_an_unknown_instance_has_no_tags() -> None:
    assert reason(a_volume(at="i-00000009", tags={}), WEB) == "not_selected"


def test_a_bracket_in_a_pattern_stands_for_itself() -> None:
    volume = a_volume(tags={"team[a]": "x"})

    assert reason(volume, tags_any=["team[a]"]) is None
