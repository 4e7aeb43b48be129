"""Several workspaces in one process: each with its own token, budgets and names, and nothing crosses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from bot.adapters.slack import SlackAdapter
from bot.adapters.slack.teams import NotInstalled
from bot.dialogue import Channel, ChannelKind, File, Message, Piece, Platform
from bot.errors import PermissionMissing, StoreDown, TokenRefused
from tests.adapters.slack.installed import FakeInstallations, an_app, installed
from tests.adapters.slack.talk import GENERAL, listening
from tests.doubles.slack import SlackDouble
from tests.doubles.slack_teams import Team
from tests.fakes import FakeDoor, FakeReceipts, a_message, pieces_of


@pytest.fixture
def record() -> FakeInstallations:
    return FakeInstallations()


@pytest.fixture
async def adapter(slack: SlackDouble, record: FakeInstallations) -> AsyncIterator[SlackAdapter]:
    made = an_app(slack, record)
    yield made
    await made.close()


@pytest.fixture
async def acme(slack: SlackDouble, record: FakeInstallations) -> Team:
    return await there(slack, record, "T0ACME", "Acme")


@pytest.fixture
async def bird(slack: SlackDouble, record: FakeInstallations) -> Team:
    return await there(slack, record, "T0BIRD", "Bird")


async def there(slack: SlackDouble, record: FakeInstallations, number: str, name: str) -> Team:
    team = slack.directory.add(number, name)
    await record.keep(installed(team, f"xoxb-{name.lower()}"))
    return team


def question(team: Team, ts: str) -> Message:
    place = Channel(Platform.SLACK, team.id, GENERAL, ts, ChannelKind.OPEN)
    return replace(a_message("?"), id=ts, channel=place, author=replace(a_message("?").author, id="U0ANN"))


async def answer(adapter: SlackAdapter, asked: Message, text: str) -> None:
    await adapter.send(asked, pieces_of(Piece(0, text, done=True)), FakeReceipts())


async def test_the_same_ids_in_two_workspaces_are_two_of_everything(
    slack: SlackDouble, adapter: SlackAdapter, acme: Team, bird: Team
) -> None:
    bird.space.people["U0ANN"]["profile"]["display_name"] = "Anna"
    bird.space.places[GENERAL].name = "lobby"
    door, ts = FakeDoor(), "1764510000.000100"
    async with listening(slack, adapter, door):
        for team, text in ((acme, "what is acme?"), (bird, "what is bird?")):
            await team.say(slack.way, "U0ANN", GENERAL, f"<@U0BOT> {text}", ts=ts)
        await slack.until(lambda: len(door.messages) == 2)
    heard = [(m.channel.workspace, m.text, m.author.name, m.channel.name) for m in door.messages]
    assert heard == [
        ("T0ACME", "what is acme?", "Ann", "general"),
        ("T0BIRD", "what is bird?", "Anna", "lobby"),
    ]
    await asyncio.gather(*(answer(adapter, m, f"about {m.text}") for m in door.messages))
    assert acme.answers(GENERAL, ts) == ["about what is acme?"]
    assert bird.answers(GENERAL, ts) == ["about what is bird?"]
    tokens = {
        call.token for call in slack.calls if call.method.startswith(("chat.", "users.", "conversations."))
    }
    assert tokens == {"xoxb-acme", "xoxb-bird"}
    assert slack.answers(GENERAL, ts) == []


async def test_the_rates_of_one_workspace_are_no_other_s(
    adapter: SlackAdapter, acme: Team, bird: Team
) -> None:
    one, other = await adapter.teams.of("T0ACME"), await adapter.teams.of("T0BIRD")
    while one.budgets.updates.left():
        assert one.budgets.updates.take()
    one.budgets.posts(GENERAL).rest(60)
    assert other.budgets.updates.left() > 0
    assert other.budgets.posts(GENERAL).left() > 0
    assert await adapter.teams.of("T0ACME") is one


async def test_what_the_record_says_is_read_once_for_many_who_ask(
    adapter: SlackAdapter, record: FakeInstallations, acme: Team
) -> None:
    found = await asyncio.gather(*(adapter.teams.of("T0ACME") for _ in range(20)))
    assert len({id(team) for team in found}) == 1
    assert record.found == 1


async def test_a_workspace_without_installation_is_acknowledged_and_not_heard(
    slack: SlackDouble, adapter: SlackAdapter, record: FakeInstallations
) -> None:
    stranger, door = slack.directory.add("T0ELSE", "Else"), FakeDoor()
    async with listening(slack, adapter, door):
        await stranger.say(slack.way, "U0ANN", GENERAL, "<@U0BOT> hello?")
        await slack.until(lambda: all(delivery.acked for delivery in slack.sockets.deliveries))
    assert door.messages == []
    with pytest.raises(NotInstalled, match="T0ELSE"):
        await answer(adapter, question(stranger, "1.0"), "no")


async def test_while_the_record_cannot_be_read_nothing_is_acknowledged(
    slack: SlackDouble, adapter: SlackAdapter, record: FakeInstallations, acme: Team
) -> None:
    door = FakeDoor()
    with capture_logs() as logs:
        async with listening(slack, adapter, door):
            record.error = StoreDown("away")
            await acme.say(slack.way, "U0ANN", GENERAL, "<@U0BOT> hello?")
            await slack.until(lambda: any(line["event"] == "slack_message_not_kept" for line in logs))
            assert not any(delivery.acked for delivery in slack.sockets.deliveries)
            record.error = None
            await slack.sockets.redeliver()
            await slack.until(lambda: door.messages)
    assert [message.text for message in door.messages] == ["hello?"]


async def test_a_token_that_was_refused_is_read_anew_and_another_workspace_goes_on(
    slack: SlackDouble, adapter: SlackAdapter, record: FakeInstallations, acme: Team, bird: Team
) -> None:
    for team in (acme, bird):
        await team.say(slack.way, "U0ANN", GENERAL, "a question", ts="1.0")
    acme.gone = "token_revoked"
    with pytest.raises(TokenRefused, match="Acme"):
        await answer(adapter, question(acme, "1.0"), "no")
    posts = len(slack.called("chat.postMessage"))
    with pytest.raises(TokenRefused):
        await answer(adapter, question(acme, "1.0"), "no")
    assert len(slack.called("chat.postMessage")) == posts  # the token was tried first
    await answer(adapter, question(bird, "1.0"), "yes")
    await record.keep(installed(acme, "xoxb-again"))
    await answer(adapter, question(acme, "1.0"), "yes again")
    assert (acme.answers(GENERAL, "1.0"), bird.answers(GENERAL, "1.0")) == (["yes again"], ["yes"])


async def test_a_removal_ends_one_workspace_and_the_listening_goes_on(
    slack: SlackDouble, adapter: SlackAdapter, record: FakeInstallations, acme: Team, bird: Team
) -> None:
    door = FakeDoor()
    async with listening(slack, adapter, door):
        await acme.say(slack.way, "U0ANN", GENERAL, "<@U0BOT> first")
        await slack.until(lambda: door.messages)
        await slack.directory.remove(slack.way, "T0ACME", at=datetime.now(UTC).timestamp() + 1)
        await slack.until(lambda: len(door.left_places) == 2)
        assert set(door.left_places) == {(Platform.SLACK, "T0ACME")}
        await acme.say(slack.way, "U0ANN", GENERAL, "<@U0BOT> second")
        await bird.say(slack.way, "U0ANN", GENERAL, "<@U0BOT> third")
        await slack.until(lambda: len(door.messages) == 2)
    assert [message.text for message in door.messages] == ["first", "third"]
    with pytest.raises(NotInstalled):
        await answer(adapter, question(acme, "1.0"), "no")
    assert set(record.kept) == {"T0BIRD"}


async def test_a_removal_that_comes_after_the_return_removes_nothing(
    slack: SlackDouble, adapter: SlackAdapter, record: FakeInstallations, acme: Team
) -> None:
    door = FakeDoor()
    async with listening(slack, adapter, door):
        await slack.directory.remove(slack.way, "T0ACME", at=1_764_500_000)
        await slack.until(lambda: all(delivery.acked for delivery in slack.sockets.deliveries))
    assert door.left_places == []
    assert set(record.kept) == {"T0ACME"}


async def test_what_is_shared_by_other_workspaces_belongs_to_who_installed_the_app(
    slack: SlackDouble, adapter: SlackAdapter, acme: Team
) -> None:
    door = FakeDoor()
    event = {
        "type": "message",
        "channel": GENERAL,
        "user": "U0ANN",
        "text": "<@U0BOT> hi",
        "ts": "1764510000.1",
    }
    async with listening(slack, adapter, door):
        await slack.way.deliver(event, team_id="T0OTHER", authorizations=[{"team_id": "T0ACME"}])
        await slack.until(lambda: door.messages)
    assert door.messages[0].channel.workspace == "T0ACME"


async def test_the_bot_s_name_is_known_where_it_was_heard_of(adapter: SlackAdapter, acme: Team) -> None:
    place = Channel(Platform.SLACK, "T0ACME", GENERAL)
    assert adapter.names(place) == ()
    await adapter.teams.of("T0ACME")
    assert adapter.names(place)[0] == "frontdesk"
    assert adapter.names(replace(place, workspace="T0BIRD")) == ()


async def test_all_workspaces_are_found_but_those_whose_token_cannot_be_read(
    adapter: SlackAdapter, record: FakeInstallations, acme: Team, bird: Team
) -> None:
    record.unreadable.add("T0BIRD")
    (team,) = await adapter.teams.all()
    assert team is await adapter.teams.of("T0ACME")


async def test_a_file_is_fetched_with_the_token_of_its_workspace(
    slack: SlackDouble, adapter: SlackAdapter, acme: Team, bird: Team
) -> None:
    told = slack.files.share("plan.txt", b"the plan", "text/plain")
    file = File("plan.txt", "text/plain", 8, told["url_private"])
    for team in (acme, bird):
        with pytest.raises(PermissionMissing):  # it is no file of theirs
            await adapter.fetch(Channel(Platform.SLACK, team.id, GENERAL), file, 1_000)
    assert [token.rpartition(" ")[2] for token in slack.files.tokens_seen] == ["xoxb-acme", "xoxb-bird"]
