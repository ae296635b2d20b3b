"""Updates that send only what differs from what the terminal shows leave it showing the same."""

from __future__ import annotations

import io

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyte.screens import Char
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip
from textual.timer import Timer
from textual.widgets import Input

from playground_tui.ui.compositor import sparing
from playground_tui.ui.painting import EchoingScreen
from playground_tui.ui.shown import Shown
from tests.support.wait import until

WIDTH, HEIGHT = 16, 3
STYLES = [None, *map(Style.parse, ("red on blue", "bold red on blue", "underline green", "reverse green on blue"))]
TEXTS = st.sampled_from(["a", "bc", " ", "   ", "日本", "é", "xyz"])
LINE = st.lists(st.tuples(TEXTS, st.sampled_from(STYLES)), min_size=1, max_size=10)
WHOLE = st.lists(LINE, min_size=HEIGHT, max_size=HEIGHT)
PART = st.tuples(st.integers(0, HEIGHT - 1), st.integers(0, WIDTH - 1), st.integers(1, WIDTH), LINE)


def strip_of(line: list[tuple[str, Style | None]], width: int = WIDTH) -> Strip:
    return Strip([Segment(text, style) for text, style in line]).adjust_cell_length(width)


def layout(lines: list[list[tuple[str, Style | None]]]) -> LayoutUpdate:
    return LayoutUpdate([[strip_of(line)] for line in lines], Region(0, 0, WIDTH, HEIGHT))


def part(y: int, left: int, width: int, line: list[tuple[str, Style | None]]) -> ChopsUpdate:
    right = min(WIDTH, left + width)
    chops: list[dict[int, Strip | None]] = [{} for _ in range(HEIGHT)]
    chops[y] = {left: strip_of(line, right - left)}
    return ChopsUpdate(chops, [(y, left, right)], [[right] if at == y else [] for at in range(HEIGHT)])


class Terminal:
    def __init__(self) -> None:
        self.screen = pyte.Screen(WIDTH, HEIGHT)
        self.bytes = 0

    def draw(self, update: CompositorUpdate) -> int:
        data = update.render_segments(Console(file=io.StringIO(), color_system="truecolor", force_terminal=True))
        pyte.Stream(self.screen).feed(data)
        return len(data)

    @property
    def cells(self) -> list[list[Char]]:
        buffer = self.screen.buffer
        return [[seen(buffer[y][x]) for x in range(WIDTH)] for y in range(HEIGHT)]


def seen(cell: Char) -> Char:
    return cell if cell.data != " " or cell.underscore or cell.reverse else Char(" ", bg=cell.bg)


@given(WHOLE, st.lists(st.one_of(WHOLE.map(layout), PART.map(lambda given: part(*given))), max_size=6))
@settings(max_examples=150, deadline=None)
def test_what_is_sent_sparingly_shows_the_same(
    first: list[list[tuple[str, Style | None]]], more: list[CompositorUpdate]
):
    sparingly, wholly, shown = Terminal(), Terminal(), Shown()
    for update in [layout(first), *more]:
        sparingly.draw(sparing(update, shown))
        wholly.draw(sparing(update, Shown()))
        assert sparingly.cells == wholly.cells


def test_a_screen_that_is_shown_already_is_not_sent_again():
    terminal, shown = Terminal(), Shown()
    lines = [[("日本 and words", STYLES[1])]] * HEIGHT
    assert terminal.draw(sparing(layout(lines), shown)) > WIDTH * HEIGHT
    assert terminal.draw(sparing(layout(lines), shown)) == 0
    assert terminal.draw(sparing(part(1, 0, WIDTH, lines[1]), shown)) == 0


def test_a_line_that_changed_in_one_place_is_sent_there_alone():
    terminal, shown = Terminal(), Shown()
    terminal.draw(sparing(layout([[("one two three", None)]] * HEIGHT), shown))
    changed = sparing(layout([[("one two three", None)], [("one twO three", None)], [("one two three", None)]]), shown)
    assert changed.render_segments(Console(color_system="truecolor", force_terminal=True)) == "\x1b[2;7HO"


def test_what_was_forgotten_is_sent_whole():
    terminal, shown = Terminal(), Shown()
    lines = [[("words", None)]] * HEIGHT
    sent = terminal.draw(sparing(layout(lines), shown))
    shown.forget()
    assert terminal.draw(sparing(layout(lines), shown)) == sent


def test_an_update_of_another_kind_leaves_nothing_known():
    class Other(CompositorUpdate):
        pass

    terminal, shown = Terminal(), Shown()
    lines = [[("words", None)]] * HEIGHT
    sent = terminal.draw(sparing(layout(lines), shown))
    other = Other()
    assert sparing(other, shown) is other
    assert terminal.draw(sparing(layout(lines), shown)) == sent


async def test_what_is_typed_is_painted_without_waiting_for_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    class Form(EchoingScreen[None]):
        def compose(self) -> ComposeResult:
            yield Input()

    painted: list[str] = []

    class Tiny(App[None]):
        def get_default_screen(self) -> Screen[None]:
            return Form()

        def _display(self, screen: Screen[None], renderable: object) -> None:  # type: ignore[override]
            painted.append(screen.query_one(Input).value)

    app = Tiny()
    async with app.run_test() as pilot:
        await pilot.pause()
        monkeypatch.setattr(Timer, "resume", lambda timer: None)
        await pilot.press("a")
        await until(lambda: "a" in painted)
