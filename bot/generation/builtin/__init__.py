"""The model on board: a small model file and an OpenAI-compatible server for it, shared by our processes."""

from bot.generation.builtin.server import Address, OnBoardServer

__all__ = ["Address", "OnBoardServer"]
