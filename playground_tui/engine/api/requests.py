"""What handlers read of a request: the body, the page of a list, who asks, and whether it came before."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any, Literal, TypeVar

from pydantic import ValidationError
from pydantic_core import from_json
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from playground_tui.engine.context import Engine, engine_of
from playground_tui.engine.errors import ApiError, invalid
from playground_tui.engine.schemas import Body
from playground_tui.engine.store import idempotency
from playground_tui.engine.store.idempotency import Keep, KeyReused, keep_nothing
from playground_tui.engine.store.paging import Page
from playground_tui.protocol import CLIENT_HEADER, HOPS_HEADER

BodyT = TypeVar("BodyT", bound=Body)

MAX_LIMIT = 100
LABEL_CHARACTERS = 200
KEY_CHARACTERS = 256
_PERHAPS_TOO_LARGE = re.compile(rb"[eE]\+?\d{3}|\d{200}")
"""Where a number can stand that is read as infinite, which no answer could say."""


async def body_of(request: Request, schema: type[BodyT]) -> BodyT:
    """The body as `schema` has it; no body at all is an empty one. Raises ApiError."""
    return validated(schema, await json_of(request))


async def json_of(request: Request) -> object:
    """The body; no body at all is an empty object. Raises ApiError."""
    raw = await request.body()
    try:
        given: object = from_json(raw, allow_inf_nan=False) if raw.strip() else {}
        if _PERHAPS_TOO_LARGE.search(raw):
            json.dumps(given, allow_nan=False)
    except ValueError as error:
        raise ApiError(f"The body is not valid JSON: {error}.", code="invalid_json") from error
    return given


def validated(schema: type[BodyT], given: object) -> BodyT:
    """What was given as `schema` has it. Raises ApiError."""
    try:
        return schema.model_validate(given)
    except ValidationError as error:
        raise invalid(error, given) from error


def page_of(request: Request, *, most: int = MAX_LIMIT, default: int = 20, back: bool = True) -> Page:
    """The part of a list that the query asks for; without `back` the list knows no `before`. Raises ApiError."""
    query = request.query_params
    limit = query.get("limit", str(default))
    if not (limit.isascii() and limit.isdecimal() and 1 <= int(limit[:9]) <= most):
        raise ApiError(f"Invalid 'limit': it is a whole number from 1 to {most}.", param="limit")
    before = query.get("before") if back else None
    return Page(int(limit), _order(query.get("order", "desc")), query.get("after"), before)


def _order(given: str) -> Literal["asc", "desc"]:
    if given == "asc":
        return "asc"
    if given == "desc":
        return "desc"
    raise ApiError("Invalid 'order': it is asc or desc.", param="order")


def flag_of(request: Request, name: str) -> bool:
    """Whether the query says `name=true`. Raises ApiError for anything but true and false."""
    given = request.query_params.get(name, "false")
    if given not in {"true", "false"}:
        raise ApiError(f"Invalid '{name}': it is true or false.", param=name)
    return given == "true"


def client_of(request: Request) -> str:
    """The label of the program that asks: its own for people, else the name it gives to servers, else ""."""
    named = request.headers.get(CLIENT_HEADER) or request.headers.get("User-Agent", "")
    return named[:LABEL_CHARACTERS]


async def write_once(
    request: Request, act: Callable[[Connection], dict[str, Any]], *, digest: str | None = None
) -> dict[str, Any]:
    """What `act` returns in a transaction; with an Idempotency-Key the reply that this key has had within 24 h.

    The reply is kept in the same transaction: whatever happens to the engine, a key acts once. `digest` tells the
    request from others where its body is not to be had any more.
    Raises KeyReused when the key came with another body.
    """
    engine = engine_of(request)
    place = _place(request)
    if place is None:
        return await engine.database.write(act)
    told, now = digest or await _digest(request), engine.now()

    def act_once(c: Connection) -> dict[str, Any]:
        known = idempotency.find(c, *place, told, now=now)
        if known is not None:
            return known
        reply = act(c)
        idempotency.keep(c, *place, told, reply, now=now)
        return reply

    return await engine.database.write(act_once)


async def once(request: Request, act: Callable[[Keep], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    """As `write_once`, for what is more than a transaction: `act` is given what keeps its reply in its own one.

    A second request with the key of one under way waits for its reply. Only what succeeds is kept.
    Raises KeyReused when the key came with another body.
    """
    engine = engine_of(request)
    place = _place(request)
    if place is None:
        return await act(keep_nothing)
    digest = await _digest(request)
    coming = engine.pending.get(place)
    if coming is None:
        task = asyncio.create_task(_acted_once(engine, place, digest, act))
        coming = engine.pending[place] = (digest, task)
        task.add_done_callback(lambda done: _forget(engine, place, done))
    if coming[0] != digest:
        raise KeyReused
    return await asyncio.shield(coming[1])


def _place(request: Request) -> tuple[str, str] | None:
    """The request's key and path, if it has a key. Raises ApiError."""
    key = request.headers.get("Idempotency-Key", "")
    if len(key) > KEY_CHARACTERS:
        raise ApiError(f"An Idempotency-Key has at most {KEY_CHARACTERS} characters.")
    return (key, request.url.path) if key else None


async def _digest(request: Request) -> str:
    return hashlib.sha256(await request.body()).hexdigest()


def _forget(engine: Engine, place: tuple[str, str], done: asyncio.Task[dict[str, Any]]) -> None:
    del engine.pending[place]
    if not done.cancelled():
        done.exception()  # told to those who wait, if anybody still does


async def _acted_once(
    engine: Engine, place: tuple[str, str], digest: str, act: Callable[[Keep], Awaitable[dict[str, Any]]]
) -> dict[str, Any]:
    now = engine.now()
    known = await engine.database.read(lambda c: idempotency.find(c, *place, digest, now=now))
    if known is not None:
        return known
    return await act(lambda c, reply: idempotency.keep(c, *place, digest, reply, now=now))


class RefuseHops:
    """Refuses what an engine sends to its provider: it would be asking itself."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if any(name == HOPS_HEADER.lower().encode() for name, _ in scope["headers"]):
            raise ApiError("this provider is the engine itself: check OPENAI_BASE_URL")
        await self._app(scope, receive, send)
