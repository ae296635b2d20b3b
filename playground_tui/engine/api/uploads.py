"""/v1/uploads: files that come in parts."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from playground_tui.engine.api.forms import keeping, receive_form, require_form
from playground_tui.engine.api.requests import body_of, once, write_once
from playground_tui.engine.context import Engine, engine_of
from playground_tui.engine.errors import ApiError, Json
from playground_tui.engine.file_objects import expiry, part_object, upload_object
from playground_tui.engine.file_schemas import CancelUpload, CompleteUpload, CreateUpload
from playground_tui.engine.guards import MAX_PART, declared_length
from playground_tui.engine.store import files, uploads
from playground_tui.engine.store.idempotency import Keep
from playground_tui.engine.store.uploads import Pending, UploadRefused


async def create(request: Request) -> Response:
    engine = engine_of(request)
    body = await body_of(request, CreateUpload)

    def add(c: Connection) -> dict[str, Any]:
        upload = upload_object(size=body.bytes, filename=body.filename, purpose=body.purpose, created_at=engine.now())
        uploads.add(c, upload, body.expires_after.given() if body.expires_after else None)
        return upload

    return Json(await write_once(request, add))


async def add_part(request: Request) -> Response:
    engine = engine_of(request)
    upload_id = request.path_params["upload_id"]
    require_form(request)
    await engine.database.read(lambda c: uploads.pending(c, upload_id, now=engine.now()))
    with keeping():
        return Json(await _kept_part(request, engine, upload_id))


async def _kept_part(request: Request, engine: Engine, upload_id: str) -> dict[str, Any]:
    part = part_object(upload_id=upload_id, created_at=engine.now())
    async with engine.files.incoming(declared_length(request.scope)) as incoming:
        form = await receive_form(request, incoming, file="data", fields=frozenset(), limit=MAX_PART)
        if form.filename is None:
            raise ApiError("Missing required parameter: 'data'.", param="data", code="missing_required_parameter")
        async with engine.files.kept_as(incoming, part["id"]):

            def add(c: Connection) -> dict[str, Any]:
                uploads.add_part(c, part, incoming.bytes, now=engine.now())
                return part

            return await write_once(request, add, digest=incoming.md5)


async def complete(request: Request) -> Response:
    body = await body_of(request, CompleteUpload)

    async def act(keep: Keep) -> dict[str, Any]:
        with keeping():
            return await _completed(engine_of(request), request.path_params["upload_id"], body, keep)

    return Json(await once(request, act))


async def _completed(engine: Engine, upload_id: str, body: CompleteUpload, keep: Keep) -> dict[str, Any]:
    def look(c: Connection) -> Pending:
        found = uploads.pending(c, upload_id, now=engine.now())
        uploads.require_parts(c, found.upload, body.part_ids)
        return found

    found = await engine.database.read(look)
    upload = found.upload
    async with engine.files.incoming(upload["bytes"]) as incoming:
        try:
            await incoming.append([engine.files.path(part_id) for part_id in body.part_ids])
        except FileNotFoundError:
            await engine.database.read(look)  # another request has ended the upload meanwhile: it says so
            raise
        if body.md5 is not None and body.md5.lower() != incoming.md5:
            raise UploadRefused(f"The contents have the MD5 checksum {incoming.md5}, not the one given.", "md5")
        expires_at = expiry(upload["purpose"], engine.now(), found.expires_after)
        async with engine.files.kept(incoming, upload["filename"], upload["purpose"], expires_at=expires_at) as file:
            return await _end(engine, {**upload, "status": "completed", "file": file}, keep)


async def _end(engine: Engine, upload: dict[str, Any], keep: Keep) -> dict[str, Any]:
    """Store how an upload ended, and the file that came of it if one did. Raises Unknown, UploadRefused."""

    def store(c: Connection) -> list[str]:
        uploads.pending(c, upload["id"], now=engine.now())
        if upload["file"] is not None:
            files.add(c, upload["file"])
        keep(c, upload)
        return uploads.end(c, upload)

    await engine.files.drop(await engine.database.write(store))
    return upload


async def cancel(request: Request) -> Response:
    engine = engine_of(request)
    upload_id = request.path_params["upload_id"]
    await body_of(request, CancelUpload)

    async def act(keep: Keep) -> dict[str, Any]:
        found = await engine.database.read(lambda c: uploads.pending(c, upload_id, now=engine.now()))
        return await _end(engine, {**found.upload, "status": "cancelled"}, keep)

    return Json(await once(request, act))


_ONE = "/v1/uploads/{upload_id}"
ROUTES = [
    Route("/v1/uploads", create, methods=["POST"]),
    Route(f"{_ONE}/parts", add_part, methods=["POST"]),
    Route(f"{_ONE}/complete", complete, methods=["POST"]),
    Route(f"{_ONE}/cancel", cancel, methods=["POST"]),
]
