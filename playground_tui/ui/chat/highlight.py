"""Code in colours."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from rich.style import Style

from playground_tui.ui.chat.palette import Palette
from playground_tui.ui.chat.wrapping import Span, merged

if TYPE_CHECKING:
    from pygments.lexer import Lexer  # type: ignore[import-untyped]

_ROLES: Final = (
    ("Token.Comment", "comment"),
    ("Token.Keyword", "keyword"),
    ("Token.Literal.String", "string"),
    ("Token.Literal.Number", "number"),
    ("Token.Name.Function", "name"),
    ("Token.Name.Class", "name"),
    ("Token.Name.Tag", "keyword"),
    ("Token.Name.Attribute", "name"),
    ("Token.Name.Decorator", "name"),
    ("Token.Name.Builtin", "name"),
    ("Token.Operator.Word", "keyword"),
    ("Token.Operator", "operator"),
)
"""Kinds of tokens and the palette's name for them; a kind covers those below it."""


@lru_cache(maxsize=64)
def lexer(language: str) -> Lexer | None:
    """The lexer of a language by one of its names."""
    # Imported when the first code is shown, which is after the first paint.
    from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]  # noqa: PLC0415
    from pygments.util import ClassNotFound  # type: ignore[import-untyped]  # noqa: PLC0415

    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


@lru_cache(maxsize=512)
def _role(kind: str) -> str:
    return next((role for prefix, role in _ROLES if kind == prefix or kind.startswith(prefix + ".")), "code")


def highlight(code: str, language: str, palette: Palette) -> list[Span]:
    """The spans of `code`; one span when the language is not known."""
    found = lexer(language.lower()) if language else None
    if found is None:
        return [(code, palette.code)]
    styles: dict[object, Style] = {}
    spans: list[Span] = []
    for _, kind, text in found.get_tokens_unprocessed(code):
        style = styles.get(kind)
        if style is None:
            style = styles[kind] = getattr(palette, _role(repr(kind)))
        spans.append((text, style))
    return merged(spans)
