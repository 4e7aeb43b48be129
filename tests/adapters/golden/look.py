"""
Makes a page that imitates how Slack and Discord show the golden files.

    python -m tests.adapters.golden.look page.html [page.png]

The picture needs Chromium (`playwright install chromium`, or its path in CHROMIUM). What is imitated is what
both are known to do; it is a help for the eye, not a proof.
"""

from __future__ import annotations

import html
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from playwright.sync_api import sync_playwright

from tests.adapters.golden import cases, read_case, said

_STYLE = """
body{font:15px/1.46 'Noto Sans','Noto Sans CJK SC',sans-serif;margin:0;background:#ddd}
.case{display:grid;grid-template-columns:1fr 1fr 1fr;gap:8px;margin:8px}
.case h6{grid-column:1/4;margin:0;font-size:13px}
.case>div{padding:10px 14px;border-radius:6px;overflow-wrap:anywhere}
.source{background:#f6f6f0;font:12px/1.35 monospace;white-space:pre-wrap}
.discord{background:#313338;color:#dbdee1;white-space:pre-wrap}
.discord code,.discord pre{background:#2b2d31;border:1px solid #1e1f22;border-radius:4px}
.slack{background:#fff;color:#1d1c1d}
.slack code{color:#c01343;background:#f7f7f8;border:1px solid #ddd}
.slack pre code{color:inherit;border:0;background:none}
.slack pre{background:#f7f7f8;border:1px solid #ddd;border-radius:4px;padding:6px;white-space:pre-wrap}
.slack h1,.slack h2,.slack h3,.slack h4,.slack h5,.slack h6{font-size:18px;margin:6px 0}
.slack blockquote,.discord blockquote{border-left:4px solid #aaa;margin:2px 0;padding-left:10px}
pre{padding:6px;margin:2px 0;font:13px/1.4 'Noto Sans Mono','Noto Sans Mono CJK SC',monospace}
table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:3px 8px}
.discord h1{font-size:24px;margin:0}.discord h2{font-size:20px;margin:0}.discord h3{font-size:16px;margin:0}
.discord ul,.discord ol{margin:0;padding-left:24px;white-space:normal}a{color:#1264a3}
.discord a{color:#00a8fc}
"""


def page() -> str:
    """Make the page of all golden files."""
    parts = [f"<meta charset=utf-8><style>{_STYLE}</style>"]
    for path in cases():
        markdown, _ = read_case(path)
        written = {name: re.sub("⟨([0-9a-f]+)⟩", _letter, text) for name, text in said(markdown).items()}
        slack = _blocks(written["blocks"]) if "blocks" in written else _slack(written["slack"])
        parts.append(
            f"<div class=case><h6>{path.stem}</h6><div class=source>{html.escape(markdown)}</div>"
            f"<div class=discord>{_discord(written['discord'])}</div><div class=slack>{slack}</div></div>"
        )
    return "\n".join(parts)


def _letter(found: re.Match[str]) -> str:
    return chr(int(found[1], 16))


def _slack(markdown: str) -> str:
    return str(
        MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("strikethrough").render(markdown)
    )


def _blocks(blocks: str) -> str:
    parts = []
    for block in json.loads(blocks):
        if block["type"] == "markdown":
            parts.append(_slack(block["text"]))
        else:
            rows = ["".join(f"<td>{_cell(cell)}</td>" for cell in row) for row in block["rows"]]
            parts.append("<table>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>")
    return "".join(parts)


def _cell(cell: dict[str, Any]) -> str:
    if cell["type"] == "raw_text":
        return html.escape(cell["text"])
    parts = []
    for element in cell["elements"][0]["elements"]:
        text = html.escape(element["text"])
        for style, tag in (("bold", "b"), ("italic", "i"), ("strike", "s"), ("code", "code")):
            text = f"<{tag}>{text}</{tag}>" if element.get("style", {}).get(style) else text
        parts.append(f"<a href='{element['url']}'>{text}</a>" if "url" in element else text)
    return "".join(parts)


def _discord(text: str) -> str:
    kept: list[str] = []

    def keep(shown: str) -> str:
        kept.append(shown)
        return f"\x00{len(kept) - 1}\x00"

    text = re.sub(
        r"```(?:[a-z0-9_+\-.#]+\n)?\n?([\s\S]+?)\n?```",
        lambda found: keep(f"<pre>{html.escape(re.sub('(?m)^> ?', '', found[1]))}</pre>"),
        text,
        flags=re.IGNORECASE,
    )
    text = re.sub(
        r"(`+)([\s\S]*?[^`])\1(?!`)", lambda found: keep(f"<code>{html.escape(found[2])}</code>"), text
    )
    text = re.sub(r"\\([^0-9A-Za-z\s])", lambda found: keep(html.escape(found[1])), text)
    text = re.sub(
        r"\[((?:[^\[\]])*)\]\((https?://[^\s()]+)(?: \"[^\"]*\")?\)",
        lambda found: keep(f"<a href='{found[2]}'>") + found[1] + keep("</a>"),
        text,
    )
    text = re.sub(r"<(https?://[^\s>]+)>|(https?://[^\s<\x00]+[^<.,:;\"')\]\s\x00])", _address(keep), text)
    text = html.escape(text)
    for pattern, tag in (
        (r"\*\*([\s\S]+?)\*\*(?!\*)", "b"),
        (r"__([\s\S]+?)__(?!_)", "u"),
        (r"~~([\s\S]+?)~~", "s"),
        (r"\*(?=\S)((?:\s+[^*\s]|[^\s*])+?)\*(?!\*)", "i"),
        (r"\b_([^_]+?)_\b", "i"),
    ):
        text = re.sub(pattern, rf"<{tag}>\1</{tag}>", text)
    text = re.sub(r"(?m)^(#{1,3}) (.*)\n?", lambda f: f"<h{len(f[1])}>{f[2]}</h{len(f[1])}>", text)
    text = re.sub(r"(?m)((?:^&gt; ?.*(?:\n|\Z))+)", _quote, text)
    text = re.sub(r"(?m)^( *)- ", lambda found: found[1] * 2 + "• ", text)
    while "\x00" in text:
        text = re.sub("\x00(\\d+)\x00", lambda found: kept[int(found[1])], text)
    return text


def _address(keep: Any) -> Any:
    return lambda found: keep(f"<a href='#'>{html.escape(found[1] or found[2])}</a>")


def _quote(found: re.Match[str]) -> str:
    return f"<blockquote>{re.sub('(?m)^&gt; ?', '', found[1]).rstrip()}</blockquote>"


def _look(target: Path, picture: Path | None) -> None:
    target.write_text(page(), "utf-8")
    if picture is None:
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM"))
        view = browser.new_page(viewport={"width": 1500, "height": 900})
        view.goto(target.resolve().as_uri())
        view.screenshot(path=picture, full_page=True)
        browser.close()


if __name__ == "__main__":
    _look(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
