"""Who sits at this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.adapters.person import language_here, person_here


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh-CN"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "en_GB.UTF-8"}, "en-GB"),
        ({"LANG": "de_DE", "LC_MESSAGES": "zh_TW"}, "zh-TW"),
        ({"LANG": "de_DE@euro"}, "de-DE"),
        ({"LANG": "fr"}, "fr"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "POSIX"}, "en"),
        ({"LANG": ""}, "en"),
        ({}, "en"),
    ],
)
def test_the_language_is_read_as_posix_orders_it(environment: dict[str, str], language: str) -> None:
    assert language_here(environment) == language


def test_the_time_zone_is_the_variable_s_or_the_clock_s(tmp_path: Path) -> None:
    zone = tmp_path / "zoneinfo" / "Asia" / "Shanghai"
    zone.parent.mkdir(parents=True)
    zone.touch()
    clock = tmp_path / "localtime"
    clock.symlink_to(zone)
    assert person_here({}, clock).time_zone == "Asia/Shanghai"
    assert person_here({"TZ": ":Europe/Berlin"}, clock).time_zone == "Europe/Berlin"
    assert person_here({"TZ": "Mars/Olympus"}, clock).time_zone == ""
    assert person_here({}, tmp_path / "absent").time_zone == ""


def test_the_person_is_the_same_each_time() -> None:
    first, second = person_here({}), person_here({})
    assert first == second
    assert first.id
