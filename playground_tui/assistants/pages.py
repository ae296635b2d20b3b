"""Lists that a server gives page by page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from playground_tui.assistants.answers import the_list
from playground_tui.assistants.objects import Json, text_of
from playground_tui.assistants.transport import Transport

LARGEST_PAGE = 100


async def all_pages(
    transport: Transport, what: str, list_page: Callable[..., Awaitable[Any]], *args: Any, **more: Any
) -> list[Json]:
    """Every object of a list, newest first, page by page. A server that answers the same page again ends it.

    `what` names what they are, for a person.
    """
    check = partial(the_list, transport.where, what=what)
    return await _all(lambda query: transport.ask(list_page, *args, repeat=True, check=check, **query), check, more)


async def all_pages_at(transport: Transport, what: str, path: str, **more: Any) -> list[Json]:
    """As `all_pages`, of a list for which the SDK has no method."""
    check = partial(the_list, transport.where, what=what)
    return await _all(lambda query: transport.request("get", path, query=query, repeat=True), check, more)


async def _all(
    ask: Callable[[dict[str, Any]], Awaitable[Json]], check: Callable[[Json], Sequence[Json]], more: dict[str, Any]
) -> list[Json]:
    found: dict[str, Json] = {}
    query: dict[str, Any] = {"limit": LARGEST_PAGE, "order": "desc", **more}
    while True:
        body = await ask(query)
        page = {text_of(raw, "id"): raw for raw in check(body)}
        new = page.keys() - found.keys()
        found.update(page)
        if not new or body.get("has_more") is not True:
            return list(found.values())
        query["after"] = list(page)[-1]
