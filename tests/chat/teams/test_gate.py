"""The entrance for Teams: who does not get in, and that nothing of what they sent is kept."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.envelope import BadEnvelope
from bot.chat.teams import gate
from bot.chat.teams.keys import Keys, KeysDown
from bot.store.database import StorageDown
from tests.house import MONDAY, Clock
from tests.servers.teams.server import APP_ID, TENANT, FakeTeams, signing_key
from tests.servers.teams.state import ELSEWHERE, Body
from tests.teams_house import Team, object_id, team

CANARY = "canary-7f3a"
JSON = {"content-type": "application/json"}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Team]:
    async with team(tmp_path / "data", clock=Clock.at(MONDAY)) as running:
        yield running
        assert not running.house.events("inbound.failed"), "a fault of ours"


def _said(desk: Team, **changed: Any) -> Body:
    """A good message of Ana's, but for these."""
    room = desk.teams.state.personal(desk.user("ana"))
    activity = desk.teams.activity("message", object_id("ana"), room, text=f"unlock my account {CANARY}")
    for name, value in changed.items():
        activity.pop(name, None)
        if value is not None:
            activity[name] = value
    return activity


def bad_tokens(teams: FakeTeams) -> dict[str, list[str]]:
    """What is wrong -> the Authorization headers."""
    now = int(time.time())
    public = base64.b64encode(repr(signing_key("k1").public_key().public_numbers()).encode()).decode()
    head = base64.urlsafe_b64encode(b'{"alg":"RS256","kid":"k1"}').decode().rstrip("=")
    nothing = base64.urlsafe_b64encode(b'{"alg":"none","kid":"k1","typ":"JWT"}').decode().rstrip("=")
    claims = teams.token().split(".")[1]
    made = {
        "by a key that is not Microsoft's": teams.token(key=signing_key("mallory")),
        "of a key id that nobody knows": teams.token("mallory"),
        "without a key id": teams.token("", key=signing_key("k1")),
        "not signed": f"{nothing}.{claims}.",
        "signed with the public key": teams.token(key=public, algorithm="HS256"),
        "of another algorithm": teams.token(algorithm="RS384"),
        "by a key that may not speak for Teams": teams.token("k2"),
        "of another issuer": teams.token(iss=f"https://sts.windows.net/{TENANT}/"),
        "without an issuer": teams.token(iss=None),
        "for another bot": teams.token(aud=ELSEWHERE),
        "for several": teams.token(aud=[APP_ID, ELSEWHERE]),
        "for nobody": teams.token(aud=None),
        "for nobody by name": teams.token(aud=""),
        "without an end": teams.token(exp=None),
        "that ended two minutes ago": teams.token(exp=now - 120),
        "that ended long ago": teams.token(exp=now - 4000),
        "that ends never": teams.token(exp=now + 10**9),
        "whose end is no time": teams.token(exp="later"),
        "that begins tomorrow": teams.token(nbf=now + 86_400),
        "without a service": teams.token(serviceurl=None),
        "with a service that is none": teams.token(serviceurl=[teams.service_url]),
        "with another service": teams.token(serviceurl="https://smba.trafficmanager.net/emea/"),
        "with a tampered claim": _tampered(teams.token()),
        "with claims that are none": f"{head}.{'A' * 40}.AAAA",
        "that is too long": teams.token(padding="x" * 20_000),
        "that is none": "abc",
        "that is empty": "",
        "of odd letters": "\xc3\xa4.b.c",
    }
    headers = {name: [f"Bearer {token}"] for name, token in made.items()}
    good = f"Bearer {teams.token()}"
    return headers | {
        "no header": [],
        "the header twice": [good, good],
        "another scheme": [f"Basic {teams.token()}"],
        "no scheme": [teams.token()],
    }


def _tampered(token: str) -> str:
    head, claims, signature = token.split(".")
    said = json.loads(base64.urlsafe_b64decode(claims + "=="))
    said["serviceurl"] += "x"
    return f"{head}.{base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip('=')}.{signature}"


