"""The way to a server: the SDK's client with credentials of ours alone, and its failures as `AssistantsError`."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from time import monotonic
from typing import Any, Self

import httpx2
import openai

from playground_tui import __version__
from playground_tui.assistants.answers import quote, read_object, said, the_list, the_one
from playground_tui.assistants.backoff import retry_after
from playground_tui.assistants.errors import AssistantsError, Malformed, NotReachable, rejected
from playground_tui.assistants.objects import Json
from playground_tui.peers import NotOurs, check_directory
from playground_tui.protocol import CLIENT_HEADER, PROVIDER_HEADER
from playground_tui.redaction import LONG, PLACE, redacted, shown_url

KEEP_ALIVE = 30.0
"""Seconds an idle connection is kept: less than the engine keeps it, so that it is never used as it closes."""
ORDINARY = httpx2.Timeout(30.0, connect=5.0)
ENGINE_STREAM = httpx2.Timeout(60.0, connect=5.0)
"""The engine sends a beat every 15 s; four missed beats are a dead connection."""
SERVER_STREAM = httpx2.Timeout(180.0, connect=10.0)
"""Other servers promise no beats: a model may think in silence. What is missed is found by asking for the run."""
UPLOAD = httpx2.Timeout(120.0, connect=5.0)
"""A server may think about a whole file before it answers."""
WHOLE = 60.0
"""Seconds for a whole answer, so that one which comes byte by byte ends too."""
SOON = 5.0
"""Seconds in which a request is tried again silently: a server that is slow to fail is told of."""
QUICK_TRIES = (0.2, 0.8)
"""Seconds before each further try of a request that may be repeated."""
LONGEST_WAIT = 2.0
"""Seconds of `Retry-After` that are waited out silently; a longer one is told."""
RAW = "X-Stainless-Raw-Response"
"""The SDK's own request header for the answer unparsed ("true"), or unread ("stream")."""

_FIXED_HEADERS = {
    "accept": "application/json",
    "content-type": "application/json",
    "openai-beta": "assistants=v2",
    "user-agent": f"playground-tui/{__version__}",
}
_PASSED_HEADERS = {"host", "connection", "accept-encoding", "content-length", "transfer-encoding", RAW.lower()}
_ENGINE_HEADERS = {"idempotency-key", CLIENT_HEADER.lower(), PROVIDER_HEADER.lower()}


