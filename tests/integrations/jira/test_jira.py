"""Jira on a bad day: late, busy, silent, odd; its markup; whose account is whose; a token shows nowhere."""

from __future__ import annotations

import base64
import logging
import time
import traceback
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from integrations.company import Company
from integrations.contract import ConnectorError, OutcomeUnknown, PermissionRefused, SystemDown
from integrations.jira import Jira, NotConfigured
from integrations.jira.markup import FITS, LONGEST, blocks, literal, one_line, plain
from integrations.jira.tickets import INDEX_LAG_S
from integrations.rest import Refused
from integrations.work import NewTicket, UnknownTicket
from tests.contracts.ticket_worlds import ANA, LUIS, copied, settings_of
from tests.servers.jira import EQUIPMENT_TYPE, REQUEST_TYPE, TOKEN, FakeJira, User, shown

OP = "R-7Q2MXX:open_ticket"
NEW = NewTicket(person_id=ANA, title="The printer jams", body="It eats every second page.")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("jira") / "template.db"
    Company.open(path).close()
    return path


@pytest.fixture
def company(template: Path, tmp_path: Path) -> Iterator[Company]:
    with copied(template, tmp_path) as made:
        yield made


@pytest.fixture
def server() -> Iterator[FakeJira]:
    with FakeJira.running() as running:
        yield running


@pytest.fixture
async def jira(server: FakeJira, company: Company) -> AsyncIterator[Jira]:
    made = Jira(settings_of(server), company.directory)
    yield made
    await made.close()


def now() -> datetime:
    return datetime.now(UTC)


def ago(seconds: float) -> datetime:
    return now() - timedelta(seconds=seconds)


class TestIndexLag:
    async def test_while_the_search_may_be_behind_nothing_found_tells_nothing(
        self, server: FakeJira, jira: Jira
    ) -> None:
        server.index_lag_s = 30
        begun = now()
        await jira.tickets.open(NEW, op=OP)
        with pytest.raises(SystemDown, match="cannot be told yet"):
            await jira.tickets.opened(OP, begun)
        with pytest.raises(SystemDown, match="cannot be told yet"):
            await jira.tickets.opened("R-OTHERS:open_ticket", ago(INDEX_LAG_S - 5))
        assert await jira.tickets.opened("R-OTHERS:open_ticket", ago(INDEX_LAG_S + 1)) is None

    async def test_once_the_search_has_it_it_is_found(self, server: FakeJira, jira: Jira) -> None:
        begun = now()
        server.index_lag_s = 0.4
        opened = await jira.tickets.open(NEW, op=OP)
        with pytest.raises(SystemDown):
            await jira.tickets.opened(OP, begun)
        time.sleep(0.5)  # noqa: ASYNC251  the server has a loop of its own
        assert await jira.tickets.opened(OP, begun) == opened

    async def test_it_is_looked_for_from_a_little_before_it_began(self, server: FakeJira, jira: Jira) -> None:
        await jira.tickets.open(NEW, op=OP)
        server.issues[0].created = ago(3 * 3600)
        assert await jira.tickets.opened(OP, ago(3600)) is None
        assert await jira.tickets.opened(OP, ago(3 * 3600 - 120)) is not None  # the clocks differ

    async def test_many_requests_are_looked_through_page_by_page(self, server: FakeJira, jira: Jira) -> None:
        opened = await jira.tickets.open(NEW, op=OP)
        for number in range(10):
            server.raised(f"other {number}", "{noformat}\nx\n{noformat}")
        server.calls.clear()
        assert await jira.tickets.opened(OP, ago(120)) == opened
        assert len([call for call in server.calls if call.path.endswith("search/jql")]) == 4

    async def test_a_request_that_a_helper_wrote_in_is_still_found(
        self, server: FakeJira, jira: Jira
    ) -> None:
        opened = await jira.tickets.open(NEW, op=OP)
        server.issues[0].description = f"Seen. {{code}}log{{code}}\n{server.issues[0].description}\nMore."
        assert await jira.tickets.opened(OP, ago(120)) == opened


