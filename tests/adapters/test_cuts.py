"""Cuts within a line: never in a link, in code or in a sign where that can be helped."""

from __future__ import annotations

from bot.adapters.cuts import cut_within, may_part
from bot.adapters.pieces import cut


def test_a_link_goes_whole_into_the_next_piece() -> None:
    text = "Please read [the long manual](https://example.com/manual) before you ask."
    pieces = cut(text, 50)
    assert pieces == ["Please read", "[the long manual](https://example.com/manual)", "before you ask."]


def test_a_link_that_is_still_being_written_is_not_cut_either() -> None:
    text = "Please read [the long manual](https://example.com/man"
    assert cut_within(text, 0, 30) == len("Please read")


def test_code_emphasis_and_addresses_stay_whole() -> None:
    for kept in ("`a b c d e f g`", "**a b c d e f g**", "https://e.com/abcdefgh"):
        assert cut(f"Some words before {kept} after", 26)[1].startswith(kept)


def test_an_address_among_chinese_ends_at_its_sign() -> None:
    text = "https://e.com。" + "很长的句子，" * 20
    pieces = cut(text, 40)
    assert pieces[0] == "https://e.com。"
    assert all(len(piece) > 30 for piece in pieces[1:-1])
    assert "".join(pieces) == text


def test_what_is_longer_than_a_piece_is_cut_all_the_same() -> None:
    link = f"[{'word ' * 40}](https://example.com/{'x' * 100})"
    pieces = cut(link, 60)
    assert max(map(len, pieces)) <= 60
    assert "".join("".join(pieces).split()) == "".join(link.split())


def test_signs_of_several_letters_may_not_part() -> None:
    assert not may_part("👩‍👩‍👧", 1)
    assert not may_part("🇩🇪", 1)
    assert not may_part("e\u0301", 1)
    assert may_part("ab", 1)


def test_a_table_goes_on_under_its_header() -> None:
    rows = [f"| item {number} | {number} |" for number in range(12)]
    header = "| Name | Price |\n|---|---|"
    pieces = cut("\n".join(["Prices:", "", header, *rows, "", "That is all."]), 90)
    tables = [piece for piece in pieces if "item" in piece]
    assert len(tables) > 2
    assert all(piece.startswith(header) for piece in tables)
    assert [row for piece in tables for row in piece.split("\n")[2:]] == rows


def test_what_follows_a_table_gets_no_header() -> None:
    header = "| Name | Price |\n|---|---|"
    rows = "\n".join(f"| item {number} | {number} |" for number in range(4))
    (_, after) = cut(f"{header}\n{rows}\n\n| no table, just a bar, and words that go on", 90)
    assert after == "| no table, just a bar, and words that go on"
