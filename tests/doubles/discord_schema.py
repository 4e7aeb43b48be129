"""Discord's own description of its API, where it is at hand, held against what goes over the wire."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import jsonschema
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

SPECIFICATION = Path(__file__).resolve().parents[2].parent / "shared" / "platform" / "discord-openapi.json"
_BASE = "urn:discord"


def objections(method: str, path: str, status: int | None, body: Any) -> list[str]:
    """
    Say what the specification has against a body; `status` None means a request.

    Nothing is said where the specification is not at hand or does not know the operation.
    """
    schema = _pointer(method.lower(), path, status)
    if schema is None:
        return []
    errors = _validator(schema).iter_errors(body)
    return [
        f"{method} {path} {status or 'request'}: {error.json_path}: {error.message[:200]}" for error in errors
    ]


@functools.cache
def _specification() -> dict[str, Any] | None:
    if not SPECIFICATION.exists():
        return None
    read: dict[str, Any] = json.loads(SPECIFICATION.read_text())
    return read


@functools.cache
def _pointer(method: str, path: str, status: int | None) -> str | None:
    specification = _specification()
    operation = (specification or {}).get("paths", {}).get(path, {}).get(method)
    if operation is None:
        return None
    escaped = path.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D")
    place = f"#/paths/{escaped}/{method}"
    if status is None:
        found, place = operation.get("requestBody"), f"{place}/requestBody"
    else:
        found, place = operation["responses"].get(str(status)), f"{place}/responses/{status}"
    if not found or "application/json" not in found.get("content", {}):
        return None
    return f"{_BASE}{place}/content/application~1json/schema"


@functools.cache
def _validator(schema: str) -> jsonschema.Draft202012Validator:
    resource: Resource[Any] = DRAFT202012.create_resource(_specification())
    registry: Registry[Any] = Registry().with_resource(_BASE, resource)
    return jsonschema.Draft202012Validator({"$ref": schema}, registry=registry)
