"""What tokens cost, from a dated table."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.dialogue import Usage
from bot.errors import SettingError

_OURS = Path(__file__).with_name("prices.toml")
_MILLION = Decimal(1_000_000)
_SNAPSHOT = re.compile(r"-(latest|\d{4}(-\d{2}-\d{2})?|\d{6}|\d{8})")
_SATURDAY = 5


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Price(_Strict):
    """US dollars for a million tokens of one model."""

    input: Decimal = Field(ge=0)
    output: Decimal = Field(ge=0)
    cached: Decimal | None = Field(default=None, ge=0)
    thinking: Decimal | None = Field(default=None, ge=0)


class Vendor(_Strict):
    """One vendor's prices, and of when they are; without `hosts` they hold wherever the model runs."""

    date: date
    source: str
    hosts: tuple[str, ...] = ()
    models: Mapping[str, Price]
    peak: Decimal = Decimal(1)
    peak_hours: tuple[tuple[int, int], ...] = ()

    def factor(self, now: datetime) -> Decimal:
        """Say by how much everything is dearer at this hour."""
        if now.weekday() >= _SATURDAY:
            return Decimal(1)
        dear = any(first <= now.hour < end for first, end in self.peak_hours)
        return self.peak if dear else Decimal(1)


@dataclass(frozen=True, slots=True)
class PriceTable:
    """Prices of the vendors whose servers are used, in the order they are looked at."""

    vendors: tuple[Vendor, ...]
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def cost(self, model: str, usage: Usage) -> Decimal | None:
        """Say in US dollars what an answer cost; None where the model's price is not known."""
        for vendor in self.vendors:
            price = _price(vendor.models, model)
            if price is not None:
                return _cost(price, usage) * vendor.factor(self.now())
        return None


def read_prices(hosts: Iterable[str], path: Path | None = None) -> PriceTable:
    """
    Read the table for the servers at these hosts; what the user's own file knows goes before ours.

    Raises `SettingError` where that file is wrong.
    """
    used = frozenset(hosts)
    theirs = _read(path) if path is not None else ()
    return PriceTable(tuple(v for v in (*theirs, *_read(_OURS)) if not v.hosts or used & frozenset(v.hosts)))


def _read(path: Path) -> tuple[Vendor, ...]:
    try:
        found: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
        return tuple(Vendor.model_validate(vendor) for vendor in found.values())
    except OSError as error:
        raise SettingError(f"BOT_MODEL__PRICES: {path} cannot be read ({error.strerror})") from error
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise SettingError(f"BOT_MODEL__PRICES: {path}, {where}: {error.errors()[0]['msg']}") from error
    except ValueError as error:
        raise SettingError(f"BOT_MODEL__PRICES: {path} is no TOML ({error})") from error


def _price(models: Mapping[str, Price], model: str) -> Price | None:
    """Find a model, or the one that it is a dated snapshot of."""
    if model in models:
        return models[model]
    known = (name for name in models if model.startswith(name) and _SNAPSHOT.fullmatch(model[len(name) :]))
    found = next(known, None)
    return models[found] if found else None


def _cost(price: Price, usage: Usage) -> Decimal:
    cached = price.input if price.cached is None else price.cached
    thought = usage.reasoning_tokens > 0 and price.thinking is not None
    written = price.thinking if thought and price.thinking is not None else price.output
    fresh = usage.prompt_tokens - usage.cached_tokens
    dollars = fresh * price.input + usage.cached_tokens * cached + usage.completion_tokens * written
    return dollars / _MILLION
