"""GET /v1/changes (an extension): what changed, as server-sent events for as long as the reader stays."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from playground_tui.engine.context import engine_of
from playground_tui.engine.errors import ApiError
from playground_tui.engine.sse import event_stream


async def follow(request: Request) -> Response:
    """`after=N` goes on behind change N; without it only what changes from now on is told."""
    after = request.query_params.get("after")
    if after is not None and not (after.isascii() and after.isdecimal()):
        raise ApiError("Invalid 'after': it is the id of a change.", param="after")
    return event_stream(engine_of(request).changes.subscribe(None if after is None else int(after[:18])))


ROUTES = [Route("/v1/changes", follow, methods=["GET"])]
