"""Inline Markdown as styled text."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from rich.style import Style

from playground_tui.text import clean
from playground_tui.ui.chat.palette import Palette
from playground_tui.ui.chat.wrapping import Span

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_MARKS = {"strong": Style(bold=True), "em": Style(italic=True), "s": Style(strike=True)}
_SPECIAL = frozenset("*_`[]<&\\!~\n")


@cache
def parser() -> MarkdownIt:
    """The one parser of inline Markdown."""
    # Importing it takes 0.1 s, which the first paint need not wait for.
    from markdown_it import MarkdownIt  # noqa: PLC0415

    return MarkdownIt("commonmark").enable("strikethrough")


def inline(text: str, base: Style, palette: Palette) -> list[Span]:
    """The spans of a paragraph's text. Links are shown as their text and address; nothing is opened or fetched.

    They are clean whatever entities (`&#13;`) the text spells characters with.
    """
    if _SPECIAL.isdisjoint(text):
        return [(text, base)]
    tokens = parser().parseInline(text)[0].children or []
    return [(clean(content), style) for content, style in _spans(tokens, base, palette)]


def _spans(tokens: list[Token], base: Style, palette: Palette) -> Iterator[Span]:
    styles = [base]
    links: list[tuple[str, list[str]]] = []
    for token in tokens:
        kind, content = token.type, _content(token)
        if kind == "link_open":
            styles.append(palette.link)
            links.append((str(token.attrs.get("href", "")), []))
        elif kind == "link_close":
            styles.pop()
            yield from _address(*links.pop(), base=palette.dim)
        elif kind.endswith("_open"):
            styles.append(styles[-1] + _MARKS.get(kind[:-5], Style.null()))
        elif kind.endswith("_close"):
            styles.pop()
        else:
            if links:
                links[-1][1].append(content)
            yield content, palette.inline if kind == "code_inline" else styles[-1]
            if kind == "image":
                yield from _address(str(token.attrs.get("src", "")), [content], base=palette.dim)


def _content(token: Token) -> str:
    if token.type == "softbreak":
        return " "
    return "\n" if token.type == "hardbreak" else token.content


def _address(address: str, shown: list[str], *, base: Style) -> Iterator[Span]:
    """The address behind a link's text, unless the text is the address."""
    if address and address.removeprefix("mailto:") != "".join(shown):
        yield f" ({address})", base
