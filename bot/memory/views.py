"""Gathers what is enclosed with the messages of one context, and chooses the pictures that are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.dialogue import Attachment, File, Picture, Turn
from bot.memory.attachments import enclosed_with, pictures_of
from bot.memory.direct import Run
from bot.memory.question import Enclosed, Question
from bot.memory.quoting import in_short, is_picture, told
from bot.memory.rows import Row, files_of

# Pictures are dear: those of the question, and of the newest few messages before it.
_MOST_PICTURES = 4
_NEWEST = 4


@dataclass(frozen=True, slots=True)
class Spoken:
    """A message as a line is made of it; `files` says shortly what was enclosed."""

    said: bool
    author_id: str
    author_name: str
    text: str
    pictures: tuple[Picture, ...] = ()
    files: tuple[str, ...] = ()


class Views:
    """What is enclosed, by message; `tokens` is what the pictures that are shown cost together."""

    def __init__(self, run: Run, room: int) -> None:
        """`room` is how many tokens pictures may cost; 0: none is shown, and their data is left away."""
        self.tokens = 0
        self._run = run
        self._room = room
        self._enclosed: dict[int, dict[int, Attachment]] = {}
        self._pictures: dict[tuple[int, int], bytes] = {}
        self._asked: list[int] = []

    async def of_question(self, turn: Turn) -> Sequence[Enclosed]:
        """Read what is enclosed with each message of the question."""
        if not any(_may_enclose(message.files, message.text) for message in turn.question):
            return [{} for _ in turn.question]
        numbers = await _numbers(self._run, turn)
        self._asked = [numbers.get(message.id, 0) for message in turn.question]
        self._enclosed |= await enclosed_with(self._run, self._asked)
        await self._choose(self._asked)
        return [self._enclosed.get(number, {}) for number in self._asked]

    async def of_earlier(self, rows: Sequence[Row]) -> None:
        """Read what is enclosed with messages before the question, oldest first."""
        numbers = [row["id"] for row in rows if _may_enclose(row["files"], row["text"])]
        self._enclosed |= await enclosed_with(self._run, numbers)
        await self._choose([row["id"] for row in rows[-_NEWEST:]])

    def line_of(self, row: Row) -> Spoken:
        """Say a kept message with what is enclosed."""
        enclosed = self._enclosed.get(row["id"], {})
        text = told(row["text"], files_of(row), enclosed)
        about = tuple(map(in_short, enclosed.values()))
        pictures = self._shown(row["id"], enclosed)
        return Spoken(row["said"], row["author_id"], row["author_name"], text, pictures, about)

    def asked(self, question: Question) -> Sequence[Spoken]:
        """Say the question with what is enclosed and fits."""
        numbers = self._asked or [0] * len(question.messages)
        return [
            Spoken(
                False,
                message.author.id,
                message.author.name,
                told(message.text, message.files, enclosed),
                self._shown(number, enclosed, all_of_them=True),
                tuple(map(in_short, enclosed.values())),
            )
            for number, message, enclosed in zip(numbers, question.messages, question.enclosed, strict=True)
        ]

    async def _choose(self, numbers: Sequence[int]) -> None:
        """Take the newest pictures of these messages that are few and cheap enough."""
        chosen: list[tuple[int, int]] = []
        for number in reversed(numbers):
            for place, one in self._enclosed.get(number, {}).items():
                fits = self.tokens + one.tokens <= self._room
                if is_picture(one) and fits and len(self._pictures) + len(chosen) < _MOST_PICTURES:
                    chosen.append((number, place))
                    self.tokens += one.tokens
        self._pictures |= await pictures_of(self._run, chosen)

    def _shown(self, number: int, enclosed: Enclosed, *, all_of_them: bool = False) -> tuple[Picture, ...]:
        """Give the pictures to show; of the question also those without data, so that it is known of them."""
        return tuple(
            Picture(one.name, one.media_type, self._pictures.get((number, place), b""))
            for place, one in enclosed.items()
            if is_picture(one) and ((number, place) in self._pictures or (all_of_them and not self._room))
        )


async def _numbers(run: Run, turn: Turn) -> Mapping[str, int]:
    rows = await run(
        "SELECT platform_id, id FROM messages WHERE turn_id = %(turn)s AND NOT said", turn=turn.id
    )
    return {row["platform_id"]: row["id"] for row in rows}


def _may_enclose(files: Sequence[object] | Sequence[File], text: str) -> bool:
    return bool(files) or "://" in text
