"""Where a redirect leads; and what holds of any URL that is read, whatever was written."""

from __future__ import annotations

from contextlib import suppress
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.uptime.urls import MAX_URL, Url, follow, parse_url

BASE: Final = parse_url("https://shop.example.com/a/b?c=d")


@pytest.mark.parametrize(
    ("location", "text"),
    [
        ("/x", "https://shop.example.com/x"),
        ("x", "https://shop.example.com/a/x"),
        ("?x", "https://shop.example.com/a/b?x"),
        ("../../../x", "https://shop.example.com/x"),
        ("#x", "https://shop.example.com/a/b?c=d"),
        ("//other.example/x", "https://other.example/x"),
        ("//169.254.169.254/x", "https://169.254.169.254/x"),
        ("http://0x7f.1/", "http://127.0.0.1/"),
        ("HTTP://other.example", "http://other.example/"),
        (" /x ", "https://shop.example.com/x"),
        ("https://u:p@other.example/x#y", "https://other.example/x"),
    ],
)
def test_a_redirect_leads_where_a_browser_would_go(location: str, text: str) -> None:
    assert follow(BASE, location).text == text


@pytest.mark.parametrize(
    "location",
    [
        "ftp://other.example/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:11211/_stats",
        "data:text/html,x",
        "javascript:x",
        "https://[::1",
        "https://a b/",
        "\\\\169.254.169.254/",
        "/\\169.254.169.254/",
        "https://good.example\\@169.254.169.254/",
        "/a\x00b",
        "/" + "a" * MAX_URL,
        "https://other.example:0/",
    ],
)
def test_a_redirect_to_what_is_no_url_of_the_web_leads_nowhere(location: str) -> None:
    with pytest.raises(ValueError, match=r"must be a URL|Invalid IPv6"):
        follow(BASE, location)


HOSTILE: Final = st.text(
    alphabet=st.sampled_from(
        [
            *"01279.abcdefxX:/@?#[]%\\-\u3002\uff0e\uff61\uff11\uff12\uff17\uff10",
            " ",
            "\t",
            "\n",
            "\x00",
            "\u00e9",
        ]
    ),
    max_size=24,
)


@settings(max_examples=600, deadline=None)
@given(HOSTILE, st.sampled_from(["http://", "https://", "http:", "//", ""]))
def test_whatever_is_read_as_a_url_is_read_again_as_the_same_one(text: str, before: str) -> None:
    with suppress(ValueError):
        url = parse_url(before + text)
        assert_is_plain(url)


@settings(max_examples=300, deadline=None)
@given(HOSTILE)
def test_whatever_a_redirect_says_it_leads_to_a_plain_url_or_nowhere(location: str) -> None:
    with suppress(ValueError):
        assert_is_plain(follow(BASE, location))


def assert_is_plain(url: Url) -> None:
    """Another reader, the one that libcurl's users know, must see the same host and port."""
    again = parse_url(url.text)
    assert (again.text, again.origin) == (url.text, url.origin)
    split = urlsplit(url.text)
    assert split.scheme in {"http", "https"}
    assert split.hostname == url.host
    assert (split.port or {"http": 80, "https": 443}[split.scheme]) == url.port
    assert split.username is None
    assert url.text.isascii()
    with suppress(ValueError):
        assert str(ip_address(url.host)) == str(ip_address(split.hostname))
