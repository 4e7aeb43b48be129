"""One answer: what the model reads, which model answers, and what happens where one fails."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from bot.catalogue import Catalogue
from bot.dialogue import Delta, File, Line, Manifest, Picture, Role, Stretch, Turn, Usage
from bot.engine import Engine
from bot.errors import (
    AnswerRefused,
    BackendDown,
    BackendError,
    BackendSilent,
    BudgetSpent,
    ContextTooLong,
    KeyRefused,
    QuotaSpent,
    RateLimited,
    StoreDown,
    StreamCut,
)
from bot.ports import Backend
from tests.doubles.model import Gate
from tests.fakes import FakeBackend, FakeMemory, FakeWords, Remembered, WordCounter, a_turn

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SMALL = frozenset({"en"})


@dataclass
class Read:
    """What a reader of the deltas has in the end."""

    text: str = ""
    aside: str = ""
    model: str = ""
    usage: Usage | None = None
    manifests: list[Manifest] = field(default_factory=list)
    tries: int = 0
    cost: Decimal | None = None
    thought: str = ""

    def take(self, delta: Delta) -> None:
        self.text = delta.text if delta.fresh else self.text + delta.text
        self.tries += delta.fresh
        self.aside += delta.aside
        self.model = delta.model or self.model
        self.usage = delta.usage or self.usage
        self.cost = self.cost if delta.cost is None else delta.cost
        self.thought += delta.thought
        self.manifests += [delta.manifest] if delta.manifest else []


def speaking(turn: Turn, *, chosen: str = "", locale: str = "") -> Turn:
    """Give the turn's messages what their author chose and comes from."""
    question = (
        replace(message, language=chosen, author=replace(message.author, locale=locale))
        for message in turn.question
    )
    return replace(turn, question=tuple(question))


def engine_of(
    *backends: Backend, memory: FakeMemory | None = None, daily_tokens: int = 0, persona: str = "You are X."
) -> Engine:
    return Engine(
        memory or FakeMemory(), backends, FakeWords(), WordCounter(), persona, daily_tokens, lambda: NOW
    )


async def answered(engine: Engine, turn: Turn | None = None, read: Read | None = None) -> Read:
    read = read or Read()
    async for delta in engine.answer(turn or a_turn("How are you?")):
        read.take(delta)
    return read


async def failed(engine: Engine, kind: type[Exception]) -> Read:
    read = Read()
    with pytest.raises(kind):
        await answered(engine, read=read)
    return read


async def test_the_model_reads_system_line_history_and_question() -> None:
    backend = FakeBackend(["Fine, ", "thanks."], answer_tokens=300)
    memory = FakeMemory([Line(Role.PERSON, "Hello", "Ann"), Line(Role.BOT, "Hello Ann")], "Ann likes tea.")
    read = await answered(engine_of(backend, memory=memory))
    assert read.text == "Fine, thanks."
    (context,) = backend.contexts
    assert context.answer_tokens == 300
    assert [line.role for line in context.lines] == [Role.SYSTEM, Role.PERSON, Role.BOT, Role.PERSON]
    system = context.lines[0].text
    for part in ("You are X.", "Monday, 23 November 2026, 12:00", "#general on Slack", "Ann", "likes tea."):
        assert part in system
    assert context.lines[-1].text == "How are you?"


async def test_several_people_are_named_and_joined_messages_are_one_question() -> None:
    backend = FakeBackend()
    memory = FakeMemory([Line(Role.PERSON, "Bob: Hi", "Bob")])
    await answered(engine_of(backend, memory=memory), a_turn("What is", "the time?"))
    system, question = backend.contexts[0].lines
    assert "Several people speak: Bob, Ann." in system.text
    assert question.text == "Bob: Hi\n\nWhat is\n\nthe time?"


async def test_the_question_in_chinese_asks_for_an_answer_in_chinese() -> None:
    backend = FakeBackend(["好。"])
    await answered(engine_of(backend), a_turn("你好吗？"))
    assert "which is Chinese" in backend.contexts[0].lines[0].text


@pytest.mark.parametrize(("name", "factor"), [("qwen-3", 1.3), ("gpt-5-mini", 1.0), ("deepseek", 1.3)])
async def test_the_budget_is_what_context_answer_and_instruction_leave(name: str, factor: float) -> None:
    memory = FakeMemory()
    backend = FakeBackend(name=name, context_tokens=2_000, answer_tokens=700)
    read = await answered(engine_of(backend, memory=memory))
    room = int(1_300 / factor)
    assert room - 160 < memory.budgets[0] < room - 32
    assert read.manifests[-1].factor == factor
    assert read.manifests[-1].model == name


