"""`bot doctor` says what is wrong with Slack, and what to do."""

from __future__ import annotations

from pathlib import Path

from bot.adapters.slack import SlackAdapter
from bot.adapters.slack.check import ROLE_SCOPES, SCOPES
from bot.ports import Checks
from tests.doubles.slack import SlackDouble
from tests.fakes import FakeWords, in_english

MANIFEST = Path(__file__).resolve().parents[3] / "deploy" / "slack-manifest.yaml"


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


def test_the_manifest_asks_for_exactly_these_scopes() -> None:
    lines = MANIFEST.read_text("utf-8").splitlines()
    start = lines.index("    bot:") + 1
    asked = [line.strip("- ") for line in lines[start:] if line.startswith("      - ")]
    scopes = [scope.partition(" ")[0] for scope in asked]
    assert [scope for scope in scopes if ":" in scope] == sorted(SCOPES | ROLE_SCOPES)


async def test_the_scope_for_roles_is_missed_only_where_roles_matter(slack: SlackDouble) -> None:
    tokens = (slack.bot_token, slack.app_token, slack.api_url)
    for granted, wanted in ((slack.scopes, ["usergroups:read"]), (f"{slack.scopes},usergroups:read", [])):
        slack.scopes = granted
        adapter = SlackAdapter(*tokens, FakeWords(), roles=True)
        bad = [finding async for finding in adapter.check(in_english) if not finding.well]
        assert [finding.text.split()[0] for finding in bad] == wanted
        await adapter.close()
