"""What the sparing compositor sends draws the same screen as Textual's, with fewer bytes."""

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
from textual._compositor import ChopsUpdate, Compositor
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input

from playground_tui.ui.compositor import SparingCompositor, SparingUpdate
from tests.support.wait import until

WIDTH, HEIGHT, CUT = 24, 4, 10
SYSTEMS = ("truecolor", "256", "standard")


def lines_for(system: str) -> st.SearchStrategy[list[list[tuple[str, Style | None]]]]:
    """Lines of styled texts. Each colour system has styles of its own: Textual keeps the codes it wrote for another."""
    own = SYSTEMS.index(system)
    parsed = ("bold #0000d{}", "italic #d0000{} on #10203{}", "bold underline #0000a{}", "not bold on #40506{}")
    styles = st.sampled_from([None, Style(), *(Style.parse(style.format(own, own)) for style in parsed)])
    line = st.lists(st.tuples(st.sampled_from(["a", "bc", "日本", " ", "xyz"]), styles), min_size=8, max_size=14)
    return st.lists(line, min_size=HEIGHT, max_size=HEIGHT)


SPANS = st.lists(st.tuples(st.integers(0, WIDTH - 1), st.integers(1, WIDTH)), min_size=HEIGHT, max_size=HEIGHT)


def chops_of(lines: list[list[tuple[str, Style | None]]]) -> list[dict[int, Strip | None]]:
    chops: list[dict[int, Strip | None]] = []
    for line in lines:
        whole = Strip([Segment(text, style) for text, style in line]).adjust_cell_length(WIDTH)
        chops.append({0: whole.crop(0, CUT), CUT: whole.crop(CUT, WIDTH)})
    return chops


def drawn(update: ChopsUpdate, system: str, width: int = WIDTH, height: int = HEIGHT) -> tuple[list[list[object]], int]:
    console = Console(file=io.StringIO(), color_system=system, force_terminal=True)  # type: ignore[arg-type]
    data = update.render_segments(console)
    screen = pyte.Screen(width, height)
    pyte.Stream(screen).feed(data)
    return [[seen(screen.buffer[y][x]) for x in range(width)] for y in range(height)], len(data)


def seen(cell: Char) -> Char:
    """A cell as it looks: of a blank the background alone, unless it is underlined."""
    return cell if cell.data != " " or cell.underscore else Char(" ", bg=cell.bg)


@pytest.mark.parametrize("system", SYSTEMS)
@given(st.data())
@settings(max_examples=20, deadline=None)
def test_whole_lines_look_the_same(system: str, data: st.DataObject) -> None:
    lines = data.draw(lines_for(system))
    arguments = (chops_of(lines), [(y, 0, WIDTH) for y in range(HEIGHT)], [[CUT, WIDTH]] * HEIGHT)
    (wanted, size), (found, sparing) = drawn(ChopsUpdate(*arguments), system), drawn(SparingUpdate(*arguments), system)
    assert found == wanted
    assert sparing <= size


@given(lines_for("truecolor"), SPANS)
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


class Lines(Widget):
    """Shows its id in every cell, and keeps which of its lines were asked for."""

    def __init__(self, name: str) -> None:
        super().__init__(id=name)
        self.rendered: list[int] = []

    def render_line(self, y: int) -> Strip:
        self.rendered.append(y)
        return Strip([Segment(f"{self.id}{y % 10}" * self.size.width)]).crop(0, self.size.width)


REGIONS = st.builds(Region, st.integers(0, 28), st.integers(0, 14), st.integers(1, 12), st.integers(1, 6))


async def test_of_a_partial_update_only_the_changed_lines_are_rendered_and_look_as_textuals() -> None:
    class Panes(Screen[None]):
        CSS = "Panes { layout: grid; grid-size: 2; layers: under over; } #d { layer: over; offset: 5 2; width: 20; }"

        def __init__(self) -> None:
            super().__init__()
            self._compositor = SparingCompositor()

        def compose(self) -> ComposeResult:
            yield from map(Lines, "abcd")

    class Tiny(App[None]):
        def get_default_screen(self) -> Screen[None]:
            return Panes()

    def cells(compositor: Compositor, regions: set[Region]) -> list[list[object]]:
        compositor._dirty_regions = set(regions)
        update = compositor.render_partial_update()
        assert isinstance(update, SparingUpdate)
        return drawn(update, "truecolor", 40, 20)[0]

    app = Tiny()
    async with app.run_test(size=(40, 20)):
        compositor = app.screen._compositor
        panes = list(app.screen.query(Lines))

        @given(st.sets(REGIONS, min_size=1, max_size=4))
        @settings(max_examples=60, deadline=None)
        def same(regions: set[Region]) -> None:
            found = cells(compositor, regions)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(SparingCompositor, "_get_renders", Compositor._get_renders)
                assert found == cells(compositor, regions)

        same()
        for pane in panes:
            pane.rendered.clear()
            pane._styles_cache.clear()
        cells(compositor, {Region(0, 1, 1, 2)})
        assert {pane.id: sorted(set(pane.rendered)) for pane in panes if pane.rendered} == {"a": [1, 2]}