async def test_a_longer_persona_leaves_less_room() -> None:
    memory = FakeMemory()
    await answered(engine_of(FakeBackend(), memory=memory))
    await answered(engine_of(FakeBackend(), memory=memory, persona="You are X. " + "word " * 100))
    assert memory.budgets[0] - memory.budgets[1] == 100


@pytest.mark.parametrize(("context", "answer"), [(512, 512), (512, 2_000), (100, 16)])
async def test_the_budget_is_never_negative(context: int, answer: int) -> None:
    memory = FakeMemory()
    engine = engine_of(FakeBackend(context_tokens=context, answer_tokens=answer), memory=memory)
    assert (await answered(engine)).text == "Hello."
    assert memory.budgets[0] > 0
    assert engine.room > 0


async def test_usage_tells_what_our_tokens_cost_and_the_next_budget_follows() -> None:
    memory = FakeMemory([Line(Role.PERSON, "word " * 100, "Ann"), Line(Role.BOT, "word " * 100)])
    first = await answered(engine_of(FakeBackend(name="m"), memory=memory))
    assert first.usage is not None
    counted = int(first.usage.prompt_tokens / 1.3) + 1
    server = FakeBackend(["Fine.", Delta(usage=Usage(counted * 2, 1))], name="m")
    await answered(engine_of(server, memory=memory))
    assert memory.factors["m"] == pytest.approx(2.0, rel=0.01)
    await answered(engine_of(FakeBackend(name="m"), memory=memory))
    assert memory.budgets[-1] < memory.budgets[0] * 0.7


@pytest.mark.parametrize("told", [1, 10**9])
async def test_a_server_that_counts_nonsense_does_not_spoil_the_budget(told: int) -> None:
    memory = FakeMemory([Line(Role.BOT, "word " * 200)])
    backend = FakeBackend(["Fine.", Delta(usage=Usage(told, 1))], name="m")
    await answered(engine_of(backend, memory=memory))
    assert 0.25 <= memory.factors["m"] <= 8


async def test_usage_is_estimated_where_the_server_tells_none() -> None:
    read = await answered(engine_of(FakeBackend(["one two three ", "four five"], name="m")))
    assert read.usage is not None
    assert read.usage.completion_tokens == int(5 * 1.3)
    assert read.usage.prompt_tokens > 32


async def test_the_note_of_a_token_limit_stays_when_usage_is_estimated() -> None:
    backend = FakeBackend(["one two", Delta(limited=True)])
    limits = [delta.limited async for delta in engine_of(backend).answer(a_turn("How are you?"))]
    assert any(limits)


async def test_a_context_that_is_too_long_is_cut_and_tried_again() -> None:
    memory = FakeMemory([Line(Role.BOT, "word " * 50)] * 20)
    backend = FakeBackend([ContextTooLong()], [ContextTooLong()], ["Fine."], context_tokens=2_000)
    read = await answered(engine_of(backend, memory=memory))
    assert read.text == "Fine."
    sizes = [len(context.lines[1].text) for context in backend.contexts]
    assert sizes[0] > sizes[1] > sizes[2]
    assert memory.factors["fake-1"] == read.manifests[-1].factor >= 1.3 * 1.5 * 1.5


async def test_a_server_that_finds_every_context_too_long_is_asked_four_times() -> None:
    memory, backend = FakeMemory(), FakeBackend([ContextTooLong()])
    await failed(engine_of(backend, memory=memory), ContextTooLong)
    assert len(backend.contexts) == 4
    assert not memory.factors, "what taught nothing about tokens must not shrink the next context"


async def test_of_models_that_cannot_the_one_that_will_have_room_soonest_is_told() -> None:
    for errors in (
        (RateLimited("full", 3.0), KeyRefused("no")),
        (BackendDown("no"), RateLimited("full", 3.0)),
        (RateLimited("full", 9.0), RateLimited("full", 3.0), RateLimited("full")),
    ):
        engine = Engine(FakeMemory(), [FakeBackend([one]) for one in errors], FakeWords(), WordCounter(), "X")
        with pytest.raises(RateLimited) as limited:
            _ = [delta async for delta in engine.answer(a_turn("How are you?"))]
        assert limited.value.retry_after == 3.0


