"""The one table that all figures go into, the floor beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmarks.load import Delays, Rate


@dataclass(slots=True)
class Figures:
    """What was measured of one program; `memory` is in megabytes by the number of open streams."""

    calm: Delays | None = None
    loaded: Delays | None = None
    rate: Rate | None = None
    two: Rate | None = None
    memory: dict[int, float] = field(default_factory=dict)


def written(
    found: Mapping[str, Figures],
    recall: Mapping[int, tuple[float, float]],
    growth: Mapping[str, tuple[tuple[float, float], tuple[float, float]]],
) -> str:
    """Write the table in Markdown: a row a figure, a column a program."""
    names = list(found)
    lines = [f"| | {' | '.join(names)} |", f"| --- |{' ---: |' * len(names)}"] if names else []
    for title, read in _ROWS:
        cells = [_cell(read, figures) for figures in found.values()]
        if any(cell != "–" for cell in cells):
            lines.append(f"| {title} | {' | '.join(cells)} |")
    if recall:
        lines += ["", "| stored messages | recall and trim, p50 / p95 |", "| ---: | ---: |"]
        lines += [f"| {size:,} | {_pair(took)} ms |" for size, took in recall.items()]
    if growth:
        lines += ["", "| p50 / p95 ms | 1,000 messages | 1,000,000 messages | p95 grows to |"]
        lines.append("| --- | ---: | ---: | ---: |")
        for step, (small, large) in growth.items():
            lines.append(f"| {step} | {_pair(small)} | {_pair(large)} | {large[1] / small[1]:.2f} × |")
    return "\n".join(lines)


def _cell(read: object, figures: Figures) -> str:
    try:
        return read(figures)  # type: ignore[operator,no-any-return]
    except (AttributeError, KeyError):
        return "–"  # not measured of this program


def _pair(values: tuple[float, float]) -> str:
    return f"{values[0]:.1f} / {values[1]:.1f}" if values[0] == values[0] else "–"


_ROWS = [
    ("calm: event → ack, p50 / p95 ms", lambda f: _pair(f.calm.to_ack)),
    ("calm: event → model request", lambda f: _pair(f.calm.to_model)),
    ("calm: event → first visible text", lambda f: _pair(f.calm.to_text)),
    ("calm: model's text → visible", lambda f: _pair(f.calm.model_to_text)),
    ("20 a second: event → ack", lambda f: _pair(f.loaded.to_ack)),
    ("20 a second: event → model request", lambda f: _pair(f.loaded.to_model)),
    ("20 a second: event → first visible text", lambda f: _pair(f.loaded.to_text)),
    ("20 a second: model's text → visible", lambda f: _pair(f.loaded.model_to_text)),
    ("200 conversations: answered / s", lambda f: f"{f.rate.answers:.1f}"),
    ("CPU an answer, ms", lambda f: f"{f.rate.program:.1f}"),
    ("Postgres' CPU an answer, ms", lambda f: f"{f.rate.postgres:.1f}" if f.rate.postgres else "–"),
    ("two processes: answered / s", lambda f: f"{f.two.answers:.1f}"),
    ("two processes: CPU an answer, ms", lambda f: f"{f.two.program:.1f}"),
    ("memory at rest, MB", lambda f: f"{f.memory[0]:.0f}"),
    ("memory with 200 open streams", lambda f: f"{f.memory[200]:.0f}"),
    ("memory with 500 open streams", lambda f: f"{f.memory[500]:.0f}"),
]
