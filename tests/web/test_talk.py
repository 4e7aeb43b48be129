"""Conversations over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest

from bot.dialogue import EntryState, Reply, Wish
from tests.web.conftest import Console
from tests.web.record import why


def message(text: str = "Hello", **other: object) -> dict[str, object]:
    return {"id": str(uuid4()), "text": text, "person": str(uuid4()), "name": "Mira", **other}


class Events:
    """The events of a thread's stream, as they come."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines
        self.comments = 0

    async def next(self) -> dict[str, Any]:
        """Read the next event's data."""
        kind, data = "", ""
        async with asyncio.timeout(10):
            async for line in self._lines:
                if line.startswith("event:"):
                    kind = line[6:].strip()
                elif line.startswith("data:"):
                    data += line[5:].strip()
                elif not line and data:
                    assert kind == "entries"
                    found: dict[str, Any] = json.loads(data)
                    return found
        raise EOFError

    async def until(self, state: str) -> dict[str, Any]:
        """Read on until an entry has the state."""
        while True:
            for entry in (await self.next())["entries"]:
                if entry["state"] == state:
                    return dict(entry)


@asynccontextmanager
async def stream(console: Console, thread: str) -> AsyncIterator[Events]:
    async with console.client.stream("GET", f"/api/threads/{thread}/events") as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        yield Events(answer.aiter_lines())


async def post(console: Console, thread: str, sent: dict[str, object], **headers: str) -> Any:
    return await console.client.post(f"/api/threads/{thread}/messages", json=sent, headers=headers)


async def test_a_message_goes_in_by_the_door_once_however_often_it_is_posted(console: Console) -> None:
    thread, sent = str(uuid4()), message("Hello")
    first = await post(console, thread, sent)
    again = await post(console, thread, sent)
    assert (first.status_code, first.json()["accepted"]) == (202, "new")
    assert (again.status_code, again.json()["accepted"]) == (202, "known")
    assert [kept.id for kept in console.record.messages] == [sent["id"]]


async def test_an_answer_streams_from_waiting_to_its_end(console: Console) -> None:
    thread = str(uuid4())
    async with stream(console, thread) as events:
        assert await events.next() == {"entries": [], "order": []}
        await post(console, thread, message("Hello"))
        assert (await events.until("waiting"))["html"] == ""
        await console.record.answer("One **tw", EntryState.WRITING)
        assert (await events.until("writing"))["html"] == "<p>One **tw</p>\n"
        await console.record.answer("One **two**")
        done = await events.until("done")
        assert done["html"] == "<p>One <strong>two</strong></p>\n"
        assert done["text"] == "One **two**"
        assert done["turn"] == 1


async def test_who_comes_back_gets_the_whole_state_first(console: Console) -> None:
    thread = str(uuid4())
    await post(console, thread, message("Hello"))
    await console.record.answer("Half an ans", EntryState.WRITING)
    for _ in range(2):
        async with stream(console, thread) as events:
            state = await events.next()
            assert [entry["state"] for entry in state["entries"]] == ["heard", "writing"]
            assert state["order"] == [entry["id"] for entry in state["entries"]]
            assert "Half an ans" in state["entries"][1]["html"]


async def test_only_what_changed_is_sent_and_quick_changes_become_one(console: Console) -> None:
    thread = str(uuid4())
    await post(console, thread, message("Hello"))
    async with stream(console, thread) as events:
        await events.next()
        for length in range(200):
            await console.record.answer("x" * length, EntryState.WRITING)
        await console.record.answer("whole")
        count = 0
        while True:
            news = await events.next()
            count += 1
            assert [entry["state"] for entry in news["entries"]] != ["heard"]
            assert len(news["entries"]) == 1
            assert "order" not in news
            if news["entries"][0]["state"] == "done":
                break
        assert count < 20


async def test_a_reader_who_leaves_is_not_followed_any_more(console: Console) -> None:
    async with stream(console, str(uuid4())) as events:
        await events.next()
        await console.record.followed(1)
    await console.record.followed(0)


async def test_a_stream_ends_when_the_database_goes_and_can_be_opened_again(console: Console) -> None:
    thread = str(uuid4())
    async with stream(console, thread) as events:
        await events.next()
        console.record.down = True
        await console.record.wake()
        with pytest.raises(EOFError):
            await events.next()
    console.record.down = False
    async with stream(console, thread) as events:
        assert (await events.next())["entries"] == []


async def test_what_was_written_is_sent_as_it_is_and_what_was_answered_as_safe_html(console: Console) -> None:
    thread, attack = str(uuid4()), "<img src=x onerror=alert(1)>"
    await post(console, thread, message(attack))
    await console.record.answer(attack)
    entries = (await console.client.get(f"/api/threads/{thread}/entries")).json()["entries"]
    assert entries[0]["text"] == attack
    assert "html" not in entries[0]
    assert entries[1]["html"] == "<p>&lt;img src=x onerror=alert(1)&gt;</p>\n"


@pytest.mark.parametrize("text", ["", "   \n\t ", "\x00\x00"])
async def test_an_empty_message_is_refused_in_words(console: Console, text: str) -> None:
    answer = await post(console, str(uuid4()), message(text))
    assert (answer.status_code, answer.json()["reason"]) == (422, "empty")
    assert not console.record.messages


