"""Names and public addresses lead to this machine, for the product and for workers alike."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pycurl
import pytest

from tests.cloud.internet import OUTSIDE, environment_within, internet, write_internet
from tests.cloud.outside.sitecustomize import World
from tests.cloud.tools import ROOT
from tests.farm import Farm, running_farm

SHOP, OTHER, SIX = "93.184.215.10", "93.184.215.11", "2606:2800:21f::1"
NAMES: dict[str, Any] = {
    "shop.example.com": SHOP,
    "both.example.com": [OTHER, SIX],
    "flaky.example.com": "again",
    "rebinding.example.com": [[SHOP], ["127.0.0.1"]],
}


@pytest.fixture(scope="module")
def running() -> Iterator[Farm]:
    with running_farm() as farm:
        yield farm


@pytest.fixture
def farm(running: Farm) -> Farm:
    running.reset()
    return running


@pytest.fixture
def net(farm: Farm) -> Iterator[World]:
    ports = {80: farm.port("http"), 443: farm.port("https")}
    with internet(NAMES, ports, ca=farm.ca) as world:
        yield world


def found(host: str, family: int = 0) -> list[str]:
    answers = socket.getaddrinfo(host, None, family=family, type=socket.SOCK_STREAM)
    return [str(place[0]) for *_, place in answers]


def fetch(
    url: str, entry: str, told: list[Any] | None = None, *, opens: bool = True
) -> tuple[int, str]:
    """Fetch as a prober does, with an address for a host and port; return status and address."""

    def opened(_: int, target: Any) -> Any:
        if told is not None:
            told.append(target)
        if not opens:
            return pycurl.SOCKET_BAD
        return sockets.enter_context(socket.socket(*target[:3]))  # pycurl makes a copy of its own

    handle = pycurl.Curl()
    options: list[tuple[int, Any]] = [
        (pycurl.URL, url),
        (pycurl.RESOLVE, [entry]),
        (pycurl.OPENSOCKETFUNCTION, opened),
        (pycurl.WRITEFUNCTION, lambda _: None),
        (pycurl.TIMEOUT_MS, 2000),
    ]
    if url.startswith("https"):
        options.append((pycurl.CAINFO, "/nowhere"))
    for option, value in options:
        handle.setopt(option, value)
    with ExitStack() as sockets, closing(handle):
        handle.perform()
        return handle.getinfo(pycurl.RESPONSE_CODE), handle.getinfo(pycurl.PRIMARY_IP)


def test_names_have_the_addresses_they_were_given(net: World) -> None:
    assert found("shop.example.com") == [SHOP]
    assert found("SHOP.example.com.") == [SHOP]
    assert found("both.example.com") == [OTHER, SIX]
    assert found("both.example.com", socket.AF_INET6) == [SIX]


def test_other_names_are_unknown_and_addresses_are_themselves(net: World) -> None:
    with pytest.raises(socket.gaierror) as unknown:
        found("nobody.example.com")
    assert unknown.value.errno == socket.EAI_NONAME
    with pytest.raises(socket.gaierror) as failing:
        found("flaky.example.com")
    assert failing.value.errno == socket.EAI_AGAIN
    with pytest.raises(socket.gaierror):
        found("shop.example.com", socket.AF_INET6)
    assert found("10.1.2.3") == ["10.1.2.3"]
    assert found("2130706433") == ["127.0.0.1"]


def test_a_name_may_lead_elsewhere_the_second_time(net: World) -> None:
    assert [found("rebinding.example.com") for _ in range(3)] == [
        [SHOP],
        ["127.0.0.1"],
        ["127.0.0.1"],
    ]


def test_a_public_address_leads_to_this_machine_and_is_told_as_such(farm: Farm, net: World) -> None:
    told: list[Any] = []
    entry = f"shop.example.com:80:{SHOP}"
    assert fetch("http://shop.example.com/", entry, told) == (200, SHOP)
    assert [target.addr for target in told] == [(SHOP, 80)]
    assert net.dialled == [(SHOP, 80)]
    assert farm.count("shop") == 1


def test_ipv6_does_so_too(farm: Farm, net: World) -> None:
    told: list[Any] = []
    entry = f"both.example.com:80:[{SIX}]"
    assert fetch("http://both.example.com/", entry, told) == (200, SIX)
    assert told[0].addr[:2] == (SIX, 80)
    assert farm.seen("both")[0].address == "::1"


def test_who_refuses_the_public_address_connects_to_nothing(farm: Farm, net: World) -> None:
    with pytest.raises(pycurl.error):
        fetch("http://shop.example.com/", f"shop.example.com:80:{SHOP}", opens=False)
    assert (net.dialled, farm.accepted("http")) == ([], 0)


def test_libcurl_gets_nowhere_by_a_name_of_its_own(farm: Farm, net: World) -> None:
    with pytest.raises(pycurl.error):
        fetch(f"http://localhost:{farm.port('black_hole')}/", f"shop.example.com:80:{SHOP}")
    assert farm.accepted("black_hole") == 0


def test_an_address_may_have_ports_of_its_own(farm: Farm, net: World) -> None:
    net.places[SHOP] = {80: farm.port("refused")}
    for entry in (f"shop.example.com:80:{SHOP}", f"shop.example.com:80:{OTHER}"):
        if OTHER in entry:
            assert fetch("http://shop.example.com/", entry) == (200, OTHER)
            continue
        with pytest.raises(pycurl.error) as refused:
            fetch("http://shop.example.com/", entry)
        assert refused.value.args[0] == pycurl.E_COULDNT_CONNECT


def test_its_authority_is_the_one_that_is_trusted(farm: Farm, net: World) -> None:
    entry = f"shop.example.com:443:{SHOP}"
    assert fetch("https://shop.example.com/", entry) == (200, SHOP)
    farm.set("shop", certificate="self_signed")
    with pytest.raises(pycurl.error):
        fetch("https://shop.example.com/", entry)


def test_afterwards_all_is_as_before(farm: Farm) -> None:
    before = socket.getaddrinfo, pycurl.Curl
    with internet({}, {}):
        assert before != (socket.getaddrinfo, pycurl.Curl)
    assert before == (socket.getaddrinfo, pycurl.Curl)


WORKER = """
import json, sys
import socket
before = socket.getaddrinfo
import pycurl
for line in sys.stdin:
    host = line.strip()
    try:
        address = socket.getaddrinfo(host, None)[0][4][0]
        handle = pycurl.Curl()
        handle.setopt(pycurl.URL, f"http://{host}/")
        handle.setopt(pycurl.RESOLVE, [f"{host}:80:{address}"])
        handle.setopt(pycurl.WRITEFUNCTION, lambda _: None)
        handle.perform()
        told = [address, handle.getinfo(pycurl.RESPONSE_CODE)]
    except (OSError, pycurl.error) as error:
        told = [type(error).__name__, error.args[0]]
    print(json.dumps(told + [before is not socket.getaddrinfo]), flush=True)
"""


def test_a_worker_lives_in_it_and_sees_it_change(farm: Farm, tmp_path: Path) -> None:
    written = tmp_path / "internet.json"
    write_internet(written, {"shop.example.com": SHOP}, {80: farm.port("http")})
    environment = {"PATH": os.environ["PATH"], **environment_within(written)}
    with subprocess.Popen(
        [sys.executable, "-c", WORKER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    ) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None

        def ask(host: str) -> Any:
            print(host, file=worker.stdin, flush=True)
            return json.loads(worker.stdout.readline())  # type: ignore[union-attr]

        assert ask("shop.example.com") == [SHOP, 200, True]
        assert ask("new.example.com")[0] == "gaierror"
        time.sleep(0.02)  # so that the file's time differs
        write_internet(written, {"new.example.com": OTHER}, {80: farm.port("http")})
        assert ask("new.example.com") == [OTHER, 200, True]
        assert ask("shop.example.com")[0] == "gaierror"
        worker.stdin.close()


def test_nothing_else_is_put_before_what_was_built() -> None:
    kept = {each.name for each in OUTSIDE.iterdir() if each.name != "__pycache__"}
    assert kept == {"sitecustomize.py"}
    assert OUTSIDE.is_relative_to(ROOT)
