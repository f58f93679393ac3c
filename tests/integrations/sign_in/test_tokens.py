"""Signing in, at Microsoft (msal) and at any OpenID provider (Authlib): one good way, and every bad token."""

from __future__ import annotations

import base64
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from integrations.contract import SignedIn, SignIn, SignInRefused, SystemDown
from integrations.entra import Entra
from integrations.openid import OpenId, OpenIdSettings
from tests.contracts.entra_world import settings_of
from tests.servers.entra.graph import FakeGraph, person_id
from tests.servers.openid import CLIENT_ID, CLIENT_SECRET, Claims, FakeOpenId, Provider

BACK = "http://127.0.0.1:8080/sign-in/callback"
STATE = "state-of-this-browser"
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Side:
    """One kind of sign-in with its provider."""

    port: SignIn
    idp: Provider

    async def sign_in(self, login: str = "ana", **code: Any) -> SignedIn:
        begun = await self.port.begin(BACK, STATE)
        return await self.port.finish(_stored(begun.kept), self.idp.code_for(login, begun.url, **code))


def _stored(kept: Any) -> Any:
    """As it is after a restart: it went through JSON."""
    return json.loads(json.dumps(dict(kept)))


@pytest.fixture(params=["openid", "entra"])
def side(request: pytest.FixtureRequest) -> Iterator[Side]:
    if request.param == "openid":
        with FakeOpenId.running() as server:
            settings = OpenIdSettings(
                server.issuer, CLIENT_ID, CLIENT_SECRET, ca_file=server.certificates.ca_file
            )
            server.idp.redirects = {BACK}
            yield Side(OpenId(settings), server.idp)
    else:
        with FakeGraph.running() as graph:
            entra = Entra(settings_of(graph))
            graph.login.idp.redirects = {BACK}
            yield Side(entra.sign_in, graph.login.idp)
            entra.close()


@pytest.fixture
async def openid() -> AsyncIterator[tuple[FakeOpenId, OpenIdSettings]]:
    with FakeOpenId.running() as server:
        server.idp.redirects = {BACK}
        yield (
            server,
            OpenIdSettings(server.issuer, CLIENT_ID, CLIENT_SECRET, ca_file=server.certificates.ca_file),
        )


async def test_a_sign_in_says_who_it_was_and_when(side: Side) -> None:
    signed_in = await side.sign_in()
    assert (signed_in.account, signed_in.person, signed_in.mail) in (
        ("op|ana", "", "ana.ruiz@alderfinch.example"),
        (person_id("ana"), person_id("ana"), ""),
    )
    assert abs(signed_in.at.timestamp() - time.time()) < 5


async def test_what_is_asked_of_the_provider(side: Side) -> None:
    begun = await side.port.begin(BACK, STATE, hint="ana@alderfinch.example")
    for asked in ("code_challenge_method=S256", "prompt=login", "max_age=0", "nonce=", f"state={STATE}"):
        assert asked in begun.url
    assert "offline_access" not in begun.url, "no token outlives the sign-in"
    relaxed = await side.port.begin(BACK, STATE, fresh=False)
    assert "prompt=login" not in relaxed.url


async def test_no_two_sign_ins_are_alike(side: Side) -> None:
    first, second = await side.port.begin(BACK, STATE), await side.port.begin(BACK, STATE)
    assert first.url != second.url
    assert "verifier" not in repr(first), "what is secret until then is not printed"


BAD_CLAIMS: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://login.evil.example/v2.0"},
    "no issuer": {"iss": None},
    "another audience": {"aud": "another-app"},
    "a list of other audiences": {"aud": ["another-app"]},
    "no audience": {"aud": None},
    "ours among others, meant for another": {
        "aud": ["deskhand", "7e0c9b1a-52f1-4d0e-8a43-6a6b0f6f9c11", "other"],
        "azp": "other",
    },
    "meant for another": {"azp": "another-app"},
    "the nonce of another sign-in": {"nonce": "of-another-sign-in"},
    "no nonce": {"nonce": None},
    "expired": {"exp": 1_700_000_000},
    "no expiry": {"exp": None},
    "no time of issue": {"iat": None},
    "not yet": {"nbf": int(time.time()) + 3600},
    "nobody": {"sub": None},
    "a number for somebody": {"sub": 7},
    "no time of the sign-in": {"auth_time": None},
    "an old sign-in": {"auth_time": int(time.time()) - 900},
    "a sign-in to come": {"auth_time": int(time.time()) + 900},
    "a word for its time": {"auth_time": "now"},
    "yes for its time": {"auth_time": True},
}


