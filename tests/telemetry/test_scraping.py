"""What a scrape tells, also while the database is away."""

from __future__ import annotations

from bot.dialogue import Platform
from bot.memory.pulse import Backlog
from bot.telemetry import Metrics, Readings, Scrape


async def test_a_scrape_tells_how_things_stand_and_forgets_what_is_not_there_any_more() -> None:
    found = Readings(
        {Platform.SLACK: Backlog(3, 2, 41.5)},
        {"in_use": 4, "idle": 1, "most": 40},
        {"discord-shard": 2},
        {"gateway": 1, "worker": 3},
        {"discord": False},
    )

    async def look() -> Readings:
        return found

    scrape = Scrape(Metrics([Platform.SLACK], "1.2.3"), look)
    told = (await scrape()).decode().splitlines()
    for line in (
        "frontdesk_database_up 1.0",
        'frontdesk_turns_waiting{platform="slack"} 3.0',
        'frontdesk_turns_answering{platform="slack"} 2.0',
        'frontdesk_oldest_waiting_seconds{platform="slack"} 41.5',
        'frontdesk_database_connections{state="most"} 40.0',
        'frontdesk_seats_held{kind="discord-shard"} 2.0',
        'frontdesk_processes{role="worker"} 3.0',
        'frontdesk_platform_connected{platform="discord"} 0.0',
        'frontdesk_accepted_total{platform="slack"} 0.0',
        'frontdesk_build_info{version="1.2.3"} 1.0',
    ):
        assert line in told
    assert not [line for line in told if "_created" in line]
    found = Readings(processes={"gateway": 1})
    told = (await scrape()).decode().splitlines()
    assert "frontdesk_database_up 0.0" in told
    assert not [line for line in told if line.startswith(("frontdesk_turns_waiting{", "frontdesk_oldest"))]
    assert not [line for line in told if 'role="worker"' in line]
