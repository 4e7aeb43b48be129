"""Walks through the console: the page over the real house, in a real browser."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, async_playwright, expect

from tests.doubles.model import Gate, ModelDouble, Script
from tests.walks.program import Program
from tests.web.test_browser import ARGUMENTS, CHROMIUM

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None and not os.environ.get("CI"), reason="no Chromium on this machine"),
]


@pytest.fixture
async def page(program: Program) -> AsyncIterator[Page]:
    await program.start()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = await browser.new_page()
        await page.goto(program.address)
        yield page
        await browser.close()


async def test_a_question_streams_is_remembered_and_explained(page: Page, model: ModelDouble) -> None:
    gate = Gate()
    model.script(
        Script(["**Paris** is the capital of France. ", "It lies on the Seine."], gate=gate, hold_after=1),
        Script("You asked about France."),
    )
    field = page.locator("#composer-text")
    answers = page.locator(".entry.bot .body")
    await field.fill("What is the capital of France?")
    await field.press("Enter")
    await expect(answers.first.locator("strong")).to_have_text("Paris")
    await expect(answers.first).not_to_contain_text("Seine")
    await page.reload()
    await expect(answers.first).to_contain_text("Paris is the capital")
    gate.release()
    await expect(answers.first).to_contain_text("It lies on the Seine.")
    await field.fill("What did I ask?")
    await field.press("Enter")
    await expect(answers.nth(1)).to_contain_text("You asked about France.")
    assert [line["role"] for line in model.requests[1].messages] == ["system", "user", "assistant", "user"]


async def test_an_answer_survives_a_kill_and_is_whole_afterwards(
    page: Page, program: Program, model: ModelDouble
) -> None:
    gate = Gate()
    model.script(
        Script(["The first half is written. ", "never"], gate=gate, hold_after=1), Script("Whole at last.")
    )
    await page.locator("#composer-text").fill("Tell me")
    await page.locator("#composer-text").press("Enter")
    await expect(page.locator(".entry.bot .body")).to_contain_text("The first half")
    address = program.address
    await program.kill()
    await program.start(BOT_WEB__PORT=address.rsplit(":", 1)[1])
    await expect(page.locator(".entry.bot .body")).to_have_text("Whole at last.", timeout=40_000)
    await expect(page.locator(".entry.bot")).to_have_count(1)


@pytest.mark.parametrize(
    ("locale", "stop", "again", "ended"),
    [("en", "Stop", "Try again", "Stopped"), ("zh-CN", "停止", "重新回答", "已停止")],
)
async def test_an_answer_is_stopped_and_written_anew_in_place(
    page: Page, program: Program, model: ModelDouble, locale: str, stop: str, again: str, ended: str
) -> None:
    gate = Gate()
    model.script(
        Script(["The first half is written. ", "never"], gate=gate, hold_after=1), Script("A better answer.")
    )
    browser = page.context.browser
    assert browser is not None
    page = await browser.new_page(locale=locale)
    await page.goto(program.address)
    await page.locator("#composer-text").fill("Tell me")
    await page.locator("#composer-text").press("Enter")
    answer = page.locator(".entry.bot .body")
    await expect(answer).to_contain_text("The first half")
    await page.get_by_role("button", name=stop).click()
    await expect(page.locator(".entry.bot.stopped .badge")).to_have_text(ended)
    await expect(answer).to_contain_text("The first half")
    gate.release()
    await page.get_by_role("button", name=again).click()
    await expect(answer).to_have_text("A better answer.")
    await expect(page.locator(".entry.bot")).to_have_count(1)
    assert "first half" not in str(model.requests[1].messages)
