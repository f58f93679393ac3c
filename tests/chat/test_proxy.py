"""The proxy that the environment names is used, and looked up once."""

from __future__ import annotations

import pytest

from bot.chat.proxy import env_proxy


def test_by_scheme_and_not_for_those_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    assert env_proxy("https://slack.com/api/") is None
    monkeypatch.setenv("https_proxy", "http://proxy.corp.example:3128")
    monkeypatch.setenv("no_proxy", "localhost,.corp.example")
    assert env_proxy("https://slack.com/api/") == "http://proxy.corp.example:3128"
    assert env_proxy("https://desk.corp.example/") is None
    assert env_proxy("http://127.0.0.1:8080/") is None
    assert env_proxy("nonsense") is None
