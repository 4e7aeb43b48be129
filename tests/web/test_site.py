"""The console over HTTP: its pages, its door, its health."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping

import httpx2
import pytest

from bot.catalogue import Catalogue
from bot.errors import SettingError
from bot.web.page import preferred_language
from bot.web.probes import Probes
from bot.web.session import COOKIE
from bot.web.site import create_app
from tests.web.conftest import Console
from tests.web.record import FakeRecord


async def test_the_page_stands_and_lets_nothing_from_elsewhere_in(console: Console) -> None:
    answer = await console.client.get("/")
    assert answer.status_code == 200
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in answer.headers
    assert not re.search(r"""(?:src|href|action)=["'](?!/|#)""", answer.text)
    assert not re.search(r"<script(?![^>]*(?:src=|application/json))|\son\w+=|\sstyle=", answer.text)


@pytest.mark.parametrize(
    ("path", "kind"),
    [("app.js", "javascript"), ("app.css", "css"), ("icon.svg", "svg"), ("transcript.js", "javascript")],
)
async def test_the_page_s_own_files_are_served(console: Console, path: str, kind: str) -> None:
    answer = await console.client.get(f"/static/{path}")
    assert answer.status_code == 200
    assert kind in answer.headers["content-type"]
    assert answer.headers["cache-control"] == "no-cache"
    again = await console.client.get(f"/static/{path}", headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("path", ["/static/../site.py", "/static/%2e%2e/site.py", "/static/", "/nothing"])
async def test_nothing_else_is_served(console: Console, path: str) -> None:
    assert (await console.client.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("zh-TW,zh;q=0.9,en;q=0.8", "zh-TW"),
        ("zh-hk", "zh-TW"),
        ("zh-Hant", "zh-TW"),
        ("zh-Hans-HK", "zh-CN"),
        ("zh-SG, zh-TW;q=0.5", "zh-CN"),
        ("en-GB,zh;q=0.9", "en"),
        ("fr-FR, zh;q=0.5, en;q=0.7", "en"),
        ("de", "en"),
        ("", "en"),
        ("en;q=0, zh;q=x, zh;q=0.1", "zh-CN"),
        (";;;,,", "en"),
    ],
)
def test_the_language_is_the_one_the_browser_likes_best(header: str, language: str) -> None:
    assert preferred_language(header) == language


async def test_the_page_speaks_chinese_to_a_chinese_browser(console: Console) -> None:
    answer = await console.client.get("/", headers={"accept-language": "zh-CN"})
    assert '<html lang="zh-CN">' in answer.text
    assert "新对话" in answer.text
    assert "SmolLM2-135M" in answer.text


async def test_the_page_speaks_taiwan_s_chinese_to_a_browser_from_there(console: Console) -> None:
    answer = await console.client.get("/", headers={"accept-language": "zh-TW"})
    assert '<html lang="zh-TW">' in answer.text
    assert "新對話" in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"x-forwarded-for": "127.0.0.1"},
        {"forwarded": "for=127.0.0.1"},
        {"x-real-ip": "127.0.0.1"},
        {"cf-connecting-ip": "127.0.0.1"},
    ],
)
async def test_an_open_console_refuses_strangers_and_names_the_cure(
    console: Console, headers: dict[str, str]
) -> None:
    for path in ("/", "/api/threads", "/static/app.js", "/login"):
        answer = await console.client.get(path, headers=headers)
        assert answer.status_code == 403
        assert "BOT_WEB__TOKEN" in answer.text


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "desk.example"])
def test_a_console_that_others_can_reach_needs_a_token(host: str) -> None:
    async def ready() -> Mapping[str, bool | float | str]:
        return {}

    async def metrics() -> bytes:
        return b""

    record, probes = FakeRecord(), Probes(ready, metrics)
    with pytest.raises(SettingError, match="BOT_WEB__TOKEN") as refused:
        create_app(record, record, Catalogue(), None, probes, str, host)
    assert "\n" not in str(refused.value)
    create_app(record, record, Catalogue(), "open sesame", probes, str, host)


async def test_without_the_token_there_is_only_the_login(locked: Console) -> None:
    home = await locked.client.get("/")
    assert (home.status_code, home.headers["location"]) == (303, "/login")
    assert 'name="token"' in (await locked.client.get("/login")).text
    refused = await locked.client.get("/api/threads")
    assert refused.status_code == 401
    assert "BOT_WEB__TOKEN" in refused.json()["error"]
    assert (await locked.client.get("/healthz")).json() == {"ok": True}


async def test_the_token_opens_a_session_in_a_careful_cookie(locked: Console) -> None:
    answer = await locked.client.post("/login", data={"token": " open sesame "})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "secure" not in cookie
    assert "sesame" not in cookie
    assert (await locked.client.get("/api/threads")).status_code == 200
    assert (await locked.client.get("/readyz")).json()["oldest_waiting_seconds"] == 1.5
    gone = await locked.client.post("/logout")
    assert gone.headers["location"] == "/login"
    assert (await locked.client.get("/api/threads")).status_code == 401


async def test_behind_a_tls_proxy_the_cookie_is_secure(locked: Console) -> None:
    headers = {"x-forwarded-proto": "https", "host": "desk.example"}
    answer = await locked.client.post("/login", data={"token": "open sesame"}, headers=headers)
    assert "secure" in answer.headers["set-cookie"].lower()


async def test_a_bearer_token_works_from_anywhere(locked: Console) -> None:
    headers = {"authorization": "Bearer open sesame", "host": "desk.example", "x-forwarded-for": "10.0.0.7"}
    assert (await locked.client.get("/api/threads", headers=headers)).status_code == 200
    headers["authorization"] = "Bearer open sesam"
    assert (await locked.client.get("/api/threads", headers=headers)).status_code == 401


async def test_guessing_is_slowed_and_then_stopped_even_for_the_right_token(locked: Console) -> None:
    tries = [locked.client.post("/login", data={"token": f"guess {number}"}) for number in range(5)]
    answers = await asyncio.gather(*tries)
    assert [answer.status_code for answer in answers] == [401] * 5
    assert all(answer.elapsed.total_seconds() >= 0.3 for answer in answers)
    right = await locked.client.post("/login", data={"token": "open sesame"})
    assert right.status_code == 429
    assert COOKIE not in right.headers.get("set-cookie", "")


async def test_a_standing_session_survives_the_guessing_of_others(locked: Console) -> None:
    await locked.client.post("/login", data={"token": "open sesame"})
    async with httpx2.AsyncClient(base_url=locked.address) as other:
        await asyncio.gather(*(other.post("/login", data={"token": "x"}) for _ in range(6)))
    assert (await locked.client.get("/api/threads")).status_code == 200


@pytest.mark.parametrize("headers", [{"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}])
async def test_another_site_can_neither_log_in_nor_out(locked: Console, headers: dict[str, str]) -> None:
    for path in ("/login", "/logout"):
        answer = await locked.client.post(path, data={"token": "open sesame"}, headers=headers)
        assert answer.status_code == 403


async def test_a_login_without_sense_is_refused(locked: Console) -> None:
    for body in (b"", b"\xff\xfe", b"token", b"token=%00%ff", b"other=open sesame"):
        answer = await locked.client.post("/login", content=body)
        assert answer.status_code in {401, 429}


async def test_an_open_console_needs_no_login(console: Console) -> None:
    answer = await console.client.get("/login")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
