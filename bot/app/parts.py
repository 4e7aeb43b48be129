"""Builds the rooms' things from the settings: backends, adapters, access lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bot.app.machinery import Machinery
from bot.app.proxies import proxy_to
from bot.app.roles import Role
from bot.attention import AccessList, Attender
from bot.config import Access, DiscordSettings, ModelChoice, ModelSettings, Settings, SlackSettings
from bot.dialogue import Author, Channel, Platform
from bot.generation.builtin import OWN_NAME, Address, OnBoardServer
from bot.generation.onboard import OnBoardBackend
from bot.generation.openai import OPENAI_URL, OpenAIBackend, Wishes
from bot.generation.prices import PriceTable, read_prices
from bot.ports import Adapter, Backend, Named, Words

if TYPE_CHECKING:  # a platform's SDK is loaded where the platform is used: 10 MB each
    from bot.adapters.discord import Choices, DiscordAdapter, Marks
    from bot.adapters.slack import Installing, SlackAdapter

Retried = Callable[[Platform], None]

ME = Author("frontdesk", "Frontdesk")

# The model on board runs on the user's own processor, which reads about 100 tokens a second: a longer
# context would keep people waiting for half a minute.
_ON_BOARD_CONTEXT = 2_048
_ON_BOARD_ANSWER = 384


def _nobody(_: Platform) -> None:
    """Where nobody counts."""


def hosted_backends(settings: ModelSettings) -> list[OpenAIBackend]:
    """Make the models behind servers, in the order they are tried."""
    return [_hosted(choice, settings) for choice in settings.choices]


def prices(settings: ModelSettings) -> PriceTable:
    """Read what the models cost; raises `SettingError` for a file that is wrong."""
    addresses = [backend.base_url or OPENAI_URL for backend in settings.choices]
    return read_prices((urlsplit(address).hostname or "" for address in addresses), settings.prices)


def on_board_backend(settings: ModelSettings, data_dir: Path) -> OnBoardBackend:
    """Make the model on board; it is started by its `open`."""
    given = "context_tokens" in settings.model_fields_set
    context = settings.context_tokens if given else _ON_BOARD_CONTEXT
    return OnBoardBackend(OnBoardServer(data_dir, settings.path, context), partial(served_on_board, settings))


def served_on_board(settings: ModelSettings, address: Address) -> OpenAIBackend:
    """Make the client of the model on board: it tries nothing again, for a dead server has to be started."""
    given = "answer_tokens" in settings.model_fields_set
    answer = settings.answer_tokens if given else _ON_BOARD_ANSWER
    return OpenAIBackend(
        address.name,
        address.base_url,
        address.api_key,
        address.context_tokens,
        min(answer, address.context_tokens // 2),
        settings.first_token_seconds,
        settings.next_token_seconds,
        metered=False,
        sees=False,
        retries=0,
        wishes=Wishes(tells_thoughts=settings.thinking == "folded"),
    )


def model_told(settings: ModelSettings, backends: Sequence[Backend]) -> tuple[str, bool]:
    """Name the model that answers first, here or in another process; True for the small one on board."""
    if backends:
        return backends[0].name, bool(backends[0].languages)
    if settings.hosted:
        return settings.choices[0].name or "", False
    return (settings.path.stem, False) if settings.path else (OWN_NAME, True)


def slack_adapter(
    settings: SlackSettings,
    words: Words,
    machinery: Machinery | None = None,
    installing: Installing | None = None,
    retried: Retried = _nobody,
) -> SlackAdapter | None:
    """
    Make Slack's adapter, or None where it is not used; alone, it need not mind other processes.

    With `installing` it serves all workspaces that install it, else the one of the token.
    `retried` is told of each post that is tried once more.
    """
    if (settings.bot_token or installing) is None or not (settings.app_token or settings.signing_secret):
        return None
    from bot.adapters.slack import SlackAdapter, Together

    together = None
    if machinery is not None:
        together = Together(machinery.marks, machinery.seats, settings.sockets, machinery.gaps)
    return SlackAdapter(
        settings.bot_token.get_secret_value() if settings.bot_token else "",
        settings.app_token.get_secret_value() if settings.app_token else "",
        settings.api_url,
        words,
        roles=bool(settings.allow_roles or settings.block_roles),
        signing_secret=settings.signing_secret.get_secret_value() if settings.signing_secret else "",
        proxy=proxy_to(settings.api_url, settings.proxy) or "",
        installing=installing,
        retried=partial(retried, Platform.SLACK),
        together=together,
        share=machinery.share if machinery is not None else lambda: 1,
    )


def discord_adapter(
    settings: DiscordSettings,
    marks: Marks,
    words: Words,
    choices: Choices,
    machinery: Machinery | None = None,
    retried: Retried = _nobody,
) -> DiscordAdapter | None:
    """Make Discord's adapter, or None where it is not used; for the rest as for Slack's."""
    if settings.token is None:
        return None
    from bot.adapters.discord import DiscordAdapter, Sharing

    token = settings.token.get_secret_value()
    proxy = proxy_to(settings.api_url, settings.proxy)
    sharing = None
    gaps = machinery.gaps if machinery is not None else timedelta()  # alone, nothing is listened to
    if machinery is not None:
        count = partial(machinery.processes.count, Role.GATEWAY, Role.WORKER)
        sharing = Sharing(machinery.seats, count)
    told = partial(retried, Platform.DISCORD)
    return DiscordAdapter(
        token,
        settings.api_url,
        marks,
        words,
        choices,
        proxy,
        sharing=sharing,
        retried=told,
        gaps=gaps,
    )


def attender(settings: Settings, adapters: Mapping[Platform, Adapter]) -> Attender:
    """Make what decides whom a message is for; the adapters know what the bot is called where."""
    lists = {Platform.SLACK: _list(settings.slack), Platform.DISCORD: _list(settings.discord)}

    def names(channel: Channel) -> Sequence[str]:
        adapter = adapters.get(channel.platform)
        return adapter.names(channel) if isinstance(adapter, Named) else ()

    return Attender(lists, (ME.name,), names)


def _list(access: Access) -> AccessList:
    return AccessList(**{name: getattr(access, name) for name in Access.model_fields})


def _hosted(choice: ModelChoice, settings: ModelSettings) -> OpenAIBackend:
    key = choice.api_key.get_secret_value() if choice.api_key else "none"
    name = choice.name or ("" if choice.base_url else "gpt-5-mini")
    return OpenAIBackend(
        name,
        choice.base_url,
        key,
        choice.context_tokens,
        choice.answer_tokens,
        settings.first_token_seconds,
        settings.next_token_seconds,
        sees=choice.sees,
        wishes=Wishes(
            responses=choice.api == "responses",
            effort=choice.effort,
            tells_thoughts=choice.thinking == "folded",
            temperature=choice.temperature,
        ),
        proxy=proxy_to(choice.base_url or OPENAI_URL, settings.proxy),
    )
