"""One answer: recalls, trims by tokens, generates, and turns to the next model where one fails."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.dialogue import Context, Delta, Line, Manifest, Role, Stretch, Turn
from bot.engine.asides import Asides
from bot.engine.extract import extract
from bot.engine.memory import Memory
from bot.engine.metering import Bill, Meter, NoPrices, Prices
from bot.engine.prompt import in_turns, instruct, with_files, with_summary, without_pictures
from bot.errors import (
    AnswerRefused,
    BackendError,
    BackendSilent,
    BudgetSpent,
    ContextTooLong,
    RateLimited,
    StreamCut,
)
from bot.ports import Backend, TokenCounter, Words

# What one of our tokens costs a model with an unknown vocabulary, until its usage says better.
_UNKNOWN_FACTOR = 1.3
# No vocabulary is that far from ours: a server that says so counts something else.
_LEAST_FACTOR, _MOST_FACTOR = 0.5, 8.0
_O200K = ("gpt-4o", "gpt-4.1", "gpt-5", "o1", "o3", "o4", "gpt-oss", "chatgpt-4o")
_PRIMING = 32
_LEAST_ROOM = 64
_CUTS = 4
# Failures after which a server has worked, and may charge for it, though not a word of it came.
_BILLED = (StreamCut, BackendSilent, AnswerRefused)


@dataclass(frozen=True, slots=True)
class _Prompt:
    context: Context
    manifest: Manifest
    tokens: int
    opening: bool
    unseen: bool = False

    @property
    def pictured(self) -> bool:
        return any(line.pictures for line in self.context.lines)


@dataclass(frozen=True, slots=True)
class _Task:
    """One turn at work: the language it is spoken in, and what it cost so far."""

    turn: Turn
    language: str
    bill: Bill


class Engine:
    """Answers turns with the first of its models that can."""

    def __init__(
        self,
        memory: Memory,
        backends: Sequence[Backend],
        words: Words,
        counter: TokenCounter,
        persona: str,
        daily_tokens: int = 0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        prices: Prices | None = None,
    ) -> None:
        """`backends` are tried in order; `daily_tokens` is a workspace's limit a day, 0 for none."""
        self._prices = prices or NoPrices()
        self._memory = memory
        self._backends = tuple(backends)
        self._words = words
        self._counter = counter
        self._persona = persona
        self._daily_tokens = daily_tokens
        self._now = now

    @property
    def room(self) -> int:
        """How many counted tokens of history a conversation may have before its oldest part is folded."""
        backend = self._backends[0]
        room = int((backend.context_tokens - backend.answer_tokens) / self._first_factor(backend))
        return max(room, _LEAST_ROOM)

    async def answer(self, turn: Turn) -> AsyncIterator[Delta]:
        """
        Generate the answer, from the first model that gives a whole one.

        Raises `BudgetSpent`, `RateLimited` where one of the models will have room, or the last one's
        `BackendError`; what came before it stands.
        """
        asked = " ".join(message.text for message in turn.question)
        language = self._words.language_for(replace(turn.asked, text=asked))
        files = [file for message in turn.question for file in message.files]
        if not asked.strip() and all(file.sounds for file in files):
            yield Delta(self._words.say("voice-only" if files else "empty-message", language))
            return
        able = self._able(turn.asked.language or self._words.language_of(asked))
        if not able:
            yield Delta(self._words.say("cannot-write", language), model=self._backends[0].name)
            return
        failure: Exception | None = BudgetSpent("the workspace's tokens for today are used up")
        task = _Task(turn, language, Bill(self._prices))
        for backend in await self._affordable(turn.conversation.id, able):
            try:
                async for delta in self._persist(task, backend):
                    yield delta
            except BackendError as error:
                failure = _more_hopeful(failure, error)
            else:
                failure = None
                break
        yield Delta(cost=task.bill.total)
        if failure is not None:
            raise failure

    async def summarise(self, stretch: Stretch, tokens: int) -> str:
        """
        Tell a stretch shortly in at most about `tokens`: by the model, or by extracted sentences.

        These stand where the model is the small one, fails, or may spend no more today. Raises
        `RateLimited`: what has to wait is better told later.
        """
        backend, lines, conversation = self._backends[0], stretch.lines, stretch.conversation_id
        if backend.languages or not await self._affordable(conversation, [backend]):
            return extract(lines, tokens, self._counter.count)
        request = (
            f"Summarise this part of a conversation in at most {tokens} tokens, in its own language. "
            "Keep names, numbers, decisions, open questions and who said what. Write only the summary."
        )
        told = "\n\n".join(line.text for line in lines)
        context = Context((Line(Role.SYSTEM, request), Line(Role.PERSON, told)), tokens * 2)
        cost = self._counter.count(request) + self._counter.count(told) + _PRIMING
        factor = await self._memory.factor(backend.name, self._first_factor(backend))
        try:
            meter, bill = Meter(self._counter, cost, factor), Bill(self._prices)
            deltas = self._metered(conversation, backend, context, meter, bill)
            text = "".join([delta.text async for delta in deltas])
        except RateLimited:
            raise
        except BackendError:
            # A block of extracted sentences serves until the model is back; the messages stay whole anyway.
            return extract(lines, tokens, self._counter.count)
        return text.strip() or extract(lines, tokens, self._counter.count)

    def _able(self, language: str) -> Sequence[Backend]:
        """Choose the models that write it, all where nothing tells it: a locale alone keeps none away."""
        primary = language.partition("-")[0].lower()
        return [b for b in self._backends if not b.languages or not primary or primary in b.languages]

    async def _affordable(self, conversation_id: int, backends: Sequence[Backend]) -> Sequence[Backend]:
        if not self._daily_tokens or not any(backend.metered for backend in backends):
            return backends
        spent = await self._memory.spent_today(conversation_id)
        return backends if spent < self._daily_tokens else [b for b in backends if not b.metered]

    async def _persist(self, task: _Task, backend: Backend) -> AsyncIterator[Delta]:
        """Try a model, and once more where its stream is cut; earlier failures it has retried itself."""
        for last in (False, True):
            try:
                async for delta in self._generate(task, backend):
                    yield delta
            except StreamCut:
                if last:
                    raise
            else:
                return

    async def _generate(self, task: _Task, backend: Backend) -> AsyncIterator[Delta]:
        """Try one model once, cutting the context until its server takes it; the first text is `fresh`."""
        known = factor = await self._memory.factor(backend.name, self._first_factor(backend))
        for _ in range(_CUTS):
            prompt = await self._prompt(task, backend, factor)
            begun, asides = False, Asides()
            try:
                async for delta in self._stream(task, prompt, backend):
                    yield replace(delta, thought="", fresh=bool(delta.text) and not begun)
                    begun = begun or bool(delta.text)
                    asides.take(delta)
            except ContextTooLong:
                # The server's room is unknown, but less than what it was sent: aim at two thirds of that.
                sent = max(prompt.tokens, 1)
                factor = max(factor, (backend.context_tokens - backend.answer_tokens) / sent) * 1.5
                continue
            if factor > known:  # noted only now: a server that refuses everything teaches nothing
                await self._memory.calibrate(backend.name, factor)
            self._remark(task.language, prompt, backend, asides)
            if asides.text:
                yield Delta(aside=asides.text)
            return
        raise ContextTooLong(f"{backend.name} refuses even the shortest context")

    def _remark(self, language: str, prompt: _Prompt, backend: Backend, asides: Asides) -> None:
        if asides.unseen or prompt.unseen:
            asides.note(self._words.say("pictures-unseen", language))
        if prompt.opening and backend.languages:
            asides.note(self._words.say("small-model", language, model=backend.name))

    async def _stream(self, task: _Task, prompt: _Prompt, backend: Backend) -> AsyncIterator[Delta]:
        yield Delta(model=backend.name, manifest=prompt.manifest)
        meter = Meter(self._counter, prompt.tokens, prompt.manifest.factor)
        conversation_id = task.turn.conversation.id
        async for delta in self._metered(conversation_id, backend, prompt.context, meter, task.bill):
            yield delta
        if meter.told is None:
            yield Delta(usage=meter.usage)
        elif prompt.tokens >= _LEAST_ROOM and meter.told.prompt_tokens and not prompt.pictured:
            measured = min(max(meter.told.prompt_tokens / prompt.tokens, _LEAST_FACTOR), _MOST_FACTOR)
            await self._memory.calibrate(backend.name, measured)

    async def _metered(
        self, conversation_id: int, backend: Backend, context: Context, meter: Meter, bill: Bill
    ) -> AsyncIterator[Delta]:
        """Generate, and count what it cost once, however it ends: whole, cut, or no longer wanted."""
        billed = True
        try:
            async for delta in backend.stream(context):
                meter.read(delta)
                yield delta
        except BackendError as error:
            billed = meter.begun or isinstance(error, _BILLED)
            raise
        finally:
            if billed:
                usage = meter.usage
                cost = bill.add(backend, usage)
                if backend.metered:
                    tokens = usage.prompt_tokens + usage.completion_tokens
                    await self._memory.spend(conversation_id, tokens, cost)

    async def _prompt(self, task: _Task, backend: Backend, factor: float) -> _Prompt:
        turn, language = task.turn, task.language
        channel, asker = turn.conversation.channel, turn.asked.author
        chosen = bool(turn.asked.language)
        longest = instruct(self._persona, self._now(), channel, asker, ["", ""], language, chosen)
        fixed = self._counter.count(with_files(longest, [""])) + _PRIMING
        room = int((backend.context_tokens - backend.answer_tokens) / factor) - fixed
        recalled = await self._memory.recall(turn, max(room, _LEAST_ROOM), sees=backend.sees)
        asker = replace(asker, name=recalled.lines[-1].author)  # as the lines call them
        instruction = instruct(self._persona, self._now(), channel, asker, recalled.people, language, chosen)
        instruction = with_files(instruction, recalled.manifest.files)
        system = Line(Role.SYSTEM, with_summary(instruction, recalled.summary))
        lines = recalled.lines if backend.sees else without_pictures(recalled.lines)
        context = Context((system, *in_turns(lines)), backend.answer_tokens)
        unseen = not backend.sees and any(line.pictures for line in recalled.lines[-len(turn.question) :])
        notes = (self._words.say("pictures-unseen", language),) if unseen else ()
        manifest = replace(recalled.manifest, factor=factor, model=backend.name, notes=notes)
        opening = not any(line.role is Role.BOT for line in recalled.lines)
        return _Prompt(context, manifest, recalled.manifest.tokens + fixed, opening, unseen)

    def _first_factor(self, backend: Backend) -> float:
        return 1.0 if backend.name.startswith(_O200K) else _UNKNOWN_FACTOR


def _more_hopeful(known: Exception | None, error: BackendError) -> Exception:
    """Choose the failure to be told: of models that have no room, the one that has it soonest."""
    if not isinstance(known, RateLimited):
        return error
    if not isinstance(error, RateLimited) or error.retry_after is None:
        return known
    return error if known.retry_after is None or error.retry_after < known.retry_after else known
