"""Deletions, words of command, a stop and a removal come through the door before they are acknowledged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.slack import SlackAdapter
from bot.adapters.slack.events import deletion, removed, team_of
from bot.adapters.slack.reading import moment
from bot.dialogue import ChannelKind, Platform, Reply, Wish
from bot.errors import StoreDown
from tests.adapters.slack.talk import DIRECT, GENERAL, listening
from tests.doubles.slack import SlackDouble
from tests.fakes import FakeDoor

RECORDINGS = Path(__file__).resolve().parents[2] / "recordings" / "slack"


def all_acked(slack: SlackDouble) -> bool:
    return all(delivery.acked for delivery in slack.sockets.deliveries)


@pytest.mark.parametrize(
    ("text", "wish", "value"),
    [
        ("<@U0BOT> stop", Wish.STOP, ""),
        ("<@U0BOT>: why?", Wish.WHY, ""),
        ("<@U0BOT> 为什么？", Wish.WHY, ""),
        ("重来 <@U0BOT>", Wish.AGAIN, ""),
        ("<@U0BOT> be quiet", Wish.QUIET, ""),
        ("<@U0BOT> language zh-TW", Wish.LANGUAGE, "zh-TW"),
    ],
)
async def test_a_word_of_command_is_carried_out_and_answered_to_that_person_alone(
    slack: SlackDouble, adapter: SlackAdapter, text: str, wish: Wish, value: str
) -> None:
    door = FakeDoor()
    async with listening(slack, adapter, door):
        root = await slack.say("U0BEA", GENERAL, "a thread")
        await slack.say("U0ANN", GENERAL, text, thread=root)
        await slack.until(lambda: slack.whispers("U0ANN"))
        await slack.until(lambda: all_acked(slack))
    (request,) = door.requests  # though the mention came twice
    assert (request.wish, request.value, request.person.name) == (wish, value, "Ann")
    assert (request.channel.root, request.message_id) == (root, "")
    assert not request.moderator
    (whisper,) = slack.space.whispers
    assert (whisper.user, whisper.channel, whisper.thread, whisper.text) == (
        "U0ANN",
        GENERAL,
        root,
        f"[{wish}]",
    )
    assert [message.text for message in door.messages] == ["a thread"]


async def test_who_administers_the_workspace_is_a_moderator(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    door = FakeDoor()
    async with listening(slack, adapter, door):
        await slack.say("U0ADA", GENERAL, "<@U0BOT> stop")
        await slack.until(lambda: slack.whispers("U0ADA"))
    assert [request.moderator for request in door.requests] == [True]
    assert slack.space.whispers[0].thread == ""  # nobody else wrote in that thread: it would not be seen


async def test_in_a_direct_message_the_answer_to_a_word_is_a_message(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    door = FakeDoor()
    async with listening(slack, adapter, door):
        ts = await slack.say("U0ANN", DIRECT, "new")
        await slack.until(lambda: slack.answers(DIRECT))
    assert [(request.wish, request.asked_at) for request in door.requests] == [(Wish.NEW, moment(ts))]
    assert [post.text for post in slack.answers(DIRECT)] == ["[new]"]


@pytest.mark.parametrize(
    ("channel", "text", "files"),
    [
        (DIRECT, "why?", ()),  # the next question of a talk
        (DIRECT, "stop", ("plan.pdf",)),
        (GENERAL, "<@U0BOT> why is the sky blue?", ()),
        (GENERAL, "<@U0BEA> stop", ()),
        (GENERAL, "stop", ()),
    ],
)
async def test_a_question_is_no_command(
    slack: SlackDouble, adapter: SlackAdapter, channel: str, text: str, files: tuple[str, ...]
) -> None:
    door = FakeDoor()
    async with listening(slack, adapter, door):
        await slack.say("U0ANN", channel, text, files=files)
        await slack.until(lambda: all_acked(slack))
    assert door.requests == []
    assert len(door.messages) == 1


async def test_a_wish_that_cannot_be_kept_is_not_acknowledged(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    door = FakeDoor()
    door.error = StoreDown("no database")
    async with listening(slack, adapter, door):
        await slack.say("U0ANN", DIRECT, "stop")
        await slack.until(lambda: slack.called("users.info"))
        door.error = None
        assert not slack.sockets.deliveries[0].acked
        await slack.sockets.redeliver()
        await slack.until(lambda: all_acked(slack))
    assert [request.wish for request in door.requests] == [Wish.STOP]


async def test_what_is_deleted_is_withdrawn(slack: SlackDouble, adapter: SlackAdapter) -> None:
    door = FakeDoor()
    async with listening(slack, adapter, door):
        root = await slack.say("U0ANN", GENERAL, "<@U0BOT> one")
        reply = await slack.say("U0ANN", GENERAL, "two", thread=root)
        await slack.delete(GENERAL, reply)
        direct = await slack.say("U0ANN", DIRECT, "three")
        await slack.delete(DIRECT, direct)
        await slack.until(lambda: all_acked(slack))
    first, second = sorted(door.deletions, key=lambda gone: gone.channel.id)
    assert (first.message_ids, first.channel.root, first.channel.id) == ((reply,), root, GENERAL)
    assert (second.message_ids, second.channel.root) == ((direct,), "")
    assert second.channel.kind is ChannelKind.DIRECT


async def test_the_deleted_root_of_a_thread_is_withdrawn_though_slack_keeps_its_place(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    door = FakeDoor()
    async with listening(slack, adapter, door):
        root = await slack.say("U0ANN", GENERAL, "<@U0BOT> one")
        await slack.say("U0BEA", GENERAL, "two", thread=root)
        await slack.delete(GENERAL, root)
        await slack.until(lambda: door.deletions)
    assert [(gone.message_ids, gone.channel.root) for gone in door.deletions] == [((root,), root)]


async def test_a_deletion_that_cannot_be_kept_comes_again(slack: SlackDouble, adapter: SlackAdapter) -> None:
    door = FakeDoor()
    async with listening(slack, adapter, door):
        ts = await slack.say("U0ANN", DIRECT, "one")
        await slack.until(lambda: all_acked(slack))
        door.error = StoreDown("no database")
        delivery = await slack.delete(DIRECT, ts)
        await slack.sockets.deliver({"type": "reaction_added"})
        await slack.until(lambda: slack.sockets.deliveries[-1].acked)
        assert not delivery.acked
        door.error = None
        await slack.sockets.redeliver()
        await slack.until(lambda: all_acked(slack))
    assert [gone.message_ids for gone in door.deletions] == [(ts,)]


async def test_slacks_own_stop_button_stops_the_answer(slack: SlackDouble, adapter: SlackAdapter) -> None:
    door = FakeDoor()
    door.replies[Wish.STOP] = Reply("Only the asker may.", done=False)
    async with listening(slack, adapter, door):
        root = await slack.say("U0ANN", GENERAL, "<@U0BOT> tell me all")
        await slack.stop("U0BEA", GENERAL, root)
        await slack.until(lambda: slack.whispers("U0BEA"))
    (request,) = door.requests
    assert (request.wish, request.channel.root, request.person.id) == (Wish.STOP, root, "U0BEA")
    assert slack.whispers("U0BEA") == ["Only the asker may."]


@pytest.mark.parametrize(
    "event",
    [{"type": "app_uninstalled"}, {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": ["U0BOT"]}}],
)
async def test_a_removed_bot_has_left(
    slack: SlackDouble, adapter: SlackAdapter, event: dict[str, Any]
) -> None:
    door = FakeDoor()
    async with listening(slack, adapter, door):
        await slack.sockets.deliver(event)
        await slack.until(lambda: all_acked(slack))
    assert door.left_places == [(Platform.SLACK, "T0001")]


async def test_a_person_who_leaves_takes_nothing_along(slack: SlackDouble, adapter: SlackAdapter) -> None:
    door = FakeDoor()
    async with listening(slack, adapter, door):
        await slack.sockets.deliver({"type": "tokens_revoked", "tokens": {"oauth": ["U1"], "bot": []}})
        await slack.until(lambda: all_acked(slack))
    assert door.left_places == []


async def test_a_deleted_channel_is_withdrawn_whole(slack: SlackDouble, adapter: SlackAdapter) -> None:
    door = FakeDoor()
    async with listening(slack, adapter, door):
        event = {"type": "channel_deleted", "channel": GENERAL, "event_ts": "1763913600.000100"}
        await slack.sockets.deliver(event)
        await slack.until(lambda: all_acked(slack))
    assert [(gone.channel.id, gone.message_ids) for gone in door.deletions] == [(GENERAL, ())]


async def test_a_message_is_taken_once_though_it_is_named_twice(
    slack: SlackDouble, adapter: SlackAdapter
) -> None:
    taken: list[str] = []

    class Counting(FakeDoor):
        async def accept(self, message: Any) -> Any:
            taken.append(message.id)
            return await super().accept(message)

    async with listening(slack, adapter, Counting()):
        ts = await slack.say("U0ANN", GENERAL, "<@U0BOT> hello")
        await slack.until(lambda: all_acked(slack))
    assert taken == [ts]


def test_the_recorded_deletion_is_read() -> None:
    event = json.loads((RECORDINGS / "message-deleted.json").read_text("utf-8"))
    found = deletion(event.get("event", event), "T1")
    assert found is not None
    assert len(found.message_ids) == 1
    assert found.deleted_at.year > 2000


@pytest.mark.parametrize(
    "event",
    [
        {"type": "message", "subtype": "message_deleted", "deleted_ts": "1.0", "ts": "2.0"},
        {"type": "message", "subtype": "message_deleted", "deleted_ts": "1.0", "channel": "C1", "ts": "soon"},
        {"type": "channel_deleted", "channel": 7, "event_ts": "1.0"},
    ],
)
def test_an_odd_deletion_is_refused(event: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        deletion(event, "T1")


def test_what_is_no_removal_is_none() -> None:
    assert not removed({"type": "tokens_revoked", "tokens": "x"})
    assert not removed({"type": "message"})


@pytest.mark.parametrize(
    ("body", "team"),
    [
        ({"team_id": "T1", "event": {}}, "T1"),
        ({"team_id": "T2", "authorizations": [{"team_id": "T1"}]}, "T1"),
        ({"team_id": "T1", "authorizations": []}, "T1"),
        ({"team": {"id": "T1"}, "user": {"team_id": "T2"}}, "T1"),
        ({"team": None, "user": {"team_id": "T1"}}, "T1"),
        ({"team": {"id": "T2"}, "view": {"app_installed_team_id": "T1"}}, "T1"),
        ({"team": ["odd"], "authorizations": ["odd"], "view": "odd", "team_id": 7}, ""),
    ],
)
def test_the_workspace_is_the_one_that_installed_the_app(body: dict[str, Any], team: str) -> None:
    assert team_of(body) == team
