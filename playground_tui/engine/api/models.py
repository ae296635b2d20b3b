"""/v1/models: what the connected providers offer, by full id (`PROVIDER/MODEL`)."""

from __future__ import annotations

from typing import NoReturn

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from playground_tui.engine.context import engine_of
from playground_tui.engine.errors import ApiError, Json


async def index(request: Request) -> Response:
    return Json({"object": "list", "data": await engine_of(request).providers.models()})


async def show(request: Request) -> Response:
    model_id = request.path_params["model_id"]
    for model in await engine_of(request).providers.models():
        if model["id"] == model_id:
            return Json(model)
    raise ApiError(f"The model '{model_id}' does not exist.", status=404, param="model", code="model_not_found")


async def delete(_request: Request) -> NoReturn:
    raise ApiError("Models belong to their providers and cannot be deleted here.", status=403)


_ONE = "/v1/models/{model_id:path}"
ROUTES = [
    Route("/v1/models", index, methods=["GET"]),
    Route(_ONE, show, methods=["GET"]),
    Route(_ONE, delete, methods=["DELETE"]),
]
