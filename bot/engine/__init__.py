"""Answers one turn; knows no platform, no model's dialect and no table."""

from bot.engine.answering import Engine, Recalled

__all__ = ["Engine", "Recalled"]
