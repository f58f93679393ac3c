"""`deskhand ask`: the same desk in a terminal, buttons as numbered choices.

It is a client of the web desk's own interface: it talks to the running server, or starts one for
itself under the data lock. What is true in the browser is true here.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import httpx2
import structlog

from bot.admin import whom
from bot.app import running
from bot.settings import Settings
from bot.store.lock import AlreadyRunning
from bot.systems import open_system
from bot.wrong import Wrong

_QUIET_S = 0.6  # without a new message: it is the person's turn
_PATIENCE_S = 6.0  # for the first answer

Read = Callable[[str], Awaitable[str]]


@dataclass(slots=True)
class Choice:
    """One numbered choice: a button of a card."""

    label: str
    handle: str
    message: int
    inputs: list[dict[str, Any]]


@dataclass
class Terminal:
    client: httpx2.AsyncClient
    account: str
    say: Callable[[str], None] = print
    choices: list[Choice] = field(default_factory=list)
    change: int = 0
    printed: dict[int, set[str]] = field(default_factory=dict)  # message -> the lines it had

    async def sign_in(self) -> None:
        """Show what still waits for this person; what is over was seen before.

        :raises Wrong: nobody can be this person, or the desk that serves is another one
        """
        answer = await self.client.post("/api/session", json={"person": self.account})
        if answer.is_client_error:
            raise Wrong(answer.json().get("error", "This person cannot use the desk."))
        answer.raise_for_status()
        for conversation in await self._conversations():
            page = (await self._get(f"/api/conversations/{conversation}/messages")).json()
            self.change = max(self.change, page["change"])
            if conversation.startswith("dm:"):  # whoever may decide has a card of their own there
                for message in page["messages"]:
                    if message["card"] and message["card"]["buttons"]:
                        self._print(message)

    async def tell(self, text: str) -> None:
        """Send words, and show what comes back."""
        await self._post("/api/messages", {"text": text, "id": secrets.token_hex(8)})

    async def press(self, number: int, read: Read) -> None:
        """Press the button behind a number; its inputs are asked for first."""
        choice = self.choices[number - 1]
        fields = {
            each["name"]: value for each in choice.inputs if (value := await _ask(each, read, self.say))
        }
        pressed = {"handle": choice.handle, "fields": fields, "message_id": str(choice.message)}
        await self._post("/api/presses", {**pressed, "id": secrets.token_hex(8)})

    async def show_new(self, patience: float = _PATIENCE_S) -> None:
        """Print what arrived, until it is quiet."""
        waited, quiet = 0.0, 0.0
        seen_any = False
        while waited < patience and not (seen_any and quiet >= _QUIET_S):
            fresh = await self._fresh()
            for message in fresh:
                self._print(message)
            seen_any = seen_any or bool(fresh)
            quiet = 0.0 if fresh else quiet + 0.1
            waited += 0.1
            await asyncio.sleep(0.1)

    async def _fresh(self) -> list[dict[str, Any]]:
        """Messages that are new or changed since the last look, the oldest first."""
        found = []
        newest = self.change
        for conversation in await self._conversations():
            page = (await self._get(f"/api/conversations/{conversation}/messages")).json()
            found += [each for each in page["messages"] if each["change"] > self.change and not each["mine"]]
            newest = max(newest, page["change"])
        self.change = newest
        return sorted(found, key=lambda each: int(each["change"]))

    async def _conversations(self) -> list[str]:
        return [each["id"] for each in (await self._get("/api/me")).json()["conversations"]]

    async def _get(self, path: str) -> httpx2.Response:
        answer = await self.client.get(path, params={"as": self.account})
        answer.raise_for_status()
        return answer

    async def _post(self, path: str, body: dict[str, Any]) -> None:
        answer = await self.client.post(path, params={"as": self.account}, json=body)
        said = answer.json()
        if "error" in said:
            self.say(f"  ! {said['error']}")
            return
        if said.get("notice"):
            self.say(f"  · {said['notice']}")
        for wrong in said.get("errors", {}).values():
            self.say(f"  ! {wrong}")

    def _print(self, message: dict[str, Any]) -> None:
        """A card; of one that stood here before and asks for nothing any more, what is new in it."""
        card = message["card"]
        if card is None:
            return
        where = "" if message["conversation"].startswith("dm:") else f"[{message['conversation']}] "
        status = f"  ({card['status']})" if card["status"] else ""
        lines = _lines(card)
        before = self.printed.get(message["id"], set())
        self.printed[message["id"]] = set(lines)
        self.say(f"\n{where}{card['title']}{status}")
        for line in lines:
            if card["buttons"] or line not in before:
                self.say(line)
        for button in card["buttons"]:
            inputs = card["inputs"] if button["sends_inputs"] else []
            self.choices.append(Choice(button["label"], button["handle"], message["id"], inputs))
            self.say(f"    [{len(self.choices)}] {button['label']}")
        if card["footer"]:
            self.say(f"    {card['footer']}")


def _lines(card: dict[str, Any]) -> list[str]:
    return [
        *(f"    {line}" for line in card["text"].splitlines()),
        *(f"    {fact['label']}: {fact['value']}" for fact in card["facts"]),
        *(f"    {quote['label']}: “{quote['text']}”" for quote in card["quotes"]),
        *(f"    {link['label']}: {link['url']}" for link in card["links"]),
    ]


async def ask(settings: Settings, account: str, text: str, read: Read) -> None:
    """Play the desk as this person (their id), until they leave with an empty line."""
    async with _server(settings) as url, httpx2.AsyncClient(base_url=url, headers={"origin": url}) as client:
        terminal = Terminal(client, account)
        await terminal.sign_in()
        if text:
            await terminal.tell(text)
            await terminal.show_new()
        while line := await read("\n> "):
            if line.isdigit() and 0 < int(line) <= len(terminal.choices):
                await terminal.press(int(line), read)
            elif line != ".":
                await terminal.tell(line)
            await terminal.show_new(1.0 if line == "." else _PATIENCE_S)


@asynccontextmanager
async def _server(settings: Settings) -> AsyncIterator[str]:
    """The address of the running desk, or of one that lives as long as this command."""
    own = replace(settings, port=_free_port(), public_url="")
    async with AsyncExitStack() as stack:
        try:
            app = await stack.enter_async_context(running(own))
        except AlreadyRunning:
            yield replace(settings, public_url="").url
            return
        server = app.server()
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110  uvicorn has no event for it
            await asyncio.sleep(0.02)
        talking = asyncio.current_task()
        assert talking is not None

        def leave(ended: asyncio.Task[None]) -> None:
            talking.cancel()

        serving.add_done_callback(leave)  # Ctrl-C stops the server, and the server us
        try:
            yield own.url
        finally:
            serving.remove_done_callback(leave)
            server.should_exit = True
            await serving


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


async def typed(prompt: str) -> str:
    """Words, a number, "." to look for news; empty, or the end of the input: leave.

    Read in a thread of its own: the desk goes on while somebody thinks, and Ctrl-C waits for no line.
    """
    loop = asyncio.get_running_loop()
    line: asyncio.Future[str] = loop.create_future()

    def wait() -> None:
        try:
            said = input(prompt).strip()
        except EOFError:
            said = ""
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(line.set_result, said)

    threading.Thread(target=wait, daemon=True).start()
    return await line


async def _ask(field: dict[str, Any], read: Read, say: Callable[[str], None]) -> str:
    if field["kind"] == "check":
        return "yes" if (await read(f"  {field['label']} [y/n] ")).lower() in ("y", "yes") else ""
    if field["kind"] == "choice":
        for number, option in enumerate(field["options"], start=1):
            say(f"    {number}. {option['label']}")
        picked = await read(f"  {field['label']} (number) ")
        valid = picked.isdigit() and 0 < int(picked) <= len(field["options"])
        return str(field["options"][int(picked) - 1]["value"]) if valid else ""
    return await read(f"  {field['label']}: ")


def run(settings: Settings, who: str, text: str) -> int:
    """Play the desk as somebody, by mail, log-in name or id. :raises Wrong: nobody is called that"""
    system = open_system(settings)
    try:
        person = asyncio.run(whom(system.directory, who))
    finally:
        system.close()
    if settings.log_level == "info":  # between the cards only what goes wrong
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    try:
        asyncio.run(ask(settings, person.id, text, typed))
    except asyncio.CancelledError:
        return 130
    except httpx2.HTTPError as error:
        raise Wrong(_no_answer(settings)) from error
    return 0


def _no_answer(settings: Settings) -> str:
    return (
        f"nothing answers at {replace(settings, public_url='').url}, though a desk has the data folder."
        " Is it served on another DESKHAND_PORT, or by another `deskhand ask`?"
        " For several terminals start `deskhand serve`."
    )
