"""Any server that speaks OpenAI's chat completions or its Responses API."""

from bot.generation.openai.backend import OPENAI_URL, OpenAIBackend
from bot.generation.openai.dialect import Wishes

__all__ = ["OPENAI_URL", "OpenAIBackend", "Wishes"]
