"""What stands in the thread: items, each a list of units of lines, and the messages among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rich.cells import cell_len
from textual.strip import Strip

from playground_tui.assistants.objects import Message, Run
from playground_tui.desk.message_files import Names, Sources, named_files
from playground_tui.text import clean
from playground_tui.ui.chat.block import Block, Kind
from playground_tui.ui.chat.blocks import Cutter
from playground_tui.ui.chat.files import file_line
from playground_tui.ui.chat.heights import Heights
from playground_tui.ui.chat.palette import Palette
from playground_tui.ui.chat.render import EDGE, render
from playground_tui.ui.chat.wrapping import Span, strip
from playground_tui.ui.times import clock_time

ROLES = {"user": "You", "assistant": "Assistant"}


@dataclass(slots=True, eq=False)
class Unit:
    """A block and its lines, if they are rendered and kept. An item's first unit is its header, without a block."""

    block: Block | None
    strips: list[Strip] | None = None


class Item:
    """One message or step. Its blocks are cut, and rendered, only when it comes near the window."""

    def __init__(self, key: str, at: int = 0, run_id: str = "") -> None:
        self.key = key
        self.at = at
        self.run_id = run_id
        self.first = False
        """Whether it is the first of the thread, with no blank line above."""
        self.run: Run | None = None
        self.units: list[Unit] = []
        self.heights = Heights()
        self._width = 0
        self._synced = False
        self._kept = 1
        """Units that stay: the header and those of the stable blocks."""

    def estimate(self, width: int) -> int:
        """Lines it will have, about."""
        raise NotImplementedError

    def header(self, palette: Palette, now: float) -> list[Span]:
        """The line above its text, cleaned."""
        raise NotImplementedError

    def stable_blocks(self) -> Sequence[Block]:
        """The blocks that stay as they are."""
        raise NotImplementedError

    def last_blocks(self) -> Sequence[Block]:
        """The blocks that may still change."""
        return ()

    def names_file(self, file_id: str) -> bool:
        """Whether the name of this file stands in it."""
        return False

    def touch(self) -> None:
        """Its blocks changed: look at them again before the next frame."""
        self._synced = False

    def touch_header(self) -> None:
        """The header changed."""
        if self.units:
            self.units[0].strips = None

    def forget(self) -> None:
        """Drop every rendered line: the colours changed."""
        for unit in self.units:
            unit.strips = None

    def height(self, width: int) -> int:
        """Lines it has at `width`, as far as known; the rest is estimated."""
        return self.heights.total if self.units and self._width == width else self.estimate(width)

    def open(self, width: int) -> None:
        """Bring the units in step with the blocks."""
        if self._synced and self._width == width:
            return
        if self._width != width:
            self._width = width
            self.forget()
            self.heights = Heights(self._guess(unit) for unit in self.units)
        if not self.units:
            self._add(Unit(None))
        self._step()
        self._synced = True

    def _step(self) -> None:
        """Units for the blocks that are new, and for the last ones again."""
        blocks = self.stable_blocks()
        fresh = [*blocks[self._kept - 1 :], *self.last_blocks()]
        old = self.units[self._kept :]
        del self.units[self._kept :]
        self.heights.truncate(self._kept)
        for place, block in enumerate(fresh):
            same = place < len(old) and old[place].block == block
            self._add(Unit(block, old[place].strips if same else None))
        self._kept = 1 + len(blocks)

    def restart(self) -> None:
        """All its blocks are other ones."""
        self._kept = 1
        self._synced = False

    def _add(self, unit: Unit) -> None:
        self.units.append(unit)
        self.heights.append(len(unit.strips) if unit.strips is not None else self._guess(unit))

    def _guess(self, unit: Unit) -> int:
        if unit.block is None:
            return 1 if self.first else 2
        return lines_about(unit.block.text, self._width) + unit.block.gap

    def lines(self, index: int, palette: Palette, now: float) -> list[Strip]:
        """The lines of one unit, rendered if they are not there yet."""
        unit = self.units[index]
        if unit.strips is None:
            unit.strips = self._render(index, unit, palette, now)
            self.heights[index] = len(unit.strips)
        return unit.strips

    def _render(self, index: int, unit: Unit, palette: Palette, now: float) -> list[Strip]:
        if unit.block is not None:
            block = replace(unit.block, gap=False) if index == 1 else unit.block
            return render(block, self._width, palette)
        line = strip([(" " * EDGE, palette.text), *self._fitting(palette, now)], self._width, palette.text)
        return [line] if self.first else [Strip.blank(self._width, palette.text), line]

    def _fitting(self, palette: Palette, now: float) -> list[Span]:
        """The header's parts from the left, as many as fit."""
        found: list[Span] = []
        left = self._width - 2 * EDGE
        for text, style in self.header(palette, now):
            left -= cell_len(text)
            if found and left < 0:
                break
            found.append((text, style))
        return found


