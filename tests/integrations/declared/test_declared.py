"""Look-ups by declaration: what is refused when it is read, where a connection may go, what is shown."""

from __future__ import annotations

import asyncio
import ipaddress
import itertools
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import anyio
import pytest
import yaml
from aiohttp import web

from bot.intent.phrases import word_of
from bot.procedures.action import Slot as ActionSlot
from bot.procedures.action import SlotKind
from integrations.contract import PermissionRefused, Person, SystemDown
from integrations.declared import DeclaredError, Fetcher, NotFound, load
from integrations.declared.address import Template, TemplateError, public
from integrations.declared.spec import LookUp
from tests.servers.certificates import Certificates

ME = Person("id-of-ana", "ana", "ana@alderfinch.example", "Ana Ruiz")
EXAMPLES = Path("integrations/declared/examples")
GOOD: dict[str, Any] = {
    "name": "order_status",
    "title": "Where an order is",
    "phrases": ["where is my order {order}"],
    "slots": {"order": {"ask": "Which order?", "pattern": "[A-Z]{2}-[0-9]{6}"}},
    "url": "https://orders.example.com/v1/{order}?who={me.id}",
    "hosts": ["orders.example.com"],
    "says": "status",
    "facts": {"Arrives": "delivery.on"},
}


def written(folder: Path, token: str = "", /, **changed: Any) -> Path:
    """A folder with the good look-up, changed; None takes a field out."""
    folder.mkdir(exist_ok=True)
    said = {name: value for name, value in {**GOOD, **changed}.items() if value is not None}
    (folder / "order_status.yaml").write_text(yaml.safe_dump(said))
    if token:
        (folder / "token").write_text(token)
        (folder / "token").chmod(0o600)
    return folder


class TestTheFile:
    def test_a_good_one_is_taken(self, tmp_path: Path) -> None:
        ((look_up, secret),) = load(written(tmp_path / "x"))
        assert (look_up.name, look_up.policy, secret) == ("order_status", "look_up", "")

    @pytest.mark.parametrize(
        ("changed", "named"),
        [
            ({"name": "Order Status"}, "name"),
            ({"name": None}, "name"),
            ({"phrases": []}, "phrases"),
            ({"phrases": ["where is my {parcel}"]}, "phrases"),
            ({"phrases": ["{order}"]}, "phrases"),
            ({"slots": {"order": {"ask": "Which?", "pattern": "("}}}, "slots.order.pattern"),
            ({"slots": {"order": {"ask": "Which?", "pattern": "[A-Z]*"}}}, "slots.order.pattern"),
            (
                {"slots": {"order": {"ask": "Which?", "pattern": "([A-Z0-9]+)+-[0-9]+"}}},
                "slots.order.pattern",
            ),
            ({"slots": {"order": {"ask": "Which?", "pattern": "(a|aa)+b"}}}, "slots.order.pattern"),
            ({"slots": {"order": {"ask": "Which?", "pattern": "a+a+a+a+b"}}}, "slots.order.pattern"),
            ({"slots": {"order": {"ask": "Which?", "pattern": "(?=a)a"}}}, "slots.order.pattern"),
            ({"slots": {}}, "url"),
            ({"method": "POST"}, "method"),
            ({"hosts": []}, "hosts"),
            ({"hosts": ["*.example.com"]}, "hosts"),
            ({"hosts": ["other.example.com"]}, "url"),
            ({"url": "http://orders.example.com/{order}"}, "url"),
            ({"timeout_s": 60}, "timeout_s"),
            ({"says": "status["}, "says"),
            ({"facts": {"Arrives": "delivery..on"}}, "facts"),
            ({"facts": {"Arrives": "x" * 301}}, "facts"),
            ({"headers": {"Authorization": "Bearer {secret}"}}, "secret"),
            ({"headers": {"X-Who": "{me.id}"}}, "headers.X-Who"),
            ({"headers": {"Bad Header": "x"}}, "headers"),
            ({"secret": "token"}, "secret"),
            ({"run": "rm -rf /"}, "run"),
        ],
    )
    def test_what_is_wrong_is_said_with_file_and_field(
        self, tmp_path: Path, changed: dict[str, Any], named: str
    ) -> None:
        with pytest.raises(DeclaredError, match=rf"order_status\.yaml: {named}"):
            load(written(tmp_path / "x", **changed))

    @pytest.mark.parametrize(
        "text",
        [
            "a: &a [1]\nb: *a",
            "- not a mapping",
            "!!python/object/apply:os.system ['true']",
            "a: [" * 5000,
            "\x00",
            "x" * 30_000,
        ],
        ids=["anchors", "list", "object", "deep", "nul", "large"],
    )
    def test_what_is_no_such_file_is_refused_in_no_time(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "bomb.yaml").write_text(text)
        begun = time.monotonic()
        with pytest.raises(DeclaredError, match=r"bomb\.yaml"):
            load(tmp_path)
        assert time.monotonic() - begun < 2

    def test_a_secret_that_others_may_read_is_refused(self, tmp_path: Path) -> None:
        folder = written(
            tmp_path / "x", "s3cr3t", secret="token", headers={"Authorization": "Bearer {secret}"}
        )
        assert load(folder)[0][1] == "s3cr3t"
        (folder / "token").chmod(0o644)
        with pytest.raises(DeclaredError, match="chmod 600"):
            load(folder)
        (folder / "token").unlink()
        with pytest.raises(DeclaredError, match="cannot be read"):
            load(folder)

    def test_no_two_are_called_the_same(self, tmp_path: Path) -> None:
        folder = written(tmp_path / "x")
        (folder / "z.yaml").write_text((folder / "order_status.yaml").read_text())
        with pytest.raises(DeclaredError, match="another file"):
            load(folder)

    def test_the_examples_are_good(self, tmp_path: Path) -> None:
        secrets = tmp_path / "secrets"
        secrets.mkdir()
        for file in EXAMPLES.glob("*.yaml"):
            (tmp_path / file.name).write_text(file.read_text())
        for name in ("orders-token", "assets-key"):
            (secrets / name).write_text("abc")
            (secrets / name).chmod(0o600)
        assert {look_up.name for look_up, _ in load(tmp_path)} == {
            "order_status",
            "device_warranty",
            "office_seat",
        }


