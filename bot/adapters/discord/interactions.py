"""Interactions: buttons, commands and forms, each answered within Discord's three seconds."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import aiohttp
import discord
import structlog

from bot.adapters.discord.asked import Asked
from bot.adapters.discord.asking import Asking
from bot.adapters.discord.buttons import ABOUT, REASON, form_of, pressed
from bot.adapters.discord.choices import Choices
from bot.adapters.discord.commands import ANSWERS, ASK_ABOUT, AUTO
from bot.adapters.discord.lines import Patience
from bot.adapters.discord.rest import our_errors
from bot.adapters.discord.writing import write_text
from bot.dialogue import TONGUES, Platform, Wish
from bot.errors import PlatformDown, PlatformError, StoreDown
from bot.ports import Words

log = structlog.get_logger()

# An answer later than this is announced first; Discord waits three seconds, the way there and back included.
_SOON = 1.0
_LONGEST = 2_000
_REMEMBERED = 1_000
_FORM_SECONDS = 900.0
_WISHES = {"new": Wish.NEW, "why": Wish.WHY, "stop": Wish.STOP, "help": Wish.HELP}


class Interactions:
    """Answers what people press, type and send in, to them alone."""

    def __init__(
        self, words: Words, choices: Choices, asking: Asking, door: Patience, soon: float = _SOON
    ) -> None:
        """`soon` is how long an answer may take before it is announced, in seconds."""
        self._words = words
        self._choices = choices
        self._asking = asking
        self._door = door
        self._soon = soon
        self._met: deque[int] = deque(maxlen=_REMEMBERED)

    async def answer(self, interaction: discord.Interaction, bot_id: int) -> None:
        """Answer an interaction; one that cannot be answered any more is the person's to repeat."""
        kinds: dict[discord.InteractionType, Callable[[Asked], Awaitable[None]]] = {
            discord.InteractionType.component: self._button,
            discord.InteractionType.application_command: self._command,
            discord.InteractionType.modal_submit: self._form,
        }
        kind, asked = kinds.get(interaction.type), Asked(interaction, bot_id)
        if kind is None or interaction.channel is None or self._is_met(asked):
            return
        try:
            with our_errors():
                await kind(asked)
        except (PlatformError, aiohttp.ClientError) as error:
            log.warning("interaction_lost", kind=interaction.type.name, reason=str(error))

    def _is_met(self, asked: Asked) -> bool:
        """Say whether a resumed session brought it once more; `/ask` looks after itself."""
        met = asked.interaction.id in self._met and asked.command != "ask"
        self._met.append(asked.interaction.id)
        return met

    async def _button(self, asked: Asked) -> None:
        wish = pressed(asked.custom_id)
        if wish is None:
            await self._tell(asked, self._say(asked, "discord-unknown"))
        elif wish == (Wish.VOTE, "down"):
            await self._vote_down(asked)
        else:
            await self._tell(asked, self._wish(asked, wish[0], wish[1], asked.message_id))

    async def _vote_down(self, asked: Asked) -> None:
        """Ask for a reason, which nobody has to give: the vote counts anyway."""
        title, label = (
            asked.say(self._words, "discord-vote-title"),
            asked.say(self._words, "discord-vote-label"),
        )
        await asked.interaction.response.send_modal(_form(f"{REASON}:{asked.message_id}", title, label))
        try:
            text, done = await self._carried_out(asked, Wish.VOTE, "down", asked.message_id)
        except StoreDown:
            text, done = asked.say(self._words, "discord-away"), False
        if not done:
            await asked.interaction.followup.send(text, ephemeral=True)

    async def _command(self, asked: Asked) -> None:
        name = asked.command
        if name == "ask":
            await self._asking.ask(asked, self._door)
        elif name == ASK_ABOUT:
            self._asking.remember(asked)
            title, label = (
                asked.say(self._words, "discord-about-title"),
                asked.say(self._words, "discord-about-label"),
            )
            await asked.interaction.response.send_modal(_form(f"{ABOUT}:{asked.target_id}", title, label))
        elif name == "settings":
            await self._tell(asked, self._settings(asked))
        elif name == "language":
            tag = asked.option("language")
            await self._tell(asked, self._wish(asked, Wish.LANGUAGE, "" if tag == AUTO else tag))
        elif name in _WISHES:
            await self._tell(asked, self._wish(asked, _WISHES[name]))
        else:
            await self._tell(asked, self._say(asked, "discord-unknown"))

    async def _form(self, asked: Asked) -> None:
        form, message_id = form_of(asked.custom_id)
        if form == REASON:
            await self._tell(asked, self._wish(asked, Wish.VOTE, "down", message_id, asked.written))
        elif form == ABOUT:
            await self._tell(asked, self._asking.about(asked, message_id, asked.written, self._door))
        else:
            await self._tell(asked, self._say(asked, "discord-unknown"))

    async def _tell(self, asked: Asked, work: Coroutine[Any, Any, str]) -> None:
        """Tell the person alone what comes of the work, announced first where it takes long."""
        task, response = asyncio.create_task(work), asked.interaction.response
        try:
            await asyncio.wait({task}, timeout=self._soon)
            if task.done():
                text = await self._outcome(asked, task)
                await response.send_message(text, ephemeral=True, suppress_embeds=True)
            else:
                await response.defer(ephemeral=True, thinking=True)
                text = await self._outcome(asked, task)
                await asked.interaction.edit_original_response(content=text)
        finally:
            await asyncio.wait({task})  # it is done even where nobody can be told

    async def _outcome(self, asked: Asked, task: asyncio.Task[str]) -> str:
        try:
            return _fitting(await task)
        except (PlatformDown, StoreDown) as error:
            log.warning("wish_not_carried_out", reason=str(error))
            return asked.say(self._words, "discord-away")

    async def _say(self, asked: Asked, key: str) -> str:
        return asked.say(self._words, key)

    async def _wish(
        self, asked: Asked, wish: Wish, value: str = "", message_id: str = "", reason: str = ""
    ) -> str:
        return (await self._carried_out(asked, wish, value, message_id, reason))[0]

    async def _carried_out(
        self, asked: Asked, wish: Wish, value: str = "", message_id: str = "", reason: str = ""
    ) -> tuple[str, bool]:
        reply = await self._door.request(asked.request(wish, value, message_id, reason))
        return write_text(reply.text), reply.done

    async def _settings(self, asked: Asked) -> str:
        """Change what was given, and say what holds now."""
        if not asked.interaction.permissions.manage_guild or not asked.workspace:
            return asked.say(self._words, "discord-settings-denied")
        answers, language = asked.option("answers"), asked.option("language")
        if answers or language:
            tag = None if not language else "" if language == AUTO else language
            given = {"answers": answers or None, "language": tag}
            chosen = await self._choices.change(Platform.DISCORD, asked.workspace, **given)
        else:
            chosen = await self._choices.settings(Platform.DISCORD, asked.workspace)
        where = chosen.answers if chosen.answers in ANSWERS else ANSWERS[0]
        auto = asked.say(self._words, "discord-choice-auto")
        tongue = TONGUES.get(chosen.language, chosen.language) or auto
        place = asked.say(self._words, f"discord-choice-{where}")
        return asked.say(self._words, "discord-settings", answers=place, tongue=tongue)


def _form(custom_id: str, title: str, label: str) -> discord.ui.Modal:
    form = discord.ui.Modal(title=title, custom_id=custom_id, timeout=_FORM_SECONDS)
    field: discord.ui.TextInput[discord.ui.Modal] = discord.ui.TextInput(
        custom_id="text", style=discord.TextStyle.paragraph, required=False, max_length=1_500
    )
    form.add_item(discord.ui.Label(text=label, component=field))
    return form


def _fitting(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