class Transport:
    """Requests to one server through the SDK, each failure an `AssistantsError`."""

    def __init__(self, sdk: openai.AsyncOpenAI, where: str, *, is_engine: bool, key: str | None = None):
        self.sdk = sdk
        self.where = where
        self._key = key
        self.is_engine = is_engine
        self.stream_timeout = ENGINE_STREAM if is_engine else SERVER_STREAM

    @classmethod
    def to_engine(cls, socket: Path, headers: Mapping[str, str]) -> Self:
        """Over the engine's Unix socket. `headers` go with every request."""
        http = httpx2.AsyncClient(
            transport=httpx2.AsyncHTTPTransport(uds=str(socket), limits=_limits(), trust_env=False),
            trust_env=False,
            timeout=ORDINARY,
            event_hooks={
                "request": [_own_socket_only(socket), _own_headers_only("engine", _PASSED_HEADERS | _ENGINE_HEADERS)]
            },
        )
        return cls(_sdk("http://localhost/v1", "engine", http, headers), "the engine", is_engine=True)

    @classmethod
    def to_server(cls, url: str, key: str | None) -> Self:
        """To any server of the Assistants API. `url` is its base URL; a bare host means its `/v1`.

        Raises NotReachable when the URL is none.
        """
        base = base_url(url)
        http = httpx2.AsyncClient(
            limits=_limits(),
            trust_env=not is_loopback(base.host),
            timeout=ORDINARY,
            event_hooks={"request": [_own_headers_only(key, _PASSED_HEADERS)]},
        )
        return cls(_sdk(str(base), key or "none", http), base.netloc.decode("ascii"), is_engine=False, key=key)

    async def ask(
        self,
        method: Callable[..., Awaitable[Any]],
        *args: Any,
        repeat: bool = False,
        check: Callable[[Json], object] = bool,
        **kwargs: Any,
    ) -> Json:
        """Call an SDK method and return the JSON object answered.

        With `repeat` it is tried again a few times, quickly, when that may help: for what can be done twice. `check`
        raises Malformed for an object that cannot be the answer.
        """
        began = monotonic()
        for delay in QUICK_TRIES if repeat else ():
            try:
                return await self._ask_once(method, args, check, kwargs)
            except AssistantsError as error:
                if not error.retry or (error.retry_after or 0.0) > LONGEST_WAIT or monotonic() - began > SOON:
                    raise
                await asyncio.sleep(error.retry_after or delay)
        return await self._ask_once(method, args, check, kwargs)

    async def ask_for(self, what: str, method: Callable[..., Awaitable[Any]], known: str, **kwargs: Any) -> Json:
        """As `ask`, for the object with the id `known`, which is the method's first argument."""
        return await self.ask(method, known, check=partial(the_one, self.where, what=what, id=known), **kwargs)

    async def ask_new(self, what: str, method: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any) -> Json:
        """As `ask`, for an object that gets its id."""
        return await self.ask(method, *args, check=partial(the_one, self.where, what=what), **kwargs)

    async def ask_list(
        self, what: str, method: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any
    ) -> Sequence[Json]:
        """As `ask`, for the objects of a page, tried again where that may help."""
        check = partial(the_list, self.where, what=what)
        return check(await self.ask(method, *args, repeat=True, check=check, **kwargs))

    async def _ask_once(
        self, method: Callable[..., Awaitable[Any]], args: Any, check: Callable[[Json], object], kwargs: dict[str, Any]
    ) -> Json:
        seconds = None if "timeout" in kwargs else WHOLE
        with self.translated():
            async with asyncio.timeout(seconds):
                answer = await _quietly(method, "true", args, {"timeout": ORDINARY, **kwargs})
        body = self.json_object(answer.http_response)
        check(body)
        return body

    async def open(self, method: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any) -> httpx2.Response:
        """Call an SDK method and return the answer unread, after its headers. The caller closes it."""
        with self.translated():
            async with asyncio.timeout(self.stream_timeout.read):
                answer = await _quietly(method, "stream", args, {"timeout": self.stream_timeout, **kwargs})
        response: httpx2.Response = answer.http_response
        return response

    async def request(
        self,
        verb: str,
        path: str,
        *,
        body: object = None,
        query: Mapping[str, Any] | None = None,
        repeat: bool = False,
    ) -> Json:
        """A request the SDK has no method for; `path` is below the base URL, or a whole URL."""
        return await self.ask(self._other(verb, path, body, query), repeat=repeat)

    async def open_get(self, path: str, *, query: Mapping[str, Any] | None = None) -> httpx2.Response:
        """A stream the SDK has no method for, after its headers. The caller closes it."""
        return await self.open(self._other("get", path, None, query))

    def _other(
        self, verb: str, path: str, body: object, query: Mapping[str, Any] | None
    ) -> Callable[..., Awaitable[Any]]:
        """A method such as the SDK has them, for an operation it does not know."""

        def send(*, extra_headers: dict[str, str], **more: Any) -> Awaitable[Any]:
            options: Any = {"headers": extra_headers, "params": dict(query or {}), **more}
            if verb == "get":
                return self.sdk.get(path, cast_to=object, options=options)
            write = self.sdk.put if verb == "put" else self.sdk.post
            return write(path, cast_to=object, body=body, options=options)

        return send

    def json_object(self, response: httpx2.Response) -> Json:
        """The JSON object in an answer that was read. Raises Malformed."""
        return read_object(self.where, response, self.unsaid(response.content))

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Within it every failure of the SDK and of the connection is an `AssistantsError`."""
        if self.sdk.is_closed():
            raise NotReachable(f"The connection to {self.where} was closed.", sent=False)
        try:
            yield
        except openai.APIStatusError as error:
            raise self._rejected(error) from error
        except openai.APIConnectionError as error:
            raise self.broken(error.__cause__ or error) from error
        except openai.OpenAIError as error:
            raise Malformed(f"{self.where} answered with something unreadable: {self.quoted(str(error))}") from error
        except UnicodeEncodeError as error:
            raise AssistantsError("Not sent: it holds half a character, which cannot be sent.") from error
        except (httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL, OSError) as error:
            raise self.broken(error) from error

    def _rejected(self, error: openai.APIStatusError) -> AssistantsError:
        headers = error.response.headers
        by_api = "json" in headers.get("content-type", "")
        words = said(error.body) if by_api or "text/plain" in headers.get("content-type", "") else ""
        return rejected(
            error.status_code,
            self.quoted(words or headers.get("location", "")),
            where=self.where,
            by_api=by_api,
            code=self.quoted(error.code or ""),
            param=self.quoted(str(error.param or "")),
            retry_after=retry_after(headers),
        )

    def broken(self, error: BaseException) -> NotReachable:
        """The error for a connection that was not made or broke."""
        match error:
            case httpx2.ConnectTimeout() | httpx2.PoolTimeout():
                return NotReachable(f"{self.where} did not take the connection in time.", sent=False)
            case httpx2.ConnectError() | NotOurs() if self.is_engine:
                words = str(error) if isinstance(error, NotOurs) else "The engine is not running."
                return NotReachable(words, sent=False)
            case httpx2.ConnectError() | httpx2.UnsupportedProtocol() | httpx2.InvalidURL() | httpx2.ProxyError():
                return NotReachable(f"No connection to {self.where}: {self.quoted(_reason(error))}.", sent=False)
            case httpx2.TimeoutException() | TimeoutError():
                return NotReachable(f"{self.where} did not answer in time.")
            case _ if self.is_engine:
                return NotReachable("The connection to the engine broke.")
            case _:
                return NotReachable(f"The connection to {self.where} broke: {self.quoted(_reason(error))}.")

    def unsaid(self, data: bytes) -> bytes:
        """What a server sent, without the key that was sent to it."""
        return data.replace(self._key.encode(), PLACE.encode()) if self._key and len(self._key) >= LONG else data

    def quoted(self, words: str) -> str:
        """Another's words for a sentence of ours: short, clean, and without the key that the server may repeat."""
        return quote(redacted(words, self._key))

    async def close(self) -> None:
        await self.sdk.close()


