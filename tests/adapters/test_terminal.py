"""The conversation in the terminal."""

from __future__ import annotations

import asyncio
import io
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput
from rich.console import Console

from bot.adapters.screen import Screen
from bot.adapters.terminal import Terminal
from bot.catalogue import Catalogue
from bot.dialogue import Author, ChannelKind, Entry, EntryState, Platform, Wish
from tests.web.record import FakeRecord, why

PERSON = Author("mira", "Mira", time_zone="Europe/Berlin", locale="en")
NOW = datetime.now(UTC)


class Scene:
    """A terminal in a test: what is typed, what is answered, what is shown."""

    def __init__(self, keys: PipeInput, language: str = "en", history: Path | None = None) -> None:
        self.keys = keys
        self.record = FakeRecord()
        self.paper = io.StringIO()
        console = Console(file=self.paper, width=80, height=24, force_terminal=False, color_system=None)
        self.terminal = Terminal(
            self.record, self.record, Catalogue(), PERSON, language, console, history=history
        )

    @property
    def shown(self) -> str:
        return self.paper.getvalue()

    async def until(self, text: str) -> None:
        """Wait until the text is shown."""
        async with asyncio.timeout(10):
            while text not in self.shown:  # noqa: ASYNC110 - a thread of rich's writes it too
                await asyncio.sleep(0.01)


@pytest.fixture
def keys() -> Iterator[PipeInput]:
    with create_pipe_input() as found, create_app_session(input=found, output=DummyOutput()):
        yield found


@asynccontextmanager
async def talking(scene: Scene) -> AsyncIterator[None]:
    """Talk until the block ends, then leave by Ctrl-D."""
    talk = asyncio.create_task(scene.terminal.talk())
    await scene.until("/help")
    yield
    scene.keys.send_text("\x04")
    assert await asyncio.wait_for(talk, 10) == 0


async def test_a_question_is_answered_by_the_same_door_as_everybody_s(keys: PipeInput) -> None:
    scene = Scene(keys)
    async with talking(scene):
        keys.send_text("Where is order 1042?\r")
        message = await scene.record.heard(1)
        await scene.record.answer("It is on its way.")
        await scene.until("It is on its way.")
    assert message.text == "Where is order 1042?"
    assert message.author == PERSON
    assert message.channel.platform is Platform.CONSOLE
    assert (message.channel.workspace, message.channel.id) == ("local", "mira")
    assert message.channel.kind is ChannelKind.DIRECT
    assert "Goodbye" in scene.shown


async def test_an_answer_is_printed_block_by_block_and_only_once(keys: PipeInput) -> None:
    scene = Scene(keys)
    whole = "First paragraph.\n\n```python\nx = 1\n\ny = 2\n```\n\n- one\n- two\n\nLast."
    async with talking(scene):
        keys.send_text("Tell me\r")
        await scene.record.heard(1)
        for length in range(0, len(whole), 7):
            await scene.record.answer(whole[:length], EntryState.WRITING)
            await asyncio.sleep(0)
        await scene.record.answer(whole)
        await scene.until("Last.")
    for part in ("First paragraph.", "x = 1", "y = 2", "• one", "• two", "Last."):
        assert scene.shown.count(part) == 1, f"{part!r} in {scene.shown}"
    assert "```" not in scene.shown


async def test_an_answer_that_began_again_is_told_so(keys: PipeInput) -> None:
    scene = Scene(keys)
    async with talking(scene):
        keys.send_text("Tell me\r")
        await scene.record.heard(1)
        await scene.record.answer("One.\n\nTwo", EntryState.WRITING)
        await scene.until("One.")
        await scene.record.answer("Other.")
        await scene.until("Other.")
    assert "began again" in scene.shown


async def test_a_pasted_text_of_several_lines_is_one_message(keys: PipeInput) -> None:
    scene = Scene(keys)
    async with talking(scene):
        keys.send_text("\x1b[200~one\ntwo\nthree\x1b[201~\r")
        message = await scene.record.heard(1)
        await scene.record.answer("Read.")
        await scene.until("Read.")
    assert message.text == "one\ntwo\nthree"


async def test_alt_enter_begins_a_new_line(keys: PipeInput) -> None:
    scene = Scene(keys)
    async with talking(scene):
        keys.send_text("one\x1b\rtwo\r")
        assert (await scene.record.heard(1)).text == "one\ntwo"
        await scene.record.answer("Read.")
        await scene.until("Read.")


