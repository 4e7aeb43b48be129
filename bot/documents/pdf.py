"""Takes the text out of a PDF, page by page; runs in a process of its own."""

from __future__ import annotations

from pypdfium2 import PdfDocument, PdfiumError

_MOST_PAGES = 500
_CHARACTERS_A_TOKEN = 8


def read_pages(data: bytes, tokens: int) -> dict[str, object]:
    """Read the first pages, as many as are worth `tokens` tokens; each begins with its number."""
    try:
        document = PdfDocument(data)
    except PdfiumError as error:
        return {"note": "file-encrypted" if "password" in str(error).lower() else "file-broken"}
    texts: list[str] = []
    room = tokens * _CHARACTERS_A_TOKEN
    written = False
    for number in range(min(len(document), _MOST_PAGES)):
        text = _text(document, number)
        written = written or bool(text)
        texts.append(f"[page {number + 1}]\n{text}\n\n")
        room -= len(text)
        if room < 0:
            break
    if not written:
        return {"note": "file-scanned"}
    return {"texts": texts, "pages": len(document)}


def _text(document: PdfDocument, number: int) -> str:
    try:
        text = document[number].get_textpage().get_text_bounded()
    except PdfiumError:  # one page may be broken and the others whole
        return ""
    return str(text).replace("\r\n", "\n").replace("\x00", "").strip()
