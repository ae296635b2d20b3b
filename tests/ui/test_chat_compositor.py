"""What the sparing compositor sends draws the same screen as Textual's, with fewer bytes."""

from __future__ import annotations

import io

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate
from textual.app import App, ComposeResult
from textual.screen import Screen
from textual.strip import Strip
from textual.widgets import Input

from playground_tui.ui.compositor import SparingCompositor, SparingUpdate
from tests.support.wait import until

WIDTH, HEIGHT, CUT = 24, 4, 10
STYLES = st.sampled_from(
    [
        None,
        Style(),
        Style(bold=True),
        Style.parse("italic red on #102030"),
        Style.parse("bold underline blue"),
        Style.parse("not bold on #405060"),
        Style.parse("reverse green"),
    ]
)
SEGMENTS = st.lists(st.tuples(st.sampled_from(["a", "bc", "日本", " ", "xyz"]), STYLES), min_size=8, max_size=14)
SPANS = st.lists(st.tuples(st.integers(0, WIDTH - 1), st.integers(1, WIDTH)), min_size=HEIGHT, max_size=HEIGHT)


def chops_of(lines: list[list[tuple[str, Style | None]]]) -> list[dict[int, Strip | None]]:
    chops: list[dict[int, Strip | None]] = []
    for line in lines:
        # Textual keeps in a style the codes of the first colour system it was written with.
        fresh = [Segment(text, style.copy() if style is not None else None) for text, style in line]
        whole = Strip(fresh).adjust_cell_length(WIDTH)
        chops.append({0: whole.crop(0, CUT), CUT: whole.crop(CUT, WIDTH)})
    return chops


def drawn(update: ChopsUpdate, system: str) -> tuple[list[list[object]], int]:
    console = Console(file=io.StringIO(), color_system=system, force_terminal=True)  # type: ignore[arg-type]
    data = update.render_segments(console)
    screen = pyte.Screen(WIDTH, HEIGHT)
    pyte.Stream(screen).feed(data)
    return [[screen.buffer[y][x] for x in range(WIDTH)] for y in range(HEIGHT)], len(data)


@given(st.lists(SEGMENTS, min_size=HEIGHT, max_size=HEIGHT), st.sampled_from(["truecolor", "256", "standard"]))
@settings(max_examples=40, deadline=None)
def test_whole_lines_look_the_same(lines: list[list[tuple[str, Style | None]]], system: str) -> None:
    arguments = (chops_of(lines), [(y, 0, WIDTH) for y in range(HEIGHT)], [[CUT, WIDTH]] * HEIGHT)
    (wanted, size), (found, sparing) = drawn(ChopsUpdate(*arguments), system), drawn(SparingUpdate(*arguments), system)
    assert found == wanted
    assert sparing <= size


@given(st.lists(SEGMENTS, min_size=HEIGHT, max_size=HEIGHT), SPANS)
@settings(max_examples=40, deadline=None)
def test_only_the_cells_of_the_spans_are_written(
    lines: list[list[tuple[str, Style | None]]], spans: list[tuple[int, int]]
) -> None:
    ranges = [(y, left, min(WIDTH, left + width)) for y, (left, width) in enumerate(spans)]
    update = SparingUpdate(chops_of(lines), ranges, [[CUT, WIDTH]] * HEIGHT)
    found, _ = drawn(update, "truecolor")
    untouched = pyte.Screen(WIDTH, HEIGHT).buffer[0][0]
    for y, left, right in ranges:
        assert all(found[y][x] == untouched for x in range(WIDTH) if not left <= x < right)


async def test_a_screen_works_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[type] = []

    class Sparing(Screen[None]):
        def __init__(self) -> None:
            super().__init__()
            self._compositor = SparingCompositor()

        def compose(self) -> ComposeResult:
            yield Input()

    class Tiny(App[None]):
        def get_default_screen(self) -> Screen[None]:
            return Sparing()

        def _display(self, screen: Screen[None], renderable: object) -> None:  # type: ignore[override]
            sent.append(type(renderable))

    app = Tiny()
    async with app.run_test() as pilot:
        await pilot.press("a", "b")
        await until(lambda: SparingUpdate in sent)
        assert app.screen.query_one(Input).value == "ab"
