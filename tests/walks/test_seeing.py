"""Walks with somebody watching: what is counted and traced of an answer, and when a house is not ready."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from bot.app.probing import probes
from bot.config import MetricsSettings
from tests.doubles.collector import CollectorDouble
from tests.doubles.discord import DiscordDouble
from tests.doubles.model import ModelDouble
from tests.doubles.slack import SlackDouble
from tests.walks.conftest import Opener, Record
from tests.walks.program import Program
from tests.walks.test_slack import PLACE, said

AT_ONCE = MetricsSettings()


def numbers(text: str) -> Callable[..., float]:
    """Read a scrape; a sample is asked for by its name and labels."""
    found: dict[tuple[str, frozenset[tuple[str, str]]], float] = {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    return lambda name, **labels: found[name, frozenset(labels.items())]


async def test_an_answer_is_counted_and_traced_through_its_rooms(
    slack: SlackDouble,
    model: ModelDouble,
    house: Opener,
    slack_environment: dict[str, str],
    record: Record,
) -> None:
    model.answer("Paris, as far as I know.")
    async with CollectorDouble() as collector:
        async with house(**slack_environment, BOT_TRACES__ENDPOINT=collector.url) as built:
            await slack.until(lambda: slack.sockets.open)
            slack.fail("chat.startStream", error="ratelimited", retry_after=0)
            ts = await slack.say("U0ANN", PLACE, "<@U0BOT> what is the capital of France?")
            await slack.until(lambda: said(slack, ts))
            await record.turns()
            await built.machinery.processes.beat()
            told = numbers((await probes(AT_ONCE, built).metrics()).decode())
        spans = {span.name for span in collector.spans}
        (trace,) = {span.trace for span in collector.spans}
        assert b"France" not in collector.raw
        assert b"U0ANN" not in collector.raw
    assert spans == {"accept", "turn", "claim", "recall", "model", "post", "finish"}
    assert trace
    here = {"platform": "slack", "model": "double-1"}
    assert told("frontdesk_accepted_total", platform="slack") == 1
    assert told("frontdesk_answers_total", **here, outcome="done") == 1
    assert told("frontdesk_first_text_seconds_count", **here) == 1
    assert told("frontdesk_tokens_total", **here, kind="prompt") > 0
    assert told("frontdesk_model_calls_total", model="double-1", outcome="ok") == 1
    assert told("frontdesk_posts_total", platform="slack") >= 1
    assert told("frontdesk_turns_waiting", platform="slack") == 0
    assert told("frontdesk_processes", role="worker") == 1
    assert told("frontdesk_platform_connected", platform="slack") == 1
    assert told("frontdesk_database_up") == 1


async def test_a_house_is_ready_while_its_connections_stand(
    slack: SlackDouble,
    discord: DiscordDouble,
    house: Opener,
    slack_environment: dict[str, str],
    discord_environment: dict[str, str],
) -> None:
    async with house(**slack_environment, **discord_environment) as built:
        look = probes(AT_ONCE, built).ready
        seen: list[Mapping[str, object]] = []

        def connected(name: str, up: bool) -> Callable[[], bool]:
            return lambda: built.adapters[name].connected() is up  # type: ignore[index, attr-defined]

        await slack.until(connected("slack", True))
        await discord.until(connected("discord", True))
        seen.append(await look())
        discord.gateway.refuses_connections = True
        slack.fail("apps.connections.open", times=2, error="internal_error")
        await slack.sockets.drop()
        await slack.until(connected("slack", False))
        seen.append(await look())
        await discord.gateway.drop()
        await discord.until(connected("discord", False))
        seen.append(await look())
        discord.gateway.refuses_connections = False
        await slack.until(connected("slack", True))
        await discord.until(connected("discord", True))
    assert [(found["slack"], found["discord"], found["database"]) for found in seen] == [
        (True, True, True),
        (False, True, True),
        (seen[2]["slack"], False, True),
    ]


async def test_a_gateway_without_pages_is_asked_on_a_port_of_its_own(
    environment: dict[str, str], slack: SlackDouble, slack_environment: dict[str, str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    own = {"BOT_METRICS__PORT": str(port), "BOT_METRICS__TOKEN": "only numbers"}
    gateway = Program(environment | slack_environment | own)
    try:
        await gateway.start("run", "--role", "gateway")
        await slack.until(lambda: slack.sockets.open)
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as scraper:
            async with scraper.get("/readyz") as answer:
                assert (answer.status, await answer.json()) == (200, {"ok": True})
            async with scraper.get("/metrics") as answer:
                assert answer.status == 403
            trusted = {"authorization": "Bearer only numbers"}
            async with scraper.get("/metrics", headers=trusted) as answer:
                told = numbers(await answer.text())
            async with scraper.get("/") as answer:
                assert answer.status == 404
        assert told("frontdesk_processes", role="gateway") == 1
        assert told("process_resident_memory_bytes") > 0
    finally:
        await gateway.interrupt_if_running()
