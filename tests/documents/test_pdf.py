"""The text of PDFs, page by page."""

from __future__ import annotations

import pytest

from bot.documents.pdf import read_pages
from tests.documents.made import a_pdf

PLENTY = 100_000


def test_each_page_begins_with_its_number() -> None:
    assert read_pages(a_pdf("Plan", "Budget"), PLENTY) == {
        "texts": ["[page 1]\nPlan\n\n", "[page 2]\nBudget\n\n"],
        "pages": 2,
    }


def test_no_more_pages_are_read_than_are_worth_the_tokens() -> None:
    told = read_pages(a_pdf(*(f"words of page {number}" for number in range(300))), 10)
    texts = told["texts"]
    assert isinstance(texts, list)
    assert 1 <= len(texts) < 10
    assert told["pages"] == 300


def test_of_a_book_the_first_five_hundred_pages_are_read() -> None:
    told = read_pages(a_pdf(*["page"] * 510), PLENTY)
    assert isinstance(told["texts"], list)
    assert len(told["texts"]) == 500


def test_a_page_without_text_among_others_is_no_scan() -> None:
    assert read_pages(a_pdf("", "Budget"), PLENTY)["texts"] == ["[page 1]\n\n\n", "[page 2]\nBudget\n\n"]


def test_a_pdf_without_text_is_said_to_be_scanned() -> None:
    assert read_pages(a_pdf("", ""), PLENTY) == {"note": "file-scanned"}


def test_a_pdf_with_a_password_is_said_to_have_one() -> None:
    assert read_pages(a_pdf("hidden", password=True), PLENTY) == {"note": "file-encrypted"}


def test_a_pdf_that_claims_a_million_pages_is_no_trap() -> None:
    told = read_pages(a_pdf("one").replace(b"/Count 1", b"/Count 1000000"), PLENTY)
    assert "one" in str(told.get("texts")) or told["note"] in {"file-broken", "file-scanned"}


@pytest.mark.parametrize("data", [b"%PDF-1.7\n" + b"garbage " * 200, b"%PDF-", a_pdf("cut")[:200]])
def test_a_broken_pdf_is_said_to_be_broken(data: bytes) -> None:
    assert read_pages(data, PLENTY) == {"note": "file-broken"}
