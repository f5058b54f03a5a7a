from __future__ import annotations

from datetime import timedelta

import pytest

from caretaker.failures import Failure, Kind
from functions.tagging.case import open_case, origin_of
from functions.tagging.facts import ALONE, Links
from functions.tagging.rules import Source
from tests.support.builders import NOW, SLOT
from tests.support.tagging import (
    OWNER,
    a_case,
    a_resource,
    an_instance,
    ask,
    gathered,
)

BROKEN = Failure(Kind.DENIED, "AccessDenied", "no")
I1 = "i-00000001"
V1 = "vol-00000001"
BEYOND = Links(group="web", template="lt-1", vpc="vpc-1", subnet="subnet-1")


def test_a_volume_has_what_stands_behind_its_instance() -> None:
    instance = an_instance(links=BEYOND, tags={OWNER: "ann"})
    volume = a_resource(links=Links(instance=I1))

    subject = a_case(gathered(volume, instance)).about(volume)

    assert subject.links == BEYOND._replace(instance=I1)
    assert (subject.owner, subject.is_ignored) == ("ann", False)


def test_a_snapshot_belongs_to_the_instance_of_its_volume() -> None:
    instance = an_instance(links=BEYOND)
    volume = a_resource(links=Links(instance=I1))
    snapshot = a_resource(its_type="snapshot", links=Links(volume=V1))

    subject = a_case(gathered(snapshot, behind=[volume, instance])).about(snapshot)

    assert subject.links == BEYOND._replace(instance=I1, volume=V1)


def test_a_snapshot_that_names_its_instance_needs_no_volume() -> None:
    snapshot = a_resource(its_type="snapshot", links=Links(volume=V1, instance=I1))
    facts = gathered(snapshot, behind=[an_instance(links=BEYOND)], unlisted={"volume": BROKEN})

    assert a_case(facts).about(snapshot).links == BEYOND._replace(instance=I1, volume=V1)


def test_its_own_links_count_before_those_of_its_instance() -> None:
    interface = a_resource(
        its_type="network-interface", links=Links(instance=I1, subnet="subnet-9", vpc="vpc-9")
    )

    links = a_case(gathered(interface, an_instance(links=BEYOND))).about(interface).links

    assert links == BEYOND._replace(instance=I1, subnet="subnet-9", vpc="vpc-9")


@pytest.mark.parametrize(
    "links", [ALONE, Links(instance="i-gone"), Links(volume="vol-gone"), Links(vpc="vpc-1")]
)
def test_what_stands_alone_or_behind_what_is_gone_has_its_own_links(links: Links) -> None:
    snapshot = a_resource(its_type="snapshot", links=links)

    assert a_case(gathered(snapshot)).about(snapshot).links == links


def test_a_volume_of_nobody_stands_between_a_snapshot_and_no_instance() -> None:
    snapshot = a_resource(its_type="snapshot", links=Links(volume=V1))

    assert a_case(gathered(snapshot, a_resource())).about(snapshot).links == Links(volume=V1)


@pytest.mark.parametrize(
    ("unlisted", "links"),
    [
        ("instance", Links(instance=I1)),
        ("volume", Links(volume=V1)),
        ("instance", Links(volume=V1)),
    ],
)
def test_nobody_knows_what_stands_behind_it_when_that_was_not_listed(
    unlisted: str, links: Links
) -> None:
    volume = a_resource(links=Links(instance=I1))
    snapshot = a_resource(its_type="snapshot", links=links, tags={OWNER: "bob"})
    facts = gathered(snapshot, behind=[volume], unlisted={unlisted: BROKEN})

    subject = a_case(facts).about(snapshot)

    assert (subject.links, subject.owner, subject.is_ignored) == (None, "bob", False)


def test_a_listing_that_failed_says_nothing_about_what_has_nothing_behind_it() -> None:
    volume = a_resource()

    subject = a_case(gathered(volume, unlisted={"instance": BROKEN})).about(volume)

    assert subject.links == ALONE


def test_nor_about_what_had_a_volume_that_is_gone() -> None:
    snapshot = a_resource(its_type="snapshot", links=Links(volume="vol-gone"))

    subject = a_case(gathered(snapshot, unlisted={"instance": BROKEN})).about(snapshot)

    assert subject.links == Links(volume="vol-gone")


def test_its_own_opt_out_counts_even_where_the_rest_is_unknown() -> None:
    volume = a_resource(links=Links(instance=I1), tags={"caretaker:ignore": ""})

    assert a_case(gathered(volume, unlisted={"instance": BROKEN})).about(volume).is_ignored


@pytest.mark.parametrize(
    ("own", "instances", "owner"),
    [
        ({OWNER: "bob"}, {OWNER: "ann"}, "bob"),
        ({OWNER: ""}, {OWNER: "ann"}, "ann"),
        ({}, {OWNER: "ann"}, "ann"),
        ({"owner": "bob"}, {}, ""),
        ({}, {}, ""),
    ],
)
def test_its_owner_is_named_by_its_own_tag_or_by_that_of_its_instance(
    own: dict[str, str], instances: dict[str, str], owner: str
) -> None:
    volume = a_resource(links=Links(instance=I1), tags=own)
    facts = gathered(volume, an_instance(tags=instances))

    assert a_case(facts).about(volume).owner == owner


