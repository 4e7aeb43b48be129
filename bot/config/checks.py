"""What of the settings has to go together, told in one line where it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.errors import SettingError

if TYPE_CHECKING:
    from bot.config.settings import Settings

_STEPS = "(see README, Slack in five steps)"
_SEVERAL = "(see README, Several Slack workspaces)"


def check_slack(settings: Settings) -> None:
    """Raise `SettingError` where Slack's settings are half of what a token, or an app to install, needs."""
    slack = settings.slack
    delivered = slack.app_token or slack.signing_secret
    if slack.client_id or slack.client_secret:
        _check_installing(settings)
        return
    if slack.bot_token is None and delivered:
        raise SettingError(
            f"BOT_SLACK__BOT_TOKEN: missing; Slack is not used without the bot's token {_STEPS}, or without "
            f"BOT_SLACK__CLIENT_ID and BOT_SLACK__CLIENT_SECRET for several workspaces {_SEVERAL}"
        )
    if slack.bot_token and not delivered:
        raise SettingError(
            "BOT_SLACK__APP_TOKEN: missing; Slack delivers by Socket Mode with it, "
            f"or over HTTP with BOT_SLACK__SIGNING_SECRET in its place {_STEPS}"
        )


def _check_installing(settings: Settings) -> None:
    slack = settings.slack
    if slack.bot_token:
        raise SettingError(
            "BOT_SLACK__BOT_TOKEN: one workspace's token and BOT_SLACK__CLIENT_ID exclude each other; take "
            f"the token away, and install the app in its workspace by /slack/install {_SEVERAL}"
        )
    needed = {
        "BOT_SLACK__CLIENT_ID": (slack.client_id, "it stands under Basic Information of the app's settings"),
        "BOT_SLACK__CLIENT_SECRET": (
            slack.client_secret,
            "it stands under Basic Information of the app's settings",
        ),
        "BOT_SLACK__SIGNING_SECRET": (
            slack.signing_secret or slack.app_token,
            "Slack delivers over HTTP with it, or by Socket Mode with BOT_SLACK__APP_TOKEN in its place",
        ),
        "BOT_WEB__PUBLIC_URL": (
            settings.web.public_url,
            "it is the address where browsers reach the bot, as https://bot.example.com",
        ),
        "BOT_SECRETS__KEY": (
            settings.secrets.key,
            "it encrypts the workspaces' tokens in the database; `bot key` makes one",
        ),
    }
    missing = [f"{name}: missing; {cure} {_SEVERAL}" for name, (value, cure) in needed.items() if not value]
    if missing:
        raise SettingError("\n".join(missing))
