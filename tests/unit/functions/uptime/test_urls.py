from __future__ import annotations

from typing import Final

import pytest

from functions.uptime.addresses import is_blocked
from functions.uptime.urls import MAX_URL, parse_url

BASE: Final = parse_url("https://shop.example.com/a/b?c=d")
MUST: Final = "must be a URL of http or https, as https://example.com/health"


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("http://127.0.0.1/", "127.0.0.1"),
        ("http://127.1/", "127.0.0.1"),
        ("http://127.0.1/", "127.0.0.1"),
        ("http://2130706433/", "127.0.0.1"),
        ("http://017700000001/", "127.0.0.1"),
        ("http://0x7f000001/", "127.0.0.1"),
        ("http://0X7F.0.0.1/", "127.0.0.1"),
        ("http://0177.0.0.01/", "127.0.0.1"),
        ("http://0x7f.0.0x0.0001/", "127.0.0.1"),
        ("http://127.0.0.1./", "127.0.0.1"),
        ("http://127.0.0.1%2e/", "127.0.0.1"),
        ("http://%31%32%37.0.0.1/", "127.0.0.1"),
        ("http://127\u30020\u30020\u30021/", "127.0.0.1"),
        ("http://127\uff0e0\uff0e0\uff0e1/", "127.0.0.1"),
        ("http://127\uff610\uff610\uff611/", "127.0.0.1"),
        ("http://\uff11\uff12\uff17.\uff10.\uff10.\uff11/", "127.0.0.1"),
        ("http://\u246b7.0.0.1/", "127.0.0.1"),
        ("http://12\u00ad7.0.0.1/", "127.0.0.1"),
        ("http://0/", "0.0.0.0"),  # noqa: S104 - an address to refuse
        ("http://0x/", "0.0.0.0"),  # noqa: S104
        ("http://00000000/", "0.0.0.0"),  # noqa: S104
        ("http://169.254.43518/", "169.254.169.254"),
        ("http://2852039166/", "169.254.169.254"),
        ("http://0xa9.0xfe.0xa9.0xfe/", "169.254.169.254"),
        ("http://0251.0376.0251.0376/", "169.254.169.254"),
        ("http://169.254.170.2/v2/credentials", "169.254.170.2"),
        ("http://user:pass@169.254.169.254/", "169.254.169.254"),
        ("http://example.com@169.254.169.254/", "169.254.169.254"),
        ("http://example.com:80@169.254.169.254:80/", "169.254.169.254"),
        ("http://a@b@169.254.169.254/", "169.254.169.254"),
        ("http://example.com%2F@169.254.169.254/", "169.254.169.254"),
        ("http:169.254.169.254/", "169.254.169.254"),
        ("http:/169.254.169.254/", "169.254.169.254"),
        ("http:////169.254.169.254/", "169.254.169.254"),
        ("HTTP://169.254.169.254/", "169.254.169.254"),
        ("http://169.254.169.254#@example.com/", "169.254.169.254"),
        ("http://169.254.169.254?@example.com/", "169.254.169.254"),
        ("http://169.254.169.254:80/", "169.254.169.254"),
        ("http://127.0.0.1:9001/2018-06-01/runtime/invocation/next", "127.0.0.1"),
        ("http://[::1]/", "::1"),
        ("http://[0:0:0:0:0:0:0:1]/", "::1"),
        ("http://[0000::0001]/", "::1"),
        ("http://[::]/", "::"),
        ("http://[::ffff:127.0.0.1]/", "::ffff:7f00:1"),
        ("http://[::FFFF:7F00:1]/", "::ffff:7f00:1"),
        ("http://[::ffff:a9fe:a9fe]/", "::ffff:a9fe:a9fe"),
        ("http://[::127.0.0.1]/", "::7f00:1"),
        ("http://[64:ff9b::169.254.169.254]/", "64:ff9b::a9fe:a9fe"),
        ("http://[2002:a9fe:a9fe::]/", "2002:a9fe:a9fe::"),
        ("http://[fe80::1]/", "fe80::1"),
        ("http://[fd00:ec2::254]/", "fd00:ec2::254"),
        ("http://[fd00:0ec2:0:0:0:0:0:0254]/", "fd00:ec2::254"),
    ],
)
def test_an_address_is_known_in_every_spelling_and_refused(written: str, host: str) -> None:
    assert parse_url(written).host == host
    assert is_blocked(host)


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("http://localhost/", "localhost"),
        ("http://LOCALHOST./", "localhost"),
        ("http://localhost\u3002/", "localhost"),
        ("http://\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3/", "localhost"),
        ("http://Example.COM./", "example.com"),
        ("http://fa\u00df.example/", "xn--fa-hia.example"),
        ("http://ex\u00adample.com/", "example.com"),
        ("http://1e3/", "1e3"),
        ("http://instance-data/", "instance-data"),
    ],
)
def test_a_name_is_the_one_that_is_resolved(written: str, host: str) -> None:
    assert parse_url(written).host == host


