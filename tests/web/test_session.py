"""The token, its sessions, and guessing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.web.session import SESSION_SECONDS, Sessions, Tries


class Clock:
    """Time that moves when told to."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def test_a_session_holds_until_it_runs_out() -> None:
    clock = Clock()
    sessions = Sessions("open sesame", clock)
    cookie = sessions.begin()
    assert sessions.holds(cookie)
    clock.now += SESSION_SECONDS - 1
    assert sessions.holds(cookie)
    clock.now += 2
    assert not sessions.holds(cookie)


def test_a_changed_token_ends_all_sessions_and_another_process_honours_them() -> None:
    cookie = Sessions("open sesame").begin()
    assert Sessions("open sesame").holds(cookie)
    assert not Sessions("open sesam").holds(cookie)


def test_two_sessions_are_never_alike_and_do_not_hold_the_token() -> None:
    sessions = Sessions("open sesame", Clock())
    first, second = sessions.begin(), sessions.begin()
    assert first != second
    assert "open sesame" not in first


@given(st.text())
def test_no_made_up_cookie_is_a_session(cookie: str) -> None:
    assert not Sessions("open sesame").holds(cookie)


@given(st.integers(min_value=0), st.characters())
def test_a_tampered_session_is_refused(place: int, letter: str) -> None:
    sessions = Sessions("open sesame")
    cookie = sessions.begin()
    at = place % len(cookie)
    tampered = cookie[:at] + letter + cookie[at + 1 :]
    assert sessions.holds(tampered) == (tampered == cookie)


@pytest.mark.parametrize("token", ["", "open", "open sesame ", "OPEN SESAME", "open sesame\x00", "\ud800"])
def test_only_the_very_token_is_known(token: str) -> None:
    assert not Sessions("open sesame").knows(token)
    assert Sessions("open sesame").knows("open sesame")


def test_after_five_failed_tries_an_address_waits_and_others_do_not() -> None:
    clock = Clock()
    tries = Tries(limit=5, window=60, clock=clock)
    for _ in range(4):
        tries.failed("10.0.0.7")
    assert tries.wait("10.0.0.7") == 0
    tries.failed("10.0.0.7")
    assert tries.wait("10.0.0.7") == 60
    assert tries.wait("10.0.0.8") == 0
    clock.now += 61
    assert tries.wait("10.0.0.7") == 0


def test_tries_are_forgotten_one_by_one_and_never_pile_up() -> None:
    clock = Clock()
    tries = Tries(limit=1, window=60, addresses=10, clock=clock)
    for number in range(1_000):
        tries.failed(f"10.0.0.{number}")
    assert tries.wait("10.0.0.0") == 0
    assert tries.wait("10.0.0.999") == 60