class TestOpening:
    async def test_it_is_raised_on_behalf_of_whoever_has_exactly_the_mail(
        self, server: FakeJira, jira: Jira
    ) -> None:
        opened = await jira.tickets.open(NEW, op=OP)
        body = server.writes()[0].body
        assert (body["raiseOnBehalfOf"], body["requestTypeId"]) == ("qm:ana", REQUEST_TYPE)
        assert "Ana Ruiz" not in body["requestFieldValues"]["description"]
        assert opened.url == f"{server.url}/servicedesk/customer/portal/4/{opened.key}"

    async def test_equipment_has_a_request_type_of_its_own_where_one_is_set(
        self, server: FakeJira, jira: Jira, company: Company
    ) -> None:
        await jira.tickets.open(NewTicket(ANA, "A mouse", "x", "equipment"), op=OP)
        plain_one = Jira(settings_of(server, equipment_request_type=""), company.directory)
        await plain_one.tickets.open(NewTicket(ANA, "A mouse", "x", "equipment"), op="2")
        await plain_one.close()
        assert [each.request_type for each in server.issues] == [EQUIPMENT_TYPE, REQUEST_TYPE]

    @pytest.mark.parametrize(
        "others",
        [
            [],
            [User("a", "", "ana.ruiz@alderfinch.example")],  # by the name that is shown, and the mail hidden
            [User("a", "", "Ana Ruiz")],
            [User("a", "ana.ruiz@alderfinch.example.org", "Ana Ruiz")],
            [User("a", "ana.ruiz@alderfinch.example", "Ana Ruiz", active=False)],
            [User("a", "ana.ruiz@alderfinch.example", "A"), User("b", "Ana.Ruiz@alderfinch.example", "B")],
            [User("a", "ana.ruiz@ａlderfinch.example", "Ana Ruiz")],
        ],
    )
    async def test_where_nobody_is_certain_to_be_them_the_text_names_them(
        self, server: FakeJira, jira: Jira, others: list[User]
    ) -> None:
        server.customers, server.users = others, others
        opened = await jira.tickets.open(NEW, op=OP)
        assert server.issues[0].reporter == ""
        assert "For Ana Ruiz <ana.ruiz@alderfinch.example>" in shown(server.find(opened.key).description)

    async def test_a_user_who_is_no_listed_customer_is_found_too(self, server: FakeJira, jira: Jira) -> None:
        server.customers = []
        server.users = [User("5b10:ana", "Ana.Ruiz@alderfinch.example", "Ana")]
        await jira.tickets.open(NEW, op=OP)
        assert server.issues[0].reporter == "5b10:ana"

    async def test_somebody_who_may_not_be_a_customer_here_is_named_in_the_text(
        self, server: FakeJira, jira: Jira
    ) -> None:
        server.old_accounts = {"qm:ana"}
        await jira.tickets.open(NEW, op=OP)
        assert len(server.issues) == 1
        assert "For Ana Ruiz" in shown(server.issues[0].description)

    async def test_an_account_that_may_not_look_people_up_opens_all_the_same(
        self, server: FakeJira, jira: Jira
    ) -> None:
        server.fail("GET", "403", times=2)
        await jira.tickets.open(NEW, op=OP)
        assert "For Ana Ruiz" in shown(server.issues[0].description)

    async def test_what_jira_refuses_as_it_is_asked_is_refused(self, server: FakeJira, jira: Jira) -> None:
        with pytest.raises(Refused):
            await jira.tickets.open(NewTicket(ANA, " ", "x"), op=OP)
        assert server.issues == []

    async def test_a_key_of_another_service_desk_is_unknown_and_nothing_is_written(
        self, server: FakeJira, jira: Jira
    ) -> None:
        server.raised("Salaries", "x", service_desk="5")
        for call in (
            jira.tickets.ticket("HR-1"),
            jira.tickets.comments("HR-1"),
            jira.tickets.comment("HR-1", "x", op="c"),
        ):
            with pytest.raises(UnknownTicket):
                await call
        assert server.writes() == []

    async def test_what_is_no_key_is_not_asked_for(self, server: FakeJira, jira: Jira) -> None:
        for key in ("it-1", "IT-1/x", "IT-١", "IT-1\n", "", "1-1", "IT", "IT-" + "1" * 13):
            with pytest.raises(UnknownTicket):
                await jira.tickets.ticket(key)
        assert server.calls == []


