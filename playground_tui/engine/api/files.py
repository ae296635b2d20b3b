"""/v1/files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, BinaryIO
from urllib.parse import quote

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from playground_tui.engine import objects
from playground_tui.engine.api.forms import Form, keeping, receive_form, require_form
from playground_tui.engine.api.requests import page_of, validated, write_once
from playground_tui.engine.context import Engine, engine_of
from playground_tui.engine.errors import ApiError, Json
from playground_tui.engine.file_objects import content_type, expiry
from playground_tui.engine.file_schemas import CreateFile
from playground_tui.engine.guards import MAX_FILE, declared_length
from playground_tui.engine.store import files

MOST_FILES = 10_000
"""Files on one page of the list, also when no number is asked for."""
_FIELDS = frozenset({"purpose", "expires_after[anchor]", "expires_after[seconds]"})
_BLOCK = 256 * 1024


async def create(request: Request) -> Response:
    engine = engine_of(request)
    require_form(request)
    with keeping():
        return Json(await _kept(request, engine))


async def _kept(request: Request, engine: Engine) -> dict[str, Any]:
    async with engine.files.incoming(declared_length(request.scope)) as incoming:
        form = await receive_form(request, incoming, file="file", fields=_FIELDS, limit=MAX_FILE)
        body = _body(form)
        policy = body.expires_after.given() if body.expires_after else None
        expires_at = expiry(body.purpose, engine.now(), policy)
        async with engine.files.kept(incoming, body.file, body.purpose, expires_at=expires_at) as file:

            def add(c: Connection) -> dict[str, Any]:
                files.add(c, file)
                return file

            return await write_once(request, add, digest=f"{body.given()} {incoming.md5}")


def _body(form: Form) -> CreateFile:
    """What the form says. Raises ApiError."""
    given: dict[str, Any] = {name: text for name, text in form.fields.items() if name == "purpose"}
    if form.filename is not None:
        given["file"] = form.filename or "upload"
    for name, text in form.fields.items():
        if name.startswith("expires_after["):
            key = name.partition("[")[2].rstrip("]")
            number = key == "seconds" and text.isascii() and text[:12].isdecimal() and len(text) <= 12
            given.setdefault("expires_after", {})[key] = int(text) if number else text
    return validated(CreateFile, given)


async def index(request: Request) -> Response:
    engine = engine_of(request)
    page = page_of(request, most=MOST_FILES, default=MOST_FILES, back=False)
    purpose = request.query_params.get("purpose")
    await engine.files.expire()
    items, more = await engine.database.read(lambda c: files.list_files(c, page, purpose=purpose))
    return Json(objects.list_object(items, has_more=more))


async def _file(request: Request) -> dict[str, Any]:
    engine = engine_of(request)
    await engine.files.expire()
    return await engine.database.read(lambda c: files.require(c, request.path_params["file_id"]))


async def show(request: Request) -> Response:
    return Json(await _file(request))


async def content(request: Request) -> Response:
    file = await _file(request)
    path = engine_of(request).files.path(file["id"])
    try:
        opened = await asyncio.to_thread(path.open, "rb")
    except FileNotFoundError as error:
        sentence = f"The contents of file '{file['id']}' are no longer on the engine's disk."
        raise ApiError(sentence, status=404) from error
    name = quote(file["filename"], safe="", errors="replace")
    headers = {
        "Content-Type": content_type(file["filename"]),
        "Content-Length": str(file["bytes"]),
        "Content-Disposition": f"attachment; filename*=UTF-8''{name}",  # RFC 6266
        "X-Content-Type-Options": "nosniff",
    }
    return _Contents(opened, headers)


class _Contents(StreamingResponse):
    """An open file, closed also when nobody reads it."""

    def __init__(self, opened: BinaryIO, headers: Mapping[str, str]):
        super().__init__(_blocks(opened), headers=headers)
        self._opened = opened

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._opened:
            await super().__call__(scope, receive, send)


async def _blocks(opened: BinaryIO) -> AsyncIterator[bytes]:
    while block := await asyncio.to_thread(opened.read, _BLOCK):
        yield block


async def delete(request: Request) -> Response:
    file_id = request.path_params["file_id"]
    engine = engine_of(request)
    await engine.files.remove(file_id)
    engine.search.wake()
    return Json({"id": file_id, "object": "file", "deleted": True})


_ONE = "/v1/files/{file_id}"
ROUTES = [
    Route("/v1/files", index, methods=["GET"]),
    Route("/v1/files", create, methods=["POST"]),
    Route(_ONE, show, methods=["GET"]),
    Route(_ONE, delete, methods=["DELETE"]),
    Route(f"{_ONE}/content", content, methods=["GET"]),
]
