"""A workspace installs the app with a browser: the way there and back, and each way it goes wrong."""

from __future__ import annotations

import asyncio
import html
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from starlette.applications import Starlette

from bot.adapters.slack import SlackAdapter
from bot.adapters.slack.install import INSTALL, REDIRECT, AppIdentity
from bot.errors import StoreDown
from bot.web.serve import bound, serve
from tests.adapters.slack.installed import FakeInstallations, an_app
from tests.doubles.slack import SlackDouble


class Browser:
    """A person's browser, which keeps cookies and follows redirects."""

    def __init__(self, session: aiohttp.ClientSession, address: str) -> None:
        self.session = session
        self.address = address

    async def get(self, url: str) -> tuple[int, str]:
        async with self.session.get(url if "://" in url else self.address + url) as answer:
            return answer.status, await answer.text()

    async def link(self) -> str:
        """Where the button of the first page leads."""
        status, page = await self.get(INSTALL)
        assert status == 200
        return html.unescape(page.split("] ", 1)[1])

    async def install(self) -> tuple[int, str]:
        """Press the button, and answer Slack's question."""
        return await self.get(await self.link())


@pytest.fixture
def record() -> FakeInstallations:
    return FakeInstallations()


@pytest.fixture
async def browser(slack: SlackDouble, record: FakeInstallations) -> AsyncIterator[Browser]:
    listener = bound("127.0.0.1", 0)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    adapter, console = an_app(slack, record, address), Starlette()
    console.state.close = lambda: None
    slack.directory.redirects = {address + REDIRECT}
    slack.directory.chosen = "T0ACME"
    slack.directory.add("T0ACME", "Acme")
    serving = asyncio.create_task(serve(console, listener, beside=adapter.pages))
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield Browser(session, address)
    serving.cancel()
    await asyncio.wait({serving})
    await adapter.close()


async def test_a_workspace_is_installed_with_a_token_that_works(
    slack: SlackDouble, record: FakeInstallations, browser: Browser
) -> None:
    status, page = await browser.install()
    assert status == 200
    assert page == "[slack-installed bot=frontdesk team=Acme] slack://app?team=T0ACME&id=A0DESK&tab=messages"
    ((kept, _),) = record.kept.values()
    assert (kept.workspace, kept.name, kept.bot_name) == ("T0ACME", "Acme", "frontdesk")
    assert kept.token == slack.directory.teams["T0ACME"].token
    assert len(browser.session.cookie_jar) == 0


async def test_slack_is_asked_for_what_the_manifest_names(slack: SlackDouble, browser: Browser) -> None:
    link = await browser.link()
    assert link.startswith(slack.api_url.replace("/api/", "/oauth/v2/authorize?"))
    asked = parse_qs(urlsplit(link).query)
    assert set(asked["scope"][0].split(",")) == {*slack.scopes.split(","), "usergroups:read"}
    assert asked["redirect_uri"] == [browser.address + REDIRECT]


async def test_a_state_counts_once(record: FakeInstallations, browser: Browser) -> None:
    async with browser.session.get(await browser.link(), allow_redirects=False) as answer:
        back = answer.headers["Location"]
    cookies = {cookie.key: cookie.value for cookie in browser.session.cookie_jar}
    assert (await browser.get(back))[0] == 200
    record.kept.clear()
    async with aiohttp.ClientSession(cookies=cookies) as replaying, replaying.get(back) as answer:
        assert (answer.status, await answer.text()) == (409, f"[slack-state] {browser.address}{INSTALL}")
    assert record.kept == {}


async def test_nobody_finishes_what_another_browser_began(
    record: FakeInstallations, browser: Browser
) -> None:
    link = await browser.link()
    async with aiohttp.ClientSession() as stranger, stranger.get(link) as answer:
        assert (answer.status, "slack-state" in await answer.text()) == (409, True)
    await browser.get(INSTALL)  # its own state is another one
    assert (await browser.get(link))[0] == 409
    assert record.kept == {}


@pytest.mark.parametrize(
    "query", ["", "?code=code-1", "?code=code-1&state=", "?state=state-1", "?code=code-1&state=é"]
)
async def test_who_comes_without_having_been_at_slack_installs_nothing(
    slack: SlackDouble, record: FakeInstallations, browser: Browser, query: str
) -> None:
    status, page = await browser.get(REDIRECT + query)
    assert (status, "slack-state" in page) == (409, True)
    assert slack.called("oauth.v2.access") == []


async def test_a_refusal_is_told_as_one(slack: SlackDouble, browser: Browser) -> None:
    slack.directory.chosen = ""
    assert (await browser.install())[1].startswith("[slack-denied")
    status, page = await browser.get(f"{REDIRECT}?error=Call+0800+now")
    assert (status, page.startswith("[slack-refused address=")) == (409, True)
    assert "error=?" in page


@pytest.mark.parametrize(
    ("granted", "name"),
    [
        ({"is_enterprise_install": True, "team": None, "enterprise": {"id": "E1"}}, "slack-org"),
        ({"refresh_token": "xoxe-1", "expires_in": 43_200}, "slack-rotation"),
        ({"access_token": ""}, "slack-refused"),
        ({"access_token": "xoxb-of-nobody"}, "slack-refused"),
    ],
)
async def test_what_cannot_be_served_is_not_kept(
    slack: SlackDouble, record: FakeInstallations, browser: Browser, granted: dict[str, object], name: str
) -> None:
    slack.directory.granted = granted
    status, page = await browser.install()
    assert (status, page.startswith(f"[{name}")) == (502, True)
    assert record.kept == {}


async def test_a_wrong_secret_is_told_with_slack_s_own_name(slack: SlackDouble, browser: Browser) -> None:
    slack.directory.redirects = set()
    status, page = await browser.install()
    assert (status, "error=bad_redirect_uri" in page) == (502, True)


async def test_slack_being_away_is_told_and_a_second_try_works(
    slack: SlackDouble, record: FakeInstallations, browser: Browser
) -> None:
    slack.fail("oauth.v2.access", status=503)
    status, page = await browser.install()
    assert (status, page.startswith("[slack-away")) == (503, True)
    assert (await browser.install())[0] == 200


async def test_a_database_that_is_away_keeps_nothing_and_says_so(
    record: FakeInstallations, browser: Browser
) -> None:
    record.error = StoreDown("away")
    status, page = await browser.install()
    assert (status, page.startswith("[slack-away")) == (503, True)


async def test_the_pages_are_only_looked_at(browser: Browser) -> None:
    for path in (INSTALL, REDIRECT):
        async with browser.session.post(browser.address + path) as answer:
            assert answer.status == 405


async def test_behind_https_the_cookie_is_sent_over_https_alone(
    slack: SlackDouble, record: FakeInstallations
) -> None:
    adapter = an_app(slack, record, "https://bot.example/desk/")
    sent: list[dict[str, object]] = []

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": INSTALL, "headers": [], "query_string": b""}
    await adapter.pages[INSTALL](scope, None, send)  # type: ignore[arg-type]
    (cookie,) = [value.decode() for name, value in sent[0]["headers"] if name == b"set-cookie"]  # type: ignore[attr-defined]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=lax", "Secure", "Max-Age=600"))
    assert AppIdentity("1", "2", "https://bot.example/desk/").at(REDIRECT) == (
        "https://bot.example/desk/slack/oauth_redirect"
    )
    await adapter.close()


async def test_the_secret_shows_itself_nowhere(adapter: SlackAdapter) -> None:
    assert "hush" not in repr(AppIdentity("1", "hush", "https://bot.example"))
    assert dict(adapter.pages) == {}  # with a token in the settings nobody installs anything