@pytest.mark.parametrize("error", [BackendDown(), KeyRefused(), QuotaSpent(), AnswerRefused()])
async def test_the_next_model_answers_where_one_fails(error: BackendError) -> None:
    first, second, third = FakeBackend([error], name="a"), FakeBackend(["B."], name="b"), FakeBackend()
    read = await answered(engine_of(first, second, third))
    assert (read.text, read.model) == ("B.", "b")
    assert len(first.contexts) == 1
    assert not third.contexts


async def test_the_last_models_failure_is_told() -> None:
    await failed(engine_of(FakeBackend([BackendDown()]), FakeBackend([QuotaSpent()])), QuotaSpent)


async def test_a_cut_stream_is_tried_once_more_and_begins_afresh() -> None:
    backend = FakeBackend(["Once upon", StreamCut()], ["All ", "of it."])
    deltas = [delta async for delta in engine_of(backend).answer(a_turn("Tell me"))]
    said = [(delta.text, delta.fresh) for delta in deltas if delta.text]
    assert said == [("Once upon", True), ("All ", True), ("of it.", False)]


async def test_a_model_that_is_cut_twice_gives_way_to_the_next() -> None:
    first, second = FakeBackend(["Once", StreamCut()], name="a"), FakeBackend(["Whole."], name="b")
    read = await answered(engine_of(first, second))
    assert (read.text, read.model) == ("Whole.", "b")
    assert len(first.contexts) == 2


async def test_what_was_said_stands_until_another_try_has_a_word() -> None:
    first, second = FakeBackend(["Once upon", StreamCut()]), FakeBackend([BackendDown()])
    read = await failed(engine_of(first, second), BackendDown)
    assert read.text == "Once upon"


async def test_each_try_comes_with_its_manifest() -> None:
    first, second = FakeBackend([BackendDown()], name="a"), FakeBackend(name="b")
    read = await answered(engine_of(first, second))
    assert [manifest.model for manifest in read.manifests] == ["a", "b"]


async def test_the_small_model_says_kindly_that_it_cannot_write_chinese() -> None:
    small = FakeBackend(name="small", languages=SMALL)
    read = await answered(engine_of(small), a_turn("你好吗？"))
    assert read.text == "[zh:cannot-write]"
    assert not small.contexts


async def test_a_person_who_chose_chinese_is_told_that_the_small_model_cannot_write_it() -> None:
    small = FakeBackend(name="small", languages=SMALL)
    read = await answered(engine_of(small), speaking(a_turn("How are you?"), chosen="zh-TW"))
    assert read.text == "[zh-TW:cannot-write]"


async def test_a_locale_alone_keeps_no_model_away() -> None:
    small = FakeBackend(["Hello."], name="small", languages=SMALL)
    engine = Engine(FakeMemory(), [small], Catalogue(), WordCounter(), "You are X.")
    assert (await answered(engine, speaking(a_turn("👍"), locale="de"))).text == "Hello."


@pytest.mark.parametrize(
    ("text", "chosen", "locale", "told"),
    [
        ("請問怎麼重設密碼？", "", "", "which is traditional Chinese as written in Taiwan"),
        ("请问怎么重置密码？", "", "zh-TW", "which is simplified Chinese"),
        ("你好", "", "zh-TW", "which is traditional Chinese as written in Taiwan"),
        ("你好", "", "zh-HK", "which is traditional Chinese as written in Hong Kong"),
        ("How do I reset it?", "zh-TW", "en-US", "Answer in traditional Chinese as written in Taiwan"),
        ("How do I reset it?", "", "zh-TW", "which is English."),
    ],
)
async def test_the_model_is_told_which_language_and_which_chinese_to_write(
    text: str, chosen: str, locale: str, told: str
) -> None:
    backend = FakeBackend()
    engine = Engine(FakeMemory(), [backend], Catalogue(), WordCounter(), "You are X.")
    await answered(engine, speaking(a_turn(text), chosen=chosen, locale=locale))
    assert told in backend.contexts[0].lines[0].text


async def test_a_hosted_fallback_writes_what_the_small_model_cannot() -> None:
    small, hosted = FakeBackend(languages=SMALL), FakeBackend(["好。"], name="hosted")
    read = await answered(engine_of(small, hosted), a_turn("你好吗？"))
    assert (read.text, read.model, read.aside) == ("好。", "hosted", "")
    assert not small.contexts


