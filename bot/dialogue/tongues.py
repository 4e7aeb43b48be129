"""Languages as people name them; the one table of both platforms and of the words of command."""

from __future__ import annotations

# By their own names; the bot's own words exist in the first three, a model writes them all.
TONGUES = {
    "en": "English",
    "zh-CN": "简体中文",
    "zh-TW": "繁體中文",
    "ja": "日本語",
    "ko": "한국어",
    "de": "Deutsch",
    "fr": "Français",
    "es": "Español",
    "pt-BR": "Português",
    "it": "Italiano",
    "nl": "Nederlands",
    "pl": "Polski",
    "ru": "Русский",
    "uk": "Українська",
    "tr": "Türkçe",
    "vi": "Tiếng Việt",
    "id": "Indonesia",
}
# What else people type instead of a tag.
_OTHER_NAMES = {
    "en": "英文 英语 英語",
    "zh-CN": "chinese simplified·chinese 中文 简体",
    "zh-TW": "traditional·chinese 繁体 繁體 繁体中文 正體中文",
    "": "auto automatic 自动 自動",
}
_TAGS = {own.casefold(): tag for tag, own in TONGUES.items()} | {
    name.replace("·", " "): tag for tag, names in _OTHER_NAMES.items() for name in names.split()
}


def tag_named(name: str) -> str | None:
    """
    Tell the BCP 47 tag of a language by a name that people use; None for any other word.

    "" is the tag of "auto": whatever the person writes in.
    """
    return _TAGS.get(" ".join(name.split()).casefold())
