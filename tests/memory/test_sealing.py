"""What is encrypted is read with a key alone, and keys can be changed."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet

from bot.errors import SettingError
from bot.memory.sealing import Seal, new_key, read_keys

OLD, NEW = new_key(), new_key()


def test_a_secret_is_opened_by_its_key_and_by_no_other() -> None:
    closed = Seal([OLD]).close("xoxb-1")
    assert "xoxb" not in closed
    assert Seal([OLD]).open(closed) == "xoxb-1"
    assert Seal([NEW]).open(closed) is None
    assert Seal([OLD]).open("xoxb-1") is None


def test_the_first_key_closes_and_all_of_them_open() -> None:
    closed, both = Seal([OLD]).close("xoxb-1"), Seal([NEW, OLD])
    assert both.open(closed) == "xoxb-1"
    assert both.is_old(closed)
    assert not both.is_old(both.close("xoxb-1"))
    assert not Seal([NEW]).is_old(closed)  # nothing that could be done about it
    assert Seal([NEW]).open(both.close("xoxb-1")) == "xoxb-1"


@pytest.mark.parametrize("keys", [[], ["short"], [OLD, "x" * 44]])
def test_what_is_no_key_is_refused_without_being_shown(keys: list[str]) -> None:
    with pytest.raises(SettingError, match="BOT_SECRETS__KEY") as refused:
        Seal(keys)
    assert OLD not in str(refused.value)
    assert "short" not in str(refused.value)


def test_keys_are_parted_by_commas() -> None:
    assert read_keys(f" {NEW}, {OLD} ,") == [NEW, OLD]


def test_a_mark_is_ours_and_ends() -> None:
    seal = Seal([NEW, OLD])
    mark = seal.mark()
    assert seal.read_mark(mark, 600)
    assert Seal([OLD]).read_mark(Seal([OLD]).mark(), 600)
    assert Seal([OLD]).read_mark(mark, 600) is None
    assert seal.read_mark(seal.close("mark:x"), 600) is None
    for wrong in ("", "é", mark[:-2], mark.swapcase()):
        assert seal.read_mark(wrong, 600) is None
    old = Fernet(NEW).encrypt_at_time(b"mark:7", 1_000).decode()
    assert seal.read_mark(old, 600) is None


def test_a_mark_that_is_written_another_way_is_the_same_mark() -> None:
    seal = Seal([NEW])
    mark = seal.mark()
    assert seal.read_mark(mark, 600) == seal.read_mark(f"{mark}==", 600)
    assert seal.read_mark(mark, 600) != seal.read_mark(seal.mark(), 600)
