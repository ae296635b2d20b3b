"""Every failure of a request in the contract's body: `{"error": {"message", "type", "param", "code"}}`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ExceptionHandler

from playground_tui.engine.store.failures import StoreFailed
from playground_tui.engine.store.idempotency import KeyReused
from playground_tui.engine.store.paging import UnknownCursor
from playground_tui.engine.store.runs import ActiveRun
from playground_tui.engine.store.unknown import Unknown
from playground_tui.engine.store.uploads import UploadRefused
from playground_tui.engine.store.vector_stores import Expired

_NOT_FOUND = 404
NO_ROOM = 507
_NOTHING = object()
_NO_OBJECT = frozenset({"model_type", "model_attributes_type", "dict_type"})


class ApiError(Exception):
    """A request is refused. `status` is the HTTP status; the rest is the contract's error object."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        type: str = "invalid_request_error",  # noqa: A002 - the contract's word
        param: str | None = None,
        code: str | None = None,
    ):
        super().__init__(message)
        self.message = message
        self.status = status
        self.type = type
        self.param = param
        self.code = code

    @property
    def body(self) -> dict[str, Any]:
        """The JSON body."""
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}


class Json(Response):
    """A JSON body in ASCII: whatever a text holds, it can be sent, and no reader takes part of it for a line's end."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return json.dumps(content, separators=(",", ":"), allow_nan=False).encode()


def answer(error: ApiError) -> Response:
    """The response that an error is. What no second try can mend gets none: the SDKs make one, after a 5xx."""
    headers = {"x-should-retry": "false"} if error.status == NO_ROOM else None
    return Json(error.body, status_code=error.status, headers=headers)


def store_failed(error: Exception) -> ApiError:
    """507: the request was in order, and what it asks for cannot be kept or read now."""
    return ApiError(str(error), status=NO_ROOM, type="server_error", code="store_failed")


def not_found(error: Exception) -> ApiError:
    """404, in the store's words."""
    return ApiError(str(error), status=_NOT_FOUND)


def invalid(error: ValidationError, given: object) -> ApiError:
    """What is wrong first in the body `given`. `param` is the dotted path to it."""
    details = error.errors(include_url=False, include_context=True)
    first = min(details, key=lambda detail: detail["type"] != "extra_forbidden")
    param = dotted_path(first["loc"], given, missing=first["type"] == "missing")
    sentence, code = _sentence(first, param)
    return ApiError(sentence, param=param or None, code=code)


def dotted_path(location: Sequence[str | int], given: object, *, missing: bool = False) -> str:
    """The path to a fault in the body, without the names of alternatives that pydantic puts between its parts.

    Such a name comes once, right behind the part that has alternatives: it is the object's `type`, or no key at all.
    """
    steps: list[str] = []
    here, named = given, False
    for index, part in enumerate(location):
        last = index == len(location) - 1
        if not named and not last and _names_its_type(here, part, location[index + 1]):
            named = True
        elif (inside := _inside(here, part)) is not _NOTHING:
            steps.append(str(part))
            here, named = inside, False
        elif last and missing:
            steps.append(str(part))
        else:
            named = True
    return ".".join(steps)


def _names_its_type(here: object, part: str | int, following: str | int) -> bool:
    """Whether `part` is the object's type and not one of its keys: `function` may be both."""
    if not isinstance(here, dict) or here.get("type") != part:
        return False
    return part not in here or following == part or following in here


def _inside(here: object, part: str | int) -> object:
    if isinstance(here, list) and isinstance(part, int):
        return here[part]
    return here.get(part, _NOTHING) if isinstance(here, dict) else _NOTHING


def _sentence(detail: ErrorDetails, param: str) -> tuple[str, str]:
    kind = detail["type"]
    if kind == "missing":
        return f"Missing required parameter: '{param}'.", "missing_required_parameter"
    if kind == "extra_forbidden":
        return f"Unknown parameter: '{param}'.", "unknown_parameter"
    reason, code = _reason(kind, detail.get("ctx", {}), detail["msg"])
    return (f"Invalid '{param}': {reason}." if param else f"Invalid body: {reason}."), code


def _reason(kind: str, context: Mapping[str, Any], message: str) -> tuple[str, str]:
    if kind == "string_too_long":
        return f"string too long, at most {context['max_length']} characters are allowed", "string_above_max_length"
    if kind == "too_long":
        return f"too many entries, at most {context['max_length']} are allowed", "array_above_max_length"
    if kind == "value_error":
        return str(context["error"]), "invalid_value"
    if kind in _NO_OBJECT:
        return "an object is expected", "invalid_type"
    if kind.startswith("union_tag_"):
        return _no_alternative(kind, context)
    code = "invalid_type" if kind.endswith("_type") else "invalid_value"
    return message[:1].lower() + message[1:].rstrip("."), code


def _no_alternative(kind: str, context: Mapping[str, Any]) -> tuple[str, str]:
    """None of several kinds of objects fits. What picks among them is their `type`, unless a key is named (quoted)."""
    named: str = context["discriminator"].strip("'")
    key = named if named.isidentifier() else "type"
    if kind == "union_tag_not_found":
        return f"an object with a known '{key}' is expected", "invalid_type"
    known = context["expected_tags"].replace("'string', ", "")
    return f"its {key} must be one of {known}", "invalid_value"


# Starlette would call a plain function in a thread.


async def _on_api_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return answer(error)


async def _on_unknown(_request: Request, error: Exception) -> Response:
    return answer(not_found(error))


async def _on_unknown_cursor(_request: Request, error: Exception) -> Response:
    assert isinstance(error, UnknownCursor)
    return answer(ApiError(str(error), param=error.parameter))


async def _on_refusal(_request: Request, error: Exception) -> Response:
    return answer(ApiError(str(error)))


async def _on_upload_refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, UploadRefused)
    return answer(ApiError(str(error), param=error.parameter))


async def _on_hang_up(_request: Request, _error: Exception) -> Response:
    return answer(ApiError("The request ended before its body did."))


async def _on_key_reused(_request: Request, _error: Exception) -> Response:
    return answer(ApiError("This Idempotency-Key came before with another request.", code="idempotency_key_reused"))


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    where = f"({request.method} {request.url.path})"
    if error.status_code == _NOT_FOUND:
        return answer(ApiError(f"Invalid URL {where}.", status=_NOT_FOUND, code="unknown_url"))
    response = answer(ApiError(f"{error.detail} {where}.", status=error.status_code))
    response.headers.update(error.headers or {})
    return response


async def _on_store_failed(_request: Request, error: Exception) -> Response:
    return answer(store_failed(error))


async def _on_anything(_request: Request, _error: Exception) -> Response:
    sentence = "The engine failed on this request. Its log says more."
    return answer(ApiError(sentence, status=500, type="server_error"))


EXCEPTION_HANDLERS: Mapping[Any, ExceptionHandler] = {
    ApiError: _on_api_error,
    Unknown: _on_unknown,
    UnknownCursor: _on_unknown_cursor,
    ActiveRun: _on_refusal,
    Expired: _on_refusal,
    KeyReused: _on_key_reused,
    StoreFailed: _on_store_failed,
    UploadRefused: _on_upload_refused,
    ClientDisconnect: _on_hang_up,
    HTTPException: _on_http,
    Exception: _on_anything,
}
"""For Starlette's `exception_handlers`."""