@pytest.mark.parametrize(
    "written",
    [
        "",
        "/",
        "//127.0.0.1/",
        "example.com",
        "http",
        "http:",
        "http://",
        "http:///",
        "http://./",
        "http://\u3002/",
        "http://example.com../",
        "http://127.0.0.1../",
        "http://2130706433../",
        "http://0x7f.1../",
        "http://?q",
        "http://#f",
        "http://:80/",
        "http://user@/",
        "file:///etc/passwd",
        "ftp://example.com/",
        "gopher://example.com/",
        "dict://example.com:11211/",
        "ws://example.com/",
        "javascript:alert(1)",
        "data:text/plain,x",
        "unix:///run/docker.sock",
        "http+unix://example.com/",
        "httpx://example.com/",
        "view-source:http://example.com/",
        "http://example.com:0/",
        "http://example.com:65536/",
        "http://example.com:-1/",
        "http://example.com:8o/",
        "http://example.com:\uff18\uff10/",
        "http://example.com:80:80/",
        "http://256.0.0.1/",
        "http://1.2.3.4.5/",
        "http://0x100000000/",
        "http://127.0.0.1.0x/",
        "http://09.0.0.1/",
        "http://[::1/",
        "http://::1/",
        "http://[::1]x/",
        "http://[fe80::1%25eth0]/",
        "http://[fe80::1%eth0]/",
        "http://[1::2::3]/",
        "http://[::ffff:256.0.0.1]/",
        "http://[v1.x]/",
        "http://exa mple.com/",
        "http://exa%20mple.com/",
        "http://exa%00mple.com/",
        "http://exa<mple.com/",
        "http://exa^mple.com/",
        "http://exa|mple.com/",
        "http://xn--/",
        "http://example.com\\@127.0.0.1/",
        "http:\\\\127.0.0.1\\",
        "http://example.com/\\",
        " http://example.com/",
        "http://example.com/ ",
        "http://example.com/\n",
        "ht\ntp://example.com/",
        "http://example.com/\r\nHost: other",
        "http://exam\tple.com/",
        "http://example.com/\x00",
        "http://example.com/\x7f",
        "\ufeffhttp://example.com/",
    ],
)
def test_whatever_is_read_differently_elsewhere_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"^must be a URL of http or https") as refused:
        parse_url(written)

    assert str(refused.value) == MUST


def test_every_control_character_is_refused_wherever_it_stands() -> None:
    for number in (*range(0x21), 0x7F, ord("\\")):
        for place in ("http://a.example/{}", "http://a{}.example/", "http://u{}@a.example/"):
            with pytest.raises(ValueError, match=MUST):
                parse_url(place.format(chr(number)))


def test_a_url_has_a_longest_length() -> None:
    longest = "http://a/".ljust(MAX_URL, "x")

    assert parse_url(longest).text == longest
    with pytest.raises(ValueError, match="at most 2048 characters"):
        parse_url(longest + "x")


@pytest.mark.parametrize(
    ("written", "text", "port"),
    [
        ("http://a", "http://a/", 80),
        ("https://a", "https://a/", 443),
        ("http://a:80/", "http://a/", 80),
        ("https://a:443/", "https://a/", 443),
        ("http://a:443/", "http://a:443/", 443),
        ("https://a:80/", "https://a:80/", 80),
        ("https://a:08443/x", "https://a:8443/x", 8443),
        ("http://a:65535/", "http://a:65535/", 65535),
        ("http://a:/", "http://a/", 80),
        ("http://[2001:DB8::1]:81/", "http://[2001:db8::1]:81/", 81),
        ("http://[2001:db8::1]/", "http://[2001:db8::1]/", 80),
        ("http://a./b", "http://a/b", 80),
        ("http://a?b=c", "http://a/?b=c", 80),
        ("http://a/?", "http://a/", 80),
        ("http://a/b#c", "http://a/b", 80),
        ("http://a/b?c#d?e", "http://a/b?c", 80),
        ("http://a/../b/./c/../d", "http://a/b/d", 80),
        ("http://a/%2e%2e/b", "http://a/b", 80),
        ("http://a/\u00e4?\u00f6", "http://a/%C3%A4?%C3%B6", 80),
        ("http://a/%0d%0aHost:b", "http://a/%0d%0aHost:b", 80),
        ("http://a/b%20c?d%20e", "http://a/b%20c?d%20e", 80),
        ("http://u:p@a/b", "http://a/b", 80),
        ("http://u@a:81/?q", "http://a:81/?q", 81),
    ],
)
def test_what_is_sent_is_written_in_one_way(written: str, text: str, port: int) -> None:
    url = parse_url(written)

    assert (url.text, url.port) == (text, port)
    assert parse_url(text).text == text


@pytest.mark.parametrize(
    ("written", "user", "password"),
    [
        ("http://a/", "", ""),
        ("http://u@a/", "u", ""),
        ("http://u:p@a/", "u", "p"),
        ("http://:p@a/", "", "p"),
        ("http://u:p:q@a/", "u", "p:q"),
        ("http://u:p%40q@a/", "u", "p@q"),
        ("http://u%3Av:p%25@a/", "u:v", "p%"),
        ("http://u:p@q@a/", "u", "p@q"),
        ("http://\u00fc:p\u00e4@a/", "\u00fc", "p\u00e4"),
    ],
)
def test_user_and_password_are_as_they_are_meant(written: str, user: str, password: str) -> None:
    url = parse_url(written)

    assert (url.user, url.password) == (user, password)
    assert url.text == "http://a/"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("https://u:s3cret@a/b", "https://a/b"),
        ("https://a/b?key=s3cret", "https://a/b?..."),
        ("https://a/b?key=s3cret?key=s3cret", "https://a/b?..."),
        ("https://a/b#s3cret", "https://a/b"),
        ("https://a/b?s3cret#s3cret", "https://a/b?..."),
        ("https://s3cret:s3cret@a:81/?s3cret", "https://a:81/?..."),
        ("https://a/%3Fb", "https://a/%3Fb"),
    ],
)
def test_what_is_shown_holds_no_secret(written: str, shown: str) -> None:
    assert parse_url(written).shown == shown


def test_an_origin_is_scheme_host_and_port() -> None:
    assert parse_url("https://u:p@A.example./b?c").origin == ("https", "a.example", 443)
    assert parse_url("https://a.example:443/").origin == parse_url("https://a.example/x").origin
    others = ("http://a.example/", "https://b.example/", "https://a.example:8443/")
    assert len({BASE.origin, *(parse_url(each).origin for each in others)}) == 4
