"""Slack by Socket Mode or signed HTTP, in one workspace or many."""

from bot.adapters.slack.adapter import SlackAdapter
from bot.adapters.slack.catching_up import Together
from bot.adapters.slack.install import AppIdentity, Installing

__all__ = ["AppIdentity", "Installing", "SlackAdapter", "Together"]
