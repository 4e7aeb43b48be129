"""How log lines look: for people on a terminal, or a JSON object a line."""

from __future__ import annotations

import logging
import sys
from typing import Literal

import structlog


def configure_logs(form: Literal["console", "json"], level: int = logging.INFO) -> None:
    """Send our events and the libraries' warnings to standard error, each as one line."""
    people = form == "console"
    stamped = structlog.processors.TimeStamper(fmt="%H:%M:%S" if people else "iso", utc=not people)
    shared: list[structlog.typing.Processor] = [structlog.stdlib.add_log_level, stamped]
    renderer: structlog.typing.Processor
    if people:
        # Plain tracebacks: the rich ones print local variables, and with them what people wrote.
        plain = structlog.dev.plain_traceback
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=plain, pad_event_to=0, pad_level=False
        )
    else:
        renderer = structlog.processors.JSONRenderer(ensure_ascii=False)
        shared.append(structlog.processors.format_exc_info)
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(renderer, foreign_pre_chain=shared))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