async def test_ctrl_c_drops_the_line_and_only_that(keys: PipeInput) -> None:
    scene = Scene(keys)
    async with talking(scene):
        keys.send_text("never mind\x03")
        keys.send_text("Hello\r")
        assert (await scene.record.heard(1)).text == "Hello"
        await scene.record.answer("Hi.")
        await scene.until("Hi.")


async def test_ctrl_c_while_an_answer_comes_ends_the_wait_and_not_the_program(keys: PipeInput) -> None:
    scene = Scene(keys)
    before = signal.getsignal(signal.SIGINT)
    async with talking(scene):
        keys.send_text("Tell me\r")
        await scene.record.heard(1)
        await scene.record.answer("First half", EntryState.WRITING)
        await scene.record.followed(1)
        os.kill(os.getpid(), signal.SIGINT)
        await scene.until("[stop]")
        await scene.record.followed(0)
        keys.send_text("Another\r")
        await scene.record.heard(2)
        await scene.record.answer("Answered.")
        await scene.until("Answered.")
    assert signal.getsignal(signal.SIGINT) == before


async def test_new_begins_anew(keys: PipeInput) -> None:
    scene = Scene(keys)
    async with talking(scene):
        keys.send_text("/new\r")
        await scene.until("[new]")
    assert [(wished.wish, wished.channel.id) for wished in scene.record.requests] == [(Wish.NEW, "mira")]


async def test_the_last_answer_is_written_anew_and_shown(keys: PipeInput) -> None:
    scene = Scene(keys)
    async with talking(scene):
        keys.send_text("Hello\r")
        await scene.record.heard(1)
        await scene.record.answer("Hi.")
        await scene.until("Hi.")
        await scene.record.answer("", EntryState.WAITING)
        keys.send_text("/again\r")
        await scene.record.followed(1)
        await scene.record.answer("Good morning.")
        await scene.until("Good morning.")
    assert [wished.wish for wished in scene.record.requests] == [Wish.AGAIN]


async def test_votes_and_the_language_are_asked_for(keys: PipeInput) -> None:
    scene = Scene(keys)
    async with talking(scene):
        for line in ("/good", "/bad too long", "/language zh-TW", "/language"):
            keys.send_text(f"{line}\r")
        await scene.until("[language]")
    wishes = [(wished.wish, wished.value, wished.reason) for wished in scene.record.requests]
    assert wishes == [
        (Wish.VOTE, "up", ""),
        (Wish.VOTE, "down", "too long"),
        (Wish.LANGUAGE, "zh-TW", ""),
        (Wish.LANGUAGE, "", ""),
    ]


async def test_why_tells_the_reasons_of_the_last_answer(keys: PipeInput) -> None:
    scene = Scene(keys)
    scene.record.reasons[1] = why(1)
    async with talking(scene):
        keys.send_text("/why\r")
        await scene.until("no answer yet")
        keys.send_text("Hello\r")
        await scene.record.heard(1)
        await scene.record.answer("Hi.")
        await scene.until("Hi.")
        keys.send_text("/why\r")
        await scene.until("gpt-oss-20b")
        await scene.until("read from its beginning")
    for part in ("1302 tokens", "214", "3.4 s", "as a summary", "not read", "whole"):
        assert part in scene.shown


async def test_an_unknown_command_gets_a_hint_and_a_path_is_no_command(keys: PipeInput) -> None:
    scene = Scene(keys)
    async with talking(scene):
        keys.send_text("/nwe now\r")
        await scene.until("no command /nwe")
        keys.send_text("/etc/hosts is what?\r")
        assert (await scene.record.heard(1)).text == "/etc/hosts is what?"
        await scene.record.answer("A file.")
        await scene.until("A file.")
        keys.send_text(" /new\r")
        assert (await scene.record.heard(2)).text == "/new"
        await scene.record.answer("A word.")
        await scene.until("A word.")


async def test_quit_leaves(keys: PipeInput) -> None:
    scene = Scene(keys)
    keys.send_text("/quit\r")
    assert await asyncio.wait_for(scene.terminal.talk(), 10) == 0


async def test_a_failed_answer_and_an_absent_database_are_told(keys: PipeInput) -> None:
    scene = Scene(keys)
    async with talking(scene):
        keys.send_text("Hello\r")
        await scene.record.heard(1)
        await scene.record.answer("Half", EntryState.FAILED)
        await scene.until("unfinished or failed")
        scene.record.down = True
        keys.send_text("Again\r")
        await scene.until("database cannot be reached")
    assert "Half" in scene.shown


async def test_empty_lines_are_passed_over_and_endless_ones_refused(keys: PipeInput) -> None:
    scene = Scene(keys)
    async with talking(scene):
        keys.send_text("  \r\r")
        keys.send_text("\x1b[200~" + "x" * 40_001 + "\x1b[201~\r")
        await scene.until("at most 40,000")
    assert scene.record.messages == []