def base_url(url: str) -> httpx2.URL:
    """The base URL of a server as the SDK needs it. Raises NotReachable with a sentence when it is none."""
    try:
        parsed = httpx2.URL(url.strip())
    except httpx2.InvalidURL as error:
        raise NotReachable(f"{quote(shown_url(url))} is not a URL: {quote(str(error))}.", sent=False) from None
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise NotReachable(
            f"{quote(shown_url(url))} is not the URL of a server: it begins with http:// or https://.", sent=False
        )
    return parsed.copy_with(path="/v1") if parsed.path in {"", "/"} else parsed


def is_loopback(host: str) -> bool:
    """Whether this host name or address is this machine itself."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _sdk(url: str, key: str, http: httpx2.AsyncClient, headers: Mapping[str, str] | None = None) -> openai.AsyncOpenAI:
    # "" and not None: the SDK fills whatever is None from the environment.
    return openai.AsyncOpenAI(
        api_key=key,
        admin_api_key="",
        organization="",
        project="",
        webhook_secret="",
        base_url=url,
        max_retries=0,
        default_headers=headers,
        http_client=http,
    )


def _own_socket_only(path: Path) -> Callable[[httpx2.Request], Awaitable[None]]:
    """A hook that lets no request go to a socket that may be another user's."""

    async def look(_request: httpx2.Request) -> None:
        check_directory(path)

    return look


def _own_headers_only(key: str | None, passed: AbstractSet[str]) -> Callable[[httpx2.Request], Awaitable[None]]:
    """A hook that lets no header leave but those of this program.

    The SDK also takes headers, organization and project from the environment (OPENAI_CUSTOM_HEADERS and others), which
    are meant for another server than this one.
    """
    fixed = {**_FIXED_HEADERS, **({"authorization": f"Bearer {key}"} if key else {})}

    async def keep(request: httpx2.Request) -> None:
        kind = request.headers.get("content-type", "")
        for name in list(request.headers):
            if name not in passed:
                del request.headers[name]
        request.headers.update(fixed)
        if kind.startswith("multipart/form-data"):
            request.headers["content-type"] = kind

    return keep


def _quietly(method: Callable[..., Awaitable[Any]], mode: str, args: Any, kwargs: dict[str, Any]) -> Awaitable[Any]:
    """Begin an SDK call. Its deprecation is warned of as it is called, not as it is awaited, so none escapes."""
    headers = {**kwargs.pop("extra_headers", {}), RAW: mode}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return method(*args, extra_headers=headers, **kwargs)


def _limits() -> httpx2.Limits:
    return httpx2.Limits(keepalive_expiry=KEEP_ALIVE)


def _reason(error: BaseException) -> str:
    return str(error).rstrip(".") or type(error).__name__
