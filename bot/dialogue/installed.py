"""What a workspace gave the bot when it was installed there."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Installation:
    """
    The bot in one workspace: its token there, and who it is there.

    `name` is the workspace's, `bot_name` and `url` are what the platform calls the bot and where it has the
    workspace's pages.
    """

    workspace: str
    name: str
    token: str = field(repr=False)
    user_id: str
    bot_id: str
    bot_name: str
    url: str = ""
