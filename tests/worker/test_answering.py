"""One turn from its lease to its record: begun again, broken off, failed, and what a person sees of it."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from structlog.testing import capture_logs

from bot.adapters.pieces import cut
from bot.dialogue import Delta, Manifest, Outcome, Platform, Turn, Usage
from bot.errors import (
    AnswerRefused,
    BackendDown,
    BackendSilent,
    BudgetSpent,
    LeaseLost,
    PlatformDown,
    PostRefused,
    RateLimited,
    StoreDown,
    StreamCut,
)
from bot.worker import Answerer
from tests.doubles.model import Gate
from tests.fakes import FakeAdapter, FakeReader, FakeRecord, FakeWords, a_message, a_turn

Step = str | Delta | Gate | Exception
LONG = "This is the beginning of an answer"
SECRET = "the-secret-word"


class ScriptedEngine:
    """An engine that gives each generation its script; the last one stays."""

    def __init__(self, *scripts: Sequence[Step]) -> None:
        self.asked: list[Turn] = []
        self.running = 0
        self._scripts = scripts

    async def answer(self, turn: Turn) -> AsyncIterator[Delta]:
        self.asked.append(turn)
        self.running += 1
        fresh = True
        try:
            for step in self._scripts[min(len(self.asked), len(self._scripts)) - 1]:
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, Gate):
                    await step.pass_through()
                    continue
                yield Delta(step, fresh=fresh) if isinstance(step, str) else step
                fresh = False
        finally:
            self.running -= 1


class House:
    """An answerer with all it needs, and what came of it."""

    def __init__(self, *scripts: Sequence[Step], adapter: FakeAdapter | None = None) -> None:
        self.engine = ScriptedEngine(*scripts)
        self.adapter = adapter or FakeAdapter()
        self.record = FakeRecord()
        adapters = {Platform.SLACK: self.adapter}
        record = self.record
        self.answerer = Answerer(self.engine, adapters, record, record, record, record, FakeWords())

    @property
    def shown(self) -> tuple[str, ...]:
        """The posts that stand."""
        return self.adapter.room.shown

    async def answer(self, turn: Turn | None = None) -> Turn | None:
        return await self.answerer.answer(turn or a_turn("How are you?"))

    def begin(self, turn: Turn | None = None) -> asyncio.Task[Turn | None]:
        return asyncio.create_task(self.answer(turn))


@pytest.fixture(autouse=True)
async def no_task_is_left() -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    yield
    await asyncio.sleep(0)
    current = asyncio.current_task()
    assert [task for task in asyncio.all_tasks() - before if task is not current] == []


async def test_an_answer_is_posted_and_recorded() -> None:
    usage, manifest = Usage(100, 20), Manifest(budget=5)
    house = House([Delta(model="m", manifest=manifest), "Fine, ", "thanks.", Delta(usage=usage)])
    assert await house.answer() is None
    assert house.shown == ("Fine, thanks.",)
    (answer,) = house.record.answers
    assert (answer.outcome, answer.text, answer.model) == (Outcome.DONE, "Fine, thanks.", "m")
    assert (answer.usage, answer.manifest, answer.error) == (usage, manifest, "")
    assert answer.first_text_seconds is not None
    assert 0 <= answer.first_text_seconds <= answer.seconds
    assert house.record.log == ["hold", "finish", "let go"]


async def test_what_an_answer_cost_is_recorded_however_it_ended() -> None:
    house = House(
        ["Fine.", Delta(cost=Decimal("0.02"))], ["Fi", Delta(cost=Decimal("0.01")), BackendDown("no")]
    )
    await house.answer()
    await house.answer(a_turn("Again?", number=2))
    assert [answer.cost for answer in house.record.answers] == [Decimal("0.02"), Decimal("0.01")]


async def test_the_conversations_next_turn_is_returned() -> None:
    house = House(["Fine."])
    following = a_turn("And now?", number=2)
    house.record.waiting.append(following)
    assert await house.answer() is following


async def test_a_long_answer_is_posted_whole_in_several_pieces() -> None:
    text = "\n\n".join(f"Paragraph {number} of a long answer." for number in range(40))
    house = House([text[at : at + 7] for at in range(0, len(text), 7)])
    await house.answer()
    assert len(house.shown) > 5
    assert "".join("".join(house.shown).split()) == "".join(text.split())
    assert house.record.answers[0].text == text


async def test_a_second_message_before_the_first_text_is_answered_together_in_one_post() -> None:
    gate = Gate()
    house = House([gate, "never seen"], ["To both: fine."])
    answering = house.begin(a_turn("How are you?"))
    await gate.reached()
    house.record.ask_more(a_turn("How are you?", "And Bob?"))
    await asyncio.wait_for(answering, 5)
    assert [len(turn.question) for turn in house.engine.asked] == [1, 2]
    assert house.adapter.room.seen == [("To both: fine.",)]
    assert house.record.log == ["hold", "reload", "let go", "hold", "finish", "let go"]
    assert house.engine.running == 0


async def test_an_answer_that_is_superseded_in_mid_stream_begins_again_in_its_place() -> None:
    gate = Gate()
    house = House([LONG, gate], ["Another answer."])
    answering = house.begin()
    await gate.reached()
    await house.adapter.room.until(lambda shown: shown == (LONG,))
    house.record.ask_more(a_turn("How is Bob?"))
    await asyncio.wait_for(answering, 5)
    assert house.shown == ("Another answer.",)
    assert list(house.adapter.room.posts) == ["post-1"]
    assert house.record.answers[0].text == "Another answer."


async def test_a_shorter_second_answer_leaves_no_surplus_post() -> None:
    gate = Gate()
    house = House(["word " * 120, gate], ["Short."])
    answering = house.begin()
    await gate.reached()
    await house.adapter.room.until(lambda shown: len(shown) >= 3)
    house.record.ask_more(a_turn("Shorter!"))
    await asyncio.wait_for(answering, 5)
    assert house.shown == ("Short.",)


@pytest.mark.parametrize("begun", [[], [LONG]])
async def test_a_lost_lease_stops_the_answer_and_its_generation_at_once(begun: list[str]) -> None:
    gate = Gate()
    house = House([*begun, gate, "never"])
    answering = house.begin()
    await gate.reached()
    house.record.take_away()
    with pytest.raises(LeaseLost):
        await asyncio.wait_for(answering, 2)
    assert house.engine.running == 0
    assert house.record.answers == []
    assert "never" not in "".join(house.shown)


@pytest.mark.parametrize(
    ("error", "key"),
    [
        (BackendDown(), "model-down"),
        (BackendSilent(), "model-silent"),
        (AnswerRefused(), "model-refused"),
        (BudgetSpent(), "budget-spent"),
    ],
)
async def test_a_failure_before_any_text_is_one_honest_message(error: Exception, key: str) -> None:
    house = House([error])
    await house.answer()
    assert house.shown == (f"[en:{key}]",)
    (answer,) = house.record.answers
    assert (answer.outcome, answer.text, answer.error) == (Outcome.FAILED, "", key)


async def test_what_stood_when_the_model_failed_is_marked_as_unfinished() -> None:
    house = House([LONG, StreamCut()])
    await house.answer()
    assert house.shown == (f"{LONG}\n\n[en:unfinished reason=[en:model-cut]]",)
    (answer,) = house.record.answers
    assert (answer.outcome, answer.text, answer.error) == (Outcome.FAILED, LONG, "model-cut")


async def test_the_failure_is_told_in_the_language_of_the_question() -> None:
    house = House([BackendDown()])
    await house.answer(a_turn("你好吗？"))
    assert house.shown == ("[zh:model-down]",)


@pytest.mark.parametrize("text", ["", " \n"])
async def test_an_answer_without_a_word_is_not_silence(text: str) -> None:
    house = House([text] if text else [Delta(model="m")])
    await house.answer()
    assert house.shown == ("[en:model-cut]",)
    assert house.record.answers[0].outcome is Outcome.FAILED


async def test_an_answer_that_ended_at_its_limit_says_so_under_it() -> None:
    house = House([LONG, Delta(limited=True), Delta(usage=Usage(1, 1)), Delta(aside="[small]")])
    await house.answer()
    assert house.shown == (f"{LONG}\n\n[small]\n\n[en:limited]",)
    assert house.record.answers[0].text == LONG


async def test_the_limit_of_a_try_that_failed_is_not_told_of_the_next() -> None:
    house = House([LONG, Delta(limited=True), Delta("Whole.", fresh=True)])
    await house.answer()
    assert house.shown == ("Whole.",)


async def test_the_text_of_a_failed_try_stands_until_the_next_one_has_text() -> None:
    gate, then = Gate(), Gate()
    house = House([LONG, gate, Delta(model="b"), then, Delta("Whole now.", fresh=True)])
    answering = house.begin()
    await gate.reached()
    await house.adapter.room.until(lambda shown: shown == (LONG,))
    gate.release()
    await then.reached()
    assert house.shown == (LONG,)
    then.release()
    await answering
    assert house.shown == ("Whole now.",)


async def test_letters_that_no_database_keeps_are_left_out() -> None:
    house = House(["A\x00B", "\ud83d", " C"])
    await house.answer()
    assert house.record.answers[0].text.encode() == "AB\ufffd C".encode()
    assert house.shown == ("AB\ufffd C",)


async def test_a_thread_that_was_not_read_is_read_first() -> None:
    earlier = a_message("Before", 0)
    house = House(["Fine."], adapter=FakeReader(earlier))
    await house.answer(a_turn("How are you?", history_read=False))
    assert house.record.kept == [earlier]
    assert house.record.log.index("keep") < house.record.log.index("finish")
    assert house.shown == ("Fine.",)


async def test_a_thread_that_is_known_is_not_read_again() -> None:
    house = House(["Fine."], adapter=FakeReader(a_message("Before", 0)))
    await house.answer()
    assert house.record.kept == []


async def test_a_thread_that_cannot_be_read_is_answered_all_the_same() -> None:
    adapter = FakeReader()
    adapter.unread = PlatformDown("away")
    house = House(["Fine."], adapter=adapter)
    with capture_logs() as logs:
        await house.answer(a_turn("How are you?", history_read=False))
    assert house.shown == ("Fine.",)
    assert {"event": "thread_not_read", "log_level": "warning", "turn": 1, "reason": "away"} in logs


async def test_a_platform_without_history_is_not_asked_for_it() -> None:
    house = House(["Fine."])
    await house.answer(a_turn("How are you?", history_read=False))
    assert house.record.kept == []


async def test_a_turn_that_failed_five_times_is_set_aside_without_asking_a_model() -> None:
    house = House(["Fine."])
    await house.answer(a_turn("How are you?", attempts=5))
    with capture_logs() as logs:
        await house.answer(a_turn("How are you?", number=2, attempts=6))
    assert house.shown == ("Fine.", "[en:poisoned]")
    assert house.record.answers[1].outcome is Outcome.FAILED
    assert len(house.engine.asked) == 1
    assert [line["log_level"] for line in logs if line["event"] == "turn_set_aside"] == ["error"]


@pytest.mark.parametrize("begun", [[], [LONG]])
async def test_a_database_that_is_away_reaches_the_caller(begun: list[str]) -> None:
    house = House([*begun, StoreDown("away")])
    with pytest.raises(StoreDown):
        await asyncio.wait_for(house.answer(), 2)
    assert house.record.answers == []


async def test_asyncio_has_nothing_to_complain_of_after_a_failure() -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context["message"]))

    async def fail() -> None:
        with pytest.raises(StoreDown):
            await House([LONG, StoreDown("away")]).answer()

    await asyncio.create_task(fail())
    gc.collect()  # a task that died unheard is complained of when it is collected
    assert complaints == []


async def test_a_fault_of_ours_reaches_the_caller() -> None:
    house = House([ZeroDivisionError("ours")])
    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(house.answer(), 2)


@pytest.mark.parametrize("error", [PlatformDown("away"), PostRefused("no")])
async def test_a_post_that_fails_stops_the_generation(error: Exception) -> None:
    gate = Gate()
    house = House([LONG, gate, "never"])

    async def post(piece: object, nonce: str) -> str:
        await gate.reached()
        raise error

    house.adapter.room.post = post  # type: ignore[method-assign]
    with pytest.raises(type(error)):
        await asyncio.wait_for(house.answer(), 2)
    assert house.engine.running == 0
    assert house.record.answers == []


async def test_a_cancelled_answer_leaves_no_generation_running() -> None:
    gate = Gate()
    house = House([LONG, gate, "never"])
    answering = house.begin()
    await gate.reached()
    answering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(answering, 2)
    assert house.engine.running == 0
    assert house.record.answers == []


async def test_a_cancellation_is_not_swallowed_while_the_generation_is_being_closed() -> None:
    gate, closing = Gate(), Gate()

    class Stubborn(ScriptedEngine):
        async def answer(self, turn: Turn) -> AsyncIterator[Delta]:
            try:
                await gate.pass_through()
            finally:
                await closing.pass_through()
            yield Delta("never")

    house = House()
    house.engine = Stubborn()
    record = house.record
    adapters = {Platform.SLACK: house.adapter}
    house.answerer = Answerer(house.engine, adapters, record, record, record, record, FakeWords())
    answering = house.begin()
    await gate.reached()
    house.record.ask_more(a_turn("Both", "of them"))
    await closing.reached()
    answering.cancel()
    await asyncio.sleep(0)
    closing.release()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(answering, 2)
    assert "reload" not in house.record.log


async def test_no_log_line_has_a_word_of_what_was_said() -> None:
    faults: list[list[Step]] = [[f"{SECRET} and more to it"], [f"{SECRET} and more", StreamCut()]]
    with capture_logs() as logs:
        for number, script in enumerate(faults, 1):
            await House(script).answer(a_turn(f"{SECRET}?", number=number))
    assert [line["event"] for line in logs] == ["turn_finished", "model_failed", "turn_finished"]
    assert [line["log_level"] for line in logs] == ["info", "warning", "info"]
    assert SECRET not in str(logs)


async def test_a_long_answer_in_many_deltas_costs_little_work() -> None:
    paragraph = "A sentence of the answer, as a model writes it. " * 8 + "\n\n"
    text = (paragraph * 80)[:30_000].rstrip()
    house = House([text[at : at + 10] for at in range(0, len(text), 10)], adapter=FakeAdapter(2_000))
    begun = time.process_time()
    await house.answer()
    assert time.process_time() - begun < 1.0
    assert list(house.shown) == cut(text, 2_000)


async def test_a_model_without_room_is_waited_for_and_nobody_sees_a_failure() -> None:
    house = House([RateLimited("full", 3.0)])
    with pytest.raises(RateLimited):
        await house.answer()
    assert house.shown == ()
    assert house.record.answers == []


async def test_after_a_quarter_of_an_hour_without_room_the_asker_is_told_so() -> None:
    house = House([RateLimited("full", 3.0)])
    await house.answer(replace(a_turn("How are you?"), tried_for=901.0))
    assert house.shown == ("[en:model-busy]",)
    assert house.record.answers[0].outcome is Outcome.FAILED


async def test_half_an_answer_is_not_held_back_for_a_model_without_room() -> None:
    house = House([LONG, RateLimited("full", 3.0)])
    await house.answer()
    assert house.shown[0].startswith(LONG)
    assert house.record.answers[0].error == "model-busy"


async def test_a_poisoned_turn_is_set_aside_before_anything_of_it_is_read() -> None:
    reader = FakeReader()
    reader.unread = PlatformDown("nobody may ask")
    house = House(["Fine."], adapter=reader)
    turn = a_turn("How are you?", attempts=6)
    turn = replace(turn, conversation=replace(turn.conversation, history_read=False))
    with capture_logs() as logs:
        await house.answer(turn)
    assert house.shown == ("[en:poisoned]",)
    assert [line["event"] for line in logs] == ["turn_set_aside", "turn_finished"]