def lines_about(text: str, width: int) -> int:
    """Lines that a text will take at a width, without looking at it closely."""
    return text.count("\n") + 1 + len(text) // max(8, width - 2 * EDGE)


class MessageItem(Item):
    """A message. What a person typed is shown as typed, but for fenced code; what a model wrote is Markdown."""

    def __init__(self, message: Message, names: Names | None = None) -> None:
        super().__init__(message.id, message.created_at, message.run_id)
        self.message = message
        self._names = names if names is not None else Names()
        self._begin(message.text)

    def names_file(self, file_id: str) -> bool:
        message = self.message
        named = {note.file_id for note in message.annotations} | {file.file_id for file in message.attachments}
        return file_id in message.images or file_id in named

    def _begin(self, text: str) -> None:
        self._parts = [text]
        self._unread = [text]
        self._cutter = Cutter(markdown=self.message.role != "user")
        self._sources = Sources(self._cited)
        self._length = len(text)
        self._newlines = text.count("\n")
        self.restart()

    @property
    def _cited(self) -> set[str] | None:
        """The places in the text that name a source; None while it is being written."""
        notes = self.message.annotations
        return None if self.message.status == "in_progress" else {note.text for note in notes}

    @property
    def text(self) -> str:
        """The raw text so far."""
        self._parts = ["".join(self._parts)]
        return self._parts[0]

    def now_message(self) -> Message:
        """The message with the text so far."""
        return replace(self.message, text=self.text)

    def add(self, text: str) -> None:
        """More text at its end."""
        self._parts.append(text)
        self._unread.append(text)
        self._length += len(text)
        self._newlines += text.count("\n")
        self.touch()

    def become(self, message: Message) -> None:
        """Take the server's state of it; its text replaces what was there."""
        text = self.text
        self.message, self.at, self.run_id = message, message.created_at or self.at, message.run_id or self.run_id
        if message.text != text:
            if text and message.text.startswith(text):
                self.add(message.text[len(text) :])
            else:
                self._begin(message.text)
        if self._cited is not None:
            self._read()
            if not self._sources.stands(self._cited):
                self._begin(message.text)
        self.touch()
        self.touch_header()

    def _read(self) -> Cutter:
        if self._unread:
            self._cutter.feed(self._sources.feed("".join(self._unread)))
            self._unread.clear()
        if self.message.status != "in_progress":
            self._cutter.feed(self._sources.rest())
        return self._cutter

    def estimate(self, width: int) -> int:
        return 2 + self._newlines + 1 + self._length // max(8, width - 2 * EDGE)

    def stable_blocks(self) -> Sequence[Block]:
        return self._read().finished

    def last_blocks(self) -> Sequence[Block]:
        text = self._read().tail()
        files = named_files(self.message, self._sources.markers, self._names)
        mark = self.mark()
        below = [Block(Kind.ASIDE, file_line(file, self._names)) for file in files] + (
            [Block(Kind.NOTE, mark)] if mark else []
        )
        return [*text, *(replace(block, gap=not number and bool(self._length)) for number, block in enumerate(below))]

    def mark(self) -> str:
        """What is to be said about its state, or ""."""
        if self.message.status != "incomplete":
            return ""
        reason = self.message.incomplete_reason
        return f"incomplete: {REASONS.get(reason, reason.replace('_', ' ') or 'no reason given')}"

    def header(self, palette: Palette, now: float) -> list[Span]:
        role = self.message.role
        name = ROLES.get(role, role)
        spans = [(clean(name, newlines=False), palette.user if role == "user" else palette.assistant)]
        return spans + [(f"  {text}", palette.dim) for text in self._facts(now)]

    def _facts(self, now: float) -> list[str]:
        facts = [clock_time(self.at, now)] if self.at else []
        if self.run is not None and self.message.role != "user":
            if self.run.model:
                facts.append(clean(self.run.model, newlines=False))
            if self.run.usage is not None:
                facts.append(f"{self.run.usage.total_tokens:,} tokens")
        return facts


REASONS = {
    "run_cancelled": "cancelled",
    "run_expired": "the run expired",
    "run_failed": "the run failed",
    "max_tokens": "the token limit was reached",
    "content_filter": "stopped by a content filter",
}
