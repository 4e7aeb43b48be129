"""Why Slack refuses, and what cures it: for the asker in their language, for logs in English; pure."""

from __future__ import annotations

from collections.abc import Mapping

from bot.errors import FrontdeskError, PlatformDown, PlatformError
from bot.ports import Words

# Slack's error names, the catalogue's keys for cause and cure, and the cure for logs and `bot doctor`.
_INVITE = ("slack-refused-not-in-channel", "invite the bot to the channel with /invite @{bot}")
_RESTRICTED = ("slack-refused-restricted", "an administrator has to let apps post in the channel")
_LOCKED = ("slack-refused-locked", "unlock the thread, or ask in a new one")
_CURES: Mapping[str, tuple[str, str]] = {
    "not_in_channel": _INVITE,
    "channel_not_found": _INVITE,
    "not_authorized": _INVITE,
    "is_archived": ("slack-refused-archived", "unarchive the channel, or ask elsewhere"),
    "restricted_action": _RESTRICTED,
    "restricted_action_read_only_channel": _RESTRICTED,
    "restricted_action_non_threadable_channel": _RESTRICTED,
    "restricted_action_thread_only_channel": _RESTRICTED,
    "posting_to_channel_denied": _RESTRICTED,
    "restricted_action_thread_locked": _LOCKED,
    "cannot_reply_to_message": _LOCKED,
    "messages_tab_disabled": (
        "slack-refused-tab",
        "turn on the Messages tab under App Home in the app's settings",
    ),
    "missing_scope": (
        "slack-refused-scope",
        "add the scope {scope} in the app's settings and install it again",
    ),
    "no_permission": (
        "slack-refused-scope",
        "add the scope {scope} in the app's settings and install it again",
    ),
}


def cure(code: str, bot: str, scope: str = "") -> tuple[str, Mapping[str, str], str]:
    """Name the catalogue's key, the values for it and the English cure of an error; "" for none."""
    key, text = _CURES.get(code, ("", ""))
    values = {"bot": bot or "Frontdesk", "scope": scope or "?"}
    return key, values, text.format(**values)


def told(error: FrontdeskError, words: Words, language: str) -> str:
    """Say what went wrong to the person whom it concerns."""
    if not isinstance(error, PlatformError) or isinstance(error, PlatformDown):
        return words.say("slack-away", language)
    if error.reason:
        return words.say(error.reason, language, **error.values)
    return words.say("slack-refused", language, error=str(error))
