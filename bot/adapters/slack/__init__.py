"""Slack by Socket Mode."""

from bot.adapters.slack.adapter import SlackAdapter

__all__ = ["SlackAdapter"]
