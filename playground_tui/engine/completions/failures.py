"""Why there is no answer, as the error of a response."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playground_tui.engine.errors import ApiError
from playground_tui.engine.providers.base import ErrorCode, ProviderError

BAD_GATEWAY = 502
NOT_FOUND = 404

_STATUS: Mapping[ErrorCode, tuple[int, str]] = {
    "rate_limit_exceeded": (429, "rate_limit_error"),
    "invalid_prompt": (400, "invalid_request_error"),
    "server_error": (BAD_GATEWAY, "server_error"),
}
_ENDINGS = {
    "cancelled": "The run was cancelled before the answer was whole.",
    "expired": "The run expired before the answer was whole.",
}


def unknown_model(sentence: str) -> ApiError:
    """There is no such model, or nobody who could answer for it."""
    return ApiError(sentence, status=NOT_FOUND, param="model", code="model_not_found")


def failed(code: ErrorCode, sentence: str, status: int | None = None) -> ApiError:
    """A provider failed. `status` is its own; one that blames the request is passed on."""
    usual, kind = _STATUS[code]
    if status is None or not 400 <= status < 500:
        return ApiError(sentence, status=usual, type=kind, code=code)
    if code == "server_error":
        return ApiError(sentence, status=status, code="model_not_found" if status == NOT_FOUND else None)
    return ApiError(sentence, status=status, type=kind, code=code)


def provider_failed(error: ProviderError) -> ApiError:
    return failed(error.code, str(error), error.status)


def run_failed(run: Mapping[str, Any]) -> ApiError:
    """The run of an assistant ended without a whole answer."""
    if error := run.get("last_error"):
        return failed(error["code"], error["message"])
    sentence = _ENDINGS.get(run["status"], f"The run ended as {run['status']}.")
    return ApiError(sentence, status=503, type="server_error", code=f"run_{run['status']}")
