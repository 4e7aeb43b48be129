"""The door in: what is asked is carried out, and what came of it said in the person's language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest

from bot.catalogue import Catalogue
from bot.dialogue import (
    Accepted,
    Author,
    Channel,
    ChannelKind,
    Deletion,
    Granted,
    Manifest,
    Message,
    Platform,
    Request,
    Thread,
    Why,
    Wish,
)
from bot.ports import Door
from bot.reception import Reception
from tests.fakes import FakeWords, a_message

PLACE = Channel(Platform.SLACK, "T1", "C1", "1.0", ChannelKind.THREAD)
ANN = Author("U1", "Ann")
WORDS = Catalogue()
WHY = Why(7, "done", "m", Manifest(), (), 10, 5, 1, 1.5, None)


class FakeRecord:
    """All that stands behind the door, in memory."""

    def __init__(self) -> None:
        self.granted = Granted.DONE
        self.known: Why | None = WHY
        self.calls: list[tuple[str, Any]] = []
        self.chosen: dict[str, str] = {}
        self.place_language = ""

    async def accept(self, message: Message) -> Accepted:
        self.calls.append(("accept", message))
        return Accepted.NEW

    async def withdraw(self, deletion: Deletion) -> None:
        self.calls.append(("withdraw", deletion))

    async def stop(self, request: Request) -> Granted:
        return self._granted("stop", request)

    async def again(self, request: Request) -> Granted:
        return self._granted("again", request)

    async def vote(self, request: Request) -> Granted:
        return self._granted("vote", request)

    async def new(self, request: Request) -> Granted:
        return self._granted("new", request)

    async def listen(self, request: Request) -> Granted:
        return self._granted("listen", request)

    async def why(self, request: Request) -> Why | None:
        self.calls.append(("why", request))
        return self.known

    async def languages(self, platform: Platform, workspace: str, person_id: str) -> tuple[str, str]:
        return self.chosen.get(person_id, ""), self.place_language

    async def choose(self, platform: Platform, person_id: str, language: str) -> None:
        self.chosen[person_id] = language

    async def recent(self, platform: Platform, workspace: str, person_id: str) -> Sequence[Thread]:
        return [Thread(PLACE, f"of {person_id}", datetime.now(UTC))]

    async def left(self, platform: Platform, workspace: str) -> None:
        self.calls.append(("left", workspace))

    def _granted(self, name: str, request: Request) -> Granted:
        self.calls.append((name, request))
        return self.granted


@pytest.fixture
def record() -> FakeRecord:
    return FakeRecord()


@pytest.fixture
def door(record: FakeRecord) -> Door:
    return Reception(record, record, record, record, record, FakeWords())


def ask(wish: Wish, value: str = "", **rest: Any) -> Request:
    return Request(wish, rest.pop("person", ANN), rest.pop("channel", PLACE), value=value, **rest)


async def test_messages_deletions_and_removals_go_to_the_record(door: Door, record: FakeRecord) -> None:
    gone = Deletion(PLACE, ("1.0",), datetime.now(UTC))
    asked = a_message("Hi")
    assert await door.accept(asked) is Accepted.NEW
    await door.withdraw(gone)
    await door.left(Platform.SLACK, "T1")
    assert record.calls == [("accept", asked), ("withdraw", gone), ("left", "T1")]
    assert [thread.title for thread in await door.recent(Platform.SLACK, "T1", "U1")] == ["of U1"]


@pytest.mark.parametrize(
    ("wish", "call"),
    [
        (Wish.STOP, "stop"),
        (Wish.AGAIN, "again"),
        (Wish.NEW, "new"),
        (Wish.QUIET, "listen"),
        (Wish.JOIN, "listen"),
    ],
)
async def test_a_wish_is_carried_out_and_answered(
    door: Door, record: FakeRecord, wish: Wish, call: str
) -> None:
    request = ask(wish)
    reply = await door.request(request)
    assert record.calls == [(call, request)]
    assert (reply.text, reply.done) == (f"[en:wish-{wish}-done]", True)


@pytest.mark.parametrize(
    ("granted", "key", "done"),
    [
        (Granted.ALREADY, "wish-stop-already", True),
        (Granted.NOTHING, "wish-stop-nothing", False),
        (Granted.NOT_YOURS, "wish-not-yours", False),
        (Granted.GONE, "wish-gone", False),
    ],
)
async def test_what_is_refused_says_why(
    door: Door, record: FakeRecord, granted: Granted, key: str, done: bool
) -> None:
    record.granted = granted
    reply = await door.request(ask(Wish.STOP))
    assert (reply.text, reply.done) == (f"[en:{key}]", done)


@pytest.mark.parametrize(("value", "key"), [("up", "up"), ("down", "down"), ("", "taken-back")])
async def test_a_vote_is_thanked_for(door: Door, value: str, key: str) -> None:
    assert (await door.request(ask(Wish.VOTE, value))).text == f"[en:wish-vote-{key}]"


async def test_an_odd_vote_is_refused(door: Door, record: FakeRecord) -> None:
    reply = await door.request(ask(Wish.VOTE, "sideways"))
    assert (reply.text, reply.done, record.calls) == ("[en:wish-vote-unknown]", False, [])


@pytest.mark.parametrize(
    ("value", "tag"),
    [
        ("zh-CN", "zh-CN"),
        ("zh_TW", "zh-TW"),
        (" fr ", "fr"),
        ("English", "en"),
        ("繁體中文", "zh-TW"),
        ("繁体", "zh-TW"),
        ("Traditional Chinese", "zh-TW"),
    ],
)
async def test_a_chosen_language_is_kept_and_spoken_at_once(
    door: Door, record: FakeRecord, value: str, tag: str
) -> None:
    reply = await door.request(ask(Wish.LANGUAGE, value))
    assert (reply.text, record.chosen) == (f"[{tag}:wish-language-done]", {"U1": tag})
    assert (await door.request(ask(Wish.HELP))).text == f"[{tag}:wish-help]"
    assert await door.language(Platform.SLACK, "U1") == tag


@pytest.mark.parametrize("value", ["", "auto", "Automatic", "自动"])
async def test_no_language_leaves_it_to_the_messages(door: Door, record: FakeRecord, value: str) -> None:
    record.chosen["U1"] = "fr"
    reply = await door.request(ask(Wish.LANGUAGE, value))
    assert (reply.text, record.chosen) == ("[fr:wish-language-own]", {"U1": ""})


@pytest.mark.parametrize("value", ["Klingon!", "x", "en; DROP TABLE", "a" * 50])
async def test_what_is_no_language_is_refused(door: Door, record: FakeRecord, value: str) -> None:
    reply = await door.request(ask(Wish.LANGUAGE, value))
    assert (reply.done, record.chosen) == (False, {})


@pytest.mark.parametrize(
    ("chosen", "locale", "place", "workspace", "language"),
    [
        ("zh-TW", "fr", "de", "en", "zh-TW"),
        ("", "zh-CN", "de", "en", "zh-cn"),
        ("", "", "zh-TW", "en", "zh-tw"),
        ("", "", "", "zh-CN", "zh-cn"),
        ("", "", "", "", "en"),
    ],
)
async def test_a_person_is_spoken_to_in_their_choice_their_locale_or_the_place_s(
    record: FakeRecord, chosen: str, locale: str, place: str, workspace: str, language: str
) -> None:
    words = WORDS
    door = Reception(record, record, record, record, record, words)
    record.chosen["U1"], record.place_language = chosen, workspace
    person, channel = replace(ANN, locale=locale), replace(PLACE, language=place)
    reply = await door.request(ask(Wish.HELP, person=person, channel=channel))
    assert reply.text == words.say("wish-help", language)


async def test_why_is_told_where_there_is_something_to_tell(door: Door, record: FakeRecord) -> None:
    assert "[en:why-title]" in (await door.request(ask(Wish.WHY))).text
    record.known = None
    reply = await door.request(ask(Wish.WHY))
    assert (reply.text, reply.done) == ("[en:nothing-to-explain]", False)


REFUSED = {
    Wish.VOTE: {Granted.NOTHING},
    Wish.NEW: {Granted.NOTHING},
    Wish.QUIET: {Granted.ALREADY, Granted.NOTHING},
    Wish.JOIN: {Granted.ALREADY, Granted.NOTHING},
}
OUTCOMES = [
    (wish, granted)
    for wish, granted in product(Wish, Granted)
    if granted in {Granted.DONE, *REFUSED.get(wish, set(Granted))}
]


@pytest.mark.parametrize("language", ["en", "zh-CN", "zh-TW"])
@pytest.mark.parametrize(("wish", "granted"), OUTCOMES)
async def test_every_outcome_has_its_words_in_every_language(
    record: FakeRecord, wish: Wish, granted: Granted, language: str
) -> None:
    record.granted = granted
    record.chosen["U1"] = language
    door = Reception(record, record, record, record, record, WORDS)
    value = {Wish.VOTE: "up", Wish.LANGUAGE: language}.get(wish, "")
    reply = await door.request(ask(wish, value))
    assert reply.text
    assert "{" not in reply.text


@pytest.mark.parametrize("wish", list(Wish))
async def test_who_is_not_let_in_has_no_wish(record: FakeRecord, wish: Wish) -> None:
    def admits(author: Author, channel: Channel) -> bool:
        return author.id != ANN.id

    door = Reception(record, record, record, record, record, FakeWords(), admits)
    reply = await door.request(ask(wish, "up"))
    assert (reply.done, "wish-not-heard" in reply.text) == (False, True)
