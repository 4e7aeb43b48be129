"""What answers cost, from our table and from the user's own."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from bot.dialogue import Usage
from bot.errors import SettingError
from bot.generation.prices import PriceTable, read_prices

OPENAI, DEEPSEEK, STUDIO = "api.openai.com", "api.deepseek.com", "dashscope-intl.aliyuncs.com"
MONDAY_NIGHT = datetime(2026, 11, 23, 23, tzinfo=UTC)


def cost(host: str, model: str, usage: Usage, now: datetime = MONDAY_NIGHT) -> Decimal | None:
    return PriceTable(read_prices([host]).vendors, lambda: now).cost(model, usage)


def own(folder: Path, text: str) -> Path:
    path = folder / "prices.toml"
    path.write_text(text, "utf-8")
    return path


def test_every_vendor_says_of_when_and_whence_its_prices_are() -> None:
    vendors = [vendor for host in (OPENAI, DEEPSEEK, STUDIO) for vendor in read_prices([host]).vendors]
    assert len(vendors) == 3
    for vendor in vendors:
        assert date(2026, 1, 1) < vendor.date < date(2030, 1, 1)
        assert len(vendor.source) > 5
        assert all(price.cached is None or price.cached <= price.input for price in vendor.models.values())


def test_tokens_cost_what_the_table_says_exactly() -> None:
    usage = Usage(1_000_000, 1_000_000, cached_tokens=400_000)
    assert cost(OPENAI, "gpt-5-mini", usage) == Decimal("0.6") * Decimal("0.25") + Decimal("0.01") + 2


@pytest.mark.parametrize(
    ("model", "known"),
    [
        ("gpt-5-mini", True),
        ("gpt-5-mini-2025-08-07", True),
        ("gpt-5-latest", True),
        ("gpt-5-minimal", False),
        ("gpt-5.2-pro", False),
        ("gpt-4o-realtime", False),
        ("own-model", False),
        ("", False),
    ],
)
def test_a_name_stands_for_its_snapshots_and_no_other_model(model: str, known: bool) -> None:
    assert (cost(OPENAI, model, Usage(1_000, 1_000)) is not None) is known


def test_the_same_model_elsewhere_has_no_price() -> None:
    assert cost("10.0.0.7", "gpt-5-mini", Usage(1_000, 1_000)) is None


@pytest.mark.parametrize(
    ("moment", "dollars"),
    [
        (datetime(2026, 11, 23, 0, 59, tzinfo=UTC), "0.60"),
        (datetime(2026, 11, 23, 1, 0, tzinfo=UTC), "1.20"),
        (datetime(2026, 11, 23, 4, 0, tzinfo=UTC), "0.60"),
        (datetime(2026, 11, 23, 9, 59, tzinfo=UTC), "1.20"),
        (datetime(2026, 11, 22, 9, 0, tzinfo=UTC), "0.60"),
    ],
)
def test_deepseek_is_dearer_in_the_hours_of_weekdays(moment: datetime, dollars: str) -> None:
    assert cost(DEEPSEEK, "deepseek-flash", Usage(0, 1_000_000), moment) == Decimal(dollars)


def test_a_model_that_thought_may_cost_more() -> None:
    assert cost(STUDIO, "qwen-plus", Usage(0, 1_000_000)) == Decimal("1.20")
    assert cost(STUDIO, "qwen-plus", Usage(0, 1_000_000, reasoning_tokens=9)) == Decimal("4.00")


def test_the_users_own_table_goes_first_and_holds_for_any_server(tmp_path: Path) -> None:
    path = own(
        tmp_path,
        '[here]\ndate = 2026-11-01\nsource = "our bill"\n[here.models]\n'
        '"gpt-5-mini" = { input = 1, output = 1 }\n"llama" = { input = 0.5, output = 0 }\n',
    )
    table = read_prices([OPENAI], path)
    assert table.cost("gpt-5-mini", Usage(1_000_000, 0)) == 1
    assert table.cost("llama", Usage(1_000_000, 0)) == Decimal("0.5")
    assert table.cost("gpt-5", Usage(1_000_000, 0)) == Decimal("1.25")
    assert read_prices([], path).cost("llama", Usage(2_000_000, 0)) == 1


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("[x", "no TOML"),
        ("[x]\ndate = 2026-11-01\n", "source"),
        (
            '[x]\ndate = 2026-11-01\nsource = "s"\n[x.models]\n"m" = { input = -1, output = 1 }\n',
            "models.m.input",
        ),
        ("x = 1\n", "prices.toml"),
    ],
)
def test_a_table_that_is_wrong_is_one_clear_line(tmp_path: Path, text: str, hint: str) -> None:
    with pytest.raises(SettingError, match="BOT_MODEL__PRICES") as caught:
        read_prices([], own(tmp_path, text))
    assert hint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_table_that_is_not_there_names_its_setting(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="BOT_MODEL__PRICES"):
        read_prices([], tmp_path / "none.toml")
