"""The seams that several rooms need, as Protocols."""

from bot.ports.platforms import Adapter, Door, Files, FindsGone, History, Links, Named, Notices, Receipts
from bot.ports.rooms import Backend, Checks, Tell, TokenCounter, Transcripts, Words

__all__ = [
    "Adapter",
    "Backend",
    "Checks",
    "Door",
    "Files",
    "FindsGone",
    "History",
    "Links",
    "Named",
    "Notices",
    "Receipts",
    "Tell",
    "TokenCounter",
    "Transcripts",
    "Words",
]
