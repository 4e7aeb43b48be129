"""The walk through the sections: ask, test, correct or leave, write down."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from enum import IntEnum
from pathlib import Path

from rich.console import Console
from rich.text import Text

from bot.dialogue import Finding
from bot.doctor import report
from bot.errors import FrontdeskError
from bot.memory.sealing import new_key
from bot.ports import Words
from bot.setup.asking import Ask
from bot.setup.envfile import EnvFile
from bot.setup.sections import DISCORD, MODEL, SLACK, Field, Kind, Section, Way

# Gets the section's name ("model", "slack", "discord") and all of its values by their settings' names,
# "" for those that are not set; finds out whether they work.
Test = Callable[[str, Mapping[str, str]], AsyncIterator[Finding]]

_INVITE = re.compile(r"https?://\S+/oauth2/authorize\S*")


class Setup:
    """Asks for one section after the other and keeps each as soon as it is confirmed."""

    def __init__(
        self,
        env: EnvFile,
        test: Test,
        ask: Ask,
        words: Words,
        language: str,
        console: Console,
        environment: Mapping[str, str],
    ) -> None:
        """`environment` is what the settings read before `.env`; what it holds wins."""
        self._env, self._test, self._ask = env, test, ask
        self._words, self._language, self._console = words, language, console
        self._environment = environment
        self._invites: list[str] = []

    def run(self) -> int:
        """
        Ask for everything; return the exit code: 0, or 1 where it was left or nothing could be written.

        It runs an event loop of its own for each test, so that Ctrl-C works at a question.
        """
        if not self._console.is_terminal:
            self._say("setup-no-terminal", file=self._env.path)
            return 1
        self._say("setup-welcome")
        try:
            for number, section in enumerate((MODEL, SLACK, DISCORD), 1):
                self._walk(number, section)
        except (EOFError, KeyboardInterrupt):
            self._say("setup-left", file=self._env.path)
            return 1
        except OSError as error:
            self._say("setup-not-written", file=self._env.path, error=error.strerror or error)
            return 1
        self._say("setup-done", file=self._env.path)
        for link in dict.fromkeys(self._invites):
            self._say("setup-invite", link=link)
        self._say("setup-next")
        return 0

    def _walk(self, number: int, section: Section) -> None:
        self._console.rule(Text(f"{number}/3 {self._words.say(f'setup-{section.name}', self._language)}"))
        self._say(f"setup-{section.name}-intro")
        written = self._env.values()
        known = {name: written.get(name, "") for name in sorted(section.names)}
        values = dict(known)
        while True:
            way = self._which_way(section, known)
            if way is None:
                return
            asked = {field.name: self._answer(field, values[field.name]) for field in way.fields}
            values = {name: asked.get(name, known[name] if name in section.lasting else "") for name in known}
            verdict = self._tested(section, values) if way.fields or section is MODEL else _Verdict.KEEP
            if verdict is _Verdict.LEAVE:
                return
            if verdict is _Verdict.KEEP:
                self._keep(values)
                return

    def _which_way(self, section: Section, known: Mapping[str, str]) -> Way | None:
        """Ask how to have it; None to leave it as it is."""
        ways: list[Way | None] = list(section.ways)
        labels = [self._words.say(way.label, self._language) for way in section.ways]
        there = any(value for name, value in known.items() if name not in section.lasting)
        ways.append(None)
        labels.append(self._words.say("setup-leave" if there else "setup-not-now", self._language))
        if there and section.removable:
            ways.append(Way(""))
            labels.append(self._words.say("setup-remove", self._language))
        default = ways.index(None) if there else 0
        return ways[self._ask.choice(self._words.say("setup-choose", self._language), labels, default)]

    def _answer(self, field: Field, known: str) -> str:
        """Ask until the answer can be one; "-" takes away what was there."""
        while True:
            value = _tidy(self._asked(field, known), field.kind)
            value = "" if value == "-" else value or known
            if field.kind is Kind.KEY and not value:
                value = new_key()
            complaint = field.complaint(value)
            if not complaint:
                return value
            self._say(
                complaint, prefix=field.prefix, value="" if field.kind in {Kind.HIDDEN, Kind.KEY} else value
            )

    def _asked(self, field: Field, known: str) -> str:
        question = self._words.say(field.question, self._language)
        if field.kind not in {Kind.HIDDEN, Kind.KEY}:
            return self._ask.text(question, known or field.default)
        if known:
            question = f"{question} {self._words.say('setup-kept', self._language)}"
        return self._ask.secret(question)

    def _tested(self, section: Section, values: Mapping[str, str]) -> _Verdict:
        found: list[Finding] = []
        with self._console.status(self._words.say("setup-testing", self._language)):
            wrong = asyncio.run(report(self._findings(section.name, values, found), self._console))
        if not wrong:
            return _Verdict.KEEP
        right = section.first_decides and found[0].well
        if right:
            self._say("setup-token-right")
        options = [
            self._words.say(key, self._language) for key in ("setup-again", "setup-keep", "setup-leave")
        ]
        default = _Verdict.KEEP if right else _Verdict.AGAIN
        return _Verdict(self._ask.choice(self._words.say("setup-choose", self._language), options, default))

    async def _findings(
        self, name: str, values: Mapping[str, str], found: list[Finding]
    ) -> AsyncIterator[Finding]:
        try:
            async for finding in self._test(name, values):
                self._invites += _INVITE.findall(f"{finding.text} {finding.cure}")
                found.append(finding)
                yield finding
        except FrontdeskError as error:
            found.append(Finding(name, False, str(error)))
            yield found[-1]

    def _keep(self, values: Mapping[str, str]) -> None:
        self._env.write(values)
        outshone = [name for name in values if self._environment.get(name, values[name]) != values[name]]
        if "BOT_MODEL__API_KEY" in values and not any(values.values()):
            outshone += [
                name for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL") if self._environment.get(name)
            ]
        if outshone:
            self._say("setup-environment-wins", names=", ".join(outshone))

    def _say(self, key: str, **values: object) -> None:
        self._console.print(Text(self._words.say(key, self._language, **values)), soft_wrap=True)


class _Verdict(IntEnum):
    """What follows a test, in the order in which it is asked."""

    AGAIN = 0
    KEEP = 1
    LEAVE = 2


def _tidy(answer: str, kind: Kind) -> str:
    """Take off what is pasted along: spaces, quotes, control characters; make a path absolute."""
    printable = "".join(letter for letter in answer if letter.isprintable()).strip()
    if len(printable) > 1 and printable[0] == printable[-1] and printable[0] in "\"'":
        printable = printable[1:-1].strip()
    if kind is Kind.FILE and printable not in ("", "-"):
        return str(Path(printable).expanduser().absolute())
    return printable
