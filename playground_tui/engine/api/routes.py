"""All routes of the API in one table."""

from __future__ import annotations

from itertools import chain

from starlette.middleware import Middleware
from starlette.routing import Route

from playground_tui.engine.api import (
    assistants,
    changes,
    completions,
    file_batches,
    files,
    messages,
    models,
    runs,
    steps,
    threads,
    uploads,
    vector_store_files,
    vector_stores,
)
from playground_tui.engine.api.requests import RefuseHops

_MIDDLEWARE = [Middleware(RefuseHops)]


def _guarded(route: Route) -> Route:
    return Route(route.path, route.endpoint, methods=sorted(route.methods or ()), middleware=_MIDDLEWARE)


# Runs come before threads: /v1/threads/runs is no thread.
_RESOURCES = (
    assistants,
    runs,
    steps,
    threads,
    messages,
    models,
    completions,
    changes,
    files,
    uploads,
    vector_stores,
    vector_store_files,
    file_batches,
)

ROUTES = [_guarded(route) for route in chain.from_iterable(resource.ROUTES for resource in _RESOURCES)]
"""Every route under /v1."""