@pytest.mark.parametrize("letter", ["x", "汉", "😀", "\n.", '"'])
async def test_forty_thousand_characters_are_taken(console: Console, letter: str) -> None:
    text = (letter * 40_000)[:40_000].strip()
    assert (await post(console, str(uuid4()), message(text))).status_code == 202
    assert console.record.messages[0].text == text


async def test_more_than_that_is_refused_in_words(console: Console) -> None:
    answer = await post(console, str(uuid4()), message("x" * 40_001))
    assert answer.status_code == 413
    assert "40,000" in answer.json()["error"]
    endless = await console.client.post(f"/api/threads/{uuid4()}/messages", content=b"x" * 300_000)
    assert endless.status_code == 413
    assert not console.record.messages


@pytest.mark.parametrize("text", ["😀🎉", "مرحبا بالعالم", "a\x00b", "\u202egnp.exe", "𝕳𝖊𝖑𝖑𝖔"])
async def test_odd_texts_are_taken(console: Console, text: str) -> None:
    assert (await post(console, str(uuid4()), message(text))).status_code == 202
    assert console.record.messages[0].text == text.replace("\x00", "")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"id": 1}', b"\xff\xfe", b'{"id":"x","text":"y","person":"z"}', b"null"]
)
async def test_what_is_no_message_is_refused_in_words(console: Console, body: bytes) -> None:
    answer = await console.client.post(f"/api/threads/{uuid4()}/messages", content=body)
    assert (answer.status_code, answer.json()["reason"]) == (422, "malformed")


async def test_words_come_in_the_reader_s_language(console: Console) -> None:
    answer = await post(console, str(uuid4()), message(""), **{"accept-language": "zh-CN"})
    assert "消息是空的" in answer.json()["error"]
    await post(console, str(uuid4()), message("hi", name="", locale="zh-CN"))
    assert console.record.messages[0].author.name == "访客"


async def test_a_message_is_not_taken_while_the_database_is_away(console: Console) -> None:
    console.record.down = True
    thread, sent = str(uuid4()), message()
    answer = await post(console, thread, sent)
    assert (answer.status_code, answer.json()["reason"]) == (503, "store-down")
    assert answer.headers["retry-after"] == "2"
    console.record.down = False
    assert (await post(console, thread, sent)).json()["accepted"] == "new"


async def test_whoever_is_not_heard_is_told_so(console: Console) -> None:
    console.record.ignoring = True
    assert (await post(console, str(uuid4()), message())).status_code == 403


async def test_another_site_s_message_is_not_taken(console: Console) -> None:
    for headers in ({"sec-fetch-site": "same-site"}, {"origin": "http://evil.example"}):
        assert (await post(console, str(uuid4()), message(), **headers)).status_code == 403
    assert not console.record.messages


async def test_threads_are_listed_newest_first(console: Console) -> None:
    older, newer = str(uuid4()), str(uuid4())
    await post(console, older, message("Older"))
    await post(console, newer, message("Newer"))
    listed = (await console.client.get("/api/threads")).json()["threads"]
    assert [(line["id"], line["title"]) for line in listed] == [(newer, "Newer"), (older, "Older")]


async def test_the_reasons_of_an_answer_are_told(console: Console) -> None:
    thread = str(uuid4())
    await post(console, thread, message())
    console.record.reasons[1] = why(1)
    told = (await console.client.get(f"/api/threads/{thread}/turns/1/why")).json()
    assert told["model"] == "gpt-oss-20b"
    assert [reason["reading"] for reason in told["reasons"]] == ["left-out", "summary", "whole"]
    assert told["budget"] == 14_000
    assert told["files"] == ["parcels.csv (rows: 12)", "slides.key (not read: of a kind I cannot read)"]
    assert sum(span["tokens"] for span in told["left_out"]) == 5_120


async def test_the_reasons_of_another_place_are_not_told(console: Console) -> None:
    """Turn numbers can be guessed, and another channel's messages are nobody else's business."""
    console.record.reasons[1] = why(1)
    await post(console, str(uuid4()), message())
    answer = await console.client.get(f"/api/threads/{uuid4()}/turns/1/why")
    assert answer.status_code == 404
    assert "reasons" not in answer.json()


@pytest.mark.parametrize("thread", ["1", "../slack", "x" * 36, "c5dee2e6-27ad-44f0-9114-a522f05806650"])
async def test_a_thread_is_named_by_a_uuid_or_not_at_all(console: Console, thread: str) -> None:
    assert (await console.client.get(f"/api/threads/{thread}/entries")).status_code == 404


async def test_a_wish_goes_through_the_door_and_says_what_came_of_it(console: Console) -> None:
    thread, person = uuid4(), str(uuid4())
    console.record.replies[Wish.STOP] = Reply("It has ended already.", done=False)
    voted = await console.client.post(
        f"/api/threads/{thread}/turns/3/wishes", json={"wish": "vote", "value": "up", "person": person}
    )
    stopped = await console.client.post(
        f"/api/threads/{thread}/turns/3/wishes", json={"wish": "stop", "person": person}
    )
    assert (voted.status_code, voted.json()["done"]) == (200, True)
    assert (stopped.status_code, stopped.json()["text"]) == (409, "It has ended already.")
    assert [(request.wish, request.turn) for request in console.record.requests] == [
        (Wish.VOTE, 3),
        (Wish.STOP, 3),
    ]


async def test_a_malformed_wish_is_told(console: Console) -> None:
    answer = await console.client.post(f"/api/threads/{uuid4()}/turns/3/wishes", json={"wish": "sing"})
    assert answer.status_code == 422
    assert console.record.requests == []
