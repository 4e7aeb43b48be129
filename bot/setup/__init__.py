"""Asks for the model, Slack and Discord, tests each at once, and writes `.env`."""

from bot.setup.asking import Ask, Terminal
from bot.setup.envfile import EnvFile
from bot.setup.walk import Setup, Test

__all__ = ["Ask", "EnvFile", "Setup", "Terminal", "Test"]
