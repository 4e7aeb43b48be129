"""Markdown to HTML that is safe to show: no markup of the author's, no asset of another host."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererProtocol
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Delimiter
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from mdit_py_plugins.tasklists import tasklists_plugin
from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES
from pygments.util import ClassNotFound

# Longer code is shown plain: some lexers are slow on text that is not what its fence says.
COLOURED_CHARACTERS = 20_000

_TAGS = {
    "a", "blockquote", "br", "code", "del", "div", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr",
    "input", "li", "ol", "p", "pre", "s", "span", "strong", "table", "tbody", "td", "th", "thead", "tr",
    "ul",
}  # fmt: skip
_CODE_CLASSES = frozenset(name for name in STANDARD_TYPES.values() if name)


def render(markdown: str) -> str:
    """
    Render CommonMark with tables, strikethrough, task lists and bare links.

    HTML in the text is shown as text. A picture becomes a link, since nothing may be fetched from
    another host. An unclosed fence is code up to the end, so a growing answer renders at any length.
    """
    return _CLEANER.clean(_MARKDOWN.render(markdown))


_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    attributes={
        "a": {"href", "title"},
        "ol": {"start"},
        "pre": {"data-language"},
        "input": {"checked", "disabled"},
    },
    allowed_classes={
        "span": set(_CODE_CLASSES),
        "li": {"task-list-item"},
        "ul": {"contains-task-list"},
        "td": {"right", "center"},
        "th": {"right", "center"},
    },
    tag_attribute_values={"input": {"type": {"checkbox"}}},
    set_tag_attribute_values={"a": {"target": "_blank"}, "input": {"disabled": ""}},
    link_rel="noopener nofollow noreferrer",
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
)


def _fence(
    self: RendererProtocol, tokens: Sequence[Token], index: int, options: OptionsDict, env: Any
) -> str:
    words = tokens[index].info.split()
    language = words[0] if words else ""
    code = tokens[index].content
    return f'<pre data-language="{escapeHtml(language)}"><code>{_colour(code, language)}</code></pre>\n'


def _colour(code: str, language: str) -> str:
    if not language or len(code) > COLOURED_CHARACTERS:
        return escapeHtml(code)
    try:
        lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return escapeHtml(code)
    return highlight(code, lexer, HtmlFormatter(nowrap=True))


def _picture(
    self: RendererProtocol, tokens: Sequence[Token], index: int, options: OptionsDict, env: Any
) -> str:
    picture = tokens[index]
    address = str(picture.attrGet("src") or "")
    return f'<a href="{escapeHtml(address)}">{escapeHtml(picture.content or address)}</a>'


def _cell(self: RendererProtocol, tokens: Sequence[Token], index: int, options: OptionsDict, env: Any) -> str:
    """Align by a class: the page's policy allows no style attribute."""
    cell = tokens[index]
    side = str(cell.attrGet("style") or "").removeprefix("text-align:")
    return f'<{cell.tag} class="{escapeHtml(side)}">' if side else f"<{cell.tag}>"


def _emphasis(state: StateInline, silent: bool) -> bool:
    """
    Scan `*` and `_` as CommonMark does, but let `*` open and close between CJK punctuation and letters.

    `**真：**她` is emphasis to whoever writes Chinese; CommonMark's flanking rules want a space there.
    """
    marker = state.src[state.pos]
    if silent or marker not in "_*":
        return False
    scanned = state.scanDelims(state.pos, marker == "*")
    before = state.src[state.pos - 1] if state.pos else " "
    after_at = state.pos + scanned.length
    after = state.src[after_at] if after_at < state.posMax else " "
    wide = marker == "*" and (_is_wide(before) or _is_wide(after))
    for _ in range(scanned.length):
        token = state.push("text", "", 0)
        token.content = marker
        state.delimiters.append(
            Delimiter(
                marker=ord(marker),
                length=scanned.length,
                token=len(state.tokens) - 1,
                end=-1,
                open=scanned.can_open or (wide and not after.isspace()),
                close=scanned.can_close or (wide and not before.isspace()),
            )
        )
    state.pos += scanned.length
    return True


def _is_wide(letter: str) -> bool:
    return "⺀" <= letter <= "鿿" or "가" <= letter <= "힣" or "豈" <= letter <= "｠"


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "linkify": True, "breaks": True})
    parser.enable(["table", "strikethrough", "linkify"])
    parser.use(tasklists_plugin)
    parser.inline.ruler.at("emphasis", _emphasis)
    parser.add_render_rule("fence", _fence)
    parser.add_render_rule("image", _picture)
    parser.add_render_rule("td_open", _cell)
    parser.add_render_rule("th_open", _cell)
    return parser


_MARKDOWN = _parser()