@pytest.mark.parametrize("wrong", BAD_CLAIMS.values(), ids=BAD_CLAIMS)
async def test_a_token_with_a_wrong_claim_is_refused(
    side: Side, wrong: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    side.idp.wrong = wrong
    with pytest.raises(SignInRefused) as refused:
        await side.sign_in()
    told = f"{refused.value} {refused.value.__cause__} {caplog.text}"
    assert "ana.ruiz" not in told
    assert "op|ana" not in told, "what a token says of somebody stands in no error and no log"


def _none(claims: Claims) -> str:
    return jwt.encode(claims, None, algorithm="none")  # type: ignore[arg-type]  # no key is the point


def _with_public_key_as_secret(claims: Claims) -> str:
    return jwt.encode(claims, "a secret that anybody may know, of 32 bytes", algorithm="HS256")


def _by_somebody_else(claims: Claims) -> str:
    return jwt.encode(claims, OTHER_KEY, algorithm="RS256")


def _changed(claims: Claims) -> str:
    head, _, tail = jwt.encode(claims, OTHER_KEY, algorithm="RS256").split(".")
    other = base64.urlsafe_b64encode(json.dumps({**claims, "sub": "op|mei"}).encode()).decode().rstrip("=")
    return f"{head}.{other}.{tail}"


def _key_of_its_own(claims: Claims) -> str:
    """It brings the key along with which it is to be believed."""
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(OTHER_KEY.public_key()))
    return jwt.encode(claims, OTHER_KEY, algorithm="RS256", headers={"jwk": public})


def _nothing(claims: Claims) -> str:
    return ""


def _no_token(claims: Claims) -> str:
    return "not.a.token"


def _endless(claims: Claims) -> str:
    return "x" * 40_000


FORGED: list[Callable[[Claims], str]] = [
    _none,
    _with_public_key_as_secret,
    _by_somebody_else,
    _changed,
    _key_of_its_own,
    _nothing,
    _no_token,
    _endless,
]


@pytest.mark.parametrize("forged", FORGED)
async def test_a_token_that_the_provider_did_not_sign_is_refused(
    side: Side, forged: Callable[[Claims], str]
) -> None:
    side.idp.forged = forged
    with pytest.raises((SignInRefused, SystemDown)):
        await side.sign_in()


async def test_a_token_for_another_that_names_us_as_the_party_is_refused(side: Side) -> None:
    side.idp.wrong = {"aud": "another-app", "azp": side.idp.client_id}
    with pytest.raises(SignInRefused, match="aud"):
        await side.sign_in()


