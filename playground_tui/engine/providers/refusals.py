"""What went wrong at a provider, in a sentence that names it, says what to do, and holds no key."""

from __future__ import annotations

import json
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from typing import Any

import httpx2

from playground_tui.engine.providers.base import ErrorCode, ProviderError, ProviderSettings
from playground_tui.redaction import redacted

LONGEST = 300
"""Characters of a server's own words that are repeated."""
PAGE = re.compile(r"^\s*<(?:!doctype|html|head|body)", re.IGNORECASE)
SECONDS = re.compile(r"\d{1,6}(\.\d{1,3})?")
DAY = 86_400
HTTP_DATE = re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT")
PROMPT_CODES = frozenset({"invalid_prompt", "context_length_exceeded", "string_above_max_length", "invalid_image"})


class Refused(ProviderError):
    """The provider answered with an error status. `said` are its own words, `param` the parameter it names, or ""."""

    def __init__(self, sentence: str, *, status: int, code: ErrorCode, said: str, param: str, kind: str):
        super().__init__(sentence, code=code, status=status)
        self.status: int = status
        self.said = said
        self.param = param
        self.kind = kind
        """The provider's error code (`model_not_found`, `unsupported_parameter`, ...), or ""."""


def where(settings: ProviderSettings) -> str:
    """Host and port of the provider, without what else its URL may hold."""
    try:
        url = httpx2.URL(settings.base_url)
    except httpx2.InvalidURL:
        return "an unusable address"
    return url.netloc.decode("ascii", "replace") or "an unusable address"


def scrub(text: str, settings: ProviderSettings) -> str:
    """The text on one line of at most LONGEST characters, without the key or anything that looks like one."""
    text = " ".join(redacted(text, settings.api_key).split())
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def fields(body: bytes) -> tuple[str, str, str]:
    """(message, param, code) of an error body, however the server shapes it."""
    text = body.decode("utf-8", "replace")
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        return ("a web page in place of an answer" if PAGE.match(text) else text), "", ""
    return error_fields(answer)


def error_fields(answer: object) -> tuple[str, str, str]:
    """(message, param, code) of `{"error": {...}}`, `{"error": "text"}`, `{"detail": ...}` or `{"message": ...}`."""
    if isinstance(answer, list) and answer:
        answer = answer[0]
    if not isinstance(answer, Mapping):
        return str(answer or ""), "", ""
    error = answer.get("error") or answer.get("detail") or answer
    if not isinstance(error, Mapping):
        return (error if isinstance(error, str) else json.dumps(error)), "", ""
    return str(error.get("message") or ""), str(error.get("param") or ""), str(error.get("code") or "")


def refused(settings: ProviderSettings, status: int, headers: Mapping[str, str], body: bytes) -> Refused:
    """The error for an answer with an error status."""
    message, param, kind = fields(body)
    said = scrub(message, settings)
    sentence = " ".join(_sentence(settings, status, headers, said, kind))
    return Refused(sentence, status=status, code=code_of(status, kind), said=said, param=param, kind=kind)


def code_of(status: int, kind: str) -> ErrorCode:
    """The contract's word for a failure."""
    if status == 429 or kind in {"rate_limit_exceeded", "insufficient_quota"}:
        return "rate_limit_exceeded"
    return "invalid_prompt" if status == 413 or kind in PROMPT_CODES else "server_error"


def _sentence(
    settings: ProviderSettings, status: int, headers: Mapping[str, str], said: str, kind: str
) -> Iterator[str]:
    name = settings.name
    told = f": {said.rstrip('.')}." if said else "."
    match status:
        case 401:
            yield f"{name} {'did not accept the key' if settings.api_key else 'wants a key'} (401){told}"
            yield key_hint(settings)
        case 403:
            yield f"{name} does not allow this with the key given (403){told}"
        case 404 | 405:
            yield f"{name} does not know the model or the address ({status}){told}"
            yield f"Choose another model, or check the base_url of {name} ({where(settings)})."
        case 413:
            yield f"The request is too large for {name} (413){told} Shorten the instructions or begin a new thread."
        case 429:
            yield f"{name} is limiting requests (429){told}"
            yield "The account has no credit left." if kind == "insufficient_quota" else _retry(headers)
        case _ if 300 <= status < 400:
            yield f"{name} answered with a redirect ({status}): check its base_url ({where(settings)})."
        case _ if status >= 500:
            yield f"{name} has a problem of its own ({status}){told} {_retry(headers)}"
        case _:
            yield f"{name} refused the request ({status}){told}"


