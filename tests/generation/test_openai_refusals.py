"""What servers have been seen to say, and what it means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx2
import pytest
from openai import APIStatusError

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
from bot.generation.openai.refusals import explain, read_error, retry_after

SEEN: list[tuple[int | None, dict[str, object], type[BackendError]]] = [
    # the context: OpenAI, llama.cpp, vLLM, DeepSeek, Qwen, Gemini, Moonshot, TGI, LM Studio and others
    (400, {"code": "context_length_exceeded", "message": "too much"}, ContextTooLong),
    (400, {"message": "Your input exceeds the context window of this model. Please adjust"}, ContextTooLong),
    (400, {"code": 400, "type": "exceed_context_size_error", "message": "no"}, ContextTooLong),
    (400, {"message": "the request exceeds the available context size, try increasing it"}, ContextTooLong),
    (400, {"message": "This model's maximum context length is 4096 tokens. However"}, ContextTooLong),
    (400, {"message": "The prompt (length 9000) is longer than the maximum model length"}, ContextTooLong),
    (400, {"message": "Range of input length should be [1, 30720]"}, ContextTooLong),
    (400, {"message": "input token count (99) exceeds the maximum number of tokens allowed"}, ContextTooLong),
    (400, {"message": "Invalid request: Your request exceeded model token limit: 8192"}, ContextTooLong),
    (422, {"message": "`inputs` tokens + `max_new_tokens` must be <= 4096"}, ContextTooLong),
    (400, {"message": "Trying to keep the first 5000 tokens when context the overflows"}, ContextTooLong),
    (400, {"message": "prompt is too long: 210000 tokens > 200000 maximum"}, ContextTooLong),
    (400, {"message": "Prompt 超长", "code": "1261"}, ContextTooLong),
    (413, {"message": "Payload too large"}, ContextTooLong),
    (429, {"code": "rate_limit_exceeded", "message": "Request too large for gpt-x"}, ContextTooLong),
    # the filters
    (400, {"code": "content_filter", "message": "The response was filtered"}, AnswerRefused),
    (400, {"message": "Content Exists Risk", "type": "invalid_request_error"}, AnswerRefused),
    (400, {"code": "data_inspection_failed", "message": "Input data may contain"}, AnswerRefused),
    (400, {"code": "DataInspectionFailed", "message": "Output data may contain"}, AnswerRefused),
    (403, {"message": "Your chosen model requires moderation and your input was flagged"}, AnswerRefused),
    (400, {"code": "content_policy_violation", "message": "safety system"}, AnswerRefused),
    # the money
    (429, {"code": "insufficient_quota", "message": "You exceeded your current quota"}, QuotaSpent),
    (402, {"message": "Insufficient Balance"}, QuotaSpent),
    (402, {"message": "This request requires more credits"}, QuotaSpent),
    (400, {"code": "Arrearage", "message": "Access denied"}, QuotaSpent),
    (400, {"message": "Your credit balance is too low"}, QuotaSpent),
    # the key
    (401, {"code": "invalid_api_key", "message": "Incorrect API key provided: sk-abc"}, KeyRefused),
    (401, {}, KeyRefused),
    (403, {"message": "You do not have access"}, KeyRefused),
    (400, {"message": "Invalid API-key provided.", "code": "InvalidApiKey"}, KeyRefused),
    # the model
    (404, {"code": "model_not_found", "message": "The model `x` does not exist"}, ModelMissing),
    (404, {"message": 'model "x" not found, try pulling it first'}, ModelMissing),
    (400, {"message": "Model Not Exist"}, ModelMissing),
    (400, {"message": "invalid model ID"}, ModelMissing),
    (404, {}, ModelMissing),
    # too many
    (429, {"code": "rate_limit_exceeded", "message": "Rate limit reached"}, RateLimited),
    (429, {}, RateLimited),
    (503, {"message": "The engine is currently overloaded, please try again later"}, RateLimited),
    (None, {"code": "rate_limit_exceeded", "message": "slow down"}, RateLimited),
    # the rest
    (500, {"message": "oops"}, BackendDown),
    (502, {"message": "<html>Bad Gateway</html>"}, BackendDown),
    (408, {}, BackendDown),
    (None, {"message": "boom"}, BackendDown),
    (None, {"code": 502, "message": "upstream"}, BackendDown),
    (None, {"code": "400", "message": "odd"}, BackendError),
    (400, {"message": "temperature must be between 0 and 2"}, BackendError),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "kind"), SEEN, ids=lambda value: str(value)[:60])
def test_each_seen_refusal_is_told_apart(
    status: int | None, body: dict[str, object], kind: type[BackendError]
) -> None:
    assert type(explain(status, body)) is kind


def test_only_an_unknown_refusal_is_taken_as_lasting() -> None:
    assert not explain(400, {"message": "odd"}).passing
    assert explain(500, {}).passing
    assert BackendError.passing  # the class itself is not changed


def test_no_word_of_the_server_but_its_codes_is_repeated() -> None:
    told = str(
        explain(422, {"message": "input: my secret", "code": "extra_forbidden", "type": "a secret too"})
    )
    assert told == "the server refused or failed (status 422, extra_forbidden)"


def refusal(**headers: str) -> APIStatusError:
    request = httpx2.Request("POST", "http://127.0.0.1/")
    response = httpx2.Response(
        429, headers={k.replace("_", "-"): v for k, v in headers.items()}, request=request
    )
    return APIStatusError("no", response=response, body={"message": "slow down"})


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry_after": "3"}, 3.0),
        ({"retry_after": "1.5"}, 1.5),
        ({"retry_after": "-4"}, 0.0),
        ({"retry_after": "soon"}, None),
        ({"retry_after_ms": "250", "retry_after": "1"}, 0.25),
        ({"retry_after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
    ],
)
def test_retry_after_is_read_in_all_its_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(refusal(**headers)) == seconds


def test_retry_after_may_be_a_date_to_come() -> None:
    when = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    seconds = retry_after(refusal(retry_after=when))
    assert seconds is not None
    assert 25 < seconds <= 30


def test_the_wait_reaches_the_error() -> None:
    error = read_error(refusal(retry_after="9"))
    assert isinstance(error, RateLimited)
    assert error.retry_after == 9.0


@pytest.mark.parametrize("word", ["nan", "inf"])
def test_a_wait_that_is_no_number_of_seconds_is_no_wait(word: str) -> None:
    assert retry_after(refusal(retry_after=word)) is None
