"""Counting tokens without a network."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from time import process_time

import pytest
import tiktoken
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import SettingError
from bot.generation.tokens import TiktokenCounter, unpack_vocabulary
from bot.ports import TokenCounter


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> TiktokenCounter:
    return TiktokenCounter(tmp_path_factory.mktemp("vocabulary"))


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("hello world", 2), ("<|endoftext|>", 7), ("你好", 1), ("\x00", 1)],
)
def test_known_counts(counter: TokenCounter, text: str, tokens: int) -> None:
    assert counter.encoding == "o200k_base"
    assert counter.count(text) == tokens


@pytest.mark.parametrize("letter", ["a", " ", "\n", "中", "😀", "!", "\u0301", "1", "\x00", "\ud800", "ab "])
def test_a_long_run_of_one_letter_is_counted_in_no_time(counter: TokenCounter, letter: str) -> None:
    began = process_time()
    assert counter.count(letter * 40_000) > 100
    assert process_time() - began < 1.0


@given(text=st.text(max_size=300))
def test_no_text_is_refused_and_short_ones_are_counted_exactly(counter: TokenCounter, text: str) -> None:
    assert counter.count(text) == _whole(text)


@given(text=st.text(min_size=1, max_size=20), length=st.integers(9_000, 30_000))
def test_a_long_text_counts_nearly_as_if_it_were_not_cut(
    counter: TokenCounter, text: str, length: int
) -> None:
    long = (text * (length // len(text) + 1))[:length]
    cuts = length // 4_000 + 1
    assert abs(counter.count(long) - _whole(long)) <= 10 * cuts


def _whole(text: str) -> int:
    return len(tiktoken.get_encoding("o200k_base").encode_ordinary(text))


def test_the_vocabulary_is_unpacked_once(tmp_path: Path) -> None:
    first = unpack_vocabulary(tmp_path / "new" / "folder")
    changed = first.stat().st_mtime_ns
    assert unpack_vocabulary(tmp_path / "new" / "folder") == first
    assert first.stat().st_mtime_ns == changed
    assert [item.name for item in first.parent.iterdir()] == [first.name]


def test_a_damaged_vocabulary_is_replaced(tmp_path: Path) -> None:
    path = unpack_vocabulary(tmp_path)
    right = path.read_bytes()
    path.write_bytes(right[:1_000])
    assert unpack_vocabulary(tmp_path).read_bytes() == right


def test_a_folder_that_cannot_be_written_names_its_setting(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(SettingError, match="BOT_DATA_DIR"):
        unpack_vocabulary(blocked)


def test_several_processes_may_unpack_at_once(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from bot.generation.tokens import TiktokenCounter as T\n"
    code += "print(T(Path(sys.argv[1])).count('hello world'))"
    # A proxy that is not there proves that nothing is fetched.
    environment = os.environ | {"HTTPS_PROXY": "http://127.0.0.1:9", "PYTHONPATH": os.pathsep.join(sys.path)}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True, env=environment
        )
        for _ in range(3)
    ]
    assert [process.communicate(timeout=60)[0].strip() for process in started] == ["2"] * 3
    assert len(list(tmp_path.iterdir())) == 1


def test_the_environment_is_left_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "/of/the/user")
    TiktokenCounter(tmp_path)
    assert os.environ["TIKTOKEN_CACHE_DIR"] == "/of/the/user"
