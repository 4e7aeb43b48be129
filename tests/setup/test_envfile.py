"""`.env` keeps what nobody asked to change, and is never half written."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.setup import EnvFile

WRITTEN = """\
# My settings
FOO=bar

# about Slack
export BOT_SLACK__BOT_TOKEN="xoxb-old"  # from the console
LONG="one
two"
# BOT_WEB__PORT=8080
bot_persona='Be kind'
"""


def test_what_is_there_is_read_with_names_in_upper_case(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(WRITTEN)
    values = EnvFile(tmp_path / ".env").values()
    assert values["BOT_SLACK__BOT_TOKEN"] == "xoxb-old"
    assert values["BOT_PERSONA"] == "Be kind"
    assert EnvFile(tmp_path / "absent").values() == {}


def test_only_the_lines_that_are_meant_change(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(WRITTEN)
    EnvFile(tmp_path / ".env").write(
        {"BOT_SLACK__BOT_TOKEN": "xoxb-new", "BOT_WEB__PORT": "9090", "BOT_PERSONA": "", "BOT_NEW": "1"}
    )
    assert (tmp_path / ".env").read_text() == (
        "# My settings\nFOO=bar\n\n# about Slack\nBOT_SLACK__BOT_TOKEN=xoxb-new\n"
        'LONG="one\ntwo"\nBOT_WEB__PORT=9090\nBOT_NEW=1\n'
    )


def test_a_name_that_stood_twice_stands_once_after_it_is_set(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1\nB=2\n\nA=3")
    EnvFile(tmp_path / ".env").write({"A": "4"})
    assert (tmp_path / ".env").read_text() == "A=4\nB=2\n\n"


def test_a_file_that_ends_without_a_line_end_is_not_glued_together(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1")
    EnvFile(tmp_path / ".env").write({"B": "2"})
    assert (tmp_path / ".env").read_text() == "A=1\nB=2\n"


def test_only_the_owner_may_read_it_even_if_all_could_before(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1\n")
    (tmp_path / ".env").chmod(0o644)
    EnvFile(tmp_path / ".env").write({"B": "2"})
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600


def test_a_link_stays_a_link_and_no_other_file_is_left(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / ".env").symlink_to(tmp_path / "kept" / "real")
    EnvFile(tmp_path / ".env").write({"B": "2"})
    assert (tmp_path / ".env").is_symlink()
    assert os.listdir(tmp_path / "kept") == ["real"]


def test_a_file_that_cannot_be_replaced_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    with pytest.raises(OSError, match="directory"):
        EnvFile(tmp_path / ".env").write({"B": "2"})
    assert os.listdir(tmp_path) == [".env"]


@given(st.dictionaries(st.sampled_from(["A", "B_C", "D"]), st.text(alphabet="aé\"'\\ #=$你", max_size=12)))
@settings(deadline=None, max_examples=50)
def test_every_value_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, str]
) -> None:
    file = tmp_path_factory.mktemp("env") / ".env"
    EnvFile(file).write(values)
    assert dotenv_values(file) == {name: value for name, value in values.items() if value}
