"""What people deleted, on a real Postgres: read nowhere, its answers taken away, however it came about."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.dialogue import (
    LINK,
    Accepted,
    Attachment,
    Channel,
    ChannelKind,
    Deletion,
    Granted,
    Line,
    Message,
    Outcome,
    Platform,
    Request,
    Stretch,
    Turn,
    Wanted,
    Wish,
)
from bot.errors import LeaseLost, Superseded
from bot.memory.attachments import Attachments
from tests.memory.conftest import ADA, BEN, DIRECT, OPEN, PAGE, THREAD, Open, Record, done, edited, message

WITHDRAWN = done("", outcome=Outcome.WITHDRAWN)


async def read(record: Record, turn: Turn, budget: int = 1_000) -> str:
    recalled = await record.memory.recall(turn, budget)
    return "\n".join([recalled.summary, *(line.text for line in recalled.lines)])


async def folded(record: Record, conversation_id: int, budget: int) -> list[Stretch]:
    """Fold with a model that says again what it reads; return what it was given."""
    stretches: list[Stretch] = []
    while (stretch := await record.summaries.next_stretch(conversation_id, budget)) is not None:
        stretches.append(stretch)
        await record.summaries.add(stretch, " / ".join(line.text for line in stretch.lines))
        assert len(stretches) < 100, "folding does not end"
    return stretches


async def test_a_question_that_is_deleted_before_it_is_taken_up_is_not_answered(record: Record) -> None:
    asked = message("secret question", THREAD)
    conversation = await record.asked(asked)
    await record.deleted(asked)
    turn = await record.turns.claim(conversation)
    assert turn is not None
    assert turn.wanted is Wanted.WITHDRAW
    assert [(one.id, one.text) for one in turn.question] == [(asked.id, "")]
    assert await record.turns.finish(turn, WITHDRAWN) is None
    assert await record.value("SELECT state FROM turns") == "withdrawn"
    assert await record.turns.claim(conversation) is None


async def test_who_answers_a_deleted_question_learns_of_it(record: Record) -> None:
    asked = message("secret question", THREAD)
    turn = await record.claimed(asked)
    await record.posted(turn)
    await record.deleted(asked)
    with pytest.raises(Superseded):
        await record.turns.finish(turn, done())
    again = await record.turns.reload(turn)
    assert again.wanted is Wanted.WITHDRAW
    receipts = record.outbox.receipts(again, Open())
    assert [slot.message_id for slot in await receipts.standing()] == ["900.1"]
    await receipts.removed(0)
    await record.turns.finish(again, WITHDRAWN)
    assert await record.value("SELECT count(*) FROM messages WHERE said") == 0


async def test_an_answered_question_that_is_deleted_takes_its_answer_along(record: Record) -> None:
    asked = message("secret question", THREAD)
    await record.exchange(asked, "secret answer", THREAD)
    await record.exchange(message("another", THREAD), "fine", THREAD)
    await record.deleted(asked)
    await record.adds_up()
    withdrawn = await record.claimed(message("so?", THREAD))
    assert withdrawn.wanted is Wanted.WITHDRAW
    following = await record.turns.finish(withdrawn, WITHDRAWN)
    assert following is not None
    assert await read(record, following) == "\nanother\nfine\nso?"
    (jobs,) = await record.rows("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'answer'")
    assert jobs["count"] == 1


async def test_a_second_deletion_changes_nothing(record: Record) -> None:
    asked = message("secret", THREAD)
    await record.exchange(asked, "answer", THREAD)
    await record.deleted(asked)
    before = await record.rows("SELECT * FROM messages, turns, conversations")
    await record.deleted(asked)
    assert await record.rows("SELECT * FROM messages, turns, conversations") == before


async def test_what_is_left_of_a_joined_question_is_answered_anew(record: Record) -> None:
    first, second = message("first", THREAD), message("second", THREAD)
    turn = await record.claimed(first, second)
    await record.deleted(first)
    with pytest.raises(Superseded):
        await record.turns.finish(turn, done())
    turn = await record.turns.reload(turn)
    assert (turn.wanted, [one.text for one in turn.question]) == (Wanted.ANSWER, ["second"])
    assert await read(record, turn) == "\nsecond"
    await record.deleted(second)
    assert (await record.turns.reload(turn)).wanted is Wanted.WITHDRAW


async def test_an_answer_to_several_stands_while_one_of_them_is_left(record: Record) -> None:
    first, second = message("first", THREAD), message("second", THREAD)
    turn = await record.claimed(first, second)
    await record.turns.finish(turn, done("to both"))
    await record.deleted(first)
    following = await record.claimed(message("so?", THREAD))
    assert await read(record, following) == "\nsecond\nto both\nso?"


async def test_what_was_overheard_is_read_no_more(record: Record) -> None:
    await record.exchange(message("hello", THREAD), "hi", THREAD)
    aside = message("secret aside", THREAD, BEN, mentions_bot=False, mentions_others=True)
    assert await record.inbox.accept(aside) is Accepted.KEPT
    await record.deleted(aside)
    turn = await record.claimed(message("so?", THREAD))
    assert await read(record, turn) == "\nhello\nhi\nso?"


async def test_a_deletion_that_comes_before_the_message_is_remembered(record: Record) -> None:
    late = message("secret", THREAD)
    await record.deleted(late)
    assert await record.inbox.accept(late) is Accepted.IGNORED
    assert await record.value("SELECT count(*) FROM messages") == 0
    assert await record.value("SELECT count(*) FROM conversations") == 0


async def test_a_late_edit_does_not_bring_a_message_back(record: Record) -> None:
    asked = message("secret", THREAD)
    turn = await record.exchange(asked, "answer", THREAD)
    await record.deleted(asked)
    assert await record.inbox.accept(edited(asked, "secret again")) is Accepted.KNOWN
    assert await record.inbox.accept(asked) is Accepted.KNOWN
    assert "secret again" not in str(await record.rows("SELECT * FROM messages, message_revisions"))
    assert turn.id == await record.value("SELECT id FROM turns")


async def test_a_message_and_its_deletion_at_once_leave_nothing_to_answer(
    record: Record, another: Record
) -> None:
    for number in range(12):
        asked = message(f"secret {number}", replace(THREAD, root=f"{number}.1"))
        steps = [record.inbox.accept(asked), another.deleted(asked)]
        await asyncio.gather(*(steps if number % 2 else reversed(steps)))
        assert await record.inbox.accept(asked) in {Accepted.IGNORED, Accepted.KNOWN}
    left = "SELECT count(*) FROM turns WHERE wanted = 'answer'"
    assert await record.value(left) == 0
    assert await record.value("SELECT count(*) FROM messages WHERE withdrawn_at IS NULL") == 0


async def test_a_history_read_just_before_does_not_bring_messages_back(record: Record) -> None:
    heard = message("secret heard", THREAD)
    await record.exchange(heard, "answer", THREAD)
    unknown = message("secret unknown", THREAD, BEN)
    await record.deleted(heard, unknown)
    turn = await record.claimed(message("elsewhere", replace(THREAD, root="7.7")))
    kept = await record.shelf.keep(turn.conversation, [unknown, heard, message("older", THREAD)])
    assert kept == 1
    assert await read(record, turn) == "\nolder\nelsewhere"


async def test_a_history_that_is_kept_while_a_message_is_deleted_does_not_hold_it(
    record: Record, another: Record
) -> None:
    for number in range(6):
        place = replace(THREAD, root=f"{number}.1")
        turn = await record.claimed(message("hello", place))
        secret = message("secret", place, BEN)
        await asyncio.gather(record.shelf.keep(turn.conversation, [secret]), another.deleted(secret))
        assert "secret" not in await read(record, turn)


async def test_copies_in_other_conversations_go_with_the_message_and_with_the_answer(record: Record) -> None:
    asked = message("secret question", DIRECT)
    turn = await record.claimed(asked)
    await record.posted(turn, "secret answer", "900.7")
    await record.turns.finish(turn, done("secret answer"))
    thread = replace(DIRECT, root="900.7")
    there = await record.claimed(message("about it", thread), channel=thread)
    post = message("secret answer", DIRECT, id="900.7", said=True)
    assert await record.shelf.keep(there.conversation, [asked, post]) == 2
    assert "secret" in await read(record, there)
    await record.deleted(asked)
    assert await read(record, there) == "\nabout it"
    await record.adds_up()


async def test_an_answer_whose_posts_people_deleted_is_read_no_more(record: Record) -> None:
    turn = await record.claimed(message("hello", THREAD))
    await record.posted(turn, "secret answer", "900.7")
    await record.turns.finish(turn, done("secret answer"))
    await record.deleted(message(channel=THREAD, id="900.7"))
    following = await record.claimed(message("so?", THREAD))
    assert (following.id, await read(record, following)) == (turn.id + 1, "\nhello\nso?")


async def test_a_running_answer_s_post_that_people_deleted_is_its_holder_s_care(record: Record) -> None:
    turn = await record.claimed(message("hello", THREAD))
    await record.posted(turn, "Well", "900.7")
    await record.deleted(message(channel=THREAD, id="900.7"))
    receipts = record.outbox.receipts(turn, Open())
    assert [slot.message_id for slot in await receipts.standing()] == ["900.7"]
    assert (await record.turns.reload(turn)).revision == turn.revision


async def test_a_deleted_link_of_a_reply_chain_still_holds_it_together(record: Record) -> None:
    first = message("first", OPEN)
    await record.exchange(first, "yes", OPEN)
    middle = message("secret", OPEN, BEN, reply_to=first.id)
    await record.exchange(middle, "secret too", OPEN)
    await record.deleted(middle)
    withdrawn = await record.claimed(message("last", OPEN, reply_to=middle.id))
    following = await record.turns.finish(withdrawn, WITHDRAWN)
    assert following is not None
    assert await read(record, following) == "\nfirst\nlast"


async def test_a_discord_thread_s_first_message_is_deleted_in_its_channel(record: Record) -> None:
    place = Channel(Platform.DISCORD, "G1", "800", kind=ChannelKind.THREAD, parent="500")
    asked = message("secret", place, id="800")
    await record.asked(asked)
    await record.deleted(replace(asked, channel=OPEN))
    assert await record.value("SELECT wanted FROM turns") == "withdraw"


async def test_summaries_are_told_anew_without_it_and_not_read_before(record: Record) -> None:
    spoken = [message(f"word{number}", THREAD) for number in range(24)]
    for one in spoken:
        await record.exchange(one, f"reply{one.text}", THREAD)
    conversation = int(await record.value("SELECT id FROM conversations"))
    await folded(record, conversation, 60)
    assert await record.value("SELECT max(level) FROM summary_blocks") >= 1
    gone = spoken[1]
    await record.deleted(gone)
    withdrawn = await record.claimed(message("so?", THREAD))
    turn = await record.turns.finish(withdrawn, WITHDRAWN)
    assert turn is not None
    assert "word1\n" not in (await read(record, turn, 100)).replace(" ", "\n")
    covering = "SELECT count(*) FROM summary_blocks WHERE revisions_told < revisions AND text = ''"
    assert await record.value(covering) >= 2  # the block and that into which it was folded
    told = await folded(record, conversation, 60)
    words = {word for stretch in told for line in stretch.lines for word in line.text.split()}
    assert {"word1", "replyword1"}.isdisjoint(words)
    summaries = " ".join(row["text"] for row in await record.rows("SELECT text FROM summary_blocks")).split()
    assert {"word0", "word2"} <= set(summaries)
    assert {"word1", "replyword1"}.isdisjoint(summaries)


async def test_a_summary_in_the_making_is_outdated_when_it_comes(record: Record) -> None:
    spoken = [message(f"word{number}", THREAD) for number in range(12)]
    for one in spoken:
        await record.exchange(one, "reply", THREAD)
    conversation = int(await record.value("SELECT id FROM conversations"))
    stretch = await record.summaries.next_stretch(conversation, 60)
    assert stretch is not None
    await record.deleted(spoken[0])
    await record.summaries.add(stretch, "tells of word0")
    turn = await record.claimed(message("so?", THREAD))
    assert "word0" not in await read(record, turn, 60)
    await folded(record, conversation, 60)
    assert "word0" not in str(await record.rows("SELECT text FROM summary_blocks"))


async def test_a_stretch_of_which_all_was_deleted_is_told_as_nothing(record: Record) -> None:
    spoken = [message(f"word{number}", THREAD) for number in range(12)]
    for one in spoken:
        await record.exchange(one, "reply", THREAD)
    conversation = int(await record.value("SELECT id FROM conversations"))
    await folded(record, conversation, 60)
    await record.deleted(*spoken)
    told = await folded(record, conversation, 60)
    assert told
    assert [line for stretch in told for line in stretch.lines] == []
    assert await folded(record, conversation, 60) == []


async def test_what_a_link_brought_of_a_message_goes_with_it(record: Record) -> None:
    secret = message("secret", replace(THREAD, root="7.7"), BEN)
    turn = await record.claimed(message("see https://example.org/1", THREAD))
    number = int(await record.value("SELECT id FROM messages"))
    shelf = Attachments(record.database, record.counter)
    link = Attachment("https://example.org/1", LINK, "secret words", quotes=(secret.key,))
    other = Attachment("https://example.org/2", LINK, "other words", quotes=("slack:T1:C1:5",))
    await shelf.keep(number, {}, [link, other])
    assert "secret" in await read(record, turn)
    await record.deleted(secret)
    await record.adds_up()
    assert "secret" not in await read(record, turn)
    assert "other words" in await read(record, turn)
    await shelf.keep(number, {}, [link])  # it was being read meanwhile
    assert "secret" not in await read(record, turn)


async def test_pages_and_reasons_show_nothing_of_it(record: Record) -> None:
    asked, other = message("secret", PAGE), message("other", PAGE)
    await record.exchange(asked, "secret answer", PAGE)
    turn = await record.claimed(other, channel=PAGE)
    recalled = await record.memory.recall(turn, 1_000)
    await record.turns.finish(turn, done("fine", model="m", manifest=recalled.manifest))
    await record.deleted(asked)
    assert "secret" not in str(await record.transcripts.read(PAGE))
    assert [thread.title for thread in await record.transcripts.threads(Platform.WEB)] == ["other"]
    why = await record.transcripts.why(turn.id)
    assert "secret" not in str(why)
    assert "other" in str(why)


async def test_a_channel_that_is_gone_is_forgotten_with_all_its_answers(record: Record) -> None:
    first = await record.exchange(message("secret", THREAD), "secret answer", THREAD)
    running = await record.claimed(message("secret too", replace(THREAD, root="7.7")))
    stays = await record.exchange(message("hello", DIRECT), "hi")
    await record.withdrawals.withdraw(Deletion(THREAD, (), datetime.now(UTC)))
    await record.adds_up()
    with pytest.raises(LeaseLost):
        await record.turns.reload(running)
    rows = await record.rows("SELECT id, state FROM turns ORDER BY id")
    states = {row["id"]: row["state"] for row in rows}
    assert states == {first.id: "withdrawn", running.id: "withdrawn", stays.id: "done"}
    turn = await record.claimed(message("again", THREAD))
    assert await read(record, turn) == "\nagain"


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_happens_deleted_words_reach_no_model(record: Record, seed: int) -> None:
    """Write, edit, delete, answer, repeat and fold by chance; every word a model reads is one that stands."""
    talk = _Talk(record, random.Random(seed))
    for _ in range(40):
        await talk.step()
        await record.adds_up()
    assert talk.gone
    assert talk.read


class _Talk:
    """A conversation by chance; each message has a word of its own."""

    def __init__(self, record: Record, chance: random.Random) -> None:
        self.record, self.chance = record, chance
        self.standing: list[Message] = []
        self.gone: set[str] = set()
        self.read = 0
        self._answered: list[int] = []
        self._words = 0

    async def step(self) -> None:
        steps = [*[self.write] * 5, *[self.answer] * 3, self.edit, self.delete, self.fold, self.again]
        await self.chance.choice(steps)()

    async def write(self) -> None:
        author = self.chance.choice([ADA, BEN])
        named = not self.standing or self.chance.random() < 0.5  # else it may be for people, and is only kept
        said = message(self._word(), THREAD, author, mentions_bot=named)
        self.standing.append(said)
        await self.record.inbox.accept(said)

    async def edit(self) -> None:
        if not self.standing:
            return
        place = self.chance.randrange(len(self.standing))
        old = self.standing[place]
        later = (old.edited_at or old.sent_at) - old.sent_at
        self.standing[place] = edited(old, self._word(), later.total_seconds() + 1)
        self.gone.update(old.text.split())
        await self.record.inbox.accept(self.standing[place])

    async def delete(self) -> None:
        if len(self.standing) < 2:
            return
        old = self.standing.pop(self.chance.randrange(len(self.standing)))
        self.gone.update(old.text.split())
        await self.record.deleted(old)

    async def again(self) -> None:
        if self._answered:
            wish = Request(Wish.AGAIN, ADA, THREAD, moderator=True, turn=self.chance.choice(self._answered))
            assert await self.record.wishes.again(wish) in {Granted.DONE, Granted.ALREADY, Granted.GONE}

    async def answer(self) -> None:
        conversation = await self.record.rows("SELECT id FROM conversations")
        turn = await self.record.turns.claim(conversation[0]["id"]) if conversation else None
        while turn is not None:
            ending = WITHDRAWN
            if turn.wanted is Wanted.ANSWER:
                recalled = await self.record.memory.recall(turn, 60)
                self._look([*recalled.lines, Line(recalled.lines[0].role, recalled.summary)])
                self._answered.append(turn.id)
                ending = done("says nothing of it")
            turn = await self.record.turns.finish(turn, ending)

    async def fold(self) -> None:
        conversation = await self.record.rows("SELECT id FROM conversations")
        for stretch in await folded(self.record, conversation[0]["id"], 40) if conversation else ():
            self._look(stretch.lines)

    def _look(self, lines: list[Line] | tuple[Line, ...]) -> None:
        words = {word.strip(":") for line in lines for word in line.text.split()}
        assert self.gone.isdisjoint(words)
        self.read += len(words)

    def _word(self) -> str:
        self._words += 1
        return f"word-{self._words}"
