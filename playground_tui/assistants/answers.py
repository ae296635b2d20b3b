"""What a server answers, checked before it is believed: JSON, the object asked for, and no error in its place."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx2

from playground_tui.assistants.errors import LONGEST_QUOTE, Malformed
from playground_tui.assistants.objects import Json, objects_of, text_of
from playground_tui.text import clean, shorten

LONGEST_READ = 4 * LONGEST_QUOTE
"""Characters of a server's words that are looked at: a page of megabytes is not cleaned to be cut."""


def quote(words: str) -> str:
    """Somebody else's words on one line, clean and short."""
    return shorten(clean(words[:LONGEST_READ], newlines=False).strip(), LONGEST_QUOTE)


def said(body: object) -> str:
    """What a body says went wrong, or "" when it does not say it as an API would."""
    if isinstance(body, Mapping):
        return said(body.get("message") or body.get("detail") or body.get("error"))
    return body if isinstance(body, str) else ""


def read_object(where: str, response: httpx2.Response, content: bytes) -> Json:
    """The JSON object in the content of an answer. Raises Malformed, also for an error in its place."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        raise Malformed(_not_json(where, response)) from None
    if not isinstance(body, dict):
        raise Malformed(f"{where} answered with JSON that is no object: not an Assistants API.")
    if body.get("error") and not body.keys() & {"id", "data"}:
        raise Malformed(f"{where} answered with an error: {quote(said(body['error']) or 'it does not say which')}")
    return body


def the_one(where: str, body: Json, what: str, *, id: str = "") -> Json:  # noqa: A002 -- the API's word
    """The object, which has an id, and this one where it was asked for. `what` names its kind. Raises Malformed."""
    found = text_of(body, "id")
    if not found or (id and found != id):
        raise Malformed(f"{where} answered with something else than the {what} that was asked for.")
    return body


def the_list(where: str, body: Json, what: str) -> Sequence[Json]:
    """The objects of a list, each of which has an id. `what` names their kind. Raises Malformed."""
    listed: Any = body.get("data")
    if not isinstance(listed, list):
        raise Malformed(f"{where} answered with something else than a list of {what}.")
    return [item for item in objects_of(body, "data") if text_of(item, "id")]


def _not_json(where: str, response: httpx2.Response) -> str:
    if "html" in response.headers.get("content-type", ""):
        return f"{where} answered with a web page in place of the Assistants API. Is the address right, with its /v1?"
    return f"{where} answered with broken JSON."
