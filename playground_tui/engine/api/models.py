"""/v1/models: what the connected providers offer, by full id (`PROVIDER/MODEL`), then the assistants by theirs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from playground_tui.engine.context import engine_of
from playground_tui.engine.errors import ApiError, Json
from playground_tui.engine.store import assistants


def assistant_model(assistant: Mapping[str, Any]) -> dict[str, Any]:
    """An assistant as a model for chat completions, with its name and the category of its metadata."""
    return {
        "id": assistant["id"],
        "object": "model",
        "created": assistant["created_at"],
        "owned_by": "assistant",
        "name": assistant["name"],
        "category": assistant["metadata"].get("category"),
    }


async def index(request: Request) -> Response:
    engine = engine_of(request)
    models = await engine.providers.models()
    known = await engine.database.read(assistants.all_assistants)
    return Json({"object": "list", "data": [*models, *map(assistant_model, known)]})


async def show(request: Request) -> Response:
    engine, model_id = engine_of(request), request.path_params["model_id"]
    assistant = await engine.database.read(lambda c: assistants.get(c, model_id))
    if assistant is not None:
        return Json(assistant_model(assistant))
    for model in await engine.providers.models():
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
