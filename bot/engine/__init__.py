"""Answers one turn; knows no platform, no model's dialect and no table."""

from bot.engine.answering import Engine
from bot.engine.memory import Recalled

__all__ = ["Engine", "Recalled"]
