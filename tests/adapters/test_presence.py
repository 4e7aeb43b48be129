"""Which connections stand."""

from __future__ import annotations

from bot.adapters.presence import Presence


def test_it_is_whole_while_every_connection_that_is_wanted_stands() -> None:
    presence = Presence()
    assert presence.whole()  # nothing is wanted of it
    presence.down("0")
    presence.up("1")
    assert not presence.whole()
    presence.up("0")
    assert presence.whole()
    presence.down("0")
    presence.forget("0")  # another process has it now
    assert presence.whole()


def test_where_nothing_is_wanted_all_is_well_but_nothing_is_heard() -> None:
    presence = Presence()
    assert (presence.whole(), presence.some()) == (True, False)
    presence.down("1")
    presence.up("2")
    assert (presence.whole(), presence.some()) == (False, True)
