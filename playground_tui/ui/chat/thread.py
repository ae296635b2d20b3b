"""The thread as one view of lines."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import ClassVar, Final

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from playground_tui.display import FRAMES, Scroll
from playground_tui.letters import Letters
from playground_tui.ui.chat.column import Column, Place
from playground_tui.ui.chat.damage import changed_regions
from playground_tui.ui.chat.frames import Frames
from playground_tui.ui.chat.items import Item
from playground_tui.ui.chat.messages import MoreBelow, OlderWanted
from playground_tui.ui.chat.palette import CLASSES, Palette
from playground_tui.ui.chat.wrapping import Span, strip, wrap
from playground_tui.ui.keys import KeyOf
from playground_tui.ui.pace import MUCH, Pace

NOT_READ: Final = ("The messages of this thread are not here yet.",)


def welcome(key: KeyOf) -> tuple[str, ...]:
    """The lines said while a thread is empty."""
    form, save, composer = key("form"), key("save"), key("composer")
    return (
        "This thread is empty.",
        "",
        f"Type a message below and press {key('send')} to send it.",
        "",
        f"No assistant yet? {form} goes to the form: name it, press {save}, and {composer} comes back.",
        f"{key('open')} opens one that exists, {key('help')} shows every key.",
    )


def calm_top(top: int, height: int, content: int, starts: Iterable[int], new: int) -> int:
    """Where a window at `top` goes when the text has grown to `content` lines.

    It stays while the text fits. Then it moves by a good part of a page at once, so that the message or paragraph
    being written (`starts`: their first lines) stands at the top, or the last quarter of the page if they are longer.
    What was not in the window before, from the line `new` on, does not leave it as long as it fits.
    """
    if content <= top + height:
        return top
    farthest = max(top, new, content - height)
    for start in starts:
        if start > top and content - start <= height * 2 // 3:
            return min(start, farthest)
    return min(max(top, content - max(2, height // 4)), farthest)


def centred(texts: Sequence[str], size: Size, style: Style) -> list[Strip]:
    """What a thread without messages says, a third of the way down."""
    lines = [line for text in texts for line in wrap([(text, style)], size.width - 4)]
    above: list[list[Span]] = [[]] * max(0, (size.height - len(lines)) // 3)
    return [strip([("  ", style), *line], size.width, style) for line in (above + lines)[: size.height]]


SCROLLING: Final[list[BindingType]] = [
    Binding("up", "lines(-1)", "line up", show=False),
    Binding("down", "lines(1)", "line down", show=False),
    Binding("pageup", "pages(-1)", "page up", show=False),
    Binding("pagedown", "pages(1)", "page down", show=False),
    Binding("home", "begin", "to the beginning", show=False),
    Binding("end", "end", "to the end", show=False),
]


def grow_quietly(view: ScrollView, pages: Size, height: int) -> bool:
    """Give `view` another virtual size without a new layout, which repaints the screen; False when it takes one."""
    if not view.show_vertical_scrollbar or pages.height <= height or pages.width != view.virtual_size.width:
        return False
    view.set_reactive(ScrollView.virtual_size, pages)
    return True


class ThreadView(ScrollView, can_focus=True):
    """Shows items and keeps to what is being read while text arrives.

    Tokens wait for the next frame; a frame renders what changed near the window and repaints the cells that differ.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = CLASSES
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = SCROLLING

    def __init__(
        self, scroll: Scroll, pace: Pace | None, letters: Letters | None, now: Callable[[], float] = time.time
    ) -> None:
        """`now` gives Unix seconds; without `letters` the terminal has all of them."""
        super().__init__(id="messages")
        self.frames = Frames(self, pace or Pace(FRAMES), self._lay_out)
        self._spelled = letters.spelled if letters is not None else str
        self.column = Column()
        self.scroll_mode: Scroll = scroll
        self.following = True
        """Whether the window goes along with text that arrives."""
        self.more = False
        """Whether there are older messages than the first one here."""
        self.empty: Sequence[str] = ()
        """The lines said when there is nothing to show."""
        self._now = now
        self._top_place: Place | None = None
        self._last_place: Place | None = None
        """The last line that was in the window, which may have grown since."""
        self._writing = False
        self._bound = 0
        self._own_move = False
        self._seen: list[Strip] = []
        self._seen_size = Size(0, 0)
        self._blank_line = Strip.blank(0)
        self._colours: Palette | None = None
        self._touched: dict[Item, None] = {}
        self._asked_older = False
        self._below = False

    # What is shown

    def show(self, items: Sequence[Item], *, more: bool) -> None:
        """Show other items, at their end."""
        self.column.replace(items)
        self._touched.clear()
        self.more, self._asked_older, self._top_place, self._last_place = more, False, None, None
        self.following = True
        self.scroll_to_end()

    def prepend(self, items: Sequence[Item], *, more: bool) -> None:
        """Put older items above the first, and leave what is being read where it is."""
        top = self._top_place
        if items and top is not None and top.item.first and top.unit == 0:
            self._top_place = replace(top, line=1)  # The header that was the first gets a blank line above it.
        self.column.insert(0, items)
        self.more, self._asked_older = more, False
        self.wake()

    def append(self, item: Item) -> None:
        """One more item at the end."""
        self.column.append(item)
        self.touch(item)

    def insert_before(self, item: Item, items: Sequence[Item]) -> None:
        """Put `items` above `item`."""
        self.column.insert(self.column.index(item), items)
        self.wake()

    def touch(self, item: Item) -> None:
        """An item changed: show it with the next frame."""
        self._touched[item] = None
        self.wake()

    def write_on(self, writing: bool) -> None:
        """Whether a run writes. Once it has ended the window is filled: nothing more comes below."""
        if writing is not self._writing:
            self._writing = writing
            self.wake()

    # Frames

    def wake(self) -> None:
        """Have a frame soon, unless one is coming."""
        self.frames.wake()

    def _lay_out(self, allowed: int = MUCH) -> bool:
        """Bring lines, heights and the window's place up to date, and repaint what differs; whether something did.

        What needs more than `allowed` bytes is left to the next frame.
        """
        size = self.scrollable_content_region.size
        if not size.width or not size.height:
            return False
        self.column.resize(size.width)
        for item in self._touched:
            self.column.open(self.column.index(item))
        self._touched.clear()
        top = self._find_top(size.height)
        self._move(top, size)
        self._last_place = self.column.place(min(self.column.height, top + size.height) - 1)
        repainted = self._repaint_changes(top, size, allowed)
        self._tell_below(top + size.height)
        return repainted

    def _find_top(self, height: int) -> int:
        """The window's first line, with everything around it measured."""
        if not self.column.items:
            return 0
        if self.following:
            self._measure(self.column.place(self.column.height), 2 * height)
        if self._top_place is None:
            self._top_place = self.column.place(max(0, self.column.height - height))
        self._measure(self._top_place, height)
        top = self.column.line(self._top_place)
        if self.following:
            wanted = self._followed(top, height)
            if wanted != top:
                self._top_place = self.column.place(wanted)
                self._measure(self._top_place, height)
                top = wanted if self.column.height <= wanted + height else self.column.line(self._top_place)
        return top

    def _measure(self, place: Place | None, height: int) -> None:
        if place is not None:
            self.column.settle(place, height, 2 * height, self.palette, self._now())

    def _followed(self, top: int, height: int) -> int:
        """Where the window goes along with text that arrived."""
        content = self.column.height
        if self.scroll_mode == "line" or not self._writing:
            return max(0, content - height)
        if height != self._seen_size.height:
            return max(top, content - height)  # another size of the window is no new text: no farther than needed
        last = self.column.items[-1]
        first = self.column.top(last)
        starts = first, first + last.heights.top(max(0, len(last.heights) - 1))
        return calm_top(top, height, content, starts, self.column.line(self._last_place))

    def _move(self, top: int, size: Size) -> None:
        """Put the window at `top`. The scroll bar's range grows by pages: a change of it is a change of the bar."""
        self._own_move = True
        self._bound = max(0, top, self.column.height - size.height)
        lines = max(self.column.height, top + size.height)
        pages = Size(size.width, -(-lines // size.height) * size.height)
        if pages != self.virtual_size:
            if grow_quietly(self, pages, size.height):
                self.vertical_scrollbar.window_virtual_size = pages.height
            else:
                self.virtual_size = pages
        self.scroll_y = self.scroll_target_y = top
        self._own_move = False

    def _repaint_changes(self, top: int, size: Size, allowed: int) -> bool:
        """Refresh the cells of the window that differ from what was there, line by line while there is room."""
        old, old_size = self._seen, self._seen_size
        new = self._window(top, size)
        self._seen, self._seen_size = new, size
        if old_size != size:
            self.refresh()
            return True
        regions, left = changed_regions(old, new, allowed)
        if left:
            self.wake()
        if regions:
            self.refresh(*regions)
        return bool(regions)

    def _window(self, top: int, size: Size) -> list[Strip]:
        if self._blank_line.cell_length != size.width:
            self._blank_line = Strip.blank(size.width, self.palette.text)
        if self.column.items:
            lines = self.column.window(top, size.height, self.palette, self._now())
        else:
            lines = centred(self.empty, size, self.palette.dim)
        return lines + [self._blank_line] * (size.height - len(lines))

    def _tell_below(self, bottom: int) -> None:
        below = self.column.height > bottom and not self.following
        if below != self._below:
            self._below = below
            self.post_message(MoreBelow(below))

    def render_line(self, y: int) -> Strip:
        return self._seen[y] if y < len(self._seen) else self._blank_line

    # Colours and size

    @property
    def palette(self) -> Palette:
        """The theme's colours."""
        if self._colours is None:
            self._colours = Palette.load(self.get_component_rich_style, self._spelled)
        return self._colours

    def notify_style_update(self) -> None:
        super().notify_style_update()
        before, self._colours = self._colours, None
        if before is not None and before != self.palette:
            self.column.recolour()
            self._blank_line, self._seen_size = Strip.blank(0), Size(0, 0)
            self.wake()

    def on_resize(self, event: events.Resize) -> None:
        self._lay_out()

    # Scrolling

    @property
    def max_scroll_y(self) -> int:
        return self._bound

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.position = new_value
        if not self._own_move and round(old_value) != round(new_value):
            self._scrolled(round(new_value))

    def _scrolled(self, top: int) -> None:
        """The reader moved the window."""
        height = self.scrollable_content_region.height
        self._top_place = self.column.place(top)
        self.following = top + height >= self.column.height
        self._lay_out()
        if self.more and not self._asked_older and self.scroll_y < height:
            self._asked_older = True
            self.post_message(OlderWanted())

    def scroll_to_end(self) -> None:
        """Back to the end of the thread, and along with what arrives."""
        self.following = True
        width, height = self.scrollable_content_region.size
        if height and self.column.items:
            self.column.resize(width)
            self._measure(self.column.place(self.column.height), 2 * height)
            self._top_place = self.column.place(max(0, self.column.height - height))
        self._lay_out()

    def action_lines(self, lines: int) -> None:
        """Scroll by lines, up when negative."""
        self.scroll_y = self.scroll_target_y = self.scroll_y + lines

    def action_pages(self, pages: int) -> None:
        """Scroll by pages less two lines, up when negative."""
        self.action_lines(pages * max(1, self.scrollable_content_region.height - 2))

    def action_begin(self) -> None:
        self.scroll_y = self.scroll_target_y = 0

    def action_end(self) -> None:
        self.scroll_to_end()
