"""What is pasted is text, whatever stands in it."""

from __future__ import annotations

import pytest
from textual import events
from textual._xterm_parser import XTermParser

from playground_tui.ui.pasting import BEGIN, END, SafePaste

HOSTILE = "a \x1b[31mred\x1b[0m\r\x1b]52;c;eA==\x07 \x1b[A\x1b\x1b[201 [b]x[/b] 日本語\x1b"


def told(pieces: list[str]) -> list[object]:
    """What the parser tells of these pieces of input: pasted text, or the name of a key."""
    parser, paste = XTermParser(), SafePaste()
    found = [event for piece in pieces if (safe := paste.safe(piece)) for event in parser.feed(safe)]
    return [event.text if isinstance(event, events.Paste) else event.key for event in found]  # type: ignore[attr-defined]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 1000])
def test_a_paste_with_escapes_is_one_text_and_no_keys(size: int) -> None:
    sent = "x" + BEGIN + HOSTILE + END + "y\x1b[A" + BEGIN + "two" + END + "z"
    pieces = [sent[at : at + size] for at in range(0, len(sent), size)]
    assert told(pieces) == ["x", HOSTILE.replace("\x1b", "␛"), "y", "up", "two", "z"]


def test_keys_are_handed_on_at_once() -> None:
    paste = SafePaste()
    assert [paste.safe(piece) for piece in ("\x1b", "[", "A", "\x1b[20", "0~", "\x1b", "[201~")] == [
        "\x1b",
        "[",
        "A",
        "\x1b[20",
        "0~",
        "",
        "\x1b[201~",
    ]


def test_a_huge_paste_is_handed_on_as_it_comes() -> None:
    paste = SafePaste()
    parts = [paste.safe(BEGIN)] + [paste.safe("\x1b[31m" * 1000) for _ in range(100)] + [paste.safe(END)]
    assert "".join(parts) == BEGIN + "␛[31m" * 100_000 + END
