"""Frontdesk: the self-hosted AI teammate for Slack and Discord."""

__version__ = "0.1.0"
