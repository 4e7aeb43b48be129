"""The embedded Postgres: a private server in the data folder, shared by our processes."""

from bot.memory.server.embedded import EmbeddedPostgres

__all__ = ["EmbeddedPostgres"]
