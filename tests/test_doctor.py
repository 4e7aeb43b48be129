"""What `bot doctor` makes of checks that are well, wrong, slow and broken."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from rich.console import Console

from bot.catalogue import Catalogue
from bot.dialogue import Finding
from bot.doctor import Disk, diagnose, examine, report
from bot.ports import Checks, Tell
from tests.fakes import FakeWords, in_english

WORDS = FakeWords()


class Part:
    """A part that finds what it is told to, after an event, and may break at the end."""

    def __init__(
        self, *findings: Finding, after: asyncio.Event | None = None, error: BaseException | None = None
    ) -> None:
        self.findings, self.after, self.error = findings, after, error
        self.begun = asyncio.Event()

    async def check(self, tell: Tell) -> AsyncIterator[Finding]:
        self.begun.set()
        if self.after is not None:
            await self.after.wait()
        for finding in self.findings:
            yield finding
        if self.error is not None:
            raise self.error


def well(subject: str) -> Finding:
    return Finding(subject, True, f"{subject} is well")


async def found(*checks: tuple[str, Checks], seconds: float = 15.0) -> list[Finding]:
    return [finding async for finding in examine(checks, WORDS, "en", seconds)]


async def told(*findings: Finding) -> AsyncIterator[Finding]:
    for finding in findings:
        yield finding


def paper(encoding: str = "utf-8") -> tuple[Console, io.TextIOWrapper]:
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    return Console(file=file, width=60), file


def read(file: io.TextIOWrapper) -> str:
    file.flush()
    file.seek(0)
    return file.read()


async def test_findings_come_in_the_order_of_the_checks_though_all_run_at_once() -> None:
    last = Part(well("last"))
    first = Part(well("first"), well("first again"), after=last.begun)
    assert [finding.text for finding in await found(("first", first), ("last", last))] == [
        "first is well",
        "first again is well",
        "last is well",
    ]


async def test_a_check_that_raises_is_something_found_and_the_others_go_on() -> None:
    broken = Part(well("a"), error=ZeroDivisionError("by nothing"))
    findings = await found(("broken", broken), ("sound", Part(well("sound"))))
    assert [(finding.subject, finding.well) for finding in findings] == [
        ("a", True),
        ("broken", False),
        ("sound", True),
    ]
    assert "ZeroDivisionError: by nothing" in findings[1].text
    assert findings[1].cure


async def test_a_check_that_raises_a_time_out_is_told_as_broken_and_not_as_slow() -> None:
    (finding,) = await found(("part", Part(error=TimeoutError("inner"))))
    assert "doctor-crashed" in finding.text
    assert "TimeoutError" in finding.text


async def test_a_silent_check_is_given_up_and_the_others_are_still_told() -> None:
    silent = Part(after=asyncio.Event())
    findings = await found(("silent", silent), ("quick", Part(well("quick"))), seconds=0.05)
    assert [finding.subject for finding in findings] == ["silent", "quick"]
    assert "doctor-silent" in findings[0].text


async def test_no_check_goes_on_when_nobody_listens_any_more() -> None:
    endless = Part(after=asyncio.Event())
    findings = examine([("quick", Part(well("quick"))), ("endless", endless)], WORDS, "en")
    await anext(findings)
    await endless.begun.wait()
    await findings.aclose()  # type: ignore[attr-defined]
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    assert all(task.cancelling() for task in others)
    await asyncio.gather(*others, return_exceptions=True)


async def test_what_is_wrong_is_printed_with_its_cure_and_counted() -> None:
    console, file = paper()
    wrong = Finding("Slack socket", False, "not [bold]switched[/] on", "Switch Socket Mode on.")
    assert await report(told(well("database"), wrong), console) == 1
    assert read(file) == (
        "✓ Database  database is well\n✗ Slack socket  not [bold]switched[/] on\n    Switch Socket Mode on.\n"
    )


async def test_a_long_link_is_not_broken_into_lines() -> None:
    console, file = paper()
    link = "https://discord.com/oauth2/authorize?client_id=1&scope=bot&permissions=" + "1" * 60
    await report(told(Finding("Discord", True, "connected", link)), console)
    assert link in read(file)


async def test_control_characters_of_a_server_do_not_reach_the_terminal() -> None:
    console, file = paper()
    await report(told(Finding("model", False, "\x1b[2Jgone\nsecond\x07")), console)
    assert read(file) == "✗ Model  [2Jgone second\n"


async def test_a_terminal_without_the_marks_gets_words() -> None:
    console, file = paper("ascii")
    await report(told(well("disk"), Finding("model", False, "down")), console)
    assert read(file) == "ok Disk  disk is well\n!! Model  down\n"


@pytest.mark.parametrize("language", ["en", "zh-CN"])
async def test_the_exit_code_is_one_where_anything_is_wrong(language: str) -> None:
    console, file = paper()
    words = Catalogue()
    assert await diagnose([("a", Part(well("a")))], words, language, console) == 0
    broken = Part(error=ValueError("odd"))
    assert await diagnose([("a", Part(well("a"))), ("b", broken)], words, language, console) == 1
    text = read(file)
    assert words.say("doctor-well", language) in text
    assert words.say("doctor-wrong", language, count=1) in text


async def look(disk: Disk) -> Finding:
    (finding,) = [finding async for finding in disk.check(in_english)]
    return finding


async def test_a_disk_with_room_is_well_and_nothing_is_left_behind(tmp_path: Path) -> None:
    finding = await look(Disk(tmp_path / "not" / "yet", needed_bytes=1, needed_files=1))
    assert finding.well
    assert "GB free" in finding.text
    assert os.listdir(tmp_path) == []


async def test_a_full_disk_says_how_much_is_missing(tmp_path: Path) -> None:
    finding = await look(Disk(tmp_path, needed_bytes=10**18))
    assert not finding.well
    assert "only" in finding.text
    assert "1000000000.0 GB" in finding.cure


async def test_a_disk_without_inodes_is_not_well(tmp_path: Path) -> None:
    disk = Disk(tmp_path, needed_bytes=1, needed_files=2**64)
    finding = await look(disk)
    assert finding.well or "more files" in finding.text  # some file systems have no limit


async def test_a_place_that_cannot_be_written_to_is_not_well(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    finding = await look(Disk(tmp_path / "file" / "data"))
    assert not finding.well
    assert "BOT_DATA_DIR" in finding.cure
