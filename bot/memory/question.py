"""Makes a question fit its room: what people wrote first, then what is enclosed with it; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bot.dialogue import Attachment, Message
from bot.memory.quoting import is_picture, shortened, within
from bot.memory.rows import weigh
from bot.ports import TokenCounter

Enclosed = Mapping[int, Attachment]

_LEAST_CHARACTERS = 40


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, oldest first, what is enclosed with each message by place, and what it all weighs."""

    messages: tuple[Message, ...]
    enclosed: tuple[Enclosed, ...]
    tokens: int
    shortened: bool


def fitted(
    messages: Sequence[Message], enclosed: Sequence[Enclosed], budget: int, counter: TokenCounter
) -> Question:
    """
    Cut a question that is over the budget in its middles, since a question stands at either end.

    What people wrote is cut only where it alone fills more than half of the room.
    """
    weights = [weigh(counter, message) for message in messages]
    words, files = sum(weights), sum(map(_weight, enclosed))
    if words + files <= budget:
        return Question(tuple(messages), tuple(enclosed), words + files, shortened=False)
    kept = tuple(messages)
    room = max(budget - files, budget // 2)
    if words > room:
        shares = [room * weight // words for weight in weights]
        kept = tuple(_cut(m, share, counter) for m, share in zip(messages, shares, strict=True))
        words = sum(weigh(counter, message) for message in kept)
    if files > (left := max(budget - words, 0)):
        enclosed = [_within(mapping, left / files, counter) for mapping in enclosed]
    total = words + sum(map(_weight, enclosed))
    return Question(kept, tuple(enclosed), total, shortened=True)


def _weight(enclosed: Enclosed) -> int:
    return sum(found.tokens for found in enclosed.values() if not is_picture(found))


def _within(enclosed: Enclosed, share: float, counter: TokenCounter) -> Enclosed:
    return {
        place: found if is_picture(found) else within(found, int(found.tokens * share), counter.count)
        for place, found in enclosed.items()
    }


def _cut(message: Message, room: int, counter: TokenCounter) -> Message:
    kept, length = message, float(len(message.text))
    while (weight := weigh(counter, kept)) > room and length > _LEAST_CHARACTERS:
        length = max(length * min(room / weight, 0.9), _LEAST_CHARACTERS)
        kept = replace(message, text=shortened(message.text, int(length)))
    return kept