async def test_the_small_model_says_that_it_is_small_in_the_opening_answer_only() -> None:
    small = FakeBackend(["Hello."], name="small", languages=SMALL)
    opening = await answered(engine_of(small))
    assert (opening.text, opening.aside) == ("Hello.", "[en:small-model model=small]")
    memory = FakeMemory([Line(Role.PERSON, "Hi", "Ann"), Line(Role.BOT, "Hello.")])
    assert (await answered(engine_of(small, memory=memory))).aside == ""
    assert (await answered(engine_of(FakeBackend()))).aside == ""


@pytest.mark.parametrize("text", ["", "  \n"])
async def test_an_empty_question_asks_nothing_of_a_model(text: str) -> None:
    backend = FakeBackend()
    assert (await answered(engine_of(backend), a_turn(text))).text == "[en:empty-message]"
    assert not backend.contexts


@pytest.mark.parametrize("file", [File("a", "audio/ogg"), File("voice.m4a"), File("clip", "video/mp4")])
async def test_a_voice_alone_asks_nothing_of_a_model(file: File) -> None:
    backend = FakeBackend()
    assert (await answered(engine_of(backend), a_turn("", files=(file,)))).text == "[en:voice-only]"
    assert not backend.contexts


async def test_with_words_or_another_file_beside_it_a_voice_is_no_matter() -> None:
    voice = File("a", "audio/ogg")
    for turn in (a_turn("hello", files=(voice,)), a_turn("", files=(voice, File("plan.pdf")))):
        assert (await answered(engine_of(FakeBackend(["Well."])), turn)).text == "Well."


async def test_a_file_without_words_is_a_question() -> None:
    backend = FakeBackend(["A file."])
    assert (await answered(engine_of(backend), a_turn("", files=(File("plan.pdf"),)))).text == "A file."


async def test_nothing_is_spent_beyond_the_days_limit() -> None:
    memory, backend = FakeMemory(), FakeBackend(metered=True)
    engine = engine_of(backend, memory=memory, daily_tokens=1_000)
    memory.spent = 999
    assert (await answered(engine)).text == "Hello."
    memory.spent = 1_000
    await failed(engine, BudgetSpent)
    assert len(backend.contexts) == 1


async def test_a_model_that_costs_nothing_answers_beyond_the_days_limit() -> None:
    memory = FakeMemory()
    memory.spent = 10**9
    costly, free = FakeBackend(metered=True), FakeBackend(["Free."], name="free")
    read = await answered(engine_of(costly, free, memory=memory, daily_tokens=1_000))
    assert read.text == "Free."
    assert not costly.contexts


async def test_a_limit_of_none_is_never_spent() -> None:
    memory = FakeMemory()
    memory.spent = 10**9
    assert (await answered(engine_of(FakeBackend(metered=True), memory=memory))).text == "Hello."


async def spent(*scripts: Sequence[str | Delta | Gate | Exception], metered: bool = True) -> int:
    """Have one model answer, however it ends, and say what was counted."""
    memory = FakeMemory()
    with suppress(BackendError):
        await answered(engine_of(FakeBackend(*scripts, name="gpt-5", metered=metered), memory=memory))
    return memory.spent


async def test_each_generation_is_counted_once_as_its_server_tells() -> None:
    assert await spent(["Fine.", Delta(usage=Usage(100, 20))]) == 120


async def test_where_the_server_tells_nothing_the_estimate_is_counted() -> None:
    memory = FakeMemory()
    read = await answered(engine_of(FakeBackend(["I am fine."], metered=True), memory=memory))
    assert read.usage is not None
    assert memory.spent == read.usage.prompt_tokens + read.usage.completion_tokens > 32


async def test_a_try_that_was_cut_is_counted_beside_the_one_that_stands() -> None:
    once = await spent(["a b c"])
    assert await spent(["a b c", StreamCut()], ["a b c"]) == 2 * once
    assert await spent([StreamCut()], ["a b c"]) == 2 * once - 3


async def test_what_a_failed_model_did_is_counted_and_what_it_refused_to_do_is_not() -> None:
    assert await spent([BackendSilent()]) > 32
    assert await spent([AnswerRefused()]) > 32
    assert await spent(["a b c", BackendDown()]) > 32
    for refusal in (KeyRefused(), QuotaSpent(), BackendDown(), ContextTooLong()):
        assert await spent([refusal]) == 0


