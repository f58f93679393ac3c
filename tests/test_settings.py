"""Settings: each read once, checked, and named in the error."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import pytest

from bot.settings import SettingError, Settings


def test_nothing_set_is_a_desk_that_runs_on_loopback() -> None:
    settings = Settings.read({})
    assert settings.host == "127.0.0.1"
    assert settings.url == "http://127.0.0.1:8080"
    assert settings.requests_per_minute == 10


def test_every_setting_can_be_set_by_its_name() -> None:
    for each in fields(Settings):
        text = {"data": "/srv/x", "public_url": "https://desk.example", "reveal_for": "60"}.get(each.name)
        if text is None:
            text = "7" if isinstance(each.default, int | timedelta) else "/srv/y"
        set_one = Settings.read({each.metadata["name"]: text})
        assert getattr(set_one, each.name) != each.default, each.name


def test_every_setting_says_what_it_means() -> None:
    rows = Settings.read({}).rows()
    assert len(rows) == len(fields(Settings))
    assert all(name.startswith("DESKHAND_") and meaning for name, _, meaning in rows)


def test_an_empty_value_is_as_good_as_none() -> None:
    assert Settings.read({"DESKHAND_PORT": " "}).port == 8080


def test_a_name_that_is_not_known_is_refused_not_ignored() -> None:
    with pytest.raises(SettingError, match="DESKHAND_EXPIRES_AFTER"):
        Settings.read({"DESKHAND_EXPIRES_AFTER": "60"})
    assert Settings.read({"SOMETHING_ELSE": "x"}) == Settings.read({})


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "x", "1e99", "4h"])
@pytest.mark.parametrize("name", ["DESKHAND_PORT", "DESKHAND_REMIND_AFTER_S", "DESKHAND_REVEAL_FOR_S"])
def test_a_value_that_does_not_fit_is_refused_with_its_name(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=name):
        Settings.read({name: value})


def test_a_credential_is_never_shown_for_longer_than_ten_minutes() -> None:
    assert Settings.read({"DESKHAND_REVEAL_FOR_S": "600"}).reveal_for == timedelta(minutes=10)
    with pytest.raises(SettingError, match="DESKHAND_REVEAL_FOR_S"):
        Settings.read({"DESKHAND_REVEAL_FOR_S": "601"})


def test_times_are_seconds() -> None:
    assert Settings.read({"DESKHAND_REMIND_AFTER_S": "90.5"}).remind_after == timedelta(seconds=90.5)


def test_the_reveal_page_is_reached_where_the_setting_says() -> None:
    assert Settings.read({"DESKHAND_PUBLIC_URL": "https://desk.example/"}).url == "https://desk.example"
    assert Settings(host="::1", port=9000).url == "http://[::1]:9000"


def test_a_credential_does_not_travel_in_the_clear() -> None:
    with pytest.raises(SettingError, match="DESKHAND_PUBLIC_URL"):
        Settings.read({"DESKHAND_PUBLIC_URL": "http://desk.example"})
    assert Settings.read({"DESKHAND_PUBLIC_URL": "http://127.0.0.1:9000"}).url == "http://127.0.0.1:9000"


def test_a_path_is_made_absolute() -> None:
    assert Settings.read({"DESKHAND_DATA": "somewhere"}).data == Path.cwd() / "somewhere"
