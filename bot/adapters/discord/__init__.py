"""Discord's dialect: the gateway and the catching up on the way in, posts and edits on the way out."""

from bot.adapters.discord.adapter import DiscordAdapter
from bot.adapters.discord.catching_up import Marks
from bot.adapters.discord.checking import invite_link
from bot.adapters.discord.choices import Choices
from bot.adapters.discord.reading import read_message
from bot.adapters.discord.sharing import Sharing
from bot.adapters.discord.writing import write_text

__all__ = ["Choices", "DiscordAdapter", "Marks", "Sharing", "invite_link", "read_message", "write_text"]