async def test_a_model_that_costs_nothing_is_not_counted() -> None:
    assert await spent(["Fine.", Delta(usage=Usage(100, 20))], metered=False) == 0


async def test_an_answer_that_is_no_longer_wanted_is_counted_as_far_as_it_came() -> None:
    gate, memory = Gate(), FakeMemory()
    backend = FakeBackend(["one two three", gate, "four"], name="gpt-5", metered=True)
    reading = asyncio.create_task(answered(engine_of(backend, memory=memory)))
    await gate.reached()
    assert memory.spent == 0
    reading.cancel()
    await asyncio.wait({reading})
    assert memory.spent == await spent(["one two three"])


async def test_a_summary_is_counted_too() -> None:
    memory = FakeMemory()
    backend = FakeBackend(["On Monday.", Delta(usage=Usage(70, 5))], metered=True)
    assert await engine_of(backend, memory=memory).summarise(STRETCH, 40) == "On Monday."
    assert memory.spent == 75


async def test_beyond_the_days_limit_summaries_are_extracted_sentences() -> None:
    memory = FakeMemory()
    memory.spent = 100
    backend = FakeBackend(["never asked"], metered=True)
    engine = engine_of(backend, memory=memory, daily_tokens=100)
    assert "Monday at ten." in await engine.summarise(STRETCH, 40)
    assert not backend.contexts
    free = FakeBackend(["On Monday."])
    assert await engine_of(free, memory=memory, daily_tokens=100).summarise(STRETCH, 40) == "On Monday."


async def test_a_database_that_is_away_is_no_failure_of_a_model() -> None:
    memory, second = FakeMemory(), FakeBackend()
    memory.error = StoreDown("away")
    await failed(engine_of(FakeBackend(), second, memory=memory), StoreDown)
    assert not second.contexts


async def test_an_answer_that_is_no_longer_wanted_leaves_no_generation_running() -> None:
    gate = Gate()
    backend = FakeBackend(["Once upon a time", gate, " …"])
    reading = asyncio.create_task(answered(engine_of(backend)))
    await gate.reached()
    assert backend.running == 1
    reading.cancel()
    await asyncio.wait({reading})
    assert backend.running == 0


async def test_a_reader_that_leaves_between_two_deltas_closes_the_generation() -> None:
    backend = FakeBackend(["one ", "two ", "three"])
    deltas = engine_of(backend).answer(a_turn("Count"))
    async for delta in deltas:
        if delta.text:
            break
    del deltas, delta
    await asyncio.wait_for(backend.left.wait(), 2)
    assert backend.running == 0


LINES = (Line(Role.PERSON, "Ann: We meet on Monday at ten."), Line(Role.BOT, "Noted: Monday at ten."))
STRETCH = Stretch(7, 0, 1, 2, 2, 30, LINES)


async def summary_of(*scripts: Sequence[str | Delta | Gate | Exception], small: bool = False) -> str:
    backend = FakeBackend(*scripts, languages=SMALL if small else ())
    return await engine_of(backend).summarise(STRETCH, 40)


async def test_a_model_tells_shortly_what_was_said() -> None:
    backend = FakeBackend([" They meet ", "on Monday. "])
    assert await engine_of(backend).summarise(STRETCH, 40) == "They meet on Monday."
    system, told = backend.contexts[0].lines
    assert "at most 40 tokens" in system.text
    assert told.text == "Ann: We meet on Monday at ten.\n\nNoted: Monday at ten."


async def test_the_small_models_summaries_are_extracted_sentences() -> None:
    assert "Monday at ten." in await summary_of(["never asked"], small=True)


@pytest.mark.parametrize("script", [[BackendDown()], ["They", StreamCut()], [""], [" \n"]])
async def test_sentences_are_extracted_where_the_model_fails(script: list[str | Exception]) -> None:
    assert "Monday at ten." in await summary_of(list(script))


class Cents:
    """A table by which a token of the known models costs a cent."""

    def cost(self, model: str, usage: Usage) -> Decimal | None:
        if model == "unknown":
            return None
        return Decimal(usage.prompt_tokens + usage.completion_tokens) / 100


def priced(*backends: Backend, memory: FakeMemory | None = None) -> Engine:
    return Engine(
        memory or FakeMemory(),
        backends,
        FakeWords(),
        WordCounter(),
        "You are X.",
        0,
        lambda: NOW,
        prices=Cents(),
    )


