"""The file of a backup: whole, or known to be damaged."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from bot.errors import BackupRefused
from bot.memory.backups.archive import Label, reading, verified, writing

LABEL = Label("0003", "0.1.0", "18.6", "2026-11-30T00:00:00+00:00")


def made(path: Path, rows: int = 3) -> Path:
    with writing(path, LABEL) as file:
        with file.table("first", ["id", "text"]):
            for number in range(rows):
                file.row(f"{number}\ta word\n".encode())
        with file.table("second", ["id"]):
            pass
    return path


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = made(tmp_path / "a.gz")
    assert verified(path) == LABEL
    with reading(path) as tables:
        found = [(table.table, table.columns, list(table.rows)) for table in tables]
    rows = [b"0\ta word\n", b"1\ta word\n", b"2\ta word\n"]
    assert found == [("first", ("id", "text"), rows), ("second", ("id",), [])]


def test_each_changed_byte_and_each_cut_is_found(tmp_path: Path) -> None:
    path = made(tmp_path / "a.gz")
    whole = path.read_bytes()
    for place in range(10, len(whole)):  # some of the ten bytes of gzip's header mean nothing
        for spoilt in (whole[:place], whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :]):
            path.write_bytes(spoilt)
            with pytest.raises(BackupRefused):
                verified(path)


def test_a_row_taken_out_is_found_though_the_gzip_is_sound(tmp_path: Path) -> None:
    path = made(tmp_path / "a.gz")
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()).replace(b"1\ta word\n", b"")))
    with pytest.raises(BackupRefused, match="checksum"):
        verified(path)


def test_what_is_no_backup_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    for content in (b"", b"plain", gzip.compress(b"text\n"), gzip.compress(b'{"format": "other"}\n')):
        path.write_bytes(content)
        with pytest.raises(BackupRefused) as refused:
            verified(path)
        assert "\n" not in str(refused.value)
    with pytest.raises(BackupRefused, match="No such file"):
        verified(tmp_path / "none.gz")
    path.write_bytes(gzip.compress(b'{"format": "frontdesk-backup", "layout": 2}\n'))
    with pytest.raises(BackupRefused, match="only a newer Frontdesk"):
        verified(path)


def test_a_backup_that_breaks_off_leaves_no_file(tmp_path: Path) -> None:
    def broken() -> None:
        with writing(tmp_path / "a.gz", LABEL):
            raise LookupError

    with pytest.raises(LookupError):
        broken()
    assert list(tmp_path.iterdir()) == []
