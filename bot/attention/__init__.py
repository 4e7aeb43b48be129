"""Decides whom a message is for, and whether its author and place are heard at all."""

from bot.attention.access import AccessList
from bot.attention.attending import Attender

__all__ = ["AccessList", "Attender"]