HOSTS = frozenset({"orders.example.com"})
BAD_ADDRESSES = [
    "https://evil.example/{order}",
    "https://orders.example.com.evil.example/{order}",
    "https://evil.example#orders.example.com/{order}",
    "https://evil.example?orders.example.com/{order}",
    "https://orders.example.com@evil.example/{order}",
    "https://orders.example.com:x@evil.example/{order}",
    "https://user:pass@orders.example.com/{order}",
    "https://{order}.example.com/",
    "https://{order}/",
    "https://orders.example.com{order}/",
    "https://orders.example.com:{order}/",
    "{order}://orders.example.com/",
    "http://orders.example.com/{order}",
    "ftp://orders.example.com/{order}",
    "file:///etc/passwd?{order}",
    "gopher://orders.example.com/{order}",
    "//orders.example.com/{order}",
    "orders.example.com/{order}",
    "/{order}",
    "https:///{order}",
    "https://orders.example.com",
    "https://orders.example.com:99999/{order}",
    "https://orders.example.com:0x50/{order}",
    "https://orders.example.com\\@evil.example/{order}",
    "https://orders.example.com/{order}\r\nHost: evil.example",
    "https://orders.example.com/{order} ",
    "https://оrders.example.com/{order}",
    "https://127.0.0.1/{order}",
    "https://localhost/{order}",
    "https://169.254.169.254/latest/{order}",
    "https://[::1]/{order}",
    "https://[::ffff:127.0.0.1]/{order}",
    "https://0x7f000001/{order}",
    "https://2130706433/{order}",
    "https://0177.0.0.1/{order}",
    "https://127.1/{order}",
    "https://orders.example.com/{order}/{other}",
    "https://orders.example.com/{me.name}/{order}",
    "https://orders.example.com/{order.__class__}",
    "https://orders.example.com/{order!r}",
    "https://orders.example.com/{order:>1000000000}",
    "https://orders.example.com/{{order}}",
    "https://orders.example.com/{order",
    "https://orders.example.com/order}",
    "https://orders.example.com/{}",
    "https://orders.example.com/none",
]


