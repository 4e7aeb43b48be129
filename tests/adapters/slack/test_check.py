"""`bot doctor` says what is wrong with Slack, and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from bot.adapters.slack import SlackAdapter
from bot.adapters.slack.check import ROLE_SCOPES, SCOPES
from bot.adapters.slack.hearing import KEPT, READ
from bot.adapters.slack.listen import REMOVALS
from bot.ports import Checks
from tests.doubles.slack import SlackDouble
from tests.fakes import FakeWords, in_english

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"


async def test_all_is_well(slack: SlackDouble, adapter: SlackAdapter) -> None:
    assert isinstance(adapter, Checks)
    findings = [finding async for finding in adapter.check(in_english)]
    assert [finding.subject for finding in findings] == ["Slack bot token", "Slack scopes", "Slack socket"]
    assert all(finding.well for finding in findings)


async def test_each_missing_scope_is_named(slack: SlackDouble, adapter: SlackAdapter) -> None:
    slack.scopes = slack.scopes.replace("users:read", "users:write").replace("chat:write,", "")
    bad = [finding async for finding in adapter.check(in_english) if not finding.well]
    assert [finding.text.split()[0] for finding in bad] == ["chat:write", "users:read"]
    assert all("reinstall" in finding.cure for finding in bad)


async def test_wrong_tokens_are_said_with_a_cure(slack: SlackDouble) -> None:
    adapter = SlackAdapter("xoxb-wrong", "xapp-wrong", slack.api_url, FakeWords())
    findings = [finding async for finding in adapter.check(in_english)]
    assert [finding.well for finding in findings] == [False, False]
    assert "BOT_SLACK__BOT_TOKEN" in findings[0].cure
    assert "BOT_SLACK__APP_TOKEN" in findings[1].cure
    await adapter.close()


async def test_a_socket_that_is_switched_off_is_said(slack: SlackDouble, adapter: SlackAdapter) -> None:
    slack.socket_error = "socket_mode_disabled"
    (finding,) = [finding async for finding in adapter.check(in_english) if not finding.well]
    assert "Socket Mode" in finding.cure


async def test_no_network_is_said(adapter: SlackAdapter) -> None:
    away = SlackAdapter("xoxb-x", "xapp-x", "http://127.0.0.1:9/api/", FakeWords())
    findings = [finding async for finding in away.check(in_english)]
    assert [finding.well for finding in findings] == [False, False]
    await away.close()


def manifest(name: str = "slack-manifest.yaml") -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / name).read_text("utf-8"))
    return found


def test_the_manifest_asks_for_exactly_these_scopes() -> None:
    assert manifest()["oauth_config"]["scopes"]["bot"] == sorted(SCOPES | ROLE_SCOPES)


def test_the_manifest_asks_for_all_that_is_listened_to() -> None:
    events = manifest()["settings"]["event_subscriptions"]["bot_events"]
    assert {event.partition(".")[0] for event in events} == {*READ, *KEPT, *REMOVALS, "app_home_opened"}
    assert events == sorted(events)


def test_the_manifest_for_http_differs_in_addresses_alone() -> None:
    address = "https://bot.example.com/slack/events"
    http = manifest("slack-manifest-http.yaml")
    assert http["features"]["slash_commands"][0].pop("url") == address
    assert http["settings"]["event_subscriptions"].pop("request_url") == address
    assert http["settings"]["interactivity"].pop("request_url") == address
    http["settings"]["socket_mode_enabled"] = True
    assert http == manifest()


async def test_over_http_the_doctor_says_where_slack_has_to_reach_it(slack: SlackDouble) -> None:
    adapter = SlackAdapter(slack.bot_token, "", slack.api_url, FakeWords(), signing_secret="s")
    findings = [finding async for finding in adapter.check(in_english)]
    assert [finding.subject for finding in findings] == ["Slack bot token", "Slack scopes", "Slack over HTTP"]
    assert "/slack/events" in findings[-1].text
    await adapter.close()


async def test_the_scope_for_roles_is_missed_only_where_roles_matter(slack: SlackDouble) -> None:
    tokens = (slack.bot_token, slack.app_token, slack.api_url)
    for granted, wanted in ((slack.scopes, ["usergroups:read"]), (f"{slack.scopes},usergroups:read", [])):
        slack.scopes = granted
        adapter = SlackAdapter(*tokens, FakeWords(), roles=True)
        bad = [finding async for finding in adapter.check(in_english) if not finding.well]
        assert [finding.text.split()[0] for finding in bad] == wanted
        await adapter.close()
