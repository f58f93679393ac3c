"""Settings: each read once, checked, and named in the error."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import pytest

from bot.settings import PREFIXES, SettingError, Settings


def test_nothing_set_is_a_desk_that_runs_on_loopback() -> None:
    settings = Settings.read({})
    assert settings.host == "127.0.0.1"
    assert settings.url == "http://127.0.0.1:8080"
    assert settings.requests_per_minute == 10


SLACK = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": "abc"}
LDAP = {
    "LDAP_URL": "ldaps://dc1.corp.example",
    "LDAP_BIND_DN": "cn=svc",
    "LDAP_PASSWORD": "secret",
    "LDAP_PEOPLE_BASE": "ou=people",
    "LDAP_GROUPS_BASE": "ou=groups",
    "LDAP_PROTECTED_GROUPS": "admins",
}
TEAMS = {
    "TEAMS_APP_ID": "5d6f0e6a-2b1c-4d37-9c55-0a1b2c3d4e5f",
    "TEAMS_TENANT_ID": "11111111-2222-3333-4444-555555555555",
    "TEAMS_APP_SECRET": "abc",
}
ENTRA = {
    "ENTRA_TENANT_ID": "11111111-2222-3333-4444-555555555555",
    "ENTRA_APP_ID": "7e0c9b1a-52f1-4d0e-8a43-6a6b0f6f9c11",
    "ENTRA_APP_SECRET": "abc",
    "ENTRA_PROTECTED_GROUPS": "admins",
}
OIDC = {"OIDC_ISSUER": "https://login.example/company", "OIDC_CLIENT_ID": "deskhand"}
WORK = {
    "BAMBOOHR_COMPANY": "alderfinch",
    "BAMBOOHR_API_KEY": "abc",
    "JIRA_URL": "https://alderfinch.atlassian.net",
    "JIRA_ACCOUNT": "deskhand@alderfinch.example",
    "JIRA_API_TOKEN": "abc",
    "JIRA_SERVICE_DESK": "4",
    "JIRA_REQUEST_TYPE": "25",
    "BACKOFFICE_URL": "https://purchasing.alderfinch.example",
    "BACKOFFICE_TOKEN": "abc",
}
MODEL = {
    "DESKHAND_MODEL_KEY": "sk-1",
    "DESKHAND_MODEL_NAME": "made-up",
    "DESKHAND_MODEL_URL": "https://resource.example",
}
FITTING = {
    "bamboohr_company": "other",
    "bamboohr_url": "https://bamboo.example/api",
    "jira_url": "https://jira.example",
    "backoffice_url": "https://office.example",
    "entra_sign_in": "yes",
    "link_by_mail": "no",
    "oidc_issuer": "https://other.example/company",
    "entra_tenant_id": "11111111-2222-3333-4444-555555555550",
    "entra_credential": "password",
    "entra_app_id": "7e0c9b1a-52f1-4d0e-8a43-6a6b0f6f9c10",
    "entra_groups": "admins=3F2504E0-4F89-11D3-9A0C-0305E82C3301",
    "entra_graph_url": "https://graph.microsoft.us/v1.0",
    "entra_login_url": "https://login.microsoftonline.us",
    "teams_app_id": "5d6f0e6a-2b1c-4d37-9c55-0a1b2c3d4e50",
    "teams_tenant_id": "11111111-2222-3333-4444-555555555550",
    "teams_other_tenants": "11111111-2222-3333-4444-555555555551, 11111111-2222-3333-4444-555555555552",
    "teams_approvals": "19:abc@thread.tacv2",
    "teams_help_desk": "19:def@thread.tacv2",
    "teams_service_url": "https://smba.infra.gcc.teams.microsoft.com/teams",
    "teams_login_url": "https://login.example",
    "teams_openid_url": "https://login.example/openid",
    "ldap_groups": "admins=3F2504E0-4F89-11D3-9A0C-0305E82C3301",
    "data": "/srv/x",
    "public_url": "https://desk.example",
    "reveal_for": "60",
    "model_url": "https://model.example/v1",
    "model_api_version": "2024-10-21",
    "slack_bot_token": "xoxb-2",
    "slack_app_token": "xapp-2",
    "slack_approvals": "C0123456789",
    "slack_help_desk": "C0123456780",
    "slack_api_url": "https://slack-gov.com/api/",
}


def test_every_setting_can_be_set_by_its_name() -> None:
    for each in fields(Settings):
        text = FITTING.get(each.name)
        if text is None:
            text = "7" if isinstance(each.default, int | timedelta) else "/srv/y"
        if each.name == "teams_playground":  # beside no registration: see below
            continue
        directory = ENTRA if each.name.startswith("entra_") else LDAP
        sign_in = OIDC if each.name.startswith("oidc_") else {}
        tls = {"DESKHAND_TLS_CERT_FILE": "/srv/c", "DESKHAND_TLS_KEY_FILE": "/srv/k"}
        beside = {
            **SLACK,
            **TEAMS,
            **directory,
            **sign_in,
            **WORK,
            **MODEL,
            **(tls if each.name.startswith("tls_") else {}),
        }
        set_one = Settings.read({**beside, each.metadata["name"]: text})
        assert getattr(set_one, each.name) != each.default, each.name


def test_every_setting_says_what_it_means() -> None:
    rows = Settings.read({}).rows()
    assert len(rows) == len(fields(Settings))
    assert all(name.startswith(PREFIXES) and meaning for name, _, meaning in rows)


def test_what_is_not_set_is_shown_as_nothing_and_a_switch_as_what_one_would_write() -> None:
    shown = {name: value for name, value, _ in Settings.read({}).rows()}
    assert shown["LDAP_CA_FILE"] == ""
    assert shown["TEAMS_PLAYGROUND"] == "no"
    on = {name: value for name, value, _ in Settings.read({"TEAMS_PLAYGROUND": "yes"}).rows()}
    assert on["TEAMS_PLAYGROUND"] == "yes"


def test_no_token_or_secret_is_ever_printed() -> None:
    canary = {
        "SLACK_BOT_TOKEN": "xoxb-canary",
        "SLACK_APP_TOKEN": "xapp-canary",
        "SLACK_SIGNING_SECRET": "canary",
        **TEAMS,
        "TEAMS_APP_SECRET": "canary",
        **ENTRA,
        "ENTRA_APP_SECRET": "canary",
        **OIDC,
        "OIDC_CLIENT_SECRET": "canary",
    }
    settings = Settings.read(canary)
    assert "canary" not in str(settings.rows())
    assert "canary" not in repr(settings)
    shown = {name: value for name, value, _ in settings.rows()}
    assert shown["SLACK_BOT_TOKEN"] == "(set)"


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"SLACK_BOT_TOKEN": None}, "SLACK_BOT_TOKEN"),
        ({"SLACK_BOT_TOKEN": ""}, "SLACK_BOT_TOKEN"),
        ({"SLACK_BOT_TOKEN": "  "}, "SLACK_BOT_TOKEN"),
        ({"SLACK_BOT_TOKEN": "xoxp-a-persons"}, "SLACK_BOT_TOKEN"),
        ({"SLACK_SIGNING_SECRET": None}, "SLACK_SIGNING_SECRET"),
        ({"SLACK_SIGNING_SECRET": ""}, "SLACK_SIGNING_SECRET"),
        ({"SLACK_SIGNING_SECRET": " \t"}, "SLACK_SIGNING_SECRET"),
        ({"SLACK_APP_TOKEN": ""}, "SLACK_APP_TOKEN"),
        ({"SLACK_APP_TOKEN": "xoxb-1"}, "SLACK_APP_TOKEN"),
        ({"SLACK_APPROVALS_CHANNEL": "#approvals"}, "SLACK_APPROVALS_CHANNEL"),
        ({"SLACK_HELP_DESK_CHANNEL": "#helpers"}, "SLACK_HELP_DESK_CHANNEL"),
        ({"SLACK_HELP_DESK_CHANNEL": " "}, "SLACK_HELP_DESK_CHANNEL"),
        ({"SLACK_APPROVALS_CHANNEL": " "}, "SLACK_APPROVALS_CHANNEL"),
        ({"SLACK_API_URL": "http://slack.com/api/"}, "SLACK_API_URL"),
        ({"SLACK_API_URL": "https://slack.com/api"}, "SLACK_API_URL"),
    ],
)
def test_half_a_connection_to_slack_stops_the_start(changed: dict[str, str | None], named: str) -> None:
    environ = {name: value for name, value in {**SLACK, **changed}.items() if value is not None}
    with pytest.raises(SettingError, match=named):
        Settings.read(environ)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"TEAMS_APP_ID": None}, "TEAMS_APP_ID"),
        ({"TEAMS_APP_ID": ""}, "TEAMS_APP_ID"),
        ({"TEAMS_APP_ID": " "}, "TEAMS_APP_ID"),
        ({"TEAMS_APP_ID": "deskhand"}, "TEAMS_APP_ID"),
        ({"TEAMS_TENANT_ID": None}, "TEAMS_TENANT_ID"),
        ({"TEAMS_TENANT_ID": "common"}, "TEAMS_TENANT_ID"),
        ({"TEAMS_OTHER_TENANTS": "organizations"}, "TEAMS_OTHER_TENANTS"),
        ({"TEAMS_APP_SECRET": None}, "TEAMS_APP_SECRET"),
        ({"TEAMS_APP_SECRET": "\t"}, "TEAMS_APP_SECRET"),
        ({"TEAMS_APPROVALS_CHANNEL": "approvals"}, "TEAMS_APPROVALS_CHANNEL"),
        ({"TEAMS_HELP_DESK_CHANNEL": "helpers"}, "TEAMS_HELP_DESK_CHANNEL"),
        ({"TEAMS_SERVICE_URL": "http://smba.trafficmanager.net/"}, "TEAMS_SERVICE_URL"),
        ({"TEAMS_OPENID_URL": "http://login.example/"}, "TEAMS_OPENID_URL"),
        ({"TEAMS_LOGIN_URL": "http://login.example/"}, "TEAMS_LOGIN_URL"),
        ({"TEAMS_PLAYGROUND": "yes"}, "TEAMS_PLAYGROUND"),
        ({"TEAMS_PLAYGROUND": "perhaps"}, "TEAMS_PLAYGROUND"),
    ],
)
def test_half_a_connection_to_teams_stops_the_start(changed: dict[str, str | None], named: str) -> None:
    environ = {name: value for name, value in {**TEAMS, **changed}.items() if value is not None}
    with pytest.raises(SettingError, match=named):
        Settings.read(environ)


def test_without_an_app_id_there_is_only_the_playground_and_only_on_loopback() -> None:
    assert not Settings.read({}).teams
    assert Settings.read({"TEAMS_PLAYGROUND": "yes"}).teams
    assert not Settings.read({"TEAMS_PLAYGROUND": "no"}).teams
    for outside in ({"DESKHAND_HOST": "0.0.0.0"}, {"DESKHAND_PUBLIC_URL": "https://desk.example"}):  # noqa: S104
        with pytest.raises(SettingError, match="TEAMS_PLAYGROUND"):
            Settings.read({"TEAMS_PLAYGROUND": "yes", **outside})


def test_the_people_of_every_named_tenant_are_ours() -> None:
    other = "99999999-8888-7777-6666-55555555555A"
    assert Settings.read({**TEAMS, "TEAMS_OTHER_TENANTS": other}).teams_tenants == {
        TEAMS["TEAMS_TENANT_ID"],
        other.lower(),
    }


@pytest.mark.parametrize("name", sorted(LDAP))
@pytest.mark.parametrize("value", [None, "", "  "])
def test_half_a_directory_stops_the_start(name: str, value: str | None) -> None:
    environ = {key: text for key, text in {**LDAP, name: value}.items() if text is not None}
    with pytest.raises(SettingError, match=name):
        Settings.read(environ)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"ENTRA_TENANT_ID": None}, "ENTRA_TENANT_ID"),
        ({"ENTRA_TENANT_ID": "common"}, "ENTRA_TENANT_ID"),
        ({"ENTRA_APP_ID": ""}, "ENTRA_APP_ID"),
        ({"ENTRA_APP_ID": "deskhand"}, "ENTRA_APP_ID"),
        ({"ENTRA_APP_SECRET": None}, "ENTRA_APP_SECRET"),
        ({"ENTRA_APP_SECRET": " "}, "ENTRA_APP_SECRET"),
        ({"ENTRA_PROTECTED_GROUPS": None}, "ENTRA_PROTECTED_GROUPS"),
        ({"ENTRA_GROUPS": "admins"}, "ENTRA_GROUPS"),
        ({"ENTRA_GRAPH_URL": "http://graph.example"}, "ENTRA_GRAPH_URL"),
        ({"ENTRA_LOGIN_URL": "http://login.example"}, "ENTRA_LOGIN_URL"),
        ({"ENTRA_CREDENTIAL": "both"}, "ENTRA_CREDENTIAL"),
    ],
)
def test_half_of_entra_stops_the_start(changed: dict[str, str | None], named: str) -> None:
    environ = {name: value for name, value in {**ENTRA, **changed}.items() if value is not None}
    with pytest.raises(SettingError, match=named):
        Settings.read(environ)


def test_names_of_groups_are_bound_to_ids() -> None:
    pairs = "helpdesk-admins=3F2504E0-4F89-11D3-9A0C-0305E82C3301, b=3f2504e0-4f89-11d3-9a0c-0305e82c3302"
    names = Settings.read({**LDAP, "LDAP_GROUPS": pairs}).ldap_group_names
    assert names["helpdesk-admins"] == "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
    for wrong in ("admins", "admins=cn=admins", "admins=123", "=3f2504e0-4f89-11d3-9a0c-0305e82c3301"):
        with pytest.raises(SettingError, match="LDAP_GROUPS"):
            Settings.read({**LDAP, "LDAP_GROUPS": wrong})


def test_of_two_ways_to_slack_either_is_enough() -> None:
    assert Settings.read(SLACK).slack
    assert Settings.read({"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}).slack
    assert not Settings.read({}).slack


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


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"OIDC_CLIENT_ID": None}, "OIDC_CLIENT_ID"),
        ({"OIDC_CLIENT_SECRET": " "}, "OIDC_CLIENT_SECRET"),
        ({"OIDC_ISSUER": "http://login.example/company"}, "OIDC_ISSUER"),
        ({**ENTRA, "ENTRA_SIGN_IN": "yes"}, "one of them"),
        ({"OIDC_ISSUER": None, "OIDC_CLIENT_ID": None, "ENTRA_SIGN_IN": "yes"}, "ENTRA_TENANT_ID"),
        ({"DESKHAND_TLS_CERT_FILE": "/srv/c"}, "DESKHAND_TLS_KEY_FILE"),
        ({"DESKHAND_VERIFY_WITHIN_S": "901"}, "DESKHAND_VERIFY_WITHIN_S"),
    ],
)
def test_half_of_a_sign_in_stops_the_start(changed: dict[str, str | None], named: str) -> None:
    environ = {name: value for name, value in {**OIDC, **changed}.items() if value is not None}
    with pytest.raises(SettingError, match=named):
        Settings.read(environ)


def test_the_desk_goes_beyond_loopback_only_where_people_sign_in_over_tls() -> None:
    public = {"DESKHAND_PUBLIC_URL": "https://desk.example"}
    assert Settings.read({**OIDC, **public}).beyond_loopback
    assert Settings.read({**ENTRA, "ENTRA_SIGN_IN": "yes", **public}).beyond_loopback
    assert not Settings.read(public).beyond_loopback
    assert not Settings.read(OIDC).beyond_loopback
    assert not Settings.read({**OIDC, "DESKHAND_PUBLIC_URL": "http://127.0.0.1:8080"}).beyond_loopback


def test_object_ids_are_people_where_entra_is_the_directory_of_record_alone() -> None:
    assert Settings.read(ENTRA).directory_tenant == ENTRA["ENTRA_TENANT_ID"]
    assert Settings.read({**LDAP, **ENTRA}).directory_tenant == ""
    assert Settings.read({}).directory_tenant == ""


def test_active_directory_of_record_may_have_entra_beside_it() -> None:
    both = Settings.read({**LDAP, **ENTRA})
    assert both.ldap_url
    assert both.entra


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"BAMBOOHR_COMPANY": "alderfinch"}, "BAMBOOHR_API_KEY: needed beside BAMBOOHR_COMPANY"),
        (
            {"JIRA_URL": "https://x.example"},
            "JIRA_ACCOUNT, JIRA_API_TOKEN, JIRA_SERVICE_DESK, JIRA_REQUEST_TYPE",
        ),
        ({"BACKOFFICE_TOKEN": "abc"}, "BACKOFFICE_URL: needed beside BACKOFFICE_TOKEN"),
        ({**WORK, "BAMBOOHR_COMPANY": "a/../b"}, "BAMBOOHR_COMPANY: takes the COMPANY of"),
        ({**WORK, "JIRA_URL": "http://jira.example"}, "JIRA_URL: takes an https address"),
        ({**WORK, "JIRA_API_TOKEN": " "}, "JIRA_API_TOKEN: is empty"),
    ],
)
def test_a_system_of_work_is_connected_whole_or_not_at_all(wrong: dict[str, str], says: str) -> None:
    with pytest.raises(SettingError, match=says):
        Settings.read(wrong)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"DESKHAND_MODEL_KEY": None}, "DESKHAND_MODEL_KEY"),
        ({"DESKHAND_MODEL_KEY": " "}, "DESKHAND_MODEL_KEY"),
        ({"DESKHAND_MODEL_NAME": None}, "DESKHAND_MODEL_NAME"),
        ({"DESKHAND_MODEL_NAME": ""}, "DESKHAND_MODEL_NAME"),
        ({"DESKHAND_MODEL_URL": ""}, "DESKHAND_MODEL_URL"),
        ({"DESKHAND_MODEL_URL": "http://model.example/v1"}, "DESKHAND_MODEL_URL"),
        ({"DESKHAND_MODEL_URL": None, "DESKHAND_MODEL_API_VERSION": "2024-10-21"}, "DESKHAND_MODEL_URL"),
        ({"DESKHAND_MODEL_KEY": None, "DESKHAND_MODEL_NAME": None}, "DESKHAND_MODEL_KEY"),
        ({"DESKHAND_MODEL_DEADLINE_S": "31"}, "DESKHAND_MODEL_DEADLINE_S"),
        ({"DESKHAND_MODEL_DAILY": "0"}, "DESKHAND_MODEL_DAILY"),
    ],
)
def test_half_a_model_stops_the_start(changed: dict[str, str | None], named: str) -> None:
    environ = {name: value for name, value in {**MODEL, **changed}.items() if value is not None}
    with pytest.raises(SettingError, match=named):
        Settings.read(environ)


def test_a_model_on_this_machine_needs_no_tls_and_its_key_is_never_shown() -> None:
    settings = Settings.read({**MODEL, "DESKHAND_MODEL_URL": "http://127.0.0.1:11434/v1"})
    assert settings.model
    assert "sk-1" not in str(settings.rows()) + repr(settings)
    assert not Settings.read({}).model
