"""Bytes as text, whatever their encoding."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.documents.encodings import decode

MOST = 100_000
SENTENCES = [
    ("gb18030", "关于明年预算的讨论"),
    ("gb18030", "产品价格,数量\n苹果,3\n"),
    ("gb18030", "姓名,部门\n张伟,销售\n"),
    ("gb18030", "错误：无法连接数据库 timeout=30"),
    ("big5", "錯誤：無法連線資料庫 timeout=30"),
    ("big5", "姓名,部門\n陳怡君,業務\n"),
    ("euc_kr", "서울 사무실 회의록"),
    ("shift_jis", "会議の議事録です"),
    ("cp1252", "naïve façade, Zürich, coöperation"),
    ("cp1252", "Prix : 30 € – déjà payé"),
    ("big5", "關於明年預算的討論"),
    ("big5", "產品價格,數量\n蘋果,3\n"),
    ("shift_jis", "来年の予算について"),
    ("euc_kr", "내년 예산에 대하여"),
    ("cp1252", "Año nuevo: ¿qué pasará?"),
    ("cp1252", "„Schön“ – sagte er"),
]


@pytest.mark.parametrize(("encoding", "text"), SENTENCES)
def test_a_sentence_is_enough_to_tell_the_encoding(encoding: str, text: str) -> None:
    assert decode(text.encode(encoding), MOST) == text


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_whatever_is_unicode_is_read_so(text: str) -> None:
    assert decode(text.encode(), MOST) == text
    assert decode("\ufeff".encode("utf-16-le") + text.encode("utf-16-le"), MOST) == text


@given(st.binary())
def test_no_bytes_break_it(data: bytes) -> None:
    text = decode(data, 64)
    assert text is None or "\x00" not in text


def test_of_more_than_the_bound_beginning_and_end_are_read() -> None:
    for encoding in ("utf-8", "utf-16", "gb18030"):
        text = decode(("天" * 1_000 + "地" * 1_000).encode(encoding), 600)
        assert text is not None
        assert text.startswith("天天")
        assert text.endswith("地地")
        assert "\n[…]\n" in text
        assert len(text) < 500


def test_lines_end_as_ours_do() -> None:
    assert decode(b"one\r\ntwo\r\n", MOST) == "one\ntwo\n"
