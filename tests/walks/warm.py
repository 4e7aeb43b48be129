"""Loads what takes long, once, in the process that houses are forked from; nobody else imports it."""

from __future__ import annotations

import importlib
import tempfile
from pathlib import Path

from slack_bolt.async_app import AsyncApp

from bot.catalogue.language import prepare
from bot.generation.tokens import TiktokenCounter

importlib.import_module("httpcore2")  # else each house imports it at its first request
with tempfile.TemporaryDirectory() as _folder:
    TiktokenCounter(Path(_folder))
prepare()
AsyncApp(token="xoxb-warm")  # it inspects the stack, which reads the sources of everything once
