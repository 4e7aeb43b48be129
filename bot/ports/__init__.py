"""The seams that several rooms need, as Protocols."""

from bot.ports.platforms import (
    Adapter,
    Connected,
    Door,
    Files,
    History,
    Links,
    Named,
    Notices,
    Paced,
    Receipts,
    Withdraws,
)
from bot.ports.rooms import Backend, Checks, Tell, TokenCounter, Transcripts, Words

__all__ = [
    "Adapter",
    "Backend",
    "Checks",
    "Connected",
    "Door",
    "Files",
    "History",
    "Links",
    "Named",
    "Notices",
    "Paced",
    "Receipts",
    "Tell",
    "TokenCounter",
    "Transcripts",
    "Withdraws",
    "Words",
]
