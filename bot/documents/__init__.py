"""Reads files that people attach: what a model can read of them, or why it cannot."""

from bot.documents.reader import MOST_BYTES, Read, Reader

__all__ = ["MOST_BYTES", "Read", "Reader"]