@pytest.mark.parametrize("url", BAD_ADDRESSES)
def test_an_address_that_leads_elsewhere_is_refused_when_it_is_read(url: str) -> None:
    with pytest.raises(TemplateError):
        Template(url, HOSTS, frozenset({"order"}), private=False)


SEEDS = [
    "../../admin",
    "..",
    ".",
    "/",
    "//evil.example",
    "\\\\evil.example",
    "@evil.example",
    ":80",
    "?admin=1",
    "&who=somebody",
    "#",
    "%2e%2e%2f",
    "%00",
    "%0d%0aHost:evil.example",
    "{me.id}",
    "{secret}",
    "{{",
    "http://169.254.169.254/",
    "evil.example",
    "a b",
    "ａdmin",
    "аdmin",
    "‮admin",
    "é" * 50,
    "x" * 100,
    ";jsessionid=1",
    "|id",
    "`id`",
    "$(id)",
    "'or 1=1--",
    '"><script>',
    "\t",
    "\r\nHost: evil.example",
    "\x00",
    "\x7f",
    "\u2028",
    "\ud800",
]
HOSTILE = [
    a + b for a, b in itertools.product(SEEDS, ["", "/..", "@x", "%2f", "?a=b", "\r\n", "#", ".evil.example"])
]


def test_there_are_three_hundred_hostile_forms() -> None:
    assert len(set(HOSTILE)) + len(BAD_ADDRESSES) >= 300


@pytest.mark.parametrize("template", ["/v1/{order}?who={me.id}", "/v1/x?order={order}&who={me.id}"])
def test_a_hostile_value_stays_in_its_place(template: str) -> None:
    made = Template(f"https://orders.example.com{template}", HOSTS, frozenset({"order"}), private=False)
    for value in HOSTILE:
        try:
            url = made.filled({"order": value, "me.id": "id-of-ana"})
        except (TemplateError, UnicodeEncodeError):
            continue
        parts = urlsplit(url)
        assert (parts.scheme, parts.netloc, parts.fragment) == ("https", "orders.example.com", ""), value
        assert url.isascii()
        assert parse_qs(parts.query)["who"] == ["id-of-ana"], value
        if "order=" in template:
            assert parse_qs(parts.query)["order"] == [value], value
        else:
            assert parts.path.count("/") == 2, value
            assert unquote(parts.path.removeprefix("/v1/")) == value, value


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("127.0.0.1", False),
        ("127.9.9.9", False),
        ("10.0.0.1", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),  # noqa: S104  nothing is bound
        ("255.255.255.255", False),
        ("224.0.0.1", False),
        ("240.0.0.1", False),
        ("192.0.2.1", False),
        ("::1", False),
        ("::", False),
        ("fe80::1", False),
        ("fc00::1", False),
        ("fec0::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("2002:7f00:1::", False),
        ("2001:0:4136:e378:8000:63bf:80ff:fffe", False),
    ],
)
def test_an_address_is_public_or_not_whatever_it_is_wrapped_in(address: str, expected: bool) -> None:
    assert public(ipaddress.ip_address(address)) is expected


@dataclass
class System:
    """A system that is asked: what it was sent, and what it answers."""

    port: int = 0
    asked: list[web.Request] = field(default_factory=list)
    answer: Callable[[web.Request], web.StreamResponse] = lambda request: web.json_response({})
    delay_s: float = 0.0

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        await asyncio.sleep(self.delay_s)
        return self.answer(request)


@pytest.fixture
async def system(tmp_path: Path) -> AsyncIterator[System]:
    async with serving(tmp_path / "tls") as running:
        yield running


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[System]:
    made = Certificates.make(folder, "orders.example.com", "localhost")
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trust.load_cert_chain(made.cert_file, made.key_file)
    running = System()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", running.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=trust)
    await site.start()
    running.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    yield running
    await runner.cleanup()
    await asyncio.sleep(0.05)  # TLS says goodbye in further rounds of the loop