async def test_keys_that_changed_are_read_anew(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    await side.sign_in()
    side.idp.new_key()
    monkeypatch.setattr("integrations.issuer._AGAIN_S", 0.0)
    await side.sign_in()


class TestTheAnswer:
    """What the browser brings back is anybody's."""

    async def test_a_code_counts_once(self, side: Side) -> None:
        begun = await side.port.begin(BACK, STATE)
        answer = side.idp.code_for("ana", begun.url)
        await side.port.finish(_stored(begun.kept), answer)
        with pytest.raises(SignInRefused):
            await side.port.finish(_stored(begun.kept), answer)

    async def test_a_code_of_another_sign_in_is_refused(self, side: Side) -> None:
        mine, theirs = await side.port.begin(BACK, STATE), await side.port.begin(BACK, STATE)
        with pytest.raises(SignInRefused):  # another verifier, another nonce
            await side.port.finish(_stored(mine.kept), side.idp.code_for("mei", theirs.url))

    @pytest.mark.parametrize(
        "answer",
        [
            {"state": STATE},
            {"state": STATE, "code": ""},
            {"state": STATE, "code": "made-up"},
            {"state": STATE, "error": "access_denied", "error_description": "<script>"},
            {"state": STATE, "error": "<b>x</b>", "code": "also"},
        ],
        ids=str,
    )
    async def test_no_code_no_sign_in(self, side: Side, answer: dict[str, str]) -> None:
        begun = await side.port.begin(BACK, STATE)
        with pytest.raises(SignInRefused) as refused:
            await side.port.finish(_stored(begun.kept), answer)
        assert "<" not in str(refused.value)

    async def test_a_stale_sign_in_at_the_provider_is_no_fresh_one(self, side: Side) -> None:
        with pytest.raises(SignInRefused, match="older sign-in"):
            await side.sign_in(auth_time=time.time() - 600)


class TestAProviderOnABadDay:
    async def test_silent(self, side: Side) -> None:
        begun = await side.port.begin(BACK, STATE)
        answer = side.idp.code_for("ana", begun.url)
        side.idp.down = True
        with pytest.raises((SystemDown, SignInRefused)):
            await side.port.finish(_stored(begun.kept), answer)
        side.idp.down = False
        await side.sign_in()  # and everything is as before

    async def test_a_certificate_of_somebody_else(self, openid: tuple[FakeOpenId, OpenIdSettings]) -> None:
        _, settings = openid
        with pytest.raises(SystemDown):
            await OpenId(OpenIdSettings(settings.issuer, CLIENT_ID, CLIENT_SECRET)).begin(BACK, STATE)

    async def test_metadata_of_another_issuer(self, openid: tuple[FakeOpenId, OpenIdSettings]) -> None:
        server, settings = openid
        address = server.idp.base()
        server.idp.base = lambda: "https://login.evil.example"
        with pytest.raises(SignInRefused, match="another issuer"):
            await OpenId(settings).begin(BACK, STATE)
        server.idp.base = lambda: address

    @pytest.mark.parametrize(
        "name", ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"]
    )
    async def test_an_endpoint_in_the_clear(
        self, openid: tuple[FakeOpenId, OpenIdSettings], name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server, settings = openid
        said = {**server.idp.metadata(), name: "http://login.evil.example/x"}
        monkeypatch.setattr(server.idp, "metadata", lambda: said)
        with pytest.raises(SignInRefused, match=name):
            await OpenId(settings).begin(BACK, STATE)


class TestOpenId:
    async def test_mail_counts_only_where_the_provider_confirmed_it(
        self, openid: tuple[FakeOpenId, OpenIdSettings]
    ) -> None:
        server, settings = openid
        side = Side(OpenId(settings), server.idp)
        for said in (False, None, "true", 1):
            server.idp.wrong = {"email_verified": said}
            assert (await side.sign_in()).mail == ""

    async def test_mail_may_stand_in_userinfo_alone(self, openid: tuple[FakeOpenId, OpenIdSettings]) -> None:
        server, settings = openid
        server.idp.in_userinfo_only = True
        side = Side(OpenId(settings), server.idp)
        assert (await side.sign_in()).mail == "ana.ruiz@alderfinch.example"
        server.idp.userinfo_sub = "op|mei"
        with pytest.raises(SignInRefused, match="somebody else"):
            await side.sign_in()

    async def test_a_claim_can_name_the_person(self, openid: tuple[FakeOpenId, OpenIdSettings]) -> None:
        server, settings = openid
        server.idp.accounts["ana"]["employee_uuid"] = "p-7"
        claim = OpenIdSettings(
            settings.issuer,
            CLIENT_ID,
            CLIENT_SECRET,
            person_claim="employee_uuid",
            ca_file=settings.ca_file,
        )
        side = Side(OpenId(claim), server.idp)
        assert (await side.sign_in()).person == "p-7"
        assert (await side.sign_in()).mail == "", "and no address does"
        for said in (None, "", 7):
            server.idp.accounts["mei"]["employee_uuid"] = said
            with pytest.raises(SignInRefused, match="employee_uuid"):
                await side.sign_in("mei")

    async def test_the_answer_of_another_provider_is_refused(
        self, openid: tuple[FakeOpenId, OpenIdSettings]
    ) -> None:
        server, settings = openid
        port = OpenId(settings)
        begun = await port.begin(BACK, STATE)
        answer = server.idp.code_for("ana", begun.url) | {"iss": "https://login.evil.example"}
        with pytest.raises(SignInRefused, match="another provider"):
            await port.finish(_stored(begun.kept), answer)


@pytest.mark.parametrize("side", ["entra"], indirect=True)
async def test_an_account_of_another_tenant_is_refused(side: Side) -> None:
    for wrong in ({"tid": "99999999-3333-4444-5555-666666666666"}, {"tid": None}, {"oid": None}):
        side.idp.wrong = wrong
        with pytest.raises(SignInRefused, match="tenant"):
            await side.sign_in()
