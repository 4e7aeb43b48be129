"""The bot's own words: one catalogue a language, and which language a text is in."""

from __future__ import annotations

import gettext
import io
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from babel import Locale, UnknownLocaleError
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from bot.catalogue import chinese
from bot.catalogue.language import language_of, spoken
from bot.dialogue import Message

FALLBACK = "en"


class Catalogue:
    """Says the bot's own words from the .po files that stand beside this module."""

    def __init__(self, folder: Traversable | None = None) -> None:
        """Read and check every .po file of the folder; a broken one fails here, not while speaking."""
        found = folder or files(__name__)
        self._languages = {
            _tag(item.name.removesuffix(".po")): _compile(item)
            for item in found.iterdir()
            if item.name.endswith(".po")
        }

    @property
    def languages(self) -> frozenset[str]:
        """The languages there are words in, as lower-case BCP 47 tags."""
        return frozenset(self._languages)

    def say(self, key: str, language: str, **values: object) -> str:
        """
        Say the text in the language, in a near one (zh-HK by zh-TW), or else in English.

        In every text `{language}` stands for the name of the language that was asked for. Raises
        `KeyError` for an unknown key and for a value that the text needs and was not given.
        """
        for tag in (self._nearest(language), FALLBACK):
            text = self._languages[tag].gettext(key)
            if text != key:
                return text.format(language=_name(language, tag), **values)
        raise KeyError(f"the catalogue has no text {key!r}")

    def language_of(self, text: str) -> str:
        """Tell the language a text is written in; see `bot.catalogue.language`."""
        return language_of(text)

    def language_for(self, message: Message) -> str:
        """Choose the language to answer a message in; see `bot.ports.Words`."""
        tags = [tag for tag in (message.author.locale, message.channel.language) if tag]
        written = "" if message.language else language_of(message.text)
        if written == "zh":
            return chinese.variant(spoken(message.text), tags)
        near = (tag for tag in tags if _primary(tag) == written)
        return message.language or next(near, written) or next(iter(tags), FALLBACK)

    def _nearest(self, language: str) -> str:
        wanted = _tag(language)
        if wanted in self._languages:
            return wanted
        if _primary(wanted) == "zh":
            wanted = _tag(chinese.TAIWAN if chinese.traditional(wanted) else chinese.MAINLAND)
        primary = _primary(wanted)
        near = (tag for tag in sorted(self._languages) if _primary(tag) == primary)
        return wanted if wanted in self._languages else next(near, FALLBACK)


def _tag(name: str) -> str:
    return name.replace("_", "-").lower()


def _primary(name: str) -> str:
    return _tag(name).partition("-")[0]


@lru_cache(maxsize=256)
def _name(language: str, told_in: str) -> str:
    """Name a language in another one, its primary part only; an unknown one by its code."""
    try:
        reader = Locale.parse(told_in, sep="-")  # Taiwan's names of languages are not the mainland's
        name = Locale(_primary(language)).get_language_name(reader)
    except (UnknownLocaleError, ValueError):
        return language
    return name or language


def _compile(file: Traversable) -> gettext.GNUTranslations:
    with file.open("rb") as source:
        catalogue = read_po(source, abort_invalid=True)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
