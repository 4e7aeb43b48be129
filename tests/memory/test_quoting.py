"""What is enclosed, as a model reads it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.dialogue import LINK, Attachment, File
from bot.memory.quoting import in_short, is_picture, quoted, shortened, told, within


def letters(text: str) -> int:
    return len(text)


def test_files_stand_in_their_order_and_links_behind_them() -> None:
    files = (File("a.txt"), File("b.txt"))
    enclosed = {1_000: Attachment("https://l", LINK, "said"), 1: Attachment("b.txt", text="two")}
    assert told("words", files, enclosed) == (
        "words\n[file: a.txt]\n[file: b.txt]\n```\ntwo\n```\n[linked message: https://l]\n```\nsaid\n```"
    )


def test_what_was_not_read_is_named_with_the_reason() -> None:
    assert quoted(Attachment("a.zip", note="not read: no")) == "\n[file: a.zip (not read: no)]"
    assert in_short(Attachment("a\nb.zip", note="not read: no")) == "a b.zip (not read: no)"
    assert in_short(Attachment("a.txt", text="words")) == "a.txt"


def test_a_picture_is_named_as_one() -> None:
    picture = Attachment("cat.png", "image/png", note="a picture")
    assert is_picture(picture)
    assert quoted(picture) == "\n[picture: cat.png (a picture)]"
    assert not is_picture(Attachment("a", LINK))


@given(st.text(alphabet="`a\n", max_size=60))
def test_no_text_closes_its_fence(text: str) -> None:
    lines = quoted(Attachment("a", text=text)).split("\n")
    fence = lines[-1]
    if text:
        assert set(fence) == {"`"}
        assert lines[2] == fence
        assert fence not in "\n".join(lines[3:-1])


@given(st.text(max_size=500), st.integers(60, 400))
def test_a_text_is_cut_to_its_room(text: str, room: int) -> None:
    cut = within(Attachment("a", text=text), room, letters)
    assert cut.tokens == letters(quoted(cut))
    assert cut.tokens <= room + 40
    assert cut.text == text or "[…]" in cut.text


def test_of_a_short_text_nothing_is_cut() -> None:
    assert shortened("short", 10) == "short"
    assert shortened("0123456789" * 10, 30) == "01234567890123456789\n[…]\n0123456789"
