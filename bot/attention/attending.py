"""Says what becomes of a message: answered, kept as part of a thread, or passed over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from bot.attention.access import AccessList
from bot.attention.judging import judge
from bot.dialogue import Attention, Author, Channel, ChannelKind, Message, Platform, Scene


class Attender:
    """Says what becomes of a message; knows nothing of what is stored but the scene in the thread."""

    def __init__(
        self,
        lists: Mapping[Platform, AccessList] | None = None,
        names: Iterable[str] = ("Frontdesk",),
        also: Callable[[Channel], Iterable[str]] = lambda channel: (),
    ) -> None:
        """
        `lists` has a platform's access list; a platform without one is open to all.

        `names` are what people call the bot without a mention; `also` says what it is called in one place
        besides.
        """
        self._lists = dict(lists or {})
        self._names = tuple(names)
        self._also = also

    def __call__(self, message: Message, scene: Scene | None) -> Attention:
        """
        Decide by what names the bot, then by the scene in its thread; None where the bot takes no part.

        In a thread it takes part in, a follow-up needs no new mention; what people say to each other is
        kept only.
        """
        if not self.admits(message.author, message.channel):
            return Attention.IGNORE
        if message.channel.kind is ChannelKind.DIRECT or message.mentions_bot:
            return Attention.ANSWER
        if scene is None:
            return Attention.IGNORE
        names = (*self._names, *filter(None, self._also(message.channel)))
        return Attention.ANSWER if judge(message, scene, names).for_bot else Attention.KEEP

    def admits(self, author: Author, channel: Channel) -> bool:
        """Say whether a person is heard in a channel at all."""
        listed = self._lists.get(channel.platform)
        return listed is None or listed.admits(author, channel)
