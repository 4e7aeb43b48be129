"""Says in short Markdown what an answer was made of; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from bot.dialogue import Reading, Reason, Span, SummarySpan, Why
from bot.ports import Tell

_QUOTES = 6
_QUOTE_CHARACTERS = 80
_MARKS = re.compile(r"([\\`*_~\[\]<>|#])")


def told_why(why: Why, tell: Tell) -> str:
    """Tell the model, its bill, and what was read whole, as a summary or not at all, with a few quotes."""
    return "\n\n".join([tell("why-title"), _facts(why, tell), "\n".join(_parts(why, tell)), *_quotes(why)])


def _facts(why: Why, tell: Tell) -> str:
    read, written = _number(why.prompt_tokens), _number(why.completion_tokens)
    seconds = f"{why.seconds:.1f}"
    facts = [tell("why-facts", model=_plain(why.model), read=read, written=written, seconds=seconds)]
    if why.reasoning_tokens:
        facts.append(tell("why-thought", count=_number(why.reasoning_tokens)))
    if why.cost is not None:
        facts.append(tell("why-cost", cost=f"{why.cost:.4f}"))
    return " · ".join(facts)


def _parts(why: Why, tell: Tell) -> Iterator[str]:
    if why.pruned:
        yield f"- {tell('why-pruned')}"
        return
    manifest = why.manifest
    ways = (("whole", manifest.whole), ("summary", manifest.summarised), ("left-out", manifest.left_out))
    for way, spans in ways:
        if spans:
            yield f"- {tell(f'why-{way}', count=_count(spans), tokens=_tokens(spans))}"
    if not any(spans for _, spans in ways):
        yield f"- {tell('why-only')}"
    if manifest.shortened:
        yield f"- {tell('why-shortened')}"
    if manifest.files:
        yield f"- {tell('why-files', names=', '.join(map(_plain, manifest.files)))}"
    for note in manifest.notes:
        yield f"- {_plain(note)}"


def _quotes(why: Why) -> Iterator[str]:
    """Quote the newest of what was read word for word, the question last."""
    whole = [reason for reason in why.reasons if reason.reading is Reading.WHOLE][-_QUOTES:]
    if whole:
        yield "\n".join(_quote(reason) for reason in whole)


def _quote(reason: Reason) -> str:
    text = " ".join(reason.text.split())
    short = text if len(text) <= _QUOTE_CHARACTERS else text[: _QUOTE_CHARACTERS - 1].rstrip() + "…"
    return f"> {_plain(reason.author)}: {_plain(short)}  "


def _count(spans: Sequence[Span | SummarySpan]) -> str:
    return _number(sum(span.last - span.first + 1 for span in spans))


def _tokens(spans: Sequence[Span | SummarySpan]) -> str:
    return _number(sum(span.tokens for span in spans))


def _number(number: int) -> str:
    return f"{number:,}"


def _plain(text: str) -> str:
    """Let people's text be read as text, not as marks."""
    return _MARKS.sub(r"\\\1", text)
