"""How the double of a model's server looks when it is asked by the Responses API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.doubles.model_scripts import Dialect, Script, line, used

_REASONS = {"length": "max_output_tokens", "content_filter": "content_filter"}


def response_of(body: Mapping[str, Any], script: Script, status: str) -> dict[str, Any]:
    """Make the response object as it stands at one moment."""
    text = "".join(script.chunks)
    done = status != "in_progress"
    reason = _REASONS.get(script.finish or "")
    content = [{"type": "output_text", "text": text, "annotations": []}]
    message = {"type": "message", "role": "assistant", "status": status, "content": content}
    return {
        "id": "resp_double",
        "object": "response",
        "model": body.get("model"),
        "status": status,
        "error": None,
        "incomplete_details": {"reason": reason} if status == "incomplete" else None,
        "output": [message] if done else [],
        "usage": _usage(body, script) if done and script.usage else None,
    }


def _beginning(body: Mapping[str, Any], script: Script) -> list[bytes]:
    begun = {"type": "response.created", "response": response_of(body, script, "in_progress")}
    kind = "response.reasoning_summary_text.delta"
    thoughts = [_event({"type": kind, "item_id": "rs_1", "delta": thought}) for thought in script.thoughts]
    return [_event(begun), *thoughts]


def _text(_: Mapping[str, Any], text: str) -> bytes:
    return _event({"type": "response.output_text.delta", "item_id": "msg_1", "delta": text})


def _error(error: Mapping[str, Any]) -> bytes:
    return _event({"type": "error", "param": None, **error})


def _ending(body: Mapping[str, Any], script: Script) -> list[bytes]:
    if script.finish is None:
        return []
    status = "incomplete" if script.finish in _REASONS else "completed"
    return [_event({"type": f"response.{status}", "response": response_of(body, script, status)})]


def _event(data: Mapping[str, Any]) -> bytes:
    return f"event: {data['type']}\n".encode() + line(data)


def _usage(body: Mapping[str, Any], script: Script) -> dict[str, Any]:
    counted = used(body, script)
    return {
        "input_tokens": counted["prompt_tokens"],
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": counted["completion_tokens"],
        "output_tokens_details": {"reasoning_tokens": sum(map(len, script.thoughts)) // 4},
        "total_tokens": counted["total_tokens"],
    }


RESPONSES = Dialect(_beginning, _text, _ending, _error)