class TestBusyAndSilent:
    async def test_a_read_waits_as_long_as_it_is_told(self, server: FakeJira, jira: Jira) -> None:
        server.fail("GET", "429", retry_after="1")
        begun = time.monotonic()
        with pytest.raises(UnknownTicket):
            await jira.tickets.ticket("IT-1")
        assert time.monotonic() - begun >= 1.0

    @pytest.mark.parametrize("status", ["429", "503"])
    async def test_a_write_that_was_throttled_did_nothing_and_is_sent_again(
        self, server: FakeJira, jira: Jira, status: str
    ) -> None:
        server.fail("WRITE", status, retry_after="1")
        key = (await jira.tickets.open(NEW, op=OP)).key
        server.fail("WRITE", status, retry_after="1")
        await jira.tickets.comment(key, "x", op="c1")
        assert len(server.issues) == 1
        assert len(await jira.tickets.comments(key)) == 1

    async def test_a_long_wait_is_a_system_that_is_down(self, server: FakeJira, jira: Jira) -> None:
        server.fail("*", "429", times=9, retry_after="600")
        with pytest.raises(SystemDown):
            await jira.tickets.open(NEW, op=OP)
        assert server.issues == []

    @pytest.mark.parametrize("kind", ["500", "502", "504", "cut after"])
    async def test_a_write_without_an_answer_is_unknown_and_sent_once(
        self, server: FakeJira, jira: Jira, kind: str
    ) -> None:
        key = (await jira.tickets.open(NEW, op=OP)).key
        for call in (jira.tickets.open(NEW, op="2"), jira.tickets.comment(key, "x", op="c1")):
            server.calls.clear()
            server.fail("WRITE", kind)
            with pytest.raises(OutcomeUnknown):
                await call
            assert len(server.writes()) == 1

    async def test_asking_for_comments_changes_nothing_so_its_outcome_is_never_unknown(
        self, server: FakeJira, jira: Jira
    ) -> None:
        key = (await jira.tickets.open(NEW, op=OP)).key
        await server.write(key, "Wanda", "hello")
        for kind in ("cut after", "500"):
            server.fail("POST", kind)
            with pytest.raises(SystemDown):
                await jira.tickets.comments(key)

    async def test_what_we_may_not_read_is_refused(self, server: FakeJira, jira: Jira) -> None:
        server.fail("GET", "403")
        with pytest.raises(PermissionRefused):
            await jira.tickets.ticket("IT-1")


