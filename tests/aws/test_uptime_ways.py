"""Where a probe goes: addresses, redirects, names that change; and where it never goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.support.uptime_world import SHOP, SHOP_AT, failure, http, https, item_of, reason, told

if TYPE_CHECKING:
    from tests.support.uptime_world import UptimeWorld

pytest_plugins = ("tests.support.uptime_fixtures",)

SIX: Final = "2606:2800:21f::1"
OTHER: Final = "93.184.215.66"


@pytest.mark.parametrize("hops", [1, 5])
def test_redirects_are_followed_as_far_as_allowed(uptime: UptimeWorld, hops: int) -> None:
    uptime.farm.set("shop", hops=hops)
    assert reason(uptime.run()) == "up"
    assert uptime.farm.count("shop") == hops + 1
    assert uptime.net.asked == ["shop.example.com"], "the address that was checked is kept"


def test_one_redirect_more_is_too_many(uptime: UptimeWorld) -> None:
    uptime.farm.set("shop", hops=6)
    assert failure(uptime.run()) == ("redirect", "too_many", "")


def test_a_loop_ends(uptime: UptimeWorld) -> None:
    uptime.farm.set("shop", redirect="http://shop.example.com/")
    assert failure(uptime.run()) == ("redirect", "too_many", "")
    assert uptime.farm.count("shop") == 3 * 6


def test_redirects_may_be_answers_themselves(uptime: UptimeWorld) -> None:
    uptime.farm.set("shop", status=301, redirect="http://127.0.0.1/")
    answer = uptime.run({**SHOP, "expect": {"redirects": 0, "status": ["301"]}})
    assert reason(answer) == "up"
    assert uptime.farm.count("shop") == 1


@pytest.mark.parametrize(
    ("location", "fault"),
    [
        ("http://shop.example.com/", ("redirect", "insecure", "")),
        ("//shop.example.com:8443/", ("blocked", "port", "")),
        ("ftp://shop.example.com/", ("redirect", "unreadable", "")),
        ("file:///etc/passwd", ("redirect", "unreadable", "")),
        ("gopher://shop.example.com/_", ("redirect", "unreadable", "")),
        ("javascript:alert(1)", ("redirect", "unreadable", "")),
        ("https://nobody.example.com/", ("dns", "no_such_name", "")),
        ("https://127.0.0.1/", ("blocked", "address", "")),
        ("https://2130706433/", ("blocked", "address", "")),
        ("https://localhost/", ("blocked", "address", "")),
        ("https://169.254.169.254/latest/meta-data/", ("blocked", "address", "")),
        ("https://[::ffff:169.254.169.254]/", ("blocked", "address", "")),
        ("https://10.0.0.1/", ("blocked", "address", "")),
        ("https://inner.example.com/", ("blocked", "address", "")),
        ("https://half.example.com/", ("blocked", "address", "")),
    ],
)
def test_a_redirect_leads_to_no_worse_a_place(
    uptime: UptimeWorld, location: str, fault: tuple[str, str, str]
) -> None:
    uptime.net.names |= {
        "inner.example.com": ["10.0.0.9"],
        "half.example.com": [OTHER, "192.168.1.9"],
    }
    uptime.farm.set("shop", redirect=location)
    answer = uptime.run(https())
    assert failure(answer) == fault
    assert set(uptime.net.dialled) == {(SHOP_AT, 443)}


def test_a_redirect_may_lead_to_another_host_and_to_the_own_port(uptime: UptimeWorld) -> None:
    blog = uptime.host("blog")
    uptime.net.ports[8080] = uptime.farm.port("http")
    uptime.farm.set("shop", redirect="http://shop.example.com:8080/there")
    uptime.farm.set("shop/there", redirect="http://blog.example.com/")
    assert reason(uptime.run({**SHOP, "url": "http://shop.example.com:8080/"})) == "up"
    assert uptime.net.dialled == [(SHOP_AT, 8080), (SHOP_AT, 8080), (blog, 80)]


def test_a_name_that_is_bound_anew_between_two_tries_is_checked_anew(uptime: UptimeWorld) -> None:
    uptime.net.names["shop.example.com"] = [[SHOP_AT], ["127.0.0.1"]]
    uptime.farm.set("shop", status=500)
    answer = uptime.run()
    assert failure(answer) == ("blocked", "address", "")
    assert item_of(answer)["detail"]["tries"] == 2, "what is blocked is not tried again"
    assert uptime.net.dialled == [(SHOP_AT, 80)]


def test_of_several_addresses_each_is_probed_and_one_that_fails_is_told(
    uptime: UptimeWorld,
) -> None:
    uptime.net.names["shop.example.com"] = [SHOP_AT, OTHER]
    uptime.place("refused", OTHER)
    answer = uptime.run()
    assert told(answer) == ("report", "partial", "unchanged")
    assert item_of(answer)["detail"]["addresses"] == {SHOP_AT: "ok", OTHER: "connect"}
    assert uptime.told() == ["ALARM target_partial shop"]
    uptime.run()
    assert uptime.told() == []
    uptime.net.places.clear()
    uptime.run()
    assert uptime.told() == ["OK target_partial shop"]


def test_where_all_addresses_fail_it_is_down(uptime: UptimeWorld) -> None:
    uptime.net.names["shop.example.com"] = [SHOP_AT, OTHER]
    uptime.farm.set("shop", status=500)
    assert reason(uptime.runs(3)[-1]) == "down"
    assert uptime.told() == ["ALARM target_down shop"]


def test_of_a_crowd_of_addresses_eight_are_probed(uptime: UptimeWorld) -> None:
    uptime.net.names["shop.example.com"] = [f"93.184.217.{last}" for last in range(20)]
    assert reason(uptime.run()) == "up"
    assert len(uptime.net.dialled) == 8


@pytest.mark.parametrize(
    ("ip_version", "dialled"), [("4", [SHOP_AT]), ("6", [SIX]), ("both", [SHOP_AT, SIX])]
)
def test_either_family_of_addresses_or_both(
    uptime: UptimeWorld, ip_version: str, dialled: list[str]
) -> None:
    uptime.net.names["shop.example.com"] = [SHOP_AT, SIX]
    assert reason(uptime.run({**SHOP, "ip_version": ip_version})) == "up"
    assert [address for address, _ in uptime.net.dialled] == dialled
    assert {each.address for each in uptime.farm.seen("shop")} == {
        "::1" if ":" in each else "127.0.0.1" for each in dialled
    }


def test_an_address_of_ipv6_may_stand_in_a_url(uptime: UptimeWorld) -> None:
    answer = uptime.run({**SHOP, "url": f"http://[{SIX}]/", "ip_version": "6"})
    assert reason(answer) == "up"
    assert uptime.net.dialled == [(SIX, 80)]


def test_http2_is_spoken_where_the_server_does(uptime: UptimeWorld) -> None:
    uptime.place("http2")
    answer = uptime.run(https())
    assert (reason(answer), item_of(answer)["detail"]["http"]) == ("up", "2")
    uptime.farm.set("http2", status=503)
    assert failure(uptime.run(https())) == ("status", "503", "")


HOSTILE: Final = (
    *("http://127.0.0.1/", "http://127.1/", "http://127.0.1/", "http://127.255.255.254/"),
    *("http://2130706433/", "http://0x7f000001/", "http://0x7f.1/", "http://0x7F.0.0.0x1/"),
    *("http://0177.0.0.1/", "http://017700000001/", "http://127.0.0.1./", "http://%31%32%37.0.0.1/"),
    *("http://localhost/", "http://LocalHost./", "http://localhost:9001/"),
    *("http://0/", "http://0.0.0.0/", "http://0.0.0.1/", "http://00000/"),
    *("http://[::1]/", "http://[::]/", "http://[0:0:0:0:0:0:0:1]/", "http://[::127.0.0.1]/"),
    *("http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[::FFFF:7F00:0001]/"),
    *("http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/", "http://[::ffff:0:127.0.0.1]/"),
    *("http://[64:ff9b::169.254.169.254]/", "http://[2002:a9fe:a9fe::]/", "http://[fec0::1]/"),
    *("http://127.0.0.1:9001/2018-06-01/runtime/invocation/next", "http://[::1]:9001/"),
    *("http://169.254.169.254/latest/meta-data/", "http://169.254.43518/", "http://2852039166/"),
    *("http://0xa9fea9fe/", "http://0251.0376.0251.0376/", "http://169.254.170.2/v2/credentials"),
    *("http://[fd00:ec2::254]/latest/", "http://[::ffff:169.254.169.254]/", "http://[fe80::1]/"),
    *("http://[fe80::1%25eth0]/", "http://[fc00::1]/", "http://[fd12::1]/", "http://[ff02::1]/"),
    *("http://10.0.0.1/", "http://172.16.0.1/", "http://192.168.0.1/", "http://100.64.0.1/"),
    *("http://198.18.0.1/", "http://192.0.2.1/", "http://224.0.0.1/", "http://255.255.255.255/"),
    *("http://①②⑦.⓪.⓪.①/", "http://127。0。0。1/"),
    *("http://\uff11\uff12\uff17.\uff10.\uff10.\uff11/", "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/"),
    *("http://shop.example.com@127.0.0.1/", "http://127.0.0.1#@shop.example.com/"),
    *("http://127.0.0.1?@shop.example.com/", "http://127.0.0.1\\@shop.example.com/"),
    *("http://shop.example.com\\@127.0.0.1/", "http:\\\\127.0.0.1\\", "http:127.0.0.1/"),
    *("http://shop.example.com:80@127.0.0.1:80/", "http:////127.0.0.1/", " http://127.0.0.1/"),
    *("http://127.0.0.1\t/", "http://127.0.0.1%00.example.com/", "http://127.0.0.1%2f.example/"),
    *("http://[::1", "http://[127.0.0.1]/", "http://::1/", "http://127.0.0.256/", "http://1.2.3.4.5/"),
    *("http://inner.example.com/", "http://here.example.com/", "http://six.example.com/"),
    *("http://half.example.com/", "http://mapped.example.com/", "http://INNER.example.com./"),
    *("file:///etc/passwd", "gopher://shop.example.com/_GET", "ftp://shop.example.com/", "http:"),
    *("dict://127.0.0.1:11211/stats", "unix:/var/run/x", "ws://shop.example.com/", "http:///x"),
    *("http://shop.example.com:0/", "http://shop.example.com:99999/", "//shop.example.com/"),
    *("http://shop.example.com:-1/", "http://shop.example.com\r\nHost: 127.0.0.1/", ""),
    *("shop.example.com", "http://.", "http://*.example.com/", "http://shop.example.com\x00/"),
)  # fmt: skip
"""Every way that is known to aim a prober at what is around it, and what is no URL of the web."""
INWARD: Final = {
    "inner.example.com": ["10.0.0.9"],
    "here.example.com": ["127.0.0.1"],
    "six.example.com": ["::1"],
    "half.example.com": [SHOP_AT, "169.254.169.254"],
    "mapped.example.com": ["::ffff:10.0.0.1"],
}


def test_no_url_aims_the_prober_at_its_own_surroundings(uptime: UptimeWorld) -> None:
    uptime.net.names |= INWARD
    named = {f"hostile-{number}": url for number, url in enumerate(HOSTILE)}
    targets = [{"name": name, "url": url, "ip_version": "both"} for name, url in named.items()]
    answer = uptime.run(*targets, SHOP)
    assert uptime.net.dialled == [(SHOP_AT, 80)], "but for the shop's, no connection"
    assert uptime.farm.count() == 1
    assert reason(answer) == "up"
    for name, url in named.items():
        assert reason(answer, name) == "wrong" or failure(answer, name)[0] in {"blocked", "dns"}, (
            url
        )


@pytest.mark.parametrize("url", ["http://127.0.0.1:9001/", "http://inner.example.com/"])
def test_nor_does_the_canary(uptime: UptimeWorld, url: str) -> None:
    uptime.net.names |= INWARD
    uptime.place("refused")
    answer = uptime.run({**SHOP, "name": "one"}, {**SHOP, "name": "two"}, canary_url=url)
    assert answer["summary"]["blind"]
    assert set(uptime.net.dialled) == {(SHOP_AT, 80)}


def test_private_networks_are_probed_where_event_and_stack_both_say_so(
    uptime: UptimeWorld,
) -> None:
    inner = http("inner", url="http://10.0.0.9/")
    assert failure(uptime.run(inner), "inner") == ("blocked", "address", "")
    assert uptime.net.dialled == []
    assert reason(uptime.run(inner, private_networks=["10.0.0.0/24"]), "inner") == "up"
    assert failure(uptime.run(inner, private_networks=["10.1.0.0/16"]), "inner")[0] == "blocked"
    assert uptime.net.dialled == [("10.0.0.9", 80)]


@pytest.mark.parametrize(
    ("url", "is_allowed"),
    [
        ("http://[::ffff:10.0.0.9]/", True),
        ("http://[64:ff9b::10.0.0.9]/", True),
        ("http://[2002:a00:9::]/", True),
        ("http://[2002:7f00:1::]/", False),
        ("http://[2002:a9fe:a9fe::]/", False),
    ],
)
def test_what_means_an_address_of_ipv4_is_judged_as_that(
    uptime: UptimeWorld, monkeypatch: pytest.MonkeyPatch, url: str, *, is_allowed: bool
) -> None:
    monkeypatch.setenv("CARETAKER_PRIVATE_NETWORKS", "10.0.0.0/8,2000::/3")
    inner = http("inner", url=url, ip_version="6")
    answer = uptime.run(inner, private_networks=["10.0.0.0/8", "2002::/16"])
    assert reason(answer, "inner") == ("up" if is_allowed else "failing")
    assert len(uptime.net.dialled) == is_allowed


@pytest.mark.parametrize("network", ["192.168.0.0/16", "10.0.0.0/7", "fd12::/16"])
def test_a_network_that_the_stack_does_not_open_refuses_the_run(
    uptime: UptimeWorld, network: str
) -> None:
    answer = uptime.run(private_networks=[network])
    assert (answer["status"], answer["reason"]) == ("refused", "network_not_allowed")
    assert [each["path"] for each in answer["errors"]] == ["private_networks"]
    assert uptime.net.dialled == []


@pytest.mark.parametrize(
    "network", ["127.0.0.0/8", "169.254.0.0/16", "0.0.0.0/0", "::/0", "fd00:ec2::/64", "x"]
)
def test_no_list_opens_loopback_and_metadata(
    uptime: UptimeWorld, monkeypatch: pytest.MonkeyPatch, network: str
) -> None:
    monkeypatch.setenv("CARETAKER_PRIVATE_NETWORKS", "0.0.0.0/0,::/0")
    answer = uptime.run(http("meta", url="http://169.254.169.254/"), private_networks=[network])
    assert (answer["status"], answer["reason"]) == ("refused", "event_invalid")
    assert uptime.net.dialled == []


def test_a_canary_may_stand_in_a_private_network_that_is_open(uptime: UptimeWorld) -> None:
    uptime.place("refused")
    two: tuple[Any, ...] = ({**SHOP, "name": "one"}, {**SHOP, "name": "two"})
    inside: dict[str, Any] = {"private_networks": ["10.0.0.0/24"], "canary_url": "http://10.0.0.2/"}
    assert not uptime.run(*two, **inside)["summary"]["blind"]
    uptime.place("refused", "10.0.0.2")
    assert uptime.run(*two, **inside)["summary"]["blind"]
