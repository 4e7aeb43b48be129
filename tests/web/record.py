"""A record in memory that keeps the promises of `Door` and `Transcripts`, answered by the test itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from bot.dialogue import (
    Accepted,
    Channel,
    Entry,
    EntryState,
    Manifest,
    Message,
    Platform,
    Reading,
    Reason,
    Span,
    SummarySpan,
    Thread,
    Why,
)
from bot.errors import StoreDown
from tests.fakes import FakeDoor


class FakeRecord(FakeDoor):
    """Messages and answers by channel id; every change wakes whoever follows."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[Message] = []
        self.entries: dict[str, list[Entry]] = {}
        self.titles: dict[str, str] = {}
        self.reasons: dict[int, Why] = {}
        self.followers = 0
        self.down = False
        self.ignoring = False
        self._changed = asyncio.Condition()

    async def accept(self, message: Message) -> Accepted:
        if self.down:
            raise StoreDown("the database is away")
        if self.ignoring:
            return Accepted.IGNORED
        if any(known.key == message.key for known in self.messages):
            return Accepted.KNOWN
        self.messages.append(message)
        self.titles.setdefault(message.channel.id, message.channel.name)
        turn = len(self.messages)
        name, at = message.author.name, message.sent_at
        heard = Entry(message.id, name, message.text, EntryState.HEARD, at, turn)
        waiting = Entry(f"answer-{turn}", "", "", EntryState.WAITING, at, turn)
        self.entries.setdefault(message.channel.id, []).extend([heard, waiting])
        await self.wake()
        return Accepted.NEW

    async def answer(self, text: str, state: EntryState = EntryState.DONE, turn: int = 0) -> None:
        """Let the answer of a turn (the newest by default) hold this text."""
        wanted = turn or len(self.messages)
        for entries in self.entries.values():
            for index, entry in enumerate(entries):
                if entry.turn == wanted and entry.state is not EntryState.HEARD:
                    entries[index] = replace(entry, text=text, state=state)
        await self.wake()

    async def heard(self, count: int) -> Message:
        """Wait until so many messages were accepted, and return the last of them."""
        async with asyncio.timeout(10), self._changed:
            await self._changed.wait_for(lambda: len(self.messages) >= count)
        return self.messages[count - 1]

    async def followed(self, count: int) -> None:
        """Wait until so many are following changes."""
        async with asyncio.timeout(10), self._changed:
            await self._changed.wait_for(lambda: self.followers == count)

    async def wake(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def threads(self, platform: Platform, limit: int = 50) -> Sequence[Thread]:
        self._check()
        newest = {message.channel.id: message for message in self.messages}
        return [
            Thread(message.channel, self.titles[key], message.sent_at)
            for key, message in reversed(newest.items())
        ][:limit]

    async def read(self, channel: Channel, limit: int = 200) -> Sequence[Entry]:
        self._check()
        return list(self.entries.get(channel.id, ()))[-limit:]

    async def changes(self, channel: Channel) -> AsyncIterator[None]:
        self.followers += 1
        await self.wake()
        try:
            yield None
            while True:
                async with self._changed:
                    await self._changed.wait()
                yield None
        finally:
            self.followers -= 1
            async with self._changed:
                self._changed.notify_all()

    async def why(self, turn: int) -> Why | None:
        return self.reasons.get(turn)

    async def turn_of(self, channel: Channel, message_id: str = "") -> int:
        return max((entry.turn for entry in self.entries.get(channel.id, ())), default=0)

    def _check(self) -> None:
        if self.down:
            raise StoreDown("the database is away")


def why(turn: int) -> Why:
    """Reasons of every kind, for one answer."""
    manifest = Manifest(
        whole=(Span(41, 43, 96),),
        summarised=(SummarySpan(7, 2, 1, 40, 210),),
        left_out=(Span(-80, 0, 5_120),),
        budget=14_000,
        tokens=1_240,
        model="gpt-oss-20b",
        files=("parcels.csv (rows: 12)", "slides.key (not read: of a kind I cannot read)"),
        notes=("The thread was read from its beginning first.",),
    )
    reasons = (
        Reason(Reading.LEFT_OUT, "Mira", "Does anybody still have the slides of the spring meeting?", 14),
        Reason(
            Reading.SUMMARY,
            "Summary",
            "Mira asked about parcels; the carrier had a strike until Tuesday.",
            18,
        ),
        Reason(Reading.WHOLE, "Mira", "The parcel of order 1042 is late. What do we tell them?", 16),
    )
    return Why(turn, "done", "gpt-oss-20b", manifest, reasons, 1_302, 214, 1, 3.42, 0.61)


ANSWER = """Here is a friendly reply you can send:

> Hello Ms Weber, your parcel is on its way. The carrier was on strike until **Tuesday**, sorry!

1. Say *what happened* in one sentence.
2. Say when it comes, and keep `order 1042` in the subject.
3. Offer something small.

| Carrier | Delay | Parcels |
|:--------|:-----:|--------:|
| North   | 2 days | 1,204 |
| South   | none | 88 |

```python
def apology(name: str, days: int) -> str:
    \"\"\"Say sorry once, and mean it.\"\"\"
    return f"Dear {name}, your parcel is {days} days late."  # the carrier was on strike
```

- [x] Found the order
- [ ] Tell the customer

More at https://example.com/orders/1042.
"""
