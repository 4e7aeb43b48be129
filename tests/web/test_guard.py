"""Who may come in."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.web.guard import Knock, Refusal, bearer, is_loopback, refuse_cross_site, refuse_stranger

LOCAL = Knock("GET", "/", "127.0.0.1", ("127.0.0.1:8080",), {"host": "127.0.0.1:8080"})


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8080", "127.0.0.1", "localhost", "localhost:1", "LocalHost:8080", "[::1]:8080", "[::1]"],
)
def test_a_loopback_name_is_let_in(host: str) -> None:
    assert refuse_stranger(replace(LOCAL, hosts=(host,)), bound_to_loopback=True) is None


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "evil.example:8080",
        "localhost@evil.example", "127.0.0.1 evil", "127.0.0.2", "0.0.0.0", "[::]", "::1", "", " localhost",
        "localhost:", "localhost:8080:1", "localhost\n", "192.168.1.4:8080", "2130706433", "0x7f.1",
        "[::ffff:127.0.0.1]",
    ],
)  # fmt: skip
def test_any_other_name_is_refused(host: str) -> None:
    assert refuse_stranger(replace(LOCAL, hosts=(host,)), bound_to_loopback=True) is Refusal.NOT_LOCAL


def test_no_host_and_two_hosts_are_refused() -> None:
    for hosts in ((), ("localhost", "evil.example"), ("localhost", "localhost")):
        assert refuse_stranger(replace(LOCAL, hosts=hosts), bound_to_loopback=True) is Refusal.NOT_LOCAL


@pytest.mark.parametrize(
    "name",
    [
        "forwarded", "via", "x-forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto",
        "x-forwarded-anything", "x-real-ip", "x-client-ip", "cf-connecting-ip", "cf-ray", "cdn-loop",
        "true-client-ip", "x-original-host", "x-cluster-client-ip", "fly-client-ip", "tailscale-user-login",
        "X-Forwarded-For", "Via",
    ],
)  # fmt: skip
def test_what_came_through_a_proxy_is_refused(name: str) -> None:
    knock = replace(LOCAL, headers={**LOCAL.headers, name: "127.0.0.1"})
    assert refuse_stranger(knock, bound_to_loopback=True) is Refusal.NOT_LOCAL


@pytest.mark.parametrize("client", ["10.0.0.7", "192.168.1.4", "", "evil", "2001:db8::1", "0.0.0.0", "::"])
def test_a_client_elsewhere_is_refused(client: str) -> None:
    assert refuse_stranger(replace(LOCAL, client=client), bound_to_loopback=True) is Refusal.NOT_LOCAL


def test_nobody_is_let_in_without_a_token_where_others_can_reach_the_port() -> None:
    assert refuse_stranger(LOCAL, bound_to_loopback=False) is Refusal.NOT_LOCAL


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost", "LOCALHOST", "::ffff:127.0.0.1"]
)
def test_loopback_addresses_are_known(address: str) -> None:
    assert is_loopback(address)


@given(st.ip_addresses())
def test_every_other_address_is_not_loopback(address: object) -> None:
    expected = str(address).startswith("127.") or str(address) == "::1"
    mapped = getattr(address, "ipv4_mapped", None)
    assert is_loopback(str(address)) == (expected or bool(mapped and mapped.is_loopback))


@given(st.text())
def test_no_text_that_is_no_address_counts_as_loopback(text: str) -> None:
    if is_loopback(text):
        assert text.lower() == "localhost" or "127." in text or ":" in text


POST = replace(LOCAL, method="POST", path="/api/threads/x/messages")


@pytest.mark.parametrize("site", ["cross-site", "same-site", "nonsense", ""])
def test_another_site_cannot_post(site: str) -> None:
    knock = replace(POST, headers={**POST.headers, "sec-fetch-site": site})
    assert refuse_cross_site(knock) is Refusal.CROSS_SITE


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_the_page_itself_can_post(site: str) -> None:
    assert refuse_cross_site(replace(POST, headers={**POST.headers, "sec-fetch-site": site})) is None


@pytest.mark.parametrize(
    "origin",
    ["null", "https://evil.example", "http://localhost:8080", "http://127.0.0.1:9999", "file://127.0.0.1:8080",
     "http://127.0.0.1:8080.evil.example", "http://[", ""],
)  # fmt: skip
def test_an_older_browser_is_judged_by_its_origin(origin: str) -> None:
    assert refuse_cross_site(replace(POST, headers={"origin": origin})) is Refusal.CROSS_SITE
    assert refuse_cross_site(replace(POST, headers={"origin": "http://127.0.0.1:8080"})) is None


def test_a_program_that_is_no_browser_can_post() -> None:
    assert refuse_cross_site(POST) is None


def test_another_site_cannot_read_the_stream_but_may_link_to_the_page() -> None:
    headers = {"sec-fetch-site": "cross-site"}
    stream = replace(LOCAL, path="/api/threads/x/events", headers=headers)
    assert refuse_cross_site(stream) is Refusal.CROSS_SITE
    assert refuse_cross_site(replace(LOCAL, headers=headers)) is None


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer abc", "abc"),
        ("bearer  abc ", "abc"),
        ("Basic abc", ""),
        ("abc", ""),
        ("", ""),
        ("Bearer", ""),
    ],
)
def test_a_bearer_token_is_read(header: str, token: str) -> None:
    assert bearer({"authorization": header}) == token
