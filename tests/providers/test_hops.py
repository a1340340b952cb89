"""Where a download may be led, URL by URL and address by address."""

from __future__ import annotations

import pytest

from pipeline.errors import Misled
from pipeline.providers.hops import check_address, home_of, is_public, led_to, next_hop

GATE = home_of("https://gate.example/v1")
SANDBOX = home_of("http://127.0.0.1:8000/v1")
CONTENT = home_of("https://gate.example/v1/videos/video_1/content")


@pytest.mark.parametrize(
    ("location", "url", "at_home"),
    [
        ("https://cdn.example/film.mp4?sig=a%2Fb&x=1", "https://cdn.example/film.mp4?sig=a%2Fb&x=1", False),
        ("https://CDN.Example.:443/film", "https://cdn.example/film", False),
        ("https://cdn.example", "https://cdn.example/", False),
        ("//cdn.example/film", "https://cdn.example/film", False),
        ("https://cdn.example/film#part", "https://cdn.example/film", False),
        ("https://cdn.example/fïlm", "https://cdn.example/f%EFlm", False),
        ("https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/", False),
        ("https://bucket_1.s3.example/", "https://bucket_1.s3.example/", False),
        ("https://8.8.8.8/film", "https://8.8.8.8/film", False),
        ("https://[2606:4700:0::1111]/film", "https://[2606:4700::1111]/film", False),
        ("https://gate.example:8443/film", "https://gate.example:8443/film", False),
        ("/files/film", "https://gate.example/files/film", True),
        ("elsewhere?x=1", "https://gate.example/v1/videos/video_1/elsewhere?x=1", True),
        ("https://gate.example/files/film", "https://gate.example/files/film", True),
        ("https://GATE.example.:443/files", "https://gate.example/files", True),
    ],
)
def test_a_location_is_read_in_its_one_normal_form(location: str, url: str, at_home: bool) -> None:
    hop = next_hop(CONTENT, location, home=GATE)

    assert (hop.url, hop.at_home) == (url, at_home)


@pytest.mark.parametrize(
    "location",
    [
        "",
        "http://cdn.example/film",
        "http://gate.example/film",
        "ftp://cdn.example/film",
        "file:///etc/passwd",
        "https://user@cdn.example/",
        "https://user:password@gate.example/",
        "https://gate.example@cdn.example/",
        "https://cdn.example\\@gate.example/",
        "https://cdn.example/a b",
        "https://cdn.example/\ta",
        "https://cdn.example/\x00",
        "https://cdn.example:0/",
        "https://cdn.example:65536/",
        "https://cdn.example:4a3/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.0.0.1/",
        "https://0177.0.0.1/",
        "https://1.2.3.4.5/",
        "https://256.1.1.1/",
        "https://[fe80::1%25eth0]/",
        "https://[::g]/",
        "https://[::1/",
        "https://cdn..example/",
        "https://-cdn.example/",
        "https://cdn.example../",
        "https://\xefdn.example/",
        "https://%63dn.example/",
        f"https://{'a' * 64}.example/",
        f"https://{'a.' * 130}example/",
        "https://",
        "https:cdn.example/",
        f"https://cdn.example/{'a' * 8192}",
    ],
)
def test_what_is_no_https_url_or_could_be_read_in_two_ways_is_not_followed(location: str) -> None:
    with pytest.raises(Misled):
        next_hop(CONTENT, location, home=GATE)


def test_who_was_led_away_is_not_at_home_again() -> None:
    away = next_hop(CONTENT, "https://cdn.example/", home=GATE)

    back = next_hop(away, "https://gate.example/v1/videos", home=GATE)

    assert back.origin == GATE.origin
    assert not back.at_home


def test_plain_http_is_followed_on_this_machine_only_and_only_from_there() -> None:
    assert next_hop(SANDBOX, "http://localhost:9000/film", home=SANDBOX).url == "http://localhost:9000/film"
    with pytest.raises(Misled, match="not https"):
        next_hop(SANDBOX, "http://cdn.example/film", home=SANDBOX)
    with pytest.raises(Misled, match="not https"):
        next_hop(CONTENT, "http://127.0.0.1/film", home=GATE)


def test_a_refusal_says_where_without_the_query() -> None:
    with pytest.raises(Misled) as caught:
        next_hop(CONTENT, "http://cdn.example/film?signature=secret", home=GATE)

    assert str(caught.value) == "it is redirected to http://cdn.example/film, and is not followed: that is not https"


@pytest.mark.parametrize(("status", "followed"), [(301, True), (302, True), (303, True), (307, True), (308, True)])
def test_a_redirect_leads_where_its_location_says(status: int, followed: bool) -> None:
    assert (led_to(status, {"location": "/x"}) == "/x") is followed
    assert led_to(status, {}) is None


@pytest.mark.parametrize("status", [200, 201, 300, 304, 305, 306, 404, 503])
def test_no_other_answer_leads_anywhere(status: int) -> None:
    assert led_to(status, {"location": "/x"}) is None


PUBLIC = ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "2002:808:808::1", "64:ff9b::8.8.8.8"]
NOT_PUBLIC = [
    *("10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "fc00::1", "fec0::1"),  # private, shared
    *("169.254.169.254", "fe80::1", "fe80::1%eth0", "fd00:ec2::254"),  # link-local, a cloud's own
    *("127.0.0.1", "127.255.255.254", "::1"),  # this machine
    *("0.0.0.0", "::", "224.0.0.1", "255.255.255.255", "ff02::1"),  # nobody, everybody
    *("192.0.2.1", "198.18.0.1", "240.0.0.1", "2001:db8::1"),  # reserved
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::8.8.8.8"),  # IPv4 in IPv6's clothes
    *("2002:a00:1::1", "2002:7f00:1::", "64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b:1::8.8.8.8"),
    *("2001:0:808:808::1", "", "gate.example", "127.1"),
]


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_on_the_open_internet_may_be_reached(address: str) -> None:
    assert is_public(address)
    check_address(next_hop(CONTENT, "https://cdn.example/", home=GATE), address, home=GATE, admits=is_public)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_no_other_address_may(address: str) -> None:
    assert not is_public(address)
    with pytest.raises(Misled, match="no public address"):
        check_address(next_hop(CONTENT, "https://cdn.example/", home=GATE), address, home=GATE, admits=is_public)


def test_the_configured_origin_may_be_anywhere() -> None:
    home = home_of("https://gpu.lan:8443/v1")
    check_address(next_hop(home, "/film", home=home), "10.0.0.5", home=home, admits=is_public)
    with pytest.raises(Misled):
        check_address(next_hop(home, "https://gpu.lan/film", home=home), "10.0.0.5", home=home, admits=is_public)


def test_a_provider_on_this_machine_may_lead_to_this_machine_and_no_further() -> None:
    there = next_hop(SANDBOX, "http://localhost:9000/film", home=SANDBOX)
    check_address(there, "127.0.0.1", home=SANDBOX, admits=is_public)
    with pytest.raises(Misled):
        check_address(there, "169.254.169.254", home=SANDBOX, admits=is_public)