async def test_what_was_typed_is_kept_for_the_next_time_and_for_nobody_else(
    keys: PipeInput, tmp_path: Path
) -> None:
    history = tmp_path / "new" / "history"
    scene = Scene(keys, history=history)
    async with talking(scene):
        keys.send_text("Remember me\r")
        await scene.record.heard(1)
        await scene.record.answer("Yes.")
        await scene.until("Yes.")
    assert "Remember me" in history.read_text()
    assert history.stat().st_mode & 0o077 == 0


async def test_it_speaks_chinese_to_whom_does(keys: PipeInput) -> None:
    scene = Scene(keys, language="zh-CN")
    async with talking(scene):
        keys.send_text("/help\r")
        await scene.until("开始新的对话")


async def test_a_text_cannot_steer_the_terminal(keys: PipeInput) -> None:
    scene = Scene(keys)
    async with talking(scene):
        keys.send_text("Hello\r")
        await scene.record.heard(1)
        await scene.record.answer("\x1b]0;owned\x07Safe \x1b[2J\x9b2Jtext\r.")
        await scene.until("text")
    assert not set("\x1b\x07\x9b\r") & set(scene.shown)


async def answered_lines(text: str, *answers: tuple[str, EntryState]) -> tuple[int, str, FakeRecord]:
    """Answer the lines of a pipe; return the exit code, the output, the record."""
    record, paper = FakeRecord(), io.StringIO()
    console = Console(file=paper, width=20, force_terminal=False)
    words = Catalogue()
    terminal = Terminal(record, record, words, PERSON, "en", console, source=io.StringIO(text))
    talk = asyncio.create_task(terminal.talk())
    for number, (answer, state) in enumerate(answers, start=1):
        await record.heard(number)
        await record.answer("part", EntryState.WRITING)
        await record.answer(answer, state)
    return await asyncio.wait_for(talk, 10), paper.getvalue(), record


async def test_a_piped_line_is_answered_as_plain_text() -> None:
    answer = "**Bold** [link](https://a.example/a/very/long/address) [red]x[/red] :smile:"
    code, output, record = await answered_lines("hi\n", (answer, EntryState.DONE))
    assert (code, output) == (0, answer + "\n")
    assert record.messages[0].text == "hi"


async def test_each_piped_line_is_answered_in_turn() -> None:
    code, output, record = await answered_lines(
        "one\n\n  \ntwo", ("First", EntryState.DONE), ("Second", EntryState.DONE)
    )
    assert (code, output) == (0, "First\nSecond\n")
    assert [message.text for message in record.messages] == ["one", "two"]


async def test_a_failed_answer_to_a_pipe_is_exit_code_one() -> None:
    code, output, _ = await answered_lines("hi\n", ("Sorry", EntryState.FAILED))
    assert (code, output) == (1, "Sorry\n")


async def test_an_empty_pipe_is_well() -> None:
    assert (await answered_lines(""))[0] == 0


async def test_a_pipe_without_a_database_is_exit_code_one() -> None:
    record, paper = FakeRecord(), io.StringIO()
    record.down = True
    terminal = Terminal(
        record, record, Catalogue(), PERSON, "en", Console(file=paper), source=io.StringIO("hi\n")
    )
    assert await asyncio.wait_for(terminal.talk(), 10) == 1
    assert "database" in paper.getvalue()


async def test_a_tall_answer_never_draws_more_than_the_window_holds() -> None:
    """What is drawn beyond the window's top cannot be wiped away, and would stand there twice."""
    paper = io.StringIO()
    console = Console(file=paper, width=60, height=12, force_terminal=True, color_system=None)
    screen = Screen(console, "Thinking", "slow", "again")

    async def growing() -> AsyncIterator[Entry]:
        for count in range(1, 60):
            text = "\n".join(f"- item {number}" for number in range(count))
            done = EntryState.DONE if count == 59 else EntryState.WRITING
            yield Entry("a", "", text, done, NOW, 1)
            await asyncio.sleep(0.005)

    await screen.show(growing())
    drawn = paper.getvalue()
    moves_up = max(drawn.count("\x1b[1A", at, at + 200) for at in range(0, len(drawn), 50))
    assert moves_up <= 12
    final = drawn[drawn.rindex("item 0\n") :] if "item 0\n" in drawn else drawn[drawn.rindex("item 0") :]
    assert [f"item {number}" in final for number in range(59)] == [True] * 59