class Names:
    """What names lead to, and how often that was asked."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked += 1
        return self.answers[min(self.asked, len(self.answers)) - 1]


def look_up_at(system: System, **changed: Any) -> LookUp:
    url = f"https://orders.example.com:{system.port}/v1/{{order}}?who={{me.id}}"
    return LookUp.model_validate({**GOOD, "url": url, "private": True, **changed})


def fetcher(tmp_path: Path, names: Names | None = None) -> Fetcher:
    return Fetcher(tmp_path / "tls" / "ca.pem", names or Names(["127.0.0.1"]))


VALUES = {"order": "AF-204711"}


class TestAsking:
    async def test_the_answer_becomes_a_line_and_facts(self, system: System, tmp_path: Path) -> None:
        said = {"status": "shipped", "delivery": {"on": "2026-11-30"}, "more": {"deep": [1, 2]}}
        system.answer = lambda request: web.json_response(said)
        look_up = look_up_at(
            system,
            facts={
                "Arrives": "delivery.on",
                "Numbers": "more.deep",
                "Gone": "nothing.here",
                "Odd": "join(',', more.deep)",
                "All": "more",
                "Late": "`false`",
            },
        )
        line, facts = await fetcher(tmp_path).ask(look_up, "", VALUES, ME)
        assert line == "shipped"
        assert facts == [("Arrives", "2026-11-30"), ("Numbers", "1, 2"), ("Late", "no")]

    @pytest.mark.parametrize(
        "expression",
        ["items[?x>`1`]", "max_by(items, &x)", "contains(text, items)", "items[::0]", "deep", "sum(items)"],
    )
    async def test_an_expression_that_does_not_fit_the_answer_shows_nothing(
        self, system: System, tmp_path: Path, expression: str
    ) -> None:
        deep: Any = 1
        for _ in range(700):
            deep = [deep]
        said = {"items": [{"x": 1}, {"x": "a"}, 3], "text": "abc", "deep": deep, "status": "ok"}
        system.answer = lambda request: web.json_response(said)
        look_up = look_up_at(system, facts={"Odd": expression, "Good": "status"})
        _, facts = await fetcher(tmp_path).ask(look_up, "", VALUES, ME)
        assert facts[-1] == ("Good", "ok")

    async def test_who_asks_is_put_in_by_us(self, system: System, tmp_path: Path) -> None:
        tricked = {**VALUES, "me.id": "id-of-mei"}
        await fetcher(tmp_path).ask(look_up_at(system), "", tricked, ME)
        assert system.asked[0].query["who"] == "id-of-ana"

    async def test_the_secret_goes_into_its_header_and_the_right_name_into_the_request(
        self, system: System, tmp_path: Path
    ) -> None:
        look_up = look_up_at(system, headers={"Authorization": "Bearer {secret}"}, secret="token")
        await fetcher(tmp_path).ask(look_up, "s3cr3t", VALUES, ME)
        (asked,) = system.asked
        assert asked.headers["authorization"] == "Bearer s3cr3t"
        assert asked.headers["host"] == f"orders.example.com:{system.port}"
        assert asked.method == "GET"

    @pytest.mark.parametrize(
        ("status", "error"),
        [
            (404, NotFound),
            (401, PermissionRefused),
            (403, PermissionRefused),
            (500, SystemDown),
            (204, SystemDown),
        ],
    )
    async def test_errors_have_names(
        self, system: System, tmp_path: Path, status: int, error: type[Exception]
    ) -> None:
        system.answer = lambda request: web.Response(status=status)
        with pytest.raises(error):
            await fetcher(tmp_path).ask(look_up_at(system), "", VALUES, ME)

    async def test_nothing_is_followed(self, system: System, tmp_path: Path) -> None:
        for where in ("https://evil.example/", "/v2/elsewhere", "http://169.254.169.254/"):
            system.asked.clear()
            system.answer = lambda request, where=where: web.Response(  # type: ignore[misc]  # bound default
                status=302, headers={"location": where}
            )
            with pytest.raises(SystemDown, match="302"):
                await fetcher(tmp_path).ask(look_up_at(system), "", VALUES, ME)
            assert len(system.asked) == 1

    async def test_too_much_too_late_and_no_json(self, system: System, tmp_path: Path) -> None:
        for body in (b"x", b"{", b"[" * 100_000, b'"' + b"x" * 300_000 + b'"'):
            system.answer = lambda request, body=body: web.Response(body=body)  # type: ignore[misc]  # bound default
            with pytest.raises(SystemDown):
                await fetcher(tmp_path).ask(look_up_at(system), "", VALUES, ME)
        system.delay_s = 5.0
        begun = time.monotonic()
        with pytest.raises(SystemDown, match="no answer in"):
            await fetcher(tmp_path).ask(look_up_at(system, timeout_s=0.3), "", VALUES, ME)
        assert time.monotonic() - begun < 3

    async def test_a_certificate_of_somebody_else_is_refused(self, system: System, tmp_path: Path) -> None:
        look_up = look_up_at(
            system, url=f"https://seats.example.com:{system.port}/{{order}}", hosts=["seats.example.com"]
        )
        with pytest.raises(SystemDown):
            await fetcher(tmp_path).ask(look_up, "", VALUES, ME)
        with pytest.raises(SystemDown):
            await Fetcher(None, Names(["127.0.0.1"])).ask(look_up_at(system), "", VALUES, ME)
        assert not system.asked


class TestWhereItMayGo:
    """Every connection that is tried is seen; none goes where the file does not say."""

    @pytest.fixture(autouse=True)
    def _watched(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tried: list[str] = []
        connect = anyio.connect_tcp

        async def noted(remote_host: Any, remote_port: int, **more: Any) -> Any:
            self.tried.append(str(remote_host))
            return await connect(remote_host, remote_port, **more)

        monkeypatch.setattr(anyio, "connect_tcp", noted)

    async def test_the_watch_sees_a_connection(self, system: System, tmp_path: Path) -> None:
        await fetcher(tmp_path).ask(look_up_at(system), "", VALUES, ME)
        assert self.tried == ["127.0.0.1"]

    @pytest.mark.parametrize(
        "leads_to",
        [
            ["127.0.0.1"],
            ["10.1.2.3"],
            ["169.254.169.254"],
            ["::1"],
            ["::ffff:10.0.0.1"],
            ["64:ff9b::a00:1"],
            ["93.184.215.14", "127.0.0.1"],
            [],
        ],
        ids=str,
    )
    async def test_a_public_name_that_leads_inside_is_not_connected_to(
        self, system: System, tmp_path: Path, leads_to: list[str]
    ) -> None:
        with pytest.raises(SystemDown):
            await fetcher(tmp_path, Names(leads_to)).ask(look_up_at(system, private=False), "", VALUES, ME)
        assert self.tried == []

    @pytest.mark.parametrize(
        "leads_to", ["169.254.169.254", "fe80::1", "::ffff:169.254.169.254", "224.0.0.1"]
    )
    async def test_not_even_a_private_name_leads_to_the_keys_of_a_cloud(
        self, system: System, tmp_path: Path, leads_to: str
    ) -> None:
        with pytest.raises(SystemDown):
            await fetcher(tmp_path, Names([leads_to])).ask(look_up_at(system), "", VALUES, ME)
        assert self.tried == []

    async def test_a_name_that_means_something_else_a_moment_later_is_asked_once(
        self, system: System, tmp_path: Path
    ) -> None:
        names = Names(["127.0.0.1"], ["127.0.0.2"])
        await fetcher(tmp_path, names).ask(look_up_at(system), "", VALUES, ME)
        assert (names.asked, self.tried) == (1, ["127.0.0.1"])

    async def test_hostile_values_connect_to_the_one_place_or_nowhere(
        self, system: System, tmp_path: Path
    ) -> None:
        asking = fetcher(tmp_path)
        for value in HOSTILE[::7]:
            try:
                await asking.ask(look_up_at(system), "", {"order": value}, ME)
            except (NotFound, UnicodeEncodeError):
                continue
        assert set(self.tried) == {"127.0.0.1"}
        assert {request.headers["host"] for request in system.asked} == {f"orders.example.com:{system.port}"}

    async def test_no_proxy_of_the_environment_is_used(
        self, system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
        await fetcher(tmp_path).ask(look_up_at(system), "", VALUES, ME)
        assert len(system.asked) == 1


def test_no_pattern_that_is_taken_makes_a_message_slow() -> None:
    slot = ActionSlot("x", SlotKind.WORD, "Which?", pattern="[A-Z0-9]+[A-Z0-9]+[A-Z0-9]+-")
    begun = time.monotonic()
    assert word_of(slot, " ".join(["A" * 40] * 8)) is None
    assert time.monotonic() - begun < 0.5
