"""Questions that are no messages: what stands in the channel, and what is kept."""

from __future__ import annotations

from bot.dialogue import Accepted, ChannelKind, Message
from tests.adapters.discord.conftest import World
from tests.doubles.discord import Person, Place
from tests.doubles.discord_interactions import Interaction


async def test_a_question_by_command_stands_in_the_channel_and_is_that_message(
    heard: World, anna: Person, place: Place
) -> None:
    await heard.discord.command(anna, place, "ask", question="How high is\nMont Blanc?")
    await heard.discord.until(lambda: bool(heard.heard))

    [question], [shown] = heard.heard, heard.discord.messages(place)
    assert shown.content == "> How high is\n> Mont Blanc?"
    assert question.id == shown.id
    assert question.text == "How high is\nMont Blanc?"
    assert question.mentions_bot
    assert heard.discord.calls("POST", "/callback")[0].body["data"]["allowed_mentions"] == {"parse": []}
    assert (question.author.id, question.author.locale) == (anna.id, "en-US")
    assert (question.channel.id, question.channel.kind) == (place.id, ChannelKind.OPEN)


async def test_it_may_be_asked_in_private(heard: World, anna: Person) -> None:
    direct = heard.discord.direct(anna)
    await heard.discord.command(anna, direct, "ask", question="in private?")
    await heard.discord.until(lambda: bool(heard.heard))

    assert heard.heard[0].channel.kind is ChannelKind.DIRECT


async def test_a_command_that_comes_again_is_the_same_question(
    heard: World, anna: Person, place: Place
) -> None:
    typed = await heard.discord.command(anna, place, "ask", question="twice?")
    event = heard.discord.rest.interactions.event(typed)
    await heard.discord.gateway.dispatch("INTERACTION_CREATE", lambda _: event)
    await heard.discord.until(lambda: bool(heard.discord.calls("GET", "/@original")))
    await heard.discord.until(lambda: len(heard.inbox.knocks) == 2)

    assert len(heard.heard) == 1
    assert len(heard.discord.messages(place)) == 1


async def test_where_it_may_not_write_the_asker_alone_is_told_with_the_cure(
    heard: World, anna: Person, place: Place
) -> None:
    heard.discord.state.app_permissions = str(1 << 10)
    typed = await heard.discord.command(anna, place, "ask", question="hello?")

    assert typed.private
    assert "Send Messages" in typed.told[0]
    assert heard.heard == []
    assert heard.discord.messages(place) == []


async def test_who_is_not_heard_is_told_alone_and_nothing_stands(
    heard: World, anna: Person, place: Place
) -> None:
    async def ignore(message: Message) -> Accepted:
        return Accepted.IGNORED

    heard.inbox.accept = ignore  # type: ignore[method-assign]
    typed = await heard.discord.command(anna, place, "ask", question="hello?")
    await heard.discord.until(lambda: typed.told == ["[en-US:discord-not-heard]"])

    assert heard.discord.messages(place) == []


async def test_a_message_is_asked_about_in_private(heard: World, anna: Person, place: Place) -> None:
    ben = heard.discord.person("Ben")
    target = await heard.discord.say(ben, place, "The deploy is red again.")
    await heard.until_heard("The deploy is red again.")
    opened = await heard.discord.menu(anna, target)
    sent = await heard.discord.submit(opened, "Who should look at it?")
    await heard.discord.until(lambda: bool(sent.told))

    question = heard.heard[-1]
    [shown] = heard.discord.messages(heard.discord.direct(anna))
    assert question.id == shown.id
    assert question.channel.kind is ChannelKind.DIRECT
    assert question.author.id == anna.id
    assert question.text == "Ben:\n> The deploy is red again.\n\nWho should look at it?"
    assert "Who should look at it?" in shown.content
    assert f"/{place.id}/{target}" in shown.content
    assert len(heard.discord.messages(place)) == 1
    assert sent.private
    assert shown.id in sent.told[0]


async def test_without_a_question_it_is_asked_what_the_message_is_about(
    heard: World, anna: Person, place: Place
) -> None:
    target = await heard.discord.say(anna, place, "看看这个")
    opened = await heard.discord.menu(anna, target)
    await heard.discord.submit(opened)
    await heard.discord.until(lambda: any("about-default" in text for text in heard.texts))


async def test_after_a_restart_the_message_is_read_from_the_channel(
    heard: World, anna: Person, place: Place
) -> None:
    target = await heard.discord.say(anna, place, "as it stands there")
    label = {"type": 18, "id": 1, "component": {"type": 4, "id": 2, "custom_id": "text", "value": "why?"}}
    form = {"custom_id": f"frontdesk:about:{target}", "components": [label], "resolved": {}}
    await heard.discord.interact(Interaction(5, anna, place, form))
    await heard.discord.until(lambda: any("> as it stands there\n\nwhy?" in text for text in heard.texts))

    form = {"custom_id": "frontdesk:about:12345", "components": [label], "resolved": {}}
    gone = await heard.discord.interact(Interaction(5, anna, place, form))
    await heard.discord.until(lambda: gone.told == ["[en-US:discord-about-gone]"])


async def test_without_discord_the_person_is_asked_to_try_again(
    heard: World, anna: Person, place: Place
) -> None:
    target = await heard.discord.say(anna, place, "something")
    opened = await heard.discord.menu(anna, target)
    heard.discord.refuse("POST", "/users/@me/channels", 503, count=10)
    sent = await heard.discord.submit(opened, "why?")
    await heard.discord.until(lambda: sent.told == ["[en-US:discord-away]"])


async def test_closed_direct_messages_are_a_clear_word(heard: World, anna: Person, place: Place) -> None:
    anna.takes_direct = False
    target = await heard.discord.say(anna, place, "something")
    opened = await heard.discord.menu(anna, target)
    sent = await heard.discord.submit(opened, "why?")
    await heard.discord.until(lambda: sent.told == ["[en-US:discord-about-closed]"])

    assert heard.texts == ["something"]