def key_hint(settings: ProviderSettings) -> str:
    """Where the key comes from."""
    usual = "OPENAI_API_KEY" if settings.origin == "environment" else f"the key of [providers.{settings.name}]"
    return f"Check {settings.key_from or usual} and start the playground again."


def _retry(headers: Mapping[str, str]) -> str:
    """When to try again: what the server wishes, if that is a time or a number of seconds of a day at most."""
    wish = headers.get("retry-after", "").strip()
    if SECONDS.fullmatch(wish) and float(wish) <= DAY:
        return f"Try again in {wish} s."
    return f"Try again after {wish}." if HTTP_DATE.fullmatch(wish) else "Try again in a while."


def reported(settings: ProviderSettings, error: object) -> ProviderError:
    """The error for a failure that was told inside a stream: an object with message and code, or a text.

    Gateways put the status there that their provider answered with.
    """
    message, _, kind = error_fields(error)
    said = scrub(message, settings) or "no reason given"
    status = int(kind) if re.fullmatch(r"[45]\d\d", kind) else 0
    return ProviderError(f"{settings.name} reported an error: {said}", code=code_of(status, kind))


def broken(settings: ProviderSettings, error: Exception) -> ProviderError:
    """The error for a connection that failed or broke."""
    return ProviderError(f"{settings.name} ({where(settings)}) {_cause(error)}")


def _cause(error: Exception) -> str:
    causes = list(_chain(error))
    if isinstance(error, httpx2.TimeoutException | TimeoutError):
        return f"did not answer in time ({'connecting' if isinstance(error, httpx2.ConnectTimeout) else 'silence'})."
    if isinstance(error, httpx2.InvalidURL | httpx2.UnsupportedProtocol | httpx2.LocalProtocolError):
        return "has an address or key that cannot be sent: check its base_url and key."
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return "is not a name this machine can find: check base_url and the network."
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return "could not be reached safely: its certificate was not accepted."
    if isinstance(error, httpx2.ConnectError):
        return "cannot be reached: is it running, and is its base_url right?"
    return "broke the connection before the answer was whole. Run it again."


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def cut(settings: ProviderSettings) -> ProviderError:
    """The error for a stream that ended without its end."""
    return ProviderError(f"{settings.name} ended the stream before the answer was whole. Run it again.")


def no_event(settings: ProviderSettings) -> ProviderError:
    """The error for an event in the midst of an answer that is none."""
    return ProviderError(f"{settings.name} sent a broken event in the midst of its answer. Run it again.")


def garbage(settings: ProviderSettings, body: str) -> ProviderError:
    """The error for an answer that is not what this kind of provider sends."""
    what = "a web page" if PAGE.match(body) else "something that is not its API"
    return ProviderError(
        f"{settings.name} ({where(settings)}) answered with {what}: check its base_url, which usually ends in /v1."
    )


def event_of(settings: ProviderSettings, data: str, *, begun: bool) -> Mapping[str, Any]:
    """The JSON object of an event. Raises ProviderError; once an answer has `begun` its provider is the right one."""
    try:
        return object_of(settings, data)
    except ProviderError:
        if begun:
            raise no_event(settings) from None
        raise


def object_of(settings: ProviderSettings, data: str) -> Mapping[str, Any]:
    """The JSON object in `data`. Raises ProviderError when there is none."""
    try:
        answer = json.loads(data)
    except (ValueError, RecursionError):
        raise garbage(settings, data) from None
    if not isinstance(answer, Mapping):
        raise garbage(settings, data)
    return answer
