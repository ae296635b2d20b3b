"""The judge of what a program wrote to its terminal: text, colours and moves of its own, and nothing else.

`Judge.feed` takes the bytes as they come. A grammar of control sequences reads them, for an emulator passes over those
it does not know; what the grammar lets through goes to `pyte`, an emulator of a terminal whose every action that is not
text, colour or a move is noted. Hostile text marks its sequences (see `hostile_text`), so that one of them is told from
the program's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pyte

from tests.campaigns.hostile_text import MARKED

_SEQUENCE = re.compile(
    r"\x1b\[(?P<csi>[0-?]*[ -/]*[@-~])"
    r"|\x1b\](?P<osc>[^\x07\x1b]*)(?:\x07|\x1b\\)"
    r"|\x1b(?P<string>[PX^_])[^\x1b]*\x1b\\"
    r"|\x1b(?P<escape>[ -/]*[0-~])"
    r"|(?P<control>[\x00-\x1f\x7f-\x9f])"
    r"|(?P<text>[^\x00-\x1f\x7f-\x9f]+)"
)
_CUT = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b]*\x1b?|[PX^_][^\x1b]*\x1b?|[ -/]*)?\Z")
"""A sequence whose end has not come yet."""
_COLOURS = re.compile(r"[0-9;]*m")
_MOVE = re.compile(r"(\d+);(\d+)H")
_HIDDEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ufeff\uffa0"
    "\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e001f\U000e0080-\U000e00ff]"
)
"""What reorders text or is there without being seen."""
_LOOSE_JOINER = re.compile(
    "(?:\\A|[\x00-\x7f])[\u200c\u200d]"
    "|(?:\\A|[\x00-\x22\x24-\x29\x2b-\x2f\x3a-\x7f])[\ufe00-\ufe0f]"
    "|(?<![\u3400-\u9fff\U00020000-\U0003ffff])[\U000e0100-\U000e01ef]"
    "|(?<![\U0001f3f4\U000e0020-\U000e007f])[\U000e0020-\U000e007f]"
)
"""A joiner, a selector or a tag that belongs to nothing that is seen."""

_AT_REST = frozenset(f"\x1b[{code}" for code in ("?25h", "?25l", "?2026h", "?2026l", "6n"))
SCREEN = _AT_REST | {
    f"\x1b[{code}"
    for code in (
        *(f"?{mode}{on}" for mode in (1000, 1003, 1004, 1006, 1015, 1016, 1049, 2004, 2048) for on in "hl"),
        *("?2026$p", "?2048$p", ">25u", "<u", "?7l", "?7h"),
    )
}
"""What the program's screen writes besides colours and moves: at its start and its end, to paint a frame whole, and
to ask for its pace."""
LINES: frozenset[str] = frozenset()
"""What lines written to a terminal hold besides text and line ends."""


@dataclass
class Judge:
    """`allowed`: sequences that are the program's own; `ends`: control characters that are."""

    columns: int = 120
    rows: int = 40
    allowed: frozenset[str] = SCREEN
    ends: str = ""
    findings: list[str] = field(default_factory=list)
    seen: int = 0
    """Bytes that were judged."""
    texts: list[str] = field(default_factory=list)
    """What was written as text, in its order."""
    settled: bool = False
    """Whether the screen stands, so that the terminal's modes stay what they are."""

    def __post_init__(self) -> None:
        self.emulator = _Emulator(self.columns, self.rows, self._note)
        self._stream = pyte.Stream(self.emulator)
        self._rest = b""
        self._clipboard = False
        self._last = ""
        """The character that the next text, joiners apart, stands behind, if nothing else is between them."""

    def allow_clipboard(self) -> None:
        """The next text sent to the clipboard was asked for by a key."""
        self._clipboard = True

    def feed(self, data: bytes) -> None:
        """Judge what was written next."""
        self.seen += len(data)
        text, self._rest = _decoded(self._rest + data)
        cut = _CUT.search(text)
        if cut is not None:
            self._rest = text[cut.start() :].encode() + self._rest
            text = text[: cut.start()]
        for match in _SEQUENCE.finditer(text):
            if match.lastgroup != "text":
                self._last = ""
            before = len(self.findings)
            kind = match.lastgroup or ""
            getattr(self, f"_{kind}")(match[0], match[kind])
            if len(self.findings) == before:
                self._stream.feed(match[0])

    def end(self) -> None:
        """No more comes: what was begun should have ended."""
        if self._rest:
            self._note("cut", repr(self._rest[:40]))

    @property
    def display(self) -> str:
        return "\n".join(self.emulator.display)

    def _note(self, what: str, how: str) -> None:
        finding = f"{what}: {how}"
        if not any(known.startswith(finding) for known in self.findings):
            self.findings.append(f"{finding} after {''.join(self.texts[-8:])[-60:]!a}")

    def _csi(self, whole: str, body: str) -> None:
        marked = MARKED.search(body)
        allowed = self.allowed & _AT_REST if self.settled else self.allowed
        if not marked and (whole in allowed or (allowed and _COLOURS.fullmatch(body))):
            return
        move = _MOVE.fullmatch(body) if allowed else None
        if marked or move is None or int(move[1]) > self.rows or int(move[2]) > self.columns:
            self._note("sequence", repr(whole))

    def _osc(self, whole: str, body: str) -> None:
        if self._clipboard and body.startswith("52;c;"):
            self._clipboard = False
        else:
            self._note("OSC", repr(whole[:60]))

    def _string(self, whole: str, _kind: str) -> None:
        self._note("string", repr(whole[:60]))

    def _escape(self, whole: str, _body: str) -> None:
        if whole not in self.allowed:
            self._note("escape", repr(whole))

    def _control(self, whole: str, _body: str) -> None:
        if whole not in self.ends:
            self._note("control", repr(whole))

    def _text(self, whole: str, _body: str) -> None:
        self.texts.append(whole)
        whole = self._last + whole
        self._last = whole.rstrip("\u200c\u200d\ufe0e\ufe0f")[-1:]
        if hidden := _HIDDEN.search(whole) or _LOOSE_JOINER.search(whole):
            self._note("hidden", ascii(whole[max(0, hidden.start() - 3) : hidden.end() + 3]))


