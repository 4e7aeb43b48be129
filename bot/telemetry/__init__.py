"""Sees what the rooms do: each wrapper is itself the seam it wraps, so that no room knows of being seen."""

from bot.telemetry.counting import CountedAnswerer, CountedDoor, CountedOutbox, CountedTurns, TimedBackend
from bot.telemetry.metrics import Metrics
from bot.telemetry.passing import Answerer, Remembers, Turns
from bot.telemetry.passing import Outbox as SeenOutbox
from bot.telemetry.scraping import Readings, Scrape

__all__ = [
    "Answerer",
    "CountedAnswerer",
    "CountedDoor",
    "CountedOutbox",
    "CountedTurns",
    "Metrics",
    "Readings",
    "Remembers",
    "Scrape",
    "SeenOutbox",
    "TimedBackend",
    "Turns",
]