class TestOddAnswers:
    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("issueKey", None),
            ("issueKey", 7),
            ("issueKey", "../x"),
            ("issueKey", ["IT-1"]),
            ("currentStatus", "Open"),
            ("status", False),
            ("status", ""),
            ("status", {"name": "Open"}),
            ("statusCategory", ["DONE"]),
            ("statusDate", "yesterday"),
            ("statusDate", {"epochMillis": True}),
            ("statusDate", {"epochMillis": 10**30}),
            ("statusDate", {"iso8601": "2026-01-01T10:00:00"}),
            ("statusDate", {"iso8601": "soon"}),
            ("requestFieldValues", {"summary": "x"}),
            ("requestFieldValues", ["summary"]),
            ("requestFieldValues", []),
            ("serviceDeskId", True),
            ("_links", "https://x"),
        ],
    )
    async def test_a_ticket_that_cannot_be_read_names_the_field(
        self, server: FakeJira, jira: Jira, field: str, value: Any
    ) -> None:
        key = (await jira.tickets.open(NEW, op=OP)).key
        server.bent = {field: value}
        named = "summary" if value == [] else "statusDate" if field == "statusDate" else field
        with pytest.raises(SystemDown, match=named):
            await jira.tickets.ticket(key)

    async def test_what_was_opened_and_cannot_be_read_is_unknown_and_found_later(
        self, server: FakeJira, jira: Jira
    ) -> None:
        begun = now()
        server.bent = {"issueKey": 7}
        with pytest.raises(OutcomeUnknown, match="issueKey"):
            await jira.tickets.open(NEW, op=OP)
        server.bent = {}
        assert await jira.tickets.opened(OP, begun) is not None
        assert len(server.issues) == 1

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("id", "x"),
            ("id", None),
            ("id", "-1"),
            ("body", 7),
            ("body", ["x"]),
            ("created", None),
            ("created", {"epochMillis": -5}),
            ("author", "Wanda"),
            ("values", {}),
            ("values", [1]),
            ("isLastPage", "yes"),
            ("isLastPage", None),
            ("isLast", False),
            ("properties", "x"),
        ],
    )
    async def test_comments_that_cannot_be_read_name_the_field(
        self, server: FakeJira, jira: Jira, field: str, value: Any
    ) -> None:
        key = (await jira.tickets.open(NEW, op=OP)).key
        await server.write(key, "Wanda", "hello")
        server.bent = {field: value}
        with pytest.raises(SystemDown, match=field):
            await jira.tickets.comments(key)

    async def test_a_list_that_never_ends_is_given_up(self, server: FakeJira, jira: Jira) -> None:
        key = (await jira.tickets.open(NEW, op=OP)).key
        server.bent = {"isLastPage": False}
        with pytest.raises(SystemDown, match="without an end"):
            await jira.tickets.comments(key)

    @pytest.mark.parametrize("public", [False, None, "true", 1])
    async def test_what_is_not_plainly_public_is_not_shown(
        self, server: FakeJira, jira: Jira, public: Any
    ) -> None:
        key = (await jira.tickets.open(NEW, op=OP)).key
        await server.write(key, "Wanda", "hello")
        server.bent = {"public": public}
        assert await jira.tickets.comments(key) == []

    async def test_without_a_status_category_the_issue_is_asked(self, server: FakeJira, jira: Jira) -> None:
        key = server.raised("x", "y").key
        await server.set_status(key, "Resolved")
        original = server._request
        server._request = lambda issue: _without_category(original(issue))  # type: ignore[method-assign]
        assert not (await jira.tickets.ticket(key)).open
        await server.set_status(key, "Waiting for customer")
        assert (await jira.tickets.ticket(key)).open

    async def test_times_come_in_several_ways(self, server: FakeJira, jira: Jira) -> None:
        server.raised("x", "y")
        at = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
        for given in (
            {"epochMillis": int(at.timestamp() * 1000)},
            {"epochMillis": str(int(at.timestamp() * 1000))},
            {"iso8601": "2026-03-01T16:30:00+0700"},
            {"iso8601": "2026-03-01T09:30:00Z", "epochMillis": None},
        ):
            server.bent = {"statusDate": given}
            moved = (await jira.tickets.ticket("IT-1")).moved_at
            assert moved == at
            assert moved.utcoffset() == timedelta(0)

    @pytest.mark.parametrize("web", [None, 7, "http://x.example", "javascript:alert(1)", "https://x\n"])
    async def test_an_address_that_leads_nowhere_safe_is_none(
        self, server: FakeJira, jira: Jira, web: Any
    ) -> None:
        server.raised("x", "y")
        server.bent = {"web": web}
        assert (await jira.tickets.ticket("IT-1")).url == ""

    async def test_a_writer_without_a_name_is_somebody(self, server: FakeJira, jira: Jira) -> None:
        server.raised("x", "y")
        await server.write("IT-1", "Wanda", "hello")
        for value in (None, 7, " "):
            server.bent = {"displayName": value}
            (comment,) = await jira.tickets.comments("IT-1")
            assert comment.author == "Somebody"


