"""A message that grows natively, and what exactly stands in it."""

from __future__ import annotations

from typing import Self

from bot.adapters.slack.messages import Messages
from bot.adapters.slack.web import Web
from bot.adapters.slack.writing import harmless, steady
from bot.dialogue import Message


class Stream:
    """
    One native stream.

    Only what continues it can be appended. After any error it is unknown what stands, and the message
    has to be stopped and updated as a whole.
    """

    def __init__(self, messages: Messages, ts: str, asked: str, held: str) -> None:
        """`asked` is the newest text it was to show, `held` what Slack was given of it so far."""
        self.ts = ts
        self.asked = asked
        self._messages = messages
        self._held = held

    @classmethod
    async def open(cls, web: Web, messages: Messages, question: Message, text: str) -> Self:
        """
        Start a stream in the question's thread, with this text.

        Slack wants to know who reads along: the asking person (`recipient_…`, required in channels).
        One attempt: a call without an answer may have made a message.
        """
        held = harmless(steady(text))
        answer = await web.call(
            "chat.startStream",
            channel=question.channel.id,
            thread_ts=question.channel.root,
            markdown_text=held,
            recipient_team_id=question.channel.workspace,
            recipient_user_id=question.author.id,
        )
        return cls(messages, str(answer["ts"]), text, held)

    def follows(self, text: str) -> bool:
        """Say whether the text continues what stands."""
        return harmless(text).startswith(self._held)

    async def grow(self, text: str) -> None:
        """Append what is new of the text."""
        grown = harmless(steady(text))
        rest = grown[len(self._held) :]
        if rest:
            await self._messages.call("chat.appendStream", tries=1, ts=self.ts, markdown_text=rest)
            self._held = grown
        self.asked = text

    async def stop(self, text: str) -> None:
        """Append what is left of the text, and end the stream."""
        rest = harmless(text)[len(self._held) :]
        await self._messages.call("chat.stopStream", ts=self.ts, markdown_text=rest or None)
