"""Any server that speaks OpenAI's chat completions."""

from bot.generation.openai.backend import OpenAIBackend

__all__ = ["OpenAIBackend"]