async def test_an_answer_tells_what_it_cost() -> None:
    memory = FakeMemory()
    backend = FakeBackend(["Fine.", Delta(usage=Usage(80, 20))], metered=True)
    assert (await answered(priced(backend, memory=memory))).cost == 1
    assert memory.costs == [Decimal(1)]


async def test_tries_that_failed_cost_too() -> None:
    cut: list[str | Delta | Gate | Exception] = ["Half", Delta(usage=Usage(50, 0)), StreamCut("cut")]
    first = FakeBackend(cut, metered=True)
    second = FakeBackend(["Fine.", Delta(usage=Usage(100, 0))], metered=True)
    assert (await answered(priced(first, second))).cost == 2


async def test_an_answer_that_failed_tells_what_it_cost_before_it_fails() -> None:
    cut: list[str | Delta | Gate | Exception] = ["Half", Delta(usage=Usage(50, 0)), StreamCut("cut")]
    assert (await failed(priced(FakeBackend(cut, metered=True)), StreamCut)).cost == 1


async def test_a_refused_key_costs_nothing() -> None:
    assert (await failed(priced(FakeBackend([KeyRefused("no")], metered=True)), KeyRefused)).cost == 0


async def test_an_unknown_price_leaves_the_cost_open() -> None:
    backend = FakeBackend(["Fine.", Delta(usage=Usage(80, 20))], name="unknown", metered=True)
    assert (await answered(priced(backend))).cost is None


async def test_a_model_on_board_costs_nothing() -> None:
    backend = FakeBackend(["Fine.", Delta(usage=Usage(80, 20))], name="unknown", metered=False)
    assert (await answered(priced(backend))).cost == 0


async def test_a_summary_is_paid_for_too() -> None:
    memory = FakeMemory()
    backend = FakeBackend(["Short.", Delta(usage=Usage(150, 50))], metered=True)
    stretch = Stretch(7, 0, 1, 2, 2, 10, (Line(Role.PERSON, "A long story."),))
    await priced(backend, memory=memory).summarise(stretch, 50)
    assert memory.costs == [Decimal(2)]


async def test_thoughts_are_shown_under_the_answer_and_are_no_part_of_it() -> None:
    backend = FakeBackend([Delta(thought="The user "), Delta(thought="is polite."), "Hello."])
    read = await answered(engine_of(backend))
    assert (read.text, read.thought) == ("Hello.", "")
    assert read.aside == "> 💭 The user is polite."


async def test_only_the_last_try_is_thought_of() -> None:
    backend = FakeBackend(
        [Delta(thought="Wrong."), "H", StreamCut("cut")], [Delta(thought="Right."), "Hello."]
    )
    assert (await answered(engine_of(backend))).aside == "> 💭 Right."


PICTURE = Picture("cat.png", "image/png", b"cat")


class SeenMemory(FakeMemory):
    """A record whose question shows a picture."""

    async def recall(self, turn: Turn, budget: int, *, sees: bool = True) -> Remembered:
        recalled = await super().recall(turn, budget, sees=sees)
        *earlier, question = recalled.lines
        return replace(recalled, lines=(*earlier, replace(question, pictures=(PICTURE,))))


async def test_pictures_go_to_a_model_that_sees() -> None:
    backend = FakeBackend(["A cat."], sees=True)
    memory = SeenMemory([Line(Role.PERSON, "Hello", "Ann")])
    read = await answered(engine_of(backend, memory=memory))
    assert backend.contexts[0].lines[-1].pictures == (PICTURE,)
    assert read.aside == ""


async def test_a_model_that_cannot_see_gets_the_text_and_the_answer_says_so() -> None:
    backend = FakeBackend(["I read."])
    read = await answered(engine_of(backend, memory=SeenMemory()))
    assert backend.contexts[0].lines[-1].pictures == ()
    assert read.aside == "[en:pictures-unseen]"


async def test_a_server_that_would_not_look_is_told_of_once() -> None:
    backend = FakeBackend([Delta(unseen=True), "I read."], sees=True)
    assert (await answered(engine_of(backend, memory=SeenMemory()))).aside == "[en:pictures-unseen]"


async def test_pictures_do_not_teach_what_a_token_costs() -> None:
    memory = SeenMemory([Line(Role.PERSON, "word " * 80, "Ann")])
    backend = FakeBackend(["A cat.", Delta(usage=Usage(5_000, 5))], sees=True)
    await answered(engine_of(backend, memory=memory))
    assert memory.factors == {}
