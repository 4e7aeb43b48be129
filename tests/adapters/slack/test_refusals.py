"""A refusal names its cause and its cure, to the asker in their language and to whoever runs the bot."""

from __future__ import annotations

import pytest

from bot.adapters.slack.refusals import _CURES, cure, told
from bot.adapters.slack.web import Refused, Web
from bot.catalogue import Catalogue
from bot.errors import PermissionMissing, PlatformDown, StoreDown
from tests.adapters.slack.talk import GENERAL
from tests.doubles.slack import SlackDouble
from tests.fakes import FakeWords

WORDS = Catalogue()


@pytest.mark.parametrize("code", _CURES)
@pytest.mark.parametrize("language", ["en", "zh-CN", "zh-TW"])
def test_every_cure_can_be_said_in_every_language(code: str, language: str) -> None:
    key, values, text = cure(code, "Desk", "chat:write")
    said = WORDS.say(key, language, **values)
    assert "{" not in said + text
    assert ("Desk" in said) == (key == "slack-refused-not-in-channel")
    assert ("chat:write" in said) == (key == "slack-refused-scope")


async def test_slacks_own_name_and_the_cure_stand_in_the_error(slack: SlackDouble) -> None:
    web = Web(slack.bot_token, slack.api_url)
    web.bot_name = "Desk"
    slack.space.members_only.add(GENERAL)
    with pytest.raises(Refused) as caught:
        await web.call("chat.postMessage", channel=GENERAL, text="x")
    assert str(caught.value) == (
        "Slack refuses chat.postMessage: not_in_channel; invite the bot to the channel with /invite @Desk"
    )
    assert told(caught.value, FakeWords(), "en").startswith("[en:slack-refused-not-in-channel bot=Desk")
    await web.close()


async def test_a_missing_scope_is_named(slack: SlackDouble) -> None:
    web = Web(slack.bot_token, slack.api_url)
    slack.fail("chat.postMessage", error="missing_scope", needed="chat:write")
    with pytest.raises(PermissionMissing, match="chat:write") as caught:
        await web.call("chat.postMessage", channel=GENERAL, text="x")
    assert "chat:write" in told(caught.value, WORDS, "zh-TW")
    await web.close()


def test_what_passes_by_itself_is_said_to_do_so() -> None:
    for error in (StoreDown("no database at 10.0.0.1"), PlatformDown("no answer")):
        assert told(error, FakeWords(), "en") == "[en:slack-away]"


def test_a_refusal_without_a_known_cure_is_told_as_it_is() -> None:
    assert "too_odd" in told(Refused("chat.postMessage", "too_odd"), FakeWords(), "en")
