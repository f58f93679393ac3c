"""Where a language model is reached, through the openai package: OpenAI, whatever speaks like it, Azure.

The package's habits are set aside. It waits 600 s, tries again by itself, reads its settings out of a dozen
environment variables and puts what stands there on top of what it was given: so the last word on each
request, and on how much of an answer is read, is in a transport of ours.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import openai
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.intent.model import ANSWER_CHARS, ModelFailed, Reason
from integrations.tls import trust

OPENAI_URL = "https://api.openai.com/v1"

_ANSWER_BYTES = 8 * ANSWER_CHARS  # of the protocol around an answer: escapes take up to six bytes a character
_KEPT = ("host", "content-type", "content-length")  # of the headers that the package would send
_OF_THE_KEY = (401, 403)
_OF_THE_REQUEST = (400, 404, 405, 415, 422)
_FILTERED = "content_filter"  # as OpenAI and Azure call it, in a reason to finish and in a code


class _TooMuch(Exception):
    """The answer is longer than any that is asked for."""


class _Reply(BaseModel):
    """What is read of an answer; whatever else stands in it is let lie."""

    model_config = ConfigDict(extra="ignore", strict=True)

    class Choice(BaseModel):
        class Message(BaseModel):
            content: str | None = None
            refusal: str | None = None

        message: Message
        finish_reason: str | None = None

    choices: list[Choice] = Field(min_length=1)


class Endpoint:
    """A ``Completion``. Use it from one event loop."""

    def __init__(
        self,
        *,
        key: str,
        name: str,
        url: str = "",
        api_version: str = "",
        ca_file: Path | None = None,
        deadline: timedelta,
    ) -> None:
        """:param api_version: ``url`` is an Azure resource, and ``name`` a deployment in it"""
        # Its debug log is turned on by an environment variable as soon as it is imported.
        logging.getLogger("openai").setLevel(logging.WARNING)
        self._name = name
        header = {"api-key": key} if api_version else {"authorization": f"Bearer {key}"}
        seconds = deadline.total_seconds()
        http = httpx2.AsyncClient(
            transport=_Plain(header, httpx2.AsyncHTTPTransport(verify=trust(ca_file))),
            timeout=httpx2.Timeout(seconds),
            follow_redirects=False,
            trust_env=False,  # no proxy that somebody else has set
        )
        common: dict[str, Any] = {
            "api_key": key,
            "admin_api_key": "",
            "organization": "",
            "project": "",
            "webhook_secret": "",
            "timeout": seconds,
            "max_retries": 0,
            "http_client": http,
        }
        self._client: openai.AsyncOpenAI
        if api_version:
            self._client = openai.AsyncAzureOpenAI(
                azure_endpoint=url, azure_deployment=name, api_version=api_version, **common
            )
        else:
            self._client = openai.AsyncOpenAI(base_url=url or OPENAI_URL, **common)

    async def complete(self, system: str, data: str, schema: Mapping[str, Any], name: str) -> str:
        """See ``Completion``."""
        try:
            answer = await self._client.chat.completions.with_raw_response.create(
                model=self._name,
                messages=[{"role": "system", "content": system}, {"role": "user", "content": data}],
                response_format={
                    "type": "json_schema",
                    "json_schema": {"name": name, "schema": dict(schema), "strict": True},
                },
            )
        except _TooMuch:
            raise ModelFailed(Reason.TOO_LONG) from None
        except openai.OpenAIError as error:
            raise ModelFailed(_reason(error)) from None
        return _content(answer.http_response.content)

    async def close(self) -> None:
        await self._client.close()


def _reason(error: openai.OpenAIError) -> Reason:
    if isinstance(error, openai.APITimeoutError):
        return Reason.TIMEOUT
    if isinstance(error, openai.APIStatusError):
        if error.code == _FILTERED:
            return Reason.REFUSED
        if error.status_code in _OF_THE_KEY:
            return Reason.DENIED
        return Reason.UNSUPPORTED if error.status_code in _OF_THE_REQUEST else Reason.DOWN
    return Reason.DOWN


def _content(body: bytes) -> str:
    """What the model says in the answer. :raises ModelFailed:"""
    try:
        choice = _Reply.model_validate_json(body).choices[0]
    except ValidationError:
        raise ModelFailed(Reason.DOWN) from None  # it does not speak the protocol
    if choice.finish_reason == _FILTERED or choice.message.refusal:
        raise ModelFailed(Reason.REFUSED)
    if choice.finish_reason == "length":
        raise ModelFailed(Reason.TOO_LONG)
    if choice.message.content is None:
        raise ModelFailed(Reason.GARBAGE)
    return choice.message.content


class _Plain(httpx2.AsyncBaseTransport):
    """Sends the headers that are needed and no other; reads no more of an answer than is of use."""

    def __init__(self, headers: Mapping[str, str], inner: httpx2.AsyncBaseTransport) -> None:
        self._headers = {
            "accept": "application/json",
            "accept-encoding": "identity",  # what is measured is what comes: nothing unfolds
            "user-agent": "deskhand",
            **headers,
        }
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        kept = {name: request.headers[name] for name in _KEPT if name in request.headers}
        sent = httpx2.Request(  # the package goes on looking at its own
            request.method,
            request.url,
            headers={**kept, **self._headers},
            stream=request.stream,
            extensions=request.extensions,
        )
        answer = await self._inner.handle_async_request(sent)
        assert isinstance(answer.stream, httpx2.AsyncByteStream)
        if answer.headers.get("content-encoding", "identity").lower() != "identity":
            await answer.stream.aclose()
            raise httpx2.DecodingError("a packed answer, which nobody asked for", request=request)
        answer.stream = _Capped(answer.stream)
        return answer

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Capped(httpx2.AsyncByteStream):
    def __init__(self, inner: httpx2.AsyncByteStream) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = 0
        async for piece in self._inner:
            read += len(piece)
            if read > _ANSWER_BYTES:
                raise _TooMuch
            yield piece

    async def aclose(self) -> None:
        await self._inner.aclose()
