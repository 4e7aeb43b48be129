"""Slack by Socket Mode."""

from bot.adapters.slack.adapter import SlackAdapter
from bot.adapters.slack.catching_up import Together

__all__ = ["SlackAdapter", "Together"]
