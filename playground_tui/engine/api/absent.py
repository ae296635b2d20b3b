"""What the contract has and this engine does not have yet: said in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from starlette.requests import Request
from starlette.routing import Route

from playground_tui.engine.errors import ApiError

_NAMES = {"vector_stores": "Vector stores"}
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def refuse(what: str) -> NoReturn:
    """Say that `what` is not there yet."""
    raise ApiError(
        f"{what} are not supported by this engine yet.", status=501, type="not_implemented", code="not_implemented"
    )


def tool_resources(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """The resources for tools as they are kept. Raises ApiError where a vector store would have to be made."""
    kept = {tool: resources for tool, resources in (given or {}).items() if resources is not None}
    if kept.get("file_search", {}).get("vector_stores"):
        refuse(_NAMES["vector_stores"])
    return kept


async def absent(request: Request) -> NoReturn:
    refuse(_NAMES[request.url.path.split("/")[2]])


ROUTES = [
    Route(path, absent, methods=_METHODS) for name in _NAMES for path in (f"/v1/{name}", f"/v1/{name}/{{rest:path}}")
]
