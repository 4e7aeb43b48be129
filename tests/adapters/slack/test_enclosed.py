"""The files that a window carries along come out as they went in."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.slack.enclosed import BY_ID, MOST_CARRIED, NAME_CHARACTERS, read_along, write_along
from bot.dialogue import File


def test_a_file_comes_by_its_id_with_what_tells_its_kind() -> None:
    told = {
        "id": "F1",
        "name": "the plan.pdf",
        "mimetype": "application/pdf",
        "size": 12,
        "url_private": "https://files.slack.com/secret",
    }
    lines = write_along({"files": [told, {"id": "F2", "mode": "tombstone"}]})
    assert "secret" not in lines
    assert read_along(lines) == (File("the plan.pdf", "application/pdf", 12, f"{BY_ID}F1"),)


def test_a_message_without_files_carries_none() -> None:
    assert read_along(write_along({})) == ()


@given(st.lists(st.builds(dict, id=st.from_regex(r"F[A-Z0-9]{8}", fullmatch=True), name=st.text(min_size=1))))
def test_whatever_files_are_called_each_comes_out(files: list[dict[str, str]]) -> None:
    lines = write_along({"files": files})
    found = read_along(lines)
    assert [file.source for file in found] == [f"{BY_ID}{told['id']}" for told in files[:MOST_CARRIED]]
    assert all(len(file.name) <= NAME_CHARACTERS for file in found)
    assert len(json.dumps(lines, ensure_ascii=False)) < 2 * 800
