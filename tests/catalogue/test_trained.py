"""The trained model, read from the disk: told as py3langid tells it, unpacked once."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from bot.catalogue.trained import TrainedModel, unpacked
from tests.catalogue.test_language import PHRASES

LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl", "pl", "tr", "vi", "sv", "id", "cs", "hu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("languages")
    unpacked(made).close()
    return made


def test_it_tells_what_py3langid_tells_and_is_as_sure(folder: Path) -> None:
    theirs = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    theirs.set_languages(LANGUAGES)
    with unpacked(folder) as file:
        ours = TrainedModel(file, LANGUAGES)
        for text in [*(text for text, _ in PHRASES), "ÇA VA BIEN, MERCI", "e\u0301te\u0301", "\udc80"]:
            language, confidence = theirs.classify(text)
            assert ours.classify(text)[0] == language, text
            assert abs(ours.classify(text)[1] - confidence) < 1e-4, text


def test_it_is_unpacked_once_and_an_older_one_goes_away(folder: Path) -> None:
    here = folder / f"py3langid-{version('py3langid')}.npz"
    before = here.stat().st_mtime_ns
    unpacked(folder).close()
    assert here.stat().st_mtime_ns == before
    here.unlink()
    older = folder / "py3langid-0.0.1.npz"
    older.write_bytes(b"")
    unpacked(folder).close()
    assert os.listdir(folder) == [here.name]


def test_a_model_stored_in_another_way_is_refused(tmp_path: Path) -> None:
    import numpy as np

    np.savez_compressed(tmp_path / "model.npz", pc=np.zeros(3, dtype=np.float32))
    with (tmp_path / "model.npz").open("rb") as file, pytest.raises(ValueError, match=r"pc\.npy"):
        TrainedModel(file, LANGUAGES)


def test_two_hundred_texts_leave_less_than_ten_megabytes_in_memory(folder: Path) -> None:
    code = f"""
import resource, sys
from pathlib import Path
from bot.catalogue.trained import TrainedModel, unpacked
from tests.catalogue.test_language import PHRASES
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 2**20)
texts = [text for text, _ in PHRASES]
before = peak()
model = TrainedModel(unpacked(Path({str(folder)!r})), {LANGUAGES!r})
for place in range(200):
    model.classify(texts[place % len(texts)] + texts[place * 7 % len(texts)])
assert peak() - before < 10, peak() - before
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
