"""Single pages that anybody may see: a word, and where to go on; they need nothing else of the console."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from html import escape
from importlib.resources import files
from string import Template

from starlette.responses import HTMLResponse

from bot.ports import Words
from bot.web.gate import HEADERS
from bot.web.page import preferred_language


class Leaves:
    """
    Writes such pages.

    Their style and their picture are in them: the console's lock may be closed to their reader.
    """

    def __init__(self, words: Words) -> None:
        """All texts are the catalogue's."""
        self._words = words

    def __call__(
        self, accept: str, name: str, href: str = "", status: int = 200, **values: str
    ) -> HTMLResponse:
        """
        Write the page of that name in the language that the Accept-Language header asks for.

        Its title, text and button are `web-<name>`, `web-<name>-text` and `web-<name>-button`; the button
        leads to `href`, and without one there is none.
        """
        language = preferred_language(accept)

        def say(part: str) -> str:
            return escape(self._words.say(f"web-{name}{part}", language, **values))

        link = f'<a class="button" href="{escape(href)}">{say("-button")}</a>' if href else ""
        page = _template("leaf.html").substitute(
            language=language, title=say(""), text=say("-text"), link=link, style=_style(), icon=_icon()
        )
        return HTMLResponse(page, status, _headers())


@cache
def _headers() -> dict[str, str]:
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; " + (
        "form-action 'none'; frame-ancestors 'none'"
    )
    return {**HEADERS, "content-security-policy": policy, "cache-control": "no-store"}


@cache
def _style() -> str:
    return _read("pages", "leaf.css")


@cache
def _icon() -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(_read('static', 'icon.svg').encode()).decode()}"


@cache
def _template(name: str) -> Template:
    return Template(_read("pages", name))


def _read(folder: str, name: str) -> str:
    return files(__package__).joinpath(folder, name).read_text("utf-8")
