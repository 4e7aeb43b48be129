"""Tells what kind of file something is: by its first bytes, and where they say nothing by its name."""

from __future__ import annotations

from enum import StrEnum
from mimetypes import guess_type
from pathlib import PurePath


class Kind(StrEnum):
    """What can be done with a file."""

    TEXT = "text"
    TABLE = "table"
    PAGE = "page"  # HTML
    PDF = "pdf"
    PICTURE = "picture"
    SOUND = "sound"  # film too
    OFFICE = "office"  # a document whose program can export it as PDF
    OTHER = "other"
    EMPTY = "empty"


_OFFICE = frozenset({
    "doc", "docx", "dot", "dotx", "xls", "xlsx", "xlsm", "ppt", "pptx", "pps", "ppsx", "odt", "ods",
    "odp", "rtf", "pages", "numbers", "key", "epub", "vsd", "vsdx",
})  # fmt: skip
_OTHER = frozenset({
    "zip", "gz", "tgz", "bz2", "xz", "7z", "rar", "tar", "iso", "dmg", "exe", "dll", "so", "dylib",
    "bin", "apk", "jar", "class", "pyc", "wasm", "db", "sqlite", "parquet", "heic", "heif", "tif",
    "tiff", "psd", "ai", "ttf", "otf", "woff", "woff2",
})  # fmt: skip
_TABLES = frozenset({"csv", "tsv"})
_PAGES = frozenset({"html", "htm", "xhtml"})
_PAGE_TYPES = frozenset({"text/html", "application/xhtml+xml", "application/vnd.slack-docs"})
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", Kind.PICTURE),
    (b"\xff\xd8\xff", Kind.PICTURE),
    (b"GIF8", Kind.PICTURE),
    (b"\xd0\xcf\x11\xe0", Kind.OFFICE),
    (b"{\\rtf", Kind.OFFICE),
    (b"OggS", Kind.SOUND),
    (b"ID3", Kind.SOUND),
    (b"fLaC", Kind.SOUND),
    (b"\x1aE\xdf\xa3", Kind.SOUND),
    (b"PK\x03\x04", Kind.OTHER),
    (b"\x1f\x8b", Kind.OTHER),
    (b"Rar!", Kind.OTHER),
    (b"7z\xbc\xaf", Kind.OTHER),
)


def named_kind(name: str, media_type: str) -> Kind:
    """Tell the kind that a file claims to have, before any of it is fetched."""
    ending = _ending(name)
    for endings, kind in ((_OFFICE, Kind.OFFICE), (_OTHER, Kind.OTHER), (_TABLES, Kind.TABLE)):
        if ending in endings:
            return kind
    claimed = media_type or guess_type(name)[0] or ""
    if ending in _PAGES or claimed in _PAGE_TYPES:
        return Kind.PAGE
    if claimed.startswith(("audio/", "video/")):
        # `.ts` and the like are programs as well as films; their first bytes will tell.
        return Kind.SOUND if media_type else Kind.TEXT
    return Kind.PICTURE if claimed.startswith("image/") and "svg" not in claimed else Kind.TEXT


def kind_of(name: str, media_type: str, data: bytes) -> Kind:
    """Tell the kind that a file really has; the first bytes weigh more than what it claims."""
    if not data.strip(b"\x00 \t\r\n"):
        return Kind.EMPTY
    claimed = named_kind(name, media_type)
    if b"%PDF-" in data[:1024]:
        return Kind.PDF
    if data[:4] == b"RIFF":
        return Kind.PICTURE if data[8:12] == b"WEBP" else Kind.SOUND
    if data[4:8] == b"ftyp":
        return Kind.OTHER if data[8:12] in {b"heic", b"heix", b"mif1", b"avif"} else Kind.SOUND
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            return Kind.OFFICE if magic == b"PK\x03\x04" and claimed is Kind.OFFICE else kind
    # What has no known beginning is text, or will be found to be none.
    return claimed if claimed in {Kind.TABLE, Kind.PAGE} else Kind.TEXT


def _ending(name: str) -> str:
    return PurePath(name.lower()).suffix.removeprefix(".")
