"""The floor: bots as small as the SDKs allow, without memory, order, or a record of what they posted."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from typing import Any

import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route
from openai import AsyncOpenAI
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

_FIRST = 24


async def texts(question: str) -> AsyncIterator[str]:
    """Ask the model, and give the text so far after each chunk."""
    said = ""
    stream = await _model.chat.completions.create(
        model="bench-1", messages=[{"role": "user", "content": question}], stream=True
    )
    async for chunk in stream:
        said += (chunk.choices[0].delta.content or "") if chunk.choices else ""
        yield said


async def slack() -> None:
    """Answer mentions, and what is written in threads, by a post that is edited once."""
    client = AsyncWebClient(os.environ["BOT_SLACK__BOT_TOKEN"], base_url=os.environ["BOT_SLACK__API_URL"])
    app = AsyncApp(client=client)

    @app.event("app_mention")
    async def mentioned(event: dict[str, Any]) -> None:
        if "thread_ts" not in event:
            await _answer_on_slack(client, event)

    @app.event("message")
    async def followed(event: dict[str, Any]) -> None:
        if "thread_ts" in event:
            await _answer_on_slack(client, event)

    handler = AsyncSocketModeHandler(app, os.environ["BOT_SLACK__APP_TOKEN"])
    await handler.start_async()  # type: ignore[no-untyped-call]


async def on_discord() -> None:
    """Answer mentions by a message that is edited once."""
    Route.BASE = os.environ["BOT_DISCORD__API_URL"]
    intents = discord.Intents(guilds=True, messages=True, message_content=True)
    client = discord.AutoShardedClient(intents=intents, max_messages=None)

    @client.event
    async def on_message(message: discord.Message) -> None:
        if client.user not in message.mentions:
            return
        posted, said = None, ""
        async for said in texts(message.content):
            if posted is None and len(said) >= _FIRST:
                posted = await message.channel.send(said)
        if posted is not None:
            await posted.edit(content=said)

    await client.login("bench")
    _, address, _ = await client.http.get_bot_gateway()
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(address)
    await client.connect()


async def _answer_on_slack(client: AsyncWebClient, event: dict[str, Any]) -> None:
    posted, said = None, ""
    async for said in texts(event["text"]):
        if posted is None and len(said) >= _FIRST:
            thread = event.get("thread_ts", event["ts"])
            posted = await client.chat_postMessage(channel=event["channel"], thread_ts=thread, text=said)
    if posted is not None:
        await client.chat_update(channel=event["channel"], ts=posted["ts"], text=said)


_model = AsyncOpenAI(base_url=os.environ.get("BOT_MODEL__BASE_URL"), api_key="bench", max_retries=0)

if __name__ == "__main__":
    asyncio.run({"Slack": slack, "Discord": on_discord}[sys.argv[1]]())
