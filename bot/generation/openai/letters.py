"""Writes the lines of a context as messages of a chat, or as items of the Responses API; pure."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence

from bot.dialogue import Line, Picture, Role


def alternating(lines: Iterable[Line]) -> tuple[Line, ...]:
    """Join neighbouring lines of the same role."""
    joined: list[Line] = []
    for line in lines:
        if joined and joined[-1].role is line.role:
            last = joined.pop()
            pictures = (*last.pictures, *line.pictures)
            line = Line(line.role, f"{last.text}\n\n{line.text}", line.author, pictures)
        joined.append(line)
    return tuple(joined)


def blindfolded(lines: Iterable[Line]) -> tuple[Line, ...]:
    """Leave the pictures out."""
    return tuple(Line(line.role, line.text, line.author) for line in lines)


def as_messages(lines: Sequence[Line], instructs: str) -> list[dict[str, object]]:
    """Write the messages of a chat; `instructs` is the role of instructions."""
    return [_message(line, instructs) for line in lines]


def as_items(lines: Sequence[Line]) -> tuple[str, list[dict[str, object]]]:
    """Write the instructions and the input of a response."""
    instructions = "\n\n".join(line.text for line in lines if line.role is Role.SYSTEM)
    return instructions, [_item(line) for line in lines if line.role is not Role.SYSTEM]


def _message(line: Line, instructs: str) -> dict[str, object]:
    role = instructs if line.role is Role.SYSTEM else line.role.value
    if not line.pictures:
        return {"role": role, "content": line.text}
    seen = [{"type": "image_url", "image_url": {"url": _address(picture)}} for picture in line.pictures]
    return {"role": role, "content": [{"type": "text", "text": line.text}, *seen]}


def _item(line: Line) -> dict[str, object]:
    if not line.pictures:
        return {"role": line.role.value, "content": line.text}
    seen = [{"type": "input_image", "image_url": _address(picture)} for picture in line.pictures]
    return {"role": line.role.value, "content": [{"type": "input_text", "text": line.text}, *seen]}


def _address(picture: Picture) -> str:
    return f"data:{picture.media_type};base64,{base64.b64encode(picture.data).decode()}"
