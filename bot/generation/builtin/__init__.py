"""The model on board: a small model file and an OpenAI-compatible server for it, shared by our processes."""

from bot.generation.builtin.server import Address, OnBoardServer
from bot.generation.builtin.weights import OWN_NAME

__all__ = ["OWN_NAME", "Address", "OnBoardServer"]
