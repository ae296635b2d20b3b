"""JSON that a person types: parsed with errors that say where and what."""

from __future__ import annotations

import json
from typing import Any, NoReturn


class JsonTextError(Exception):
    """The text is not JSON that can be sent. `str(error)` says where and what, as the end of a sentence."""


def parse(text: str) -> Any:
    """The value `text` stands for.

    Raises JsonTextError. What Python reads beyond JSON is refused: NaN, Infinity, numbers too big for a float, and
    escapes of half a character, none of which survives the way to a server.
    """
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except json.JSONDecodeError as error:
        raise JsonTextError(f"line {error.lineno}, column {error.colno}: {_plain(error.msg)}") from None
    except UnicodeEncodeError:
        raise JsonTextError("it holds half a character (a lone \\ud800 escape)") from None
    except RecursionError:
        raise JsonTextError("it is nested too deeply") from None
    except ValueError as error:
        raise JsonTextError(str(error)) from None
    return value


def render(value: Any) -> str:
    """`value` as people read it: indented, with its own letters."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _plain(message: str) -> str:
    return message[:1].lower() + message[1:]
