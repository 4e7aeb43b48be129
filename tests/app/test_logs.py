"""Log lines: one object a line for machines, short for people, and never what people wrote."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
import structlog

from bot.app.logs import configure_logs

WRITTEN = "my cat is called Whiskers"


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers, root.level = handlers, level


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[str]]:
    """Give what has been written to standard error since, by lines."""

    def lines() -> list[str]:
        return capsys.readouterr().err.splitlines()

    return lines


def fail(written: str) -> None:
    """Fail with what a person wrote in a local variable."""
    raise RuntimeError(str(len(written)))


def log_all() -> None:
    """Log as we do, as libraries do, and with a traceback."""
    structlog.get_logger().info("turn_finished", turn=7, model="gpt-5-mini", reason="three\nlines\n…")
    logging.getLogger("library").warning("retrying %s", "request")
    try:
        fail(WRITTEN)
    except RuntimeError:
        structlog.get_logger().exception("part_failed", part="bell")
        logging.getLogger("library").exception("broken")


def test_json_is_one_object_a_line(printed: Callable[[], list[str]]) -> None:
    configure_logs("json")
    log_all()
    lines: list[dict[str, Any]] = [json.loads(line) for line in printed()]
    assert [line["event"] for line in lines] == ["turn_finished", "retrying request", "part_failed", "broken"]
    assert [line["level"] for line in lines] == ["info", "warning", "error", "error"]
    assert lines[0]["turn"] == 7
    assert all(line["timestamp"].endswith("Z") for line in lines)
    assert "RuntimeError" in lines[2]["exception"]


def test_people_get_a_short_line_with_the_time_of_their_day(printed: Callable[[], list[str]]) -> None:
    configure_logs("console")
    structlog.get_logger().info("web_listening", address="http://127.0.0.1:8080")
    (line,) = printed()
    time, rest = line.split(" ", 1)
    assert len(time) == len("12:00:00")
    assert rest == "[info] web_listening address=http://127.0.0.1:8080"


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_traceback_shows_no_values_of_variables(
    form: Literal["console", "json"], printed: Callable[[], list[str]]
) -> None:
    configure_logs(form)
    log_all()
    everything = "\n".join(printed())
    assert "RuntimeError" in everything
    assert WRITTEN not in everything


def test_what_is_below_the_level_is_not_said(printed: Callable[[], list[str]]) -> None:
    configure_logs("console", level=logging.ERROR)
    structlog.get_logger().info("web_listening")
    structlog.get_logger().error("platform_refused")
    (line,) = printed()
    assert "platform_refused" in line
