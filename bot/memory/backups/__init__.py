"""Backups: all that is kept, in one checked file that any later Postgres and Frontdesk can read."""

from bot.memory.backups.restoring import restore
from bot.memory.backups.taking import back_up

__all__ = ["back_up", "restore"]
