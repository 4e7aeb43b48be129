"""The page in a real browser: what people see, press and type."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright, expect

from bot.dialogue import EntryState, Reply, Wish
from tests.web.conftest import Console, running
from tests.web.record import ANSWER, why

CHROMIUM = next(
    filter(
        None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"))
    ),
    None,
)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ATTACK = "<img src=x onerror=\"document.title='broken'\"><script>document.title='broken'</script>"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(CHROMIUM is None and not os.environ.get("CI"), reason="no Chromium on this machine"),
]


class Visit:
    """A page that is looked at; notes every request and every error of its script."""

    def __init__(self, page: Page, console: Console) -> None:
        self.page = page
        self.console = console
        self.requests: list[str] = []
        self.errors: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._note)
        self.field = page.locator("#composer-text")
        self.answers = page.locator(".entry.bot .body")
        self.said = page.locator(".entry.person .body")

    def _note(self, line: ConsoleMessage) -> None:
        if line.type == "error":
            self.errors.append(line.text)

    async def ask(self, text: str) -> None:
        await self.field.fill(text)
        await self.field.press("Enter")
        await expect(self.said.last).to_have_text(text)

    async def answered(self, text: str, state: EntryState = EntryState.DONE) -> None:
        await self.console.record.answer(text, state)
        await expect(self.page.locator(f".entry.bot.{state}").last).to_be_visible()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    assert CHROMIUM, "the page has to be tried in a browser here, and there is none: install chromium"
    async with async_playwright() as playwright:
        found = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield found
        await found.close()


@pytest_asyncio.fixture(loop_scope="module")
async def served() -> AsyncIterator[Console]:
    async with running() as found:
        yield found


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def closed_behind(browser: Browser) -> AsyncIterator[None]:
    """Close all pages after each test; else they go on looking for a server that is gone."""
    yield
    for context in browser.contexts:
        await context.close()


async def visit(browser: Browser | BrowserContext, console: Console, **options: Any) -> Visit:
    if isinstance(browser, Browser):
        # Nothing blinks unless a test wants it: drawing is what costs the time here.
        options = {"reduced_motion": "reduce", **options}
    page = await browser.new_page(**options)
    page.set_default_timeout(10_000)
    found = Visit(page, console)
    await page.goto(console.address)
    return found


def assert_stayed_home(seen: Visit) -> None:
    """No request left the machine, and the script did not stumble."""
    hosts = {urlsplit(url).netloc for url in seen.requests}
    assert hosts == {urlsplit(seen.console.address).netloc}
    assert seen.errors == []


async def test_a_question_streams_to_its_answer(browser: Browser, served: Console) -> None:
    seen = await visit(browser, served)
    await expect(seen.page.locator(".example")).to_have_count(3)
    await seen.ask("Where is order 1042?")
    await expect(seen.page.locator("#empty")).to_be_hidden()
    await expect(seen.page.get_by_text("Thinking …")).to_be_visible()
    await seen.answered("On its w", EntryState.WRITING)
    await expect(seen.answers.last).to_have_text("On its w")
    await seen.answered(ANSWER)
    await expect(seen.answers.last.locator("pre .k").first).to_have_text("def")
    await expect(seen.answers.last.locator("table td.right").first).to_have_text("1,204")
    await expect(seen.answers.last.locator("a")).to_have_attribute("rel", "noopener nofollow noreferrer")
    await expect(seen.page.locator("#threads a[aria-current]")).to_contain_text("Where is order 1042?")
    spoken = seen.page.locator("#announcer")
    await expect(spoken).to_contain_text("Say what happened in one sentence")
    await expect(spoken).not_to_contain_text("Copy")
    await expect(seen.page).to_have_title("Where is order 1042? · Frontdesk")
    assert_stayed_home(seen)


async def test_a_page_loaded_again_in_mid_answer_goes_on_where_it_stood(
    browser: Browser, served: Console
) -> None:
    seen = await visit(browser, served)
    await seen.ask("Tell me")
    await seen.answered("First half", EntryState.WRITING)
    await seen.page.reload()
    await expect(seen.said).to_have_text("Tell me")
    await expect(seen.answers).to_have_text("First half")
    await seen.answered("First half, second half")
    await expect(seen.answers).to_have_text("First half, second half")
    assert_stayed_home(seen)


async def test_what_stands_is_not_touched_while_the_rest_grows(browser: Browser, served: Console) -> None:
    """A selection, a focus or a scrolled code block must survive the next words."""
    seen = await visit(browser, served)
    await seen.ask("Tell me")
    await seen.answered("First.\n\n```python\nx = 1\n```\n\nThi", EntryState.WRITING)
    await seen.answers.last.evaluate("body => [...body.children].forEach(child => child.marked = true)")
    await seen.answered("First.\n\n```python\nx = 1\n```\n\nThird.\n\nFourth.")
    await expect(seen.answers.last.locator(":scope > *")).to_have_count(4)
    marks = await seen.answers.last.evaluate("body => [...body.children].map(child => !!child.marked)")
    assert marks == [True, True, False, False]


async def test_enter_does_not_send_while_an_input_method_composes(browser: Browser, served: Console) -> None:
    seen = await visit(browser, served)
    await seen.field.focus()
    session = await seen.page.context.new_cdp_session(seen.page)
    await session.send("Input.imeSetComposition", {"text": "ni hao", "selectionStart": 6, "selectionEnd": 6})
    for composing, code in ((True, 13), (False, 229)):
        sent = await seen.field.evaluate(
            """(field, [composing, code]) => {
                const press = new KeyboardEvent("keydown", {
                    key: "Enter", keyCode: code, isComposing: composing, bubbles: true, cancelable: true });
                return !field.dispatchEvent(press);
            }""",
            [composing, code],
        )
        assert not sent
    assert await seen.field.input_value() == "ni hao"
    assert not served.record.messages
    await session.send("Input.insertText", {"text": "你好"})
    await seen.field.press("Enter")
    await expect(seen.said).to_have_text("你好")
    assert [message.text for message in served.record.messages] == ["你好"]


async def test_everything_is_reached_by_the_keyboard(browser: Browser, served: Console) -> None:
    seen = await visit(browser, served)
    served.record.reasons[1] = why(1)
    await expect(seen.field).to_be_focused()
    await seen.page.keyboard.type("one")
    await seen.page.keyboard.press("Shift+Enter")
    await seen.page.keyboard.type("two")
    await seen.page.keyboard.press("Enter")
    await expect(seen.said).to_have_text("one\ntwo")
    await expect(seen.field).to_have_value("")
    await seen.answered("An answer")
    button = seen.page.get_by_role("button", name="Why this answer")
    for _ in range(20):
        await seen.page.keyboard.press("Shift+Tab")
        if await button.evaluate("button => button === document.activeElement"):
            break
    outline = await button.evaluate("button => getComputedStyle(button).outlineStyle")
    assert outline == "solid"
    await seen.page.keyboard.press("Enter")
    await expect(seen.page.locator("dialog")).to_be_visible()
    await seen.page.keyboard.press("Escape")
    await expect(seen.page.locator("dialog")).to_be_hidden()
    await expect(button).to_be_focused()
    await seen.page.keyboard.press("Escape")
    await expect(seen.field).to_be_focused()


async def test_the_first_link_leads_past_the_sidebar(browser: Browser, served: Console) -> None:
    seen = await visit(browser, served)
    await seen.page.get_by_role("button", name="New conversation").focus()
    await seen.page.keyboard.press("Shift+Tab")
    skip = seen.page.get_by_role("link", name="Skip to the message field")
    await expect(skip).to_be_focused()
    await expect(skip).to_be_in_viewport()
    await seen.page.keyboard.press("Enter")
    await expect(seen.field).to_be_focused()


async def test_why_tells_what_the_model_read(browser: Browser, served: Console) -> None:
    seen = await visit(browser, served)
    served.record.reasons[1] = why(1)
    await seen.ask("Where is order 1042?")
    await seen.answered("On its way")
    await seen.page.get_by_role("button", name="Why this answer").click()
    panel = seen.page.get_by_role("dialog", name="Why this answer")
    await expect(panel).to_contain_text("gpt-oss-20b")
    await expect(panel).to_contain_text("1,302 read, 214 written")
    await expect(panel).to_contain_text("3.4 s · first text after 0.6 s")
    await expect(panel.locator(".reasons .badge")).to_have_text(["Not read", "As a summary", "Whole"])
    await expect(panel).to_contain_text(
        "Whole: 96 tokens · As a summary: 210 tokens · Not read: 5,120 tokens"
    )
    await expect(panel).to_contain_text("Does anybody still have the slides")
    await expect(panel.get_by_role("heading", level=3)).to_have_text(
        ["What the model read", "Files and links", "Notes"]
    )
    await expect(panel.locator(".notes").first.get_by_role("listitem")).to_have_text(
        ["parcels.csv (rows: 12)", "slides.key (not read: of a kind I cannot read)"]
    )
    await panel.get_by_role("button", name="Close").click()
    await expect(panel).to_be_hidden()
    assert_stayed_home(seen)


async def test_no_markup_of_a_person_or_a_model_runs(browser: Browser, served: Console) -> None:
    seen = await visit(browser, served)
    await seen.ask(ATTACK)
    await seen.answered(
        f"{ATTACK}\n\n[x](javascript:document.title='broken') ![p](https://evil.example/p.png)"
    )
    await expect(seen.answers.last).to_contain_text("<img src=x")
    foreign = ".entry :is(img, script, iframe, style), .entry :is(.body, h3) svg"  # the thumbs are our own
    assert await seen.page.locator(foreign).count() == 0
    assert await seen.page.locator('.entry a[href^="javascript"]').count() == 0
    served.record.titles = dict.fromkeys(served.record.titles, ATTACK)
    await seen.page.reload()
    await expect(seen.page.locator("#threads a")).to_contain_text("<img src=x")
    assert "broken" not in (await seen.page.title()).replace(ATTACK, "")
    assert_stayed_home(seen)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_fits_a_phone_by_day_and_by_night(browser: Browser, served: Console, scheme: str) -> None:
    seen = await visit(
        browser, served, viewport={"width": 360, "height": 640}, color_scheme=scheme, has_touch=True
    )
    await seen.ask("A very-long-word-" * 20)
    await seen.answered(ANSWER)
    assert await seen.page.evaluate("document.documentElement.scrollWidth") <= 360
    assert await seen.page.evaluate(
        """[...document.querySelectorAll('.entry, .composer, .bar')]
            .every(element => element.getBoundingClientRect().right <= 360)"""
    )
    light = await seen.page.evaluate(
        """getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3)
            .reduce((sum, part) => sum + Number(part), 0)"""
    )
    assert (light > 600) == (scheme == "light")
    await expect(seen.page.locator("#sidebar")).not_to_be_in_viewport()
    await seen.page.get_by_role("button", name="Show conversations").click()
    await expect(seen.page.locator("#threads a")).to_be_in_viewport()
    await seen.page.keyboard.press("Escape")
    await expect(seen.page.locator("#sidebar")).not_to_be_in_viewport()
    await expect(seen.page.get_by_role("button", name="Show conversations")).to_be_focused()


async def test_two_tabs_see_the_same_conversation(browser: Browser, served: Console) -> None:
    context = await browser.new_context()
    first = await visit(context, served)
    await first.ask("From the first tab")
    second = await visit(context, served)
    await second.page.locator("#threads a").click()
    await expect(second.said).to_have_text("From the first tab")
    await first.answered("For both")
    await expect(first.answers).to_have_text("For both")
    await expect(second.answers).to_have_text("For both")
    await second.ask("From the second tab")
    await expect(first.said).to_have_text(["From the first tab", "From the second tab"])
    assert len({message.author.id for message in served.record.messages}) == 1


async def test_a_chinese_browser_is_spoken_to_in_chinese(browser: Browser, served: Console) -> None:
    seen = await visit(browser, served, locale="zh-CN", timezone_id="Asia/Shanghai")
    await expect(seen.page.locator("html")).to_have_attribute("lang", "zh-CN")
    await expect(seen.page.get_by_role("heading", name="有什么可以帮你？")).to_be_visible()
    await seen.page.locator(".example").nth(2).click()
    await expect(seen.said).to_have_text("为新同事的第一天列一份清单。")
    await expect(seen.page.get_by_text("正在思考……")).to_be_visible()
    message = served.record.messages[0]
    assert (message.author.name, message.author.time_zone, message.author.locale) == (
        "访客",
        "Asia/Shanghai",
        "zh-CN",
    )
    assert_stayed_home(seen)


async def test_an_unfinished_answer_is_marked(browser: Browser, served: Console) -> None:
    seen = await visit(browser, served)
    await seen.ask("Hello")
    await seen.answered("Half of an ans", EntryState.FAILED)
    await expect(seen.page.locator(".entry.bot .badge")).to_have_text("Unfinished")


async def test_a_lost_connection_is_told_and_comes_back_without_losing_a_word(browser: Browser) -> None:
    async with running() as console:
        seen = await visit(browser, console)
        await seen.ask("Hello")
        await seen.answered("Half", EntryState.WRITING)
        console.record.down = True
        await console.record.wake()
        await expect(seen.page.locator("#lost")).to_be_visible()
        await seen.field.fill("While it was away")
        await seen.field.press("Enter")
        await expect(seen.page.locator(".delivery")).to_have_text("Sending …")
        console.record.down = False
        await seen.answered("Half and whole")
        await expect(seen.page.locator("#lost")).to_be_hidden()
        await expect(seen.said.last).to_have_text("While it was away")
        await expect(seen.page.locator(".delivery")).to_have_count(0)
        assert [message.text for message in console.record.messages] == ["Hello", "While it was away"]


async def test_what_was_sent_while_the_server_was_away_survives_a_reload(
    browser: Browser, served: Console
) -> None:
    seen = await visit(browser, served)
    served.record.down = True
    await seen.field.fill("Keep this")
    await seen.field.press("Enter")
    await expect(seen.page.locator(".delivery")).to_have_text("Sending …")
    await seen.page.reload()
    await expect(seen.said).to_have_text("Keep this")
    served.record.down = False
    await expect(seen.page.locator(".delivery")).to_have_count(0)
    await expect(seen.said).to_have_text("Keep this")
    assert [message.text for message in served.record.messages] == ["Keep this"]


async def test_a_refused_message_says_why_and_can_be_sent_again(browser: Browser, served: Console) -> None:
    seen = await visit(browser, served)
    served.record.ignoring = True
    await seen.ask("Hello")
    await expect(seen.page.locator(".delivery")).to_contain_text("not allowed")
    served.record.ignoring = False
    await seen.page.get_by_role("button", name="Try again").click()
    await expect(seen.page.locator(".delivery")).to_have_count(0)
    await expect(seen.said).to_have_count(1)
    assert [message.text for message in served.record.messages] == ["Hello"]


async def test_a_message_that_is_too_long_stays_in_the_field(browser: Browser, served: Console) -> None:
    seen = await visit(browser, served)
    await seen.field.fill("x" * 40_001)
    await seen.field.press("Enter")
    await expect(seen.page.get_by_role("alert")).to_contain_text("40,000")
    assert len(await seen.field.input_value()) == 40_001
    await seen.field.fill("x" * 40_000)
    await seen.field.press("Enter")
    await expect(seen.said).to_have_count(1)
    assert len(served.record.messages[0].text) == 40_000


async def test_the_page_follows_the_answer_only_while_the_reader_is_at_its_end(
    browser: Browser, served: Console
) -> None:
    seen = await visit(browser, served, viewport={"width": 800, "height": 400})
    await seen.ask("Count")
    lines = [f"Line {number}\n\n" for number in range(60)]
    await seen.answered("".join(lines), EntryState.WRITING)
    await expect(seen.page.get_by_text("Line 59", exact=True)).to_be_in_viewport()
    await seen.page.locator("#scroller").evaluate("box => box.scrollTo(0, 0)")
    await expect(seen.page.locator("#to-newest")).to_be_visible()
    await seen.answered("".join([*lines, "The end"]))
    await expect(seen.page.locator(".entry p", has_text="The end")).to_be_attached()
    assert await seen.page.locator("#scroller").evaluate("box => box.scrollTop") == 0
    await seen.page.locator("#to-newest").click()
    await expect(seen.page.locator(".entry p", has_text="The end")).to_be_in_viewport()


async def test_code_is_copied_as_it_was_written(browser: Browser, served: Console) -> None:
    context = await browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    seen = await visit(context, served)
    await seen.ask("Code")
    await seen.answered("```python\nif x < 1:\n    print('<b>')\n```\n")
    await seen.page.locator(".code").get_by_role("button", name="Copy").click()
    await expect(seen.page.locator(".code")).to_contain_text("Copied")
    assert await seen.page.evaluate("navigator.clipboard.readText()") == "if x < 1:\n    print('<b>')\n"


async def test_a_name_a_draft_and_a_new_conversation(browser: Browser, served: Console) -> None:
    seen = await visit(browser, served)
    await seen.page.get_by_label("Your name").fill("Mira")
    await seen.ask("One")
    await seen.field.fill("a draft")
    await seen.page.get_by_role("button", name="New conversation").click()
    await expect(seen.field).to_have_value("")
    await expect(seen.page.locator("#empty")).to_be_visible()
    await seen.ask("Two")
    await expect(seen.page.locator("#threads a")).to_have_count(2)
    await seen.page.locator("#threads a", has_text="One").click()
    await expect(seen.said).to_have_text("One")
    await expect(seen.field).to_have_value("a draft")
    assert [message.author.name for message in served.record.messages] == ["Mira", "Mira"]
    assert len({message.channel.id for message in served.record.messages}) == 2


async def test_motion_is_spared_who_asks_for_it(browser: Browser, served: Console) -> None:
    for wish, expected in (("reduce", "none"), ("no-preference", "pulse")):
        seen = await visit(browser, served, reduced_motion=wish)
        await seen.ask("Hello")
        dot = seen.page.locator(".dots i").first
        assert await dot.evaluate("dot => getComputedStyle(dot).animationName") == expected


async def test_the_token_opens_the_page_and_logging_out_closes_it(browser: Browser) -> None:
    async with running("open sesame") as console:
        context = await browser.new_context()
        seen = await visit(context, console)
        await expect(seen.page).to_have_url(re.compile("/login$"))
        await seen.page.get_by_label("Access token").fill("wrong")
        await seen.page.keyboard.press("Enter")
        await expect(seen.page.get_by_role("alert")).to_contain_text("This is not the token")
        await seen.page.get_by_label("Access token").fill("open sesame")
        await seen.page.get_by_role("button", name="Log in").click()
        await expect(seen.page.locator(".example")).to_have_count(3)
        await seen.ask("Hello")
        await seen.answered("Let in")
        assert await seen.page.evaluate("document.cookie") == ""
        await seen.page.get_by_role("button", name="Log out").click()
        await expect(seen.page).to_have_url(re.compile("/login$"))


@pytest.mark.parametrize(
    ("locale", "stop", "again", "down", "send"),
    [
        ("en", "Stop", "Try again", "Not helpful", "Send feedback"),
        ("zh-CN", "停止", "重新回答", "没有帮助", "提交反馈"),
    ],
)
async def test_an_answer_is_stopped_repeated_and_voted_on(
    browser: Browser, served: Console, locale: str, stop: str, again: str, down: str, send: str
) -> None:
    seen = await visit(browser, served, locale=locale)
    await seen.ask("Where is order 1042?")
    await seen.answered("On its w", EntryState.WRITING)
    await seen.page.get_by_role("button", name=stop).click()
    await seen.answered("On its w", EntryState.STOPPED)
    await seen.page.get_by_role("button", name=again).click()
    await seen.page.get_by_role("button", name=down).click()
    await seen.page.locator(".reason input").fill("no number")
    await seen.page.get_by_role("button", name=send).click()
    await expect(seen.page.locator(".reason")).to_have_count(0)
    wishes = [(request.wish, request.value, request.reason) for request in served.record.requests]
    assert wishes == [
        (Wish.STOP, "", ""),
        (Wish.AGAIN, "", ""),
        (Wish.VOTE, "down", ""),
        (Wish.VOTE, "down", "no number"),
    ]
    assert_stayed_home(seen)
    await seen.page.reload()
    await expect(seen.page.get_by_role("button", name=down)).to_have_attribute("aria-pressed", "true")


async def test_a_wish_that_cannot_be_had_is_told(browser: Browser, served: Console) -> None:
    served.record.replies[Wish.AGAIN] = Reply("This answer is being written.", done=False)
    seen = await visit(browser, served)
    await seen.ask("Where is order 1042?")
    await seen.answered("On its way.")
    await seen.page.get_by_role("button", name="Try again").click()
    await expect(seen.page.locator("#problem")).to_have_text("This answer is being written.")