def test_another_key_may_name_the_owner() -> None:
    volume = a_resource(tags={OWNER: "ann", "Team": "web"})

    assert a_case(gathered(volume), owner_key="Team").about(volume).owner == "web"


@pytest.mark.parametrize(
    ("own", "instances", "ignored"),
    [
        ({"caretaker:ignore": "true"}, {}, True),
        ({}, {"caretaker:ignore": "yes"}, True),
        ({"caretaker:ignore": "false"}, {}, False),
        ({"caretaker:ignore": "no"}, {"caretaker:ignore": "true"}, True),
        ({}, {}, False),
    ],
)
def test_a_resource_or_its_instance_may_opt_it_out(
    own: dict[str, str], instances: dict[str, str], *, ignored: bool
) -> None:
    volume = a_resource(links=Links(instance=I1), tags=own)
    facts = gathered(volume, an_instance(tags=instances))

    assert a_case(facts).about(volume).is_ignored is ignored


@pytest.mark.parametrize(
    ("hours", "young"), [(0, True), (23.999, True), (24, False), (25, False), (None, False)]
)
def test_what_is_younger_than_the_grace_is_young(hours: float | None, *, young: bool) -> None:
    assert a_case().is_young(a_resource(hours=hours)) is young


def test_without_grace_nothing_is_young() -> None:
    assert not a_case(grace_hours=0).is_young(a_resource(hours=0))


def test_the_grace_is_in_hours() -> None:
    case = a_case(grace_hours=1)
    late = open_case(gathered(), ask(), slot=SLOT, now=NOW + timedelta(hours=23))

    assert [case.is_young(a_resource(hours=h)) for h in (0.9, 1)] == [True, False]
    assert [late.is_young(a_resource(hours=h)) for h in (0.9, 1)] == [True, False]


def test_a_group_gives_its_tags_to_instances_and_never_to_volumes() -> None:
    case = a_case(gathered(groups={"web": {OWNER: "ann"}}))
    links = Links(group="web")

    assert case.passed_on_to(an_instance(), links) == ("auto-scaling-group/web", {OWNER: "ann"})
    assert case.passed_on_to(a_resource(), links) is None


def test_a_group_that_is_not_known_gives_nothing_though_its_template_would() -> None:
    case = a_case(gathered(templates={"lt-1": {"instance": {OWNER: "ann"}}}))

    assert case.passed_on_to(an_instance(), Links(group="web", template="lt-1")) is None


def test_a_launch_template_gives_each_type_its_own_tags() -> None:
    case = a_case(gathered(templates={"lt-1": {"volume": {OWNER: "ann"}}}))
    links = Links(template="lt-1", group="web")

    assert case.passed_on_to(a_resource(), links) == ("launch-template/lt-1", {OWNER: "ann"})
    assert case.passed_on_to(an_instance(), Links(template="lt-1")) == ("launch-template/lt-1", {})
    assert case.passed_on_to(an_instance(), Links(template="lt-2")) is None
    assert case.passed_on_to(an_instance(), ALONE) is None


def test_details_that_say_the_same_are_one() -> None:
    case = a_case()
    first, second = {"a": 1}, {"a": 1}

    assert case.shared("a", first) is first
    assert case.shared("a", second) is first
    assert case.shared("b", second) is second


def test_a_case_knows_what_is_judged_and_what_is_behind_it() -> None:
    case = a_case(gathered(an_instance(), behind=[a_resource()]), ask({"a": {}, "b": {}}))

    assert [*case.instances] == [I1]
    assert [*case.volumes] == [V1]
    assert [*case.rules["volume"]] == ["a", "b"]
    assert len(case.rules) == 7
    assert case.slot == SLOT


def test_a_case_can_be_cut_down_to_the_instances_that_are_acted_on() -> None:
    case = a_case(gathered(an_instance(), an_instance("i-00000002"), behind=[a_resource()]))

    case.shared("a", {})
    cut = case.only([I1])

    assert [*cut.instances] == [I1]
    assert (cut.volumes, cut.facts.resources, cut.facts.behind) == ({}, (), ())
    assert cut.details == {}
    assert (cut.rules, cut.now, cut.request) == (case.rules, case.now, case.request)


@pytest.mark.parametrize(
    ("source", "origin"),
    [
        (Source.INSTANCE, "i"),
        (Source.VOLUME, "v"),
        (Source.ASG, "g"),
        (Source.LAUNCH_TEMPLATE, "t"),
        (Source.VPC, "p"),
        (Source.SUBNET, "s"),
        (Source.ACCOUNT, "a"),
    ],
)
def test_each_source_is_found_where_it_stands(source: Source, origin: str) -> None:
    assert origin_of(Links("i", "v", "g", "t", "p", "s"), source, "a") == origin
