"""A stream's bytes become the same events, however they are cut on the way."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.generation.openai.events import Event, Lines

RECORDINGS = sorted((Path(__file__).parent.parent / "recordings" / "models").glob("*.sse"))


def events(*parts: bytes) -> list[Event]:
    lines = Lines()
    return [event for part in parts for event in lines.feed(part)] + lines.end()


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b"data: 1\n\n", [1]),
        (b"data:1\r\n\r\ndata: 2\r\n\r\n", [1, 2]),
        (b"data: 1\r\rdata: 2\r\r", [1, 2]),
        (b": keep-alive\n\n:\n\ndata: 1\n\n", [1]),
        (b"\n\n\ndata: 1\n\n\n\n", [1]),
        (b'data: {\ndata: "a": 1}\n\n', [{"a": 1}]),
        (b"data: 1\ndata: 2\n\n", [2]),
        (b"data: 1", [1]),
        (b"id: 7\nretry: 10\nevent: message\ndata: 1\n\n", [1]),
        (b'event: error\ndata: {"code": 5}\n\n', [{"error": {"code": 5}}]),
        (b'event: error\ndata: {"error": {"code": 5}}\n\n', [{"error": {"code": 5}}]),
        (b'error: {"code": 5}\n\n', [{"error": {"code": 5}}]),
        (b"nonsense\n\n", []),
        (b"", []),
    ],
)
def test_lines_become_events(raw: bytes, found: list[object]) -> None:
    assert [event.parse() for event in events(raw)] == found


@pytest.mark.parametrize("raw", [b"data: {\n\n", b"data: \xff\n\n", b"data: {\ndata: [\n\n"])
def test_what_is_no_json_is_refused_where_it_is_read(raw: bytes) -> None:
    (event,) = events(raw)
    with pytest.raises(ValueError, match=r".+"):
        event.parse()


@given(st.sampled_from(RECORDINGS), st.sampled_from([b"\n", b"\r\n", b"\r"]), st.data())
def test_the_cuts_change_nothing(path: Path, end: bytes, data: st.DataObject) -> None:
    raw = path.read_bytes().replace(b"\n", end)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=12)))
    parts = [raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    assert events(*parts) == events(path.read_bytes())
