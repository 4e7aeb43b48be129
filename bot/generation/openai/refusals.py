"""What a server's refusals mean, in our errors and never in its words (they may quote a message)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from math import isfinite
from time import time

from openai import APIError, APIStatusError

from bot.errors import (
    AnswerRefused,
    BackendDown,
    BackendError,
    ContextTooLong,
    KeyRefused,
    ModelMissing,
    QuotaSpent,
    RateLimited,
)

# Servers agree on little: the code where there is one, else the wordings that they have been seen to use.
_TOO_LONG = re.compile(
    r"context_length_exceeded|exceed_context_size|string_above_max_length"
    r"|(exceed(s|ed)?|(larg|long|great)er than|beyond) (the |this |its )?(\w+'s |model )?"
    r"((available|maximum|max|allowed|input) )*(context|number of tokens|token (limit|count)|input length)"
    r"|maximum (context|prompt|input|model) length|context[^.]{0,40}(exceed|overflow)"
    r"|range of input length|(prompt|input|request|message)s? ((is|are|was) )?too (long|large)"
    r"|reduce the length of|max_new_tokens`? must be <=|too many (input |prompt )?tokens|超长|上下文长度"
)
_REFUSED = re.compile(
    r"content[_ ]?filter|content[_ ]policy|content exists risk|data_?inspection_?failed|inappropriate content"
    r"|responsibleaipolicy|invalid_prompt|policy_violation|bio_policy|flagged (as|by|for)|moderation"
    r"|safety (system|filter|setting)"
)
_SPENT = re.compile(
    r"insufficient[_ ](quota|balance|credit|funds)|exceeded your current quota"
    r"|billing_(hard_limit|not_active)|arrearage|(out of|more) credits?"
    r"|credit balance is too low|allocationquota|free tier of the model"
)
_KEY = re.compile(
    r"invalid[_ ]api[_ -]?key|incorrect api key|authentication_error|invalid_authentication|unauthorized"
)
_MISSING = re.compile(
    r"model_?not_?found|(unknown|invalid|no such) model\b|model not exist"
    r"|\bmodel\b[^.]{0,120}(not found|does not exist|doesn't exist|is not available|not loaded)"
)
_BUSY = re.compile(
    r"rate_?limit|too many requests|overloaded|try again later|throttl|engine_overloaded|server is busy"
)
_PLAIN = re.compile(r"[A-Za-z0-9_.\-]{1,60}")
_LONGEST_READ = 1_000


def read_error(error: Exception) -> BackendError:
    """Tell what an error of the SDK, of the transport or of reading means."""
    if isinstance(error, APIStatusError):
        return explain(error.status_code, _body(error), retry_after(error))
    if isinstance(error, APIError) and isinstance(error.body, Mapping):
        return explain(None, error.body)
    if isinstance(error, ValueError):
        return BackendDown("the server answered with something that is no chat completion")
    return BackendDown(f"the server cannot be reached ({_root(error)})")


def explain(status: int | None, body: Mapping[str, object], seconds: float | None = None) -> BackendError:
    """
    Tell what a refusal means, from its HTTP status (None within a stream) and its error object.

    `seconds` is what the server asked us to wait.
    """
    code = _number(body.get("code"))
    status = status if status is not None else code
    words = _words(body)
    note = _note(status, body)
    if status == 429 or _BUSY.search(words) or (status in {503, 529} and seconds is not None):
        return _too_much(words, note, seconds)
    for kind, found in (
        (ContextTooLong, status == 413 or _TOO_LONG.search(words)),
        (AnswerRefused, _REFUSED.search(words)),
        (QuotaSpent, status == 402 or _SPENT.search(words)),
        (KeyRefused, status in {401, 403} or _KEY.search(words)),
        (ModelMissing, status == 404 or _MISSING.search(words)),
        (BackendDown, status is None or status >= 500 or status in {408, 409, 425}),
    ):
        if found:
            return kind(note)
    error = BackendError(note)
    error.passing = False
    return error


def retry_after(error: APIStatusError) -> float | None:
    """Read how many seconds the server asks us to wait, None where it does not say."""
    headers = error.response.headers
    for name, unit in (("retry-after-ms", 1_000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers[name]) / unit
        except (KeyError, ValueError):
            continue
        return max(0.0, seconds) if isfinite(seconds) else None
    try:
        return max(0.0, parsedate_to_datetime(headers["retry-after"]).timestamp() - time())
    except (KeyError, ValueError):
        return None


def words_of(error: APIStatusError) -> str:
    """Join all that a refusal says, in lower case, to look for a parameter's name in it."""
    return f"{error.message} {error.body}".lower()[:_LONGEST_READ]


def _root(error: BaseException) -> str:
    """Name what was raised first: the layers above mislead (a refused connection becomes a time-out)."""
    while error.__cause__ is not None:
        error = error.__cause__
    return type(error).__name__


def _too_much(words: str, note: str, seconds: float | None) -> BackendError:
    if _SPENT.search(words):
        return QuotaSpent(note)
    if "request too large" in words:  # one request over the minute's tokens: only a shorter one can pass
        return ContextTooLong(note)
    return RateLimited(note, seconds)


def _body(error: APIError) -> Mapping[str, object]:
    return error.body if isinstance(error.body, Mapping) else {"message": str(error.body or "")}


def _words(body: Mapping[str, object]) -> str:
    parts = (body.get(name) for name in ("code", "type", "message", "detail", "error", "msg"))
    return " ".join(str(part) for part in parts if part).lower()[:_LONGEST_READ]


def _note(status: int | None, body: Mapping[str, object]) -> str:
    said = [str(body.get(name) or "") for name in ("code", "type", "param")]
    marks = [mark for mark in said if _PLAIN.fullmatch(mark)]
    where = f"status {status}" if status is not None else "within the stream"
    return f"the server refused or failed ({', '.join([where, *marks])})"


def _number(code: object) -> int | None:
    try:
        number = int(str(code))
    except ValueError:
        return None
    return number if 400 <= number < 600 else None