class TestTheDoor:
    async def test_no_bad_token_gets_in_and_nothing_of_it_is_kept(
        self, desk: Team, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        before = len(desk.house.events())
        body = json.dumps(_said(desk)).encode()
        tokens = bad_tokens(desk.teams)
        assert len(tokens) >= 25
        for why, headers in tokens.items():
            pairs = [("content-type", "application/json"), *(("authorization", h) for h in headers)]
            assert await _posted(desk, body, pairs) == (401, ""), why
        await desk.house.quiet()
        said = capfd.readouterr()
        assert CANARY not in said.out + said.err + caplog.text
        assert "eyJ" not in said.out + said.err + caplog.text, "no token in the log"
        assert len(desk.house.events()) == before
        assert not desk.teams.calls, "and Microsoft was asked for nothing"

    async def test_with_a_good_token_it_would_have_been_taken(self, desk: Team) -> None:
        await desk.teams.deliver(_said(desk))
        await desk.house.quiet()
        assert "account" in desk.sees("ana")

    @pytest.mark.parametrize(
        ("status", "changed"),
        [
            (401, {"serviceUrl": "http://127.0.0.1:9/teams/"}),
            (401, {"serviceUrl": "https://evil.example/"}),
            (401, {"channelId": "webchat"}),
            (401, {"channelId": "emulator"}),
            (401, {"recipient": {"id": f"28:{ELSEWHERE}"}}),
            (401, {"recipient": {"id": APP_ID}}),
            (403, {"conversation": {"id": "a:1", "conversationType": "personal", "tenantId": ELSEWHERE}}),
            (403, {"channelData": {"tenant": {"id": ELSEWHERE}}}),
            (403, {"channelData": None, "conversation": {"id": "a:1", "conversationType": "personal"}}),
            (400, {"serviceUrl": None}),
            (400, {"serviceUrl": 7}),
            (400, {"serviceUrl": ""}),
            (400, {"channelId": None}),
            (400, {"type": None}),
            (400, {"type": ["message"]}),
            (400, {"id": None}),
            (400, {"id": ""}),
            (400, {"id": "x" * 300}),
            (400, {"id": {"a": 1}}),
            (400, {"from": "ana"}),
            (400, {"from": None}),
            (400, {"from": {"id": 7}}),
            (400, {"conversation": [1]}),
            (400, {"conversation": {"id": ""}}),
            (400, {"conversation": {"id": "19:" + "x" * 300}}),
            (400, {"entities": "x"}),
            (400, {"entities": [7]}),
            (400, {"text": 7}),
            (400, {"value": [1]}),
            (400, {"channelData": [1]}),
            (400, {"membersAdded": {"id": "x"}}),
        ],
    )
    async def test_what_the_body_claims_is_held_against_the_token(
        self, desk: Team, status: int, changed: Body
    ) -> None:
        before = len(desk.house.events())
        headers = [*JSON.items(), ("authorization", f"Bearer {desk.teams.token()}")]
        assert await _posted(desk, json.dumps(_said(desk, **changed)).encode(), headers) == (status, "")
        assert len(desk.house.events()) == before

    @pytest.mark.parametrize(
        "url",
        [
            "https://evil.example/teams/",
            "https://smba.trafficmanager.net@evil.example/",
            "https://smba.trafficmanager.net:444/teams/",
            "https://smba.trafficmanager.net.evil.example/",
            "http://smba.trafficmanager.net/teams/",
            "https://smba.trafficmanager.net\\@evil.example/",
            "https://smba.trafficmanager.net/../../x",
            "https://smba.trafficmanager.net/teams?x=@evil.example",
            "https://smba.trafficmanager.net#@evil.example",
            "https://ѕmba.trafficmanager.net/",
            "//smba.trafficmanager.net/",
            "https://[::1/",
            "file:///etc/passwd",
        ],
    )
    async def test_even_a_good_token_names_no_service_but_microsofts(self, desk: Team, url: str) -> None:
        body = json.dumps(_said(desk, serviceUrl=url)).encode()
        headers = [*JSON.items(), ("authorization", f"Bearer {desk.teams.token(serviceurl=url)}")]
        assert await _posted(desk, body, headers) == (401, "")

    async def test_bytes_that_are_no_activity(self, desk: Team) -> None:
        proof = ("authorization", f"Bearer {desk.teams.token()}")
        for body, kind, status in (
            (b"", "application/json", 400),
            (b"null", "application/json", 400),
            (f'"{CANARY}"'.encode(), "application/json", 400),
            (b"\xff\xfe{}", "application/json", 400),
            (b'{"a":' * 40_000, "application/json", 413),
            (json.dumps({"text": CANARY * 24_000}).encode(), "application/json", 413),
            (json.dumps(_said(desk)).encode(), "text/plain", 415),
            (json.dumps(_said(desk)).encode(), "application/x-www-form-urlencoded", 415),
        ):
            assert await _posted(desk, body, [("content-type", kind), proof]) == (status, "")

    @pytest.mark.parametrize(
        "changed",
        [
            {"type": "messageUpdate"},
            {"type": "messageDelete"},
            {"type": "messageReaction"},
            {"type": "event"},
            {"type": "typing"},
            {"type": "endOfConversation"},
            {"type": "x\x00y"},
            {"text": None},
            {"text": ""},
            {"from": {"id": "28:another-bot", "name": "Bot"}},
            {"from": {"id": "29:1x", "name": "Ana Ruiz"}},
            {"from": {"id": "29:1x", "aadObjectId": "ana"}},
            {"type": "conversationUpdate"},
        ],
    )
    async def test_what_is_not_for_us_is_taken_and_does_nothing(self, desk: Team, changed: Body) -> None:
        before = len(desk.house.events())
        answer = await desk.teams.deliver(_said(desk, **changed))
        await desk.house.quiet()
        assert (answer.status, answer.body) == (200, {})
        assert len(desk.house.events()) == before
        assert not desk.teams.dm(object_id("ana"))

    async def test_an_invoke_that_is_no_press_is_not_implemented(self, desk: Team) -> None:
        answer = await desk.teams.deliver(_said(desk, type="invoke", name="signin/verifyState"))
        assert answer.status == 501

    @pytest.mark.parametrize(
        "value",
        [
            None,
            {},
            {"action": "x"},
            {"action": {"data": "x"}},
            {"action": {"data": {"handle": 7}}},
            {"action": {"data": {"handle": ""}}},
            {"action": {"data": {"handle": "x" * 65}}},
            {"action": {"data": {"handle": "0" * 32}}},
            {"action": {"data": {"handle": "'; --", "in.reason": {"a": 1}, "in.x": None}}},
        ],
    )
    async def test_a_press_of_nothing_we_made_says_so(self, desk: Team, value: Any) -> None:
        press = _said(desk, type="invoke", name="adaptiveCard/action", value=value, text=None)
        answer = await desk.teams.deliver(press)
        assert answer.status == 200
        assert "This button does not work (any more)." in answer.body["value"]

    async def test_other_methods_lead_nowhere(self, desk: Team) -> None:
        async with desk.house.browser() as browser:
            assert (await browser.get("/api/messages")).status_code in (404, 405)
            assert (await browser.post("/api/messages/x")).status_code in (403, 404)


async def _posted(desk: Team, body: bytes, headers: list[tuple[str, str]]) -> tuple[int, str]:
    """With headers that may stand there twice, byte for byte."""
    host, _, rest = desk.teams.bot_url.removeprefix("http://").partition("/")
    reader, writer = await asyncio.open_connection(*host.split(":"))
    lines = [f"POST /{rest} HTTP/1.1", f"host: {host}", f"content-length: {len(body)}", "connection: close"]
    lines += [f"{name}: {value}" for name, value in headers]
    writer.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
    raw = await reader.read()
    writer.close()
    await writer.wait_closed()
    head, _, said = raw.partition(b"\r\n\r\n")
    return int(head.split()[1]), said.decode()


class TestWhatIsOurFault:
    async def test_while_keys_cannot_be_read_nobody_is_let_in_and_it_is_503(self, tmp_path: Path) -> None:
        async with team(tmp_path / "data", clock=Clock.at(MONDAY)) as desk:
            desk.teams.keys_down = True
            assert (await desk.teams.deliver(_said(desk))).status == 503
            desk.teams.keys_down = False
            keys = desk.house.app.chats[0]._keys  # type: ignore[attr-defined]
            keys._tried_at = float("-inf")
            assert (await desk.teams.deliver(_said(desk))).status == 200
            await desk.house.quiet()

    async def test_until_there_is_storage_it_is_503(self, desk: Team) -> None:
        desk.house.app.ready.clear()
        assert (await desk.teams.deliver(_said(desk))).status == 503
        desk.house.app.ready.set()

    async def test_what_cannot_be_stored_is_503_never_500(
        self, desk: Team, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await desk.says("ana", "I need figma for two weeks")

        def full(*args: Any) -> bool:
            raise StorageDown("full")

        monkeypatch.setattr(desk.house.app.desk._inbox, "put", full)
        answer = await desk.teams.deliver(_said(desk))
        assert answer.status == 503
        pressed = await desk.press("ana", "Yes, do it")
        assert pressed.status == 503
        assert not await desk.house.has("ana", "figma-editors")

    async def test_a_fault_of_ours_is_503_and_stands_in_the_log(
        self, desk: Team, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        async def broken(*args: Any) -> Any:
            raise RuntimeError("a fault")

        monkeypatch.setattr(desk.house.app.chats[0]._listener._handler, "_receive", broken)  # type: ignore[attr-defined]
        assert (await desk.teams.deliver(_said(desk))).status == 503
        assert "a fault" in "".join(capfd.readouterr())


class TestKeys:
    async def test_they_are_read_once_and_again_when_a_new_one_appears(self) -> None:
        with FakeTeams.running() as teams:
            now = [1000.0]
            keys = Keys(teams.openid_url, now=lambda: now[0])
            assert await keys.find("k1")
            teams.endorsements["k3"] = ["msteams"]
            assert await keys.find("k3") is None, "whoever makes up key ids does not make us ask each time"
            now[0] += 61
            assert await keys.find("k3")

    async def test_where_microsoft_does_not_answer_the_old_ones_count_for_a_while(self) -> None:
        with FakeTeams.running() as teams:
            now = [1000.0]
            keys = Keys(teams.openid_url, now=lambda: now[0])
            assert await keys.find("k1")
            teams.keys_down = True
            now[0] += 25 * 3600
            assert await keys.find("k1")
            with pytest.raises(KeysDown):
                await keys.find("k9")
            now[0] += 49 * 3600
            with pytest.raises(KeysDown):
                await keys.find("k1")

    async def test_a_withdrawn_key_is_gone_after_a_day(self) -> None:
        with FakeTeams.running() as teams:
            now = [1000.0]
            keys = Keys(teams.openid_url, now=lambda: now[0])
            assert await keys.find("k2")
            del teams.endorsements["k2"]
            now[0] += 25 * 3600
            assert await keys.find("k2") is None

    async def test_an_odd_key_is_no_reason_to_lose_the_others(self) -> None:
        with FakeTeams.running() as teams:
            keys = Keys(teams.openid_url)
            key = await keys.find("k1")
            assert key
            assert key.endorsements == {"msteams", "webchat"}
            assert await keys.find("odd") is None
            assert await keys.find("broken") is None


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda deeper: st.lists(deeper, max_size=3) | st.dictionaries(st.text(max_size=12), deeper, max_size=4),
    max_leaves=12,
)
_NAMES = st.sampled_from(
    "type id serviceUrl channelId from recipient conversation name text value entities channelData".split()
)


class TestAnything:
    @given(st.dictionaries(_NAMES, _JSON))
    def test_a_body_is_an_activity_or_a_400(self, body: dict[str, Any]) -> None:
        try:
            said = gate.read(body)
        except BadEnvelope as refused:
            status = refused.status
        else:
            status = 400
            assert isinstance(gate.unwanted(said, gate.Home(APP_ID, frozenset(), frozenset())), str)
        assert status == 400

    @given(st.text())
    def test_a_service_is_an_address_or_nothing(self, url: str) -> None:
        origin = gate.service(url)
        assert not origin or url.lower().lstrip().startswith(origin.lower())

    def test_the_playground_has_to_be_on_this_machine(self) -> None:
        base = {
            "type": "message",
            "id": "1",
            "channelId": "msteams",
            "from": {"id": "u", "aadObjectId": "0-0"},
            "recipient": {"id": "b"},
            "conversation": {"id": "c"},
        }
        good = gate.read({**base, "serviceUrl": "http://localhost:56150/_connector"})
        gate.admit_playground(good, "127.0.0.1:8080")
        for host in ("evil.example:8080", "", "127.0.0.1", "127.0.0.1.evil.example:8080"):
            with pytest.raises(BadEnvelope):
                gate.admit_playground(good, host)
        for url in (
            "http://localhost.evil.example:80/",
            "http://192.168.1.1:80/",
            "https://smba.trafficmanager.net/teams/",
            "http://evil.example:80/127.0.0.1",
            "http://127.0.0.1@evil.example:80/",
        ):
            with pytest.raises(BadEnvelope):
                gate.admit_playground(gate.read({**base, "serviceUrl": url}), "127.0.0.1:8080")


def test_pyjwt_refuses_what_we_rely_on() -> None:
    """The library's strictness is part of the door: an upgrade that loosens it turns this red."""
    key = signing_key("k1")
    options: Any = {"require": ["exp", "iss", "aud"], "strict_aud": True}
    for claims in (
        {"iss": "i", "aud": ["a"], "exp": 9e9},
        {"iss": "i", "aud": "a"},
        {"iss": "j", "aud": "a", "exp": 9e9},
    ):
        token = jwt.encode(claims, key, algorithm="RS256")
        with pytest.raises(jwt.PyJWTError):
            jwt.decode(
                token, key.public_key(), algorithms=["RS256"], audience="a", issuer="i", options=options
            )