class TestComments:
    async def test_all_pages_are_read(self, server: FakeJira, jira: Jira) -> None:
        key = (await jira.tickets.open(NEW, op=OP)).key
        for number in range(250):
            await server.write(key, "Wanda", str(number), internal=number % 3 == 0)
        await jira.tickets.comment(key, "me", op="c1")
        server.calls.clear()
        comments = await jira.tickets.comments(key)
        assert [each.text for each in comments] == [str(n) for n in range(250) if n % 3] + ["me"]
        assert [each.ours for each in comments] == [False] * 166 + [True]
        asked = [call for call in server.calls if call.path.endswith("/comment")]
        assert all((call.query["public"], call.query["internal"]) == ("true", "false") for call in asked)
        assert len(asked) == 56
        assert len([call for call in server.calls if call.path.endswith("comment/list")]) == 2

    async def test_ours_is_public_and_carries_its_operation_beside_the_text(
        self, server: FakeJira, jira: Jira
    ) -> None:
        key = (await jira.tickets.open(NEW, op=OP)).key
        await jira.tickets.comment(key, "hello", op="R-7Q2MXX:say:1")
        (remark,) = server.find(key).remarks
        assert remark.public
        assert {"key": "deskhand.op", "value": {"op": "R-7Q2MXX:say:1"}} in remark.properties
        assert "R-7Q2MXX" not in remark.body

    async def test_one_of_ours_that_a_helper_hid_is_not_written_again(
        self, server: FakeJira, jira: Jira
    ) -> None:
        key = (await jira.tickets.open(NEW, op=OP)).key
        await jira.tickets.comment(key, "hello", op="c1")
        server.find(key).remarks[0].public = False
        await jira.tickets.comment(key, "hello", op="c1")
        assert len(server.find(key).remarks) == 1
        assert await jira.tickets.comments(key) == []

    async def test_what_helpers_write_comes_out_as_plain_text(self, server: FakeJira, jira: Jira) -> None:
        server.raised("x", "y")
        await server.write("IT-1", "Wanda", "h2. Hi [~accountid:7]\nSee !cat.png|thumbnail! and *this*.")
        document = {"type": "doc", "content": [{"type": "paragraph", "content": [_words("Hello "), _at()]}]}
        server.say(server.find("IT-1"), "Wanda", document, public=True)
        assert [each.text for each in await jira.tickets.comments("IT-1")] == [
            "Hi @somebody\nSee (picture: cat.png) and this.",
            "Hello @Ana",
        ]