def _decoded(data: bytes) -> tuple[str, bytes]:
    """The text of bytes that may end within a character, and what is left of them."""
    try:
        return data.decode(), b""
    except UnicodeDecodeError as error:
        if error.end == len(data) and len(data) - error.start < 4:
            return data[: error.start].decode(), data[error.start :]
        return data.decode("utf-8", "replace"), b""


class _Emulator(pyte.Screen):
    """Notes what a terminal would do besides showing text in colours."""

    def __init__(self, columns: int, rows: int, note: Callable[[str, str], None]) -> None:
        self._told = note
        self._ready = False
        super().__init__(columns, rows)
        self._ready = True

    def _tell(self, what: str, *given: Any) -> None:
        if self._ready:
            self._told("terminal", f"{what} {given!r:.60}")

    @property
    def display(self) -> list[str]:
        """Its lines; pyte's own fails on a cell that has a mark alone."""
        return [
            "".join(line[x].data for x in range(self.columns))
            for line in map(self.buffer.get, range(self.lines))
            if line
        ]

    def bell(self, *given: Any) -> None:
        self._tell("bell")

    def set_title(self, param: str) -> None:
        self._tell("title", param)

    def set_icon_name(self, param: str) -> None:
        self._tell("icon name", param)

    def define_charset(self, code: str, mode: str) -> None:
        self._tell("charset", code, mode)

    def alignment_display(self) -> None:
        self._tell("alignment")

    def reset(self) -> None:
        if self._ready:
            self._tell("reset")
        super().reset()

    def debug(self, *given: Any, **more: Any) -> None:
        """Sequences that the emulator does not know: the grammar judges them."""
