"""What kind of file something is: its first bytes are believed more than its name."""

from __future__ import annotations

import pytest

from bot.documents.kinds import Kind, kind_of, named_kind


@pytest.mark.parametrize(
    ("name", "media_type", "kind"),
    [
        ("a.py", "", Kind.TEXT),
        ("a.ts", "", Kind.TEXT),  # a program; as a film it would say so
        ("a.ts", "video/mp2t", Kind.SOUND),
        ("Dockerfile", "", Kind.TEXT),
        ("a.svg", "image/svg+xml", Kind.TEXT),
        ("a.JPG", "", Kind.PICTURE),
        ("a", "image/png", Kind.PICTURE),
        ("a.CSV", "", Kind.TABLE),
        ("a.html", "", Kind.PAGE),
        ("a", "application/vnd.slack-docs", Kind.PAGE),
        ("a.docx", "application/octet-stream", Kind.OFFICE),
        ("a.zip", "", Kind.OTHER),
        ("a.heic", "image/heic", Kind.OTHER),
        ("voice", "audio/ogg", Kind.SOUND),
        ("", "", Kind.TEXT),
    ],
)
def test_the_name_and_the_media_type_tell_a_kind(name: str, media_type: str, kind: Kind) -> None:
    assert named_kind(name, media_type) is kind


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\n\n%PDF-1.4", Kind.PDF),
        (b"\x89PNG\r\n\x1a\n...", Kind.PICTURE),
        (b"\xff\xd8\xff\xe0", Kind.PICTURE),
        (b"GIF89a", Kind.PICTURE),
        (b"RIFF\x00\x00\x00\x00WEBP", Kind.PICTURE),
        (b"RIFF\x00\x00\x00\x00WAVE", Kind.SOUND),
        (b"OggS", Kind.SOUND),
        (b"ID3\x04", Kind.SOUND),
        (b"\x00\x00\x00 ftypmp42", Kind.SOUND),
        (b"\x00\x00\x00 ftypheic", Kind.OTHER),
        (b"PK\x03\x04", Kind.OTHER),
        (b"\x1f\x8b\x08", Kind.OTHER),
        (b"\xd0\xcf\x11\xe0", Kind.OFFICE),
        (b"  \x00\n", Kind.EMPTY),
        (b"", Kind.EMPTY),
        (b"words", Kind.TEXT),
    ],
)
@pytest.mark.parametrize("claimed", ["a.txt", "a.png", "a.pdf", "a"])
def test_the_first_bytes_are_believed_whatever_the_name(claimed: str, data: bytes, kind: Kind) -> None:
    assert kind_of(claimed, "", data) is kind


def test_a_zip_of_an_office_program_is_its_document() -> None:
    assert kind_of("a.xlsx", "", b"PK\x03\x04") is Kind.OFFICE


@pytest.mark.parametrize(("name", "kind"), [("a.csv", Kind.TABLE), ("a.htm", Kind.PAGE)])
def test_tables_and_pages_are_known_by_their_names(name: str, kind: Kind) -> None:
    assert kind_of(name, "", b"a,b") is kind
