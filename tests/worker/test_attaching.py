"""Files and links of a question: read within bounds; what fails is a note."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pytest
import structlog

from bot.dialogue import LINK, Attachment, Channel, File, Linked, Message, Turn, Unread
from bot.documents import Read
from bot.errors import PermissionMissing, PlatformDown, PostRefused, StoreDown
from bot.worker import Attaching
from tests.fakes import FakeAdapter, FakeWords, a_message, a_turn


class Platform(FakeAdapter):
    """A platform with files and linked messages; an error stands for a file that cannot be had."""

    def __init__(self, *files: bytes | Exception, linked: Sequence[Linked] | Exception = ()) -> None:
        super().__init__()
        self.files = files
        self.found = linked
        self.fetched: list[str] = []
        self.asked: list[str] = []

    async def fetch(self, channel: Channel, file: File, most: int) -> bytes:
        self.fetched.append(file.name)
        found = self.files[int(file.source)]
        if isinstance(found, Exception):
            raise found
        return found

    async def linked(self, question: Message) -> Sequence[Linked]:
        self.asked.append(question.text)
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


class Reader:
    """Reads bytes as letters; refuses what is named so."""

    most_bytes = 100

    def __init__(self) -> None:
        self.shares: list[int] = []

    def refuse(self, name: str, media_type: str, size: int) -> Read | None:
        return Read(note="file-office") if name.endswith(".docx") else None

    async def read(self, name: str, media_type: str, data: bytes, tokens: int) -> Read:
        self.shares.append(tokens)
        if data == b"picture":
            return Read(picture=data, media_type="image/png", tokens=90, note="file-picture")
        if data == b"pages":
            return Read("page one", tokens=2, note="file-some-pages", values={"read": 1, "pages": 3})
        return Read(data.decode(), tokens=1)


class Shelf:
    """Gives what is unread, and keeps what was read."""

    def __init__(self, *unread: Unread) -> None:
        self.waiting = unread
        self.kept: dict[int, Mapping[int, Attachment]] = {}
        self.links: dict[int, Sequence[Attachment] | None] = {}

    async def unread(self, turn: Turn) -> Sequence[Unread]:
        return self.waiting

    async def keep(
        self, number: int, files: Mapping[int, Attachment], links: Sequence[Attachment] | None = None
    ) -> None:
        self.kept[number] = files
        self.links[number] = links


def asking(*names: str, text: str = "read", number: int = 1, asks: bool = True) -> Unread:
    """Make a message with unread files, whose places are their sources."""
    files = tuple(File(name, source=str(place)) for place, name in enumerate(names))
    return Unread(number, a_message(text, files=files), tuple(range(len(names))), asks)


async def attached(platform: FakeAdapter, *unread: Unread, reader: Reader | None = None) -> Shelf:
    shelf = Shelf(*unread)
    await Attaching(shelf, reader or Reader(), FakeWords(), 1_000).attach(a_turn("read"), platform)
    return shelf


async def test_files_are_read_and_kept_by_their_places() -> None:
    shelf = await attached(Platform(b"words", b"picture", b"pages"), asking("a.txt", "b.png", "c.pdf"))
    assert shelf.kept[1] == {
        0: Attachment("a.txt", text="words", tokens=1),
        1: Attachment("b.png", "image/png", picture=b"picture", tokens=90, note="[en:file-picture]"),
        2: Attachment("c.pdf", text="page one", tokens=2, note="[en:file-some-pages pages=3 read=1]"),
    }


async def test_the_files_of_a_message_share_its_room() -> None:
    reader = Reader()
    await attached(Platform(b"a", b"b"), asking("a.txt", "b.txt"), reader=reader)
    assert reader.shares == [500, 500]


@pytest.mark.parametrize(
    ("error", "note"),
    [
        (PermissionMissing("no scope"), "file-no-permission"),
        (PostRefused("gone"), "file-unreachable"),
        (PlatformDown("away"), "file-away"),
        (TimeoutError(), "file-away"),
    ],
)
async def test_what_cannot_be_fetched_is_noted_with_the_reason(error: Exception, note: str) -> None:
    shelf = await attached(Platform(error, b"words"), asking("a.txt", "b.txt"))
    assert shelf.kept[1][0] == Attachment("a.txt", note=f"[en:{note}]")
    assert shelf.kept[1][1].text == "words"


async def test_a_readers_own_fault_is_noted_and_logged() -> None:
    class Faulty(Reader):
        async def read(self, name: str, media_type: str, data: bytes, tokens: int) -> Read:
            raise RuntimeError("a fault of ours")

    with structlog.testing.capture_logs() as logs:
        shelf = await attached(Platform(b"x"), asking("a.txt"), reader=Faulty())
    assert shelf.kept[1][0].note == "[en:file-broken]"
    assert [line["event"] for line in logs] == ["file_reading_failed"]


async def test_what_will_not_be_read_is_not_fetched() -> None:
    platform = Platform(b"x")
    shelf = await attached(platform, asking("a.docx"))
    assert platform.fetched == []
    assert shelf.kept[1][0].note == "[en:file-office]"


async def test_too_many_files_are_named_and_not_fetched() -> None:
    platform = Platform(*[b"x"] * 10)
    shelf = await attached(platform, asking(*(f"{n}.txt" for n in range(10))))
    assert len(platform.fetched) == 8
    assert [shelf.kept[1][place].note for place in (8, 9)] == ["[en:file-too-many most=8]"] * 2


async def test_the_questions_own_files_come_first() -> None:
    platform = Platform(*[b"x"] * 10)
    earlier = asking(*(f"old{n}.txt" for n in range(3)), number=1, asks=False)
    own = asking(*(f"new{n}.txt" for n in range(7)), number=2)
    shelf = await attached(platform, earlier, own)
    assert len(shelf.kept[2]) == 7
    assert list(shelf.kept[1]) == [0]  # the rest may be read another time


async def test_linked_messages_are_kept_with_who_said_them() -> None:
    nine = datetime(2026, 11, 23, 9, tzinfo=UTC)
    said = [
        a_message("the code is 7", sent_at=nine),
        a_message("thanks", sent_at=nine, files=(File("map.png"),)),
    ]
    link = "https://x.slack.com/archives/C1/p1"
    platform = Platform(linked=[Linked(link, tuple(said)), Linked("https://other")])
    shelf = await attached(platform, asking(text=f"what is {link}?"))
    first, second = shelf.links[1] or ()
    assert (first.name, first.media_type) == (link, LINK)
    assert first.text == (
        "Ann (2026-11-23 09:00 UTC): the code is 7\n\nAnn (2026-11-23 09:00 UTC): thanks\n[file: map.png]"
    )
    assert second == Attachment("https://other", LINK, note="[en:link-unreadable]")


async def test_links_of_others_messages_are_not_followed() -> None:
    platform = Platform(b"x", linked=[Linked("https://l", (a_message("no"),))])
    shelf = await attached(platform, asking("a.txt", text="see https://l", asks=False))
    assert platform.asked == []
    assert shelf.links[1] is None


async def test_links_that_cannot_be_looked_at_now_stay_as_they_were() -> None:
    shelf = await attached(Platform(b"x", linked=PlatformDown("away")), asking("a.txt", text="https://l"))
    assert shelf.links[1] is None
    assert shelf.kept[1][0].text == "x"


async def test_a_platform_without_files_is_not_asked() -> None:
    shelf = await attached(FakeAdapter(), asking("a.txt"))
    assert shelf.kept == {}


async def test_a_lost_database_is_no_note() -> None:
    class Broken(Shelf):
        async def unread(self, turn: Turn) -> Sequence[Unread]:
            raise StoreDown("away")

    with pytest.raises(StoreDown):
        await Attaching(Broken(), Reader(), FakeWords(), 10).attach(a_turn("x"), Platform())


async def test_files_are_fetched_side_by_side() -> None:
    both = asyncio.Barrier(2)

    class Slow(Platform):
        async def fetch(self, channel: Channel, file: File, most: int) -> bytes:
            async with asyncio.timeout(5):
                await both.wait()
            return b"x"

    shelf = await attached(Slow(), asking("a.txt", "b.txt"))
    assert [one.text for one in shelf.kept[1].values()] == ["x", "x"]
