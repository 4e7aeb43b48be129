"""The dashboard, the alerts and the page about them name what there is, and leave nothing out."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from bot.dialogue import Answer, Outcome, Platform, Usage
from bot.memory.pulse import Backlog
from bot.telemetry import Metrics, Readings, Scrape
from tests.fakes import a_turn

ROOT = Path(__file__).parents[2]
DASHBOARD = ROOT / "deploy" / "grafana-dashboard.json"
ALERTS = ROOT / "deploy" / "prometheus-alerts.yml"
PAGE = ROOT / "docs" / "monitoring.md"
BY_PROMETHEUS = {"job", "instance"}
SUFFIXES = r"_(bucket|sum|count)$"

Labels = dict[str, set[str]]


@pytest.fixture
async def known() -> Labels:
    """Have all that can happen happen once, and give each sample's name with its labels."""
    metrics = Metrics(Platform, "1.2.3")
    turn = replace(a_turn("hello"), waited=1.0, taken_over=True)
    usage, cost = Usage(1, 1), Decimal("0.1")
    metrics.taken(turn)
    metrics.ended(turn, Answer(Outcome.FAILED, "", "m", usage, first_text_seconds=1.0, error="e", cost=cost))
    metrics.called("m", "ok", 1.0)
    full = Readings({Platform.SLACK: Backlog()}, {"most": 1}, {"kind": 1}, {"web": 1}, {"slack": True})

    async def look() -> Readings:
        return full

    scrape = Scrape(metrics, look)
    await scrape()
    found: Labels = defaultdict(set)
    for metric in scrape.collect():
        for sample in metric.samples:
            found[sample.name] |= set(sample.labels)
    return found


def expressions() -> list[str]:
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    found = [target["expr"] for panel in panels for target in panel.get("targets", ())]
    return found + [rule["expr"] for rule in rules()]


def rules() -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = yaml.safe_load(ALERTS.read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_every_metric_and_label_that_is_asked_for_exists(known: Labels) -> None:
    asked = [
        (name, set(re.findall(r"(\w+)\s*(?:=~|!=|!~|=)\s*\"", chosen)))
        for expression in expressions()
        for name, chosen in re.findall(r"\b((?:frontdesk|process)_\w+)\{([^}]*)\}", expression)
    ]
    assert len(asked) > 40
    assert [name for name, _ in asked if name not in known] == []
    wrong = {name: labels - known[name] - BY_PROMETHEUS for name, labels in asked}
    assert {name: labels for name, labels in wrong.items() if labels} == {}


def test_every_metric_is_on_the_dashboard_and_explained(known: Labels) -> None:
    ours = {re.sub(SUFFIXES, "", name) for name in known if name.startswith("frontdesk_")}
    drawn, page = " ".join(expressions()), PAGE.read_text("utf-8")
    assert [name for name in sorted(ours) if name not in drawn] == []
    assert [name for name in sorted(ours) if f"`{name}`" not in page] == []
    told = {name for name in re.findall(r"`((?:frontdesk|process)_\w+)`", page)}
    assert sorted(told - {re.sub(SUFFIXES, "", name) for name in known}) == []


def test_the_dashboard_is_one_that_grafana_can_import() -> None:
    board = json.loads(DASHBOARD.read_text("utf-8"))
    assert board["schemaVersion"] >= 36
    assert "id" not in board  # Grafana gives it
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        own = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & own, f"{panel['title']} lies on another panel"
        cells |= own
        if panel["type"] != "row":
            assert panel["datasource"]["uid"] == "${datasource}"
            assert panel["description"]
            assert [target["refId"] for target in panel["targets"]] == list("ABCD"[: len(panel["targets"])])
    variables = {one["name"] for one in board["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(panels)))
    assert used - variables == set()


def test_every_alert_says_how_bad_it_is_and_what_to_do() -> None:
    assert len({rule["alert"] for rule in rules()}) == len(rules())
    for rule in rules():
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert {"summary", "description"} <= set(rule["annotations"])
