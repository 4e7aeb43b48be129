"""The seams that several rooms need, as Protocols."""

from bot.ports.platforms import Adapter, Door, Files, History, Links, Named, Notices, Paced, Receipts
from bot.ports.rooms import Backend, Checks, Tell, TokenCounter, Transcripts, Words

__all__ = [
    "Adapter",
    "Backend",
    "Checks",
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
    "Words",
]
