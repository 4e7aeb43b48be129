"""The model that py3langid has trained, read where it lies on the disk: in memory it takes 64 MB."""

from __future__ import annotations

import lzma
import math
import os
import re
import shutil
import struct
import tempfile
import unicodedata
from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from importlib.metadata import distribution
from operator import itemgetter
from pathlib import Path
from typing import IO
from zipfile import ZipFile

_PACKED = "py3langid/data/model.npz.xz"
_KEPT = 2_048  # lines of each of the two tables, of the many thousands that there are: at most 7 MB
_DESCRIBED = re.compile(rb"'descr': '<(f2|f4|u2|u4|i4|U\d+)', 'fortran_order': False")


class TrainedModel:
    """
    Tells languages as py3langid does, to the same figures.

    Only what a text leads to is read, a line at a time; the kernel keeps what is read often, and gives it
    up where memory is wanted. Threads and forked processes may share it.
    """

    def __init__(self, file: IO[bytes], languages: Collection[str]) -> None:
        """`file` is what `unpacked` gives; it stays open. `languages` are those to choose from."""
        self._file = file  # read by place only, so that nobody moves another's
        members = _members(file)
        self._line = array("H", self._read(members["nextmove_row"]))
        self._feature = array("i", self._read(members["out_feat"]))
        self._moves_at, self._weights_at = members["nextmove"].start, members["ptc"].start
        priors, names = array("f", self._read(members["pc"])), self._read(members["classes"])
        width = len(names) // len(priors)
        every = [
            names[at : at + width].decode("utf-32-le").rstrip("\0") for at in range(0, len(names), width)
        ]
        self._halves = struct.Struct(f"<{len(every)}e")
        self._chosen: Callable[[Sequence[float]], tuple[float, ...]]
        self._chosen = itemgetter(*(place for place, name in enumerate(every) if name in languages))
        self._languages = [name for name in every if name in languages]
        self._priors = self._chosen(priors)
        self._moves = lru_cache(maxsize=_KEPT)(self._read_moves)
        self._weights = lru_cache(maxsize=_KEPT)(self._read_weights)

    def classify(self, text: str) -> tuple[str, float]:
        """Tell the likeliest language, and how likely it is."""
        written = unicodedata.normalize("NFC", text.lower() if text.isupper() else text)
        data = written.encode("utf-8", "surrogatepass")
        scores = self._scores(data)
        best = max(scores)
        # The root keeps a long text from being surer than it should be.
        likely = [math.exp((score - best) / math.sqrt(len(data) or 1)) for score in scores]
        return self._languages[scores.index(best)], 1 / sum(likely)

    def _scores(self, data: bytes) -> Sequence[float]:
        found = Counter(self._features(data))
        scores: Sequence[float] = self._priors if found else [0.0] * len(self._priors)
        for feature, count in found.items():
            often = math.log1p(count)
            weights = self._weights(feature)
            scores = [score + often * weight for score, weight in zip(scores, weights, strict=True)]
        return scores

    def _features(self, data: bytes) -> Iterator[int]:
        """Walk the automaton over the bytes."""
        state = 0
        for byte in data:
            state = self._moves(self._line[state])[byte]
            if (feature := self._feature[state]) >= 0:
                yield feature

    def _read_moves(self, line: int) -> memoryview:
        at = self._moves_at + line * 1024
        return memoryview(self._read(range(at, at + 1024))).cast("I")

    def _read_weights(self, feature: int) -> tuple[float, ...]:
        at = self._weights_at + feature * self._halves.size
        return self._chosen(self._halves.unpack(self._read(range(at, at + self._halves.size))))

    def _read(self, place: range) -> bytes:
        return os.pread(self._file.fileno(), len(place), place.start)


def unpacked(folder: Path | None) -> IO[bytes]:
    """
    Open the model in the folder, where whoever comes first unpacks it: 68 MB, half a second.

    Without a folder it is a file that is gone with us. Raises `OSError` where it cannot be written.
    """
    if folder is None:
        passing = tempfile.TemporaryFile()  # noqa: SIM115 its reader keeps it
        _unpack(passing)
        return passing
    target = folder / f"py3langid-{distribution('py3langid').version}.npz"
    if not target.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        _unpack_whole(target)
        for older in set(folder.glob("py3langid-*.npz")) - {target}:
            with suppress(OSError):
                older.unlink()
    return target.open("rb")


def _unpack_whole(target: Path) -> None:
    """Let the file appear whole or not at all, whoever else unpacks it too."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".unpacking-")
    try:
        with os.fdopen(handle, "wb") as file:
            _unpack(file)
            os.fsync(file.fileno())  # or a power cut could leave a file of that name with nothing in it
        Path(name).replace(target)
    finally:
        Path(name).unlink(missing_ok=True)


def _unpack(file: IO[bytes]) -> None:
    # Found without importing the package, which would load numpy: 16 MB.
    with lzma.open(Path(str(distribution("py3langid").locate_file(_PACKED)))) as packed:
        shutil.copyfileobj(packed, file, 1 << 20)
    file.flush()


def _members(file: IO[bytes]) -> dict[str, range]:
    """Find where in the file each table's figures stand; they are stored as they are, one after another."""
    found = {}
    with ZipFile(file) as packed:
        for member in packed.infolist():
            file.seek(member.header_offset + 26)  # how long the member's name and its extra field are
            begin = member.header_offset + 30 + sum(struct.unpack("<HH", file.read(4)))
            file.seek(begin + 8)  # past the letters and the version that a .npy file begins with
            (described,) = struct.unpack("<H", file.read(2))
            if member.compress_type or not _DESCRIBED.search(file.read(described)):
                raise ValueError(f"py3langid's {member.filename} is not stored as this program reads it")
            found[member.filename.removesuffix(".npy")] = range(
                begin + 10 + described, begin + member.file_size
            )
    return found
