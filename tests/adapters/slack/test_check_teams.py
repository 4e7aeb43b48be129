"""`bot doctor` looks at the app, and at each workspace that installed it."""

from __future__ import annotations

import pytest

from bot.catalogue import Catalogue
from bot.dialogue import Finding
from bot.errors import StoreDown
from tests.adapters.slack.installed import FakeInstallations, an_app, installed
from tests.doubles.slack import SlackDouble
from tests.doubles.slack_teams import CLIENT_SECRET

WORDS = Catalogue()


def in_english(key: str, **values: object) -> str:
    return WORDS.say(key, "en", **values)


async def found(slack: SlackDouble, record: FakeInstallations, secret: str = CLIENT_SECRET) -> list[Finding]:
    adapter = an_app(slack, record, "https://bot.example", secret)
    findings = [finding async for finding in adapter.check(in_english)]
    await adapter.close()
    return findings


@pytest.fixture
async def record(slack: SlackDouble) -> FakeInstallations:
    made = FakeInstallations()
    for number, name in (("T0ACME", "Acme"), ("T0BIRD", "Bird")):
        await made.keep(installed(slack.directory.add(number, name), f"xoxb-{name}"))
    return made


async def test_all_is_well(slack: SlackDouble, record: FakeInstallations) -> None:
    findings = await found(slack, record)
    assert all(finding.well for finding in findings)
    assert [finding.subject for finding in findings] == [
        "Slack app",
        "Slack workspaces",
        "Slack · Acme (T0ACME)",
        "Slack · Bird (T0BIRD)",
        "Slack socket",
    ]


async def test_a_workspace_whose_token_is_no_good_is_named_with_the_cure(
    slack: SlackDouble, record: FakeInstallations
) -> None:
    slack.directory.teams["T0BIRD"].gone = "token_revoked"
    (bad,) = [finding for finding in await found(slack, record) if not finding.well]
    assert bad.subject == "Slack · Bird (T0BIRD)"
    assert "token_revoked" in bad.text
    assert "https://bot.example/slack/install" in bad.cure


async def test_missing_scopes_are_named(slack: SlackDouble, record: FakeInstallations) -> None:
    slack.scopes = slack.scopes.replace("users:read", "users:write")
    bad = [finding for finding in await found(slack, record) if not finding.well]
    assert [finding.text for finding in bad] == ["these scopes are missing: users:read"] * 2


async def test_a_token_that_cannot_be_decrypted_is_told(
    slack: SlackDouble, record: FakeInstallations
) -> None:
    record.unreadable.add("T0ACME")
    (bad,) = [finding for finding in await found(slack, record) if not finding.well]
    assert (bad.subject, "another key" in bad.text) == ("Slack · Acme (T0ACME)", True)


async def test_a_wrong_app_and_a_wrong_address_are_told_apart(
    slack: SlackDouble, record: FakeInstallations
) -> None:
    (bad,) = [finding for finding in await found(slack, record, "wrong") if not finding.well]
    assert "BOT_SLACK__CLIENT_SECRET" in bad.cure
    slack.directory.redirects = {"https://elsewhere.example/slack/oauth_redirect"}
    (bad,) = [finding for finding in await found(slack, record) if not finding.well]
    assert "https://bot.example/slack/oauth_redirect" in bad.cure


async def test_nobody_having_installed_it_yet_is_no_fault(slack: SlackDouble) -> None:
    findings = await found(slack, FakeInstallations())
    assert all(finding.well for finding in findings)
    assert "https://bot.example/slack/install" in findings[1].text


async def test_a_database_that_is_away_is_told(slack: SlackDouble, record: FakeInstallations) -> None:
    record.error = StoreDown("away")
    assert [finding.subject for finding in await found(slack, record) if not finding.well] == [
        "Slack workspaces"
    ]
