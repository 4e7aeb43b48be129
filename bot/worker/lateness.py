"""Whether an answer comes late, whatever the reason, and the word that says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.dialogue import Turn
from bot.ports import Words

LATE = timedelta(hours=1)


def apology(turn: Turn, words: Words) -> str:
    """Say in the asker's language that the answer is late; "" where it is not, or was given before."""
    waited = datetime.now(UTC) - turn.question[0].sent_at
    if turn.again or waited < LATE:
        return ""
    return words.say("late", words.language_for(turn.asked))
