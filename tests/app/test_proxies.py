"""One rule of proxies for the platforms and the model."""

from __future__ import annotations

import os

import pytest

from bot.app.proxies import proxy_to


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("address", "given", "environment", "proxy"),
    [
        ("https://api.example/v1", None, {}, None),
        ("https://api.example/v1", "http://mine:1", {}, "http://mine:1"),
        ("https://api.example/v1", "http://mine:1", {"HTTPS_PROXY": "http://all:2"}, "http://mine:1"),
        ("https://api.example/v1", "none", {"HTTPS_PROXY": "http://all:2"}, None),
        ("https://api.example/v1", None, {"HTTPS_PROXY": "http://all:2"}, "http://all:2"),
        ("https://api.example/v1", None, {"https_proxy": "http://all:2"}, "http://all:2"),
        ("https://api.example/v1", None, {"HTTP_PROXY": "http://all:2"}, None),
        ("http://api.example/v1", None, {"http_proxy": "http://all:2"}, "http://all:2"),
        ("wss://gateway.example/", None, {"HTTPS_PROXY": "http://all:2"}, "http://all:2"),
        ("https://api.example/v1", None, {"ALL_PROXY": "http://all:2"}, "http://all:2"),
        ("https://api.example/v1", None, {"ALL_PROXY": "http://all:2", "NO_PROXY": "example"}, None),
        ("https://api.example/v1", None, {"ALL_PROXY": "http://all:2", "NO_PROXY": ".api.example"}, None),
        ("https://api.example/v1", None, {"ALL_PROXY": "http://all:2", "NO_PROXY": "pi.example, b"}, "http://all:2"),
        ("https://api.example/v1", None, {"ALL_PROXY": "http://all:2", "NO_PROXY": "a,*"}, None),
        ("http://127.0.0.1:8000/v1", None, {"HTTP_PROXY": "http://all:2", "ALL_PROXY": "http://all:2"}, None),
        ("http://[::1]:8000/v1", None, {"ALL_PROXY": "http://all:2"}, None),
        ("http://localhost:8000/v1", None, {"ALL_PROXY": "http://all:2"}, None),
        ("http://localhost:8000/v1", "http://mine:1", {}, "http://mine:1"),
    ],
)  # fmt: skip
def test_the_setting_decides_then_the_environment_and_never_for_this_machine(
    address: str,
    given: str | None,
    environment: dict[str, str],
    proxy: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert proxy_to(address, given) == proxy
