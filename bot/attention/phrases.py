"""What a phrase book of a language holds for telling whom a message is for."""

from __future__ import annotations

import re
from dataclasses import dataclass

Pattern = re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Phrases:
    """
    The phrases of one language, each a pattern.

    `assent`, `done` and `filler` are matched one after the other from a message's beginning; the others are
    searched in it.
    """

    question: Pattern
    enquiry: Pattern  # a question for a fact
    request: Pattern  # wants something made or changed
    able: Pattern  # "can you explain": speaks to "you", and asks work that a bot can do
    you: Pattern  # a second person
    asks_all: Pattern  # whoever knows
    seeks: Pattern  # people: who has time, who saw it too
    team: Pattern  # what "we" do, or who does what
    advice: Pattern  # what one person tells another to try, or supposes
    correction: Pattern  # "no, I meant"
    later: Pattern  # "I'll try that", from the beginning
    assent: Pattern
    done: Pattern  # thanks, praise, laughter, farewell
    filler: Pattern


def either(*patterns: str) -> Pattern:
    """Compile patterns of which one has to match, in any case."""
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE)