class TestMarkup:
    @pytest.mark.parametrize(
        ("markup", "text"),
        [
            ("Hello", "Hello"),
            ("!https://x.example/a/cat.png|width=300!", "(picture: cat.png)"),
            ("Wow! Great! a.b!", "Wow! Great! a.b!"),
            ("[~accountid:5b10] ping", "@somebody ping"),
            ("[^log.txt]", "(file: log.txt)"),
            ("[the page|https://x.example/p]", "the page (https://x.example/p)"),
            ("[https://x.example/p|https://x.example/p|smart-link]", "https://x.example/p"),
            ("[https://x.example/p]", "https://x.example/p"),
            ("array[0] and [ok]", "array[0] and [ok]"),
            ("{color:#ff0000}red{color} {quote}q{quote}", "red q"),
            ("{{kinit -k}} then *wait* and _rest_", "kinit -k then wait and rest"),
            ("snake_case_name 2*3*4 a * b", "snake_case_name 2*3*4 a * b"),
            ("h1. Title\r\nbq. said\r\ntext", "Title\nsaid\ntext"),
            (r"\[not a link\] \*not bold\* \{x\}", "[not a link] *not bold* {x}"),
            ("{code:java|title=x}\n*int* [x|y]\n{code}", "*int* [x|y]"),
            ("a {noformat}!b.png!{noformat} c", "a !b.png! c"),
            ("{noformat}open *x*", "open *x*"),
            ("", ""),
            (None, ""),
        ],
    )
    def test_wiki_markup_comes_out_plain(self, markup: str | None, text: str) -> None:
        assert plain(markup, "body") == text

    def test_a_document_comes_out_plain(self) -> None:
        item = {"type": "listItem", "content": [{"type": "paragraph", "content": [_words("one")]}]}
        document = {
            "type": "doc",
            "content": [
                {
                    "type": "paragraph",
                    "content": [_words("Hi "), _at(), {"type": "hardBreak"}, _words("you")],
                },
                {"type": "bulletList", "content": [item, item]},
                {"type": "mediaSingle", "content": [{"type": "media", "attrs": {"alt": "cat.png"}}]},
                {"type": "paragraph", "content": [{"type": "inlineCard", "attrs": {"url": "https://x"}}]},
                {"type": "emoji", "attrs": {"shortName": ":smile:"}},
                7,
                {"type": "unknown", "content": "x", "attrs": []},
            ],
        }
        assert plain(document, "body") == "Hi @Ana\nyou\n- one\n- one\n(picture: cat.png)https://x\n:smile:"

    def test_a_document_without_a_bottom_ends(self) -> None:
        document: dict[str, Any] = _words("deep")
        for _ in range(500):
            document = {"type": "paragraph", "content": [document]}
        assert plain(document, "body") == ""

    @pytest.mark.parametrize(
        "flood",
        [
            "x",
            "{noformat}",
            "{code:",
            "[",
            "[a|",
            "!",
            "!a.b|",
            "*a",
            "_",
            "\\",
            "{color:",
            "{{",
            "[~",
            "bq. ",
        ],
    )
    def test_a_flood_is_cut_and_takes_no_time(self, flood: str) -> None:
        begun = time.monotonic()
        assert len(plain(flood * (100_000 // len(flood)), "body")) <= LONGEST
        assert len(literal(flood * (100_000 // len(flood)))) <= FITS + 30
        assert time.monotonic() - begun < 2

    @pytest.mark.parametrize(
        "words",
        [
            "{noformat}",
            "{NOFORMAT:x}",
            "{ noformat}",
            "{code}x{code}",
            "[~a]",
            "[ ~a]",
            "{",
            "{{noformat}}",
            "\\",
        ],
    )
    def test_words_stay_in_their_block(self, words: str) -> None:
        made = literal(f"a {words} b")
        assert blocks(made) == [f"a {words} b"]
        assert plain(made, "body") == f"a {words} b"
        assert made.lower().count("{noformat") == 2
        assert "[~" not in made

    def test_a_title_is_one_line_that_fits(self) -> None:
        assert one_line(" a\n b\x00\tc ", 10) == "a b c"
        assert one_line("x" * 300, 255) == "x" * 254 + "…"


class TestSettings:
    async def test_the_check_says_what_answers(self, server: FakeJira, jira: Jira) -> None:
        assert await jira.check() == "Jira: IT Help (IT), as deskhand@alderfinch.example"
        with server.refusing():
            assert "may raise none on behalf of others" in await jira.check()

    @pytest.mark.parametrize(
        ("more", "said"),
        [
            ({"service_desk": "5"}, "JIRA_SERVICE_DESK"),
            ({"request_type": "99"}, "JIRA_REQUEST_TYPE"),
            ({"equipment_request_type": "99"}, "JIRA_EQUIPMENT_REQUEST_TYPE"),
        ],
    )
    async def test_the_check_names_the_setting_that_is_wrong(
        self, server: FakeJira, company: Company, more: dict[str, str], said: str
    ) -> None:
        wrong = Jira(settings_of(server, **more), company.directory)
        with pytest.raises(SystemDown, match=said):
            await wrong.check()
        await wrong.close()

    async def test_a_request_type_that_asks_for_more_or_has_no_description_is_named(
        self, server: FakeJira, jira: Jira
    ) -> None:
        more = {"fieldId": "customfield_10050", "required": True}
        server.fields.append(more)
        with pytest.raises(SystemDown, match="customfield_10050"):
            await jira.check()
        server.fields = [each for each in server.fields if each["fieldId"] == "summary"]
        with pytest.raises(SystemDown, match="has no description"):
            await jira.check()

    @pytest.mark.parametrize(
        ("more", "said"),
        [
            ({"url": "http://x.example"}, "JIRA_URL"),
            ({"url": "http://localhost.x.example"}, "JIRA_URL"),
            ({"service_desk": "IT"}, "JIRA_SERVICE_DESK"),
            ({"request_type": "11 OR 1=1"}, "JIRA_REQUEST_TYPE"),
            ({"equipment_request_type": "x"}, "JIRA_EQUIPMENT_REQUEST_TYPE"),
        ],
    )
    def test_settings_that_cannot_be_right_are_named(
        self, server: FakeJira, company: Company, more: dict[str, str], said: str
    ) -> None:
        with pytest.raises(NotConfigured, match=said):
            Jira(settings_of(server, **more), company.directory)

    async def test_a_project_number_that_is_none_reaches_no_query(self, server: FakeJira, jira: Jira) -> None:
        server.bent = {"projectId": "1 OR project = HR"}
        with pytest.raises(SystemDown, match="projectId"):
            await jira.tickets.opened(OP, ago(120))

    async def test_the_token_shows_in_no_error_log_or_repr(
        self, server: FakeJira, company: Company, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        wrong = "ATATT-wrong-token-of-somebody"
        seen = []
        for token in (TOKEN, wrong):
            jira = Jira(settings_of(server, token=token), company.directory)
            seen += [repr(settings_of(server, token=token)), repr(jira), repr(jira.tickets), repr(vars(jira))]
            server.raised("x", "y")
            for kind in ("500", "403", "404", "400", "cut after", "ok"):
                for method, call in (
                    ("GET", jira.tickets.ticket("IT-1")),
                    ("POST", jira.tickets.comment("IT-1", "x", op=kind)),
                ):
                    if kind != "ok":
                        server.fail(method, kind)
                    try:
                        await call
                    except ConnectorError as error:
                        seen.append("".join(traceback.format_exception(error)) + repr(vars(error)))
            server.faults.clear()
            await jira.close()
        assert any("refuses Deskhand (401)" in each for each in seen)
        said = "\n".join([*seen, caplog.text])
        for token in (TOKEN, wrong):
            assert token not in said
            assert base64.b64encode(f"deskhand@alderfinch.example:{token}".encode()).decode() not in said

    async def test_a_wrong_token_is_a_right_that_is_refused(self, server: FakeJira, company: Company) -> None:
        jira = Jira(settings_of(server, token="wrong"), company.directory)
        for call in (
            jira.tickets.open(NewTicket(LUIS, "x", "y"), op=OP),
            jira.tickets.ticket("IT-1"),
            jira.tickets.opened(OP, ago(120)),
            jira.check(),
        ):
            with pytest.raises(PermissionRefused):
                await call
        await jira.close()

    async def test_a_server_that_another_authority_vouches_for_is_not_talked_to(
        self, server: FakeJira, company: Company
    ) -> None:
        with FakeJira.running() as other:
            jira = Jira(settings_of(server, ca_file=other.certificates.ca_file), company.directory)
            with pytest.raises(SystemDown):
                await jira.tickets.ticket("IT-1")
            await jira.close()
        assert server.calls == []


def _words(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text, "marks": [{"type": "strong"}]}


def _at() -> dict[str, Any]:
    return {"type": "mention", "attrs": {"id": "5b10", "text": "@Ana"}}


def _without_category(request: dict[str, Any]) -> dict[str, Any]:
    status = {name: value for name, value in request["currentStatus"].items() if name != "statusCategory"}
    return {**request, "currentStatus": status}
