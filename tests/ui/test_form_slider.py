from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.widgets import Button

from playground_tui.ui.form.slider import Slider
from tests.support.wait import until


class SliderApp(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.values: list[float | None] = []
        self.escapes = 0

    def compose(self) -> ComposeResult:
        yield Slider("Temperature", maximum=2.0, step=0.1, big_step=0.5, id="temperature")
        yield Button("other")

    def on_slider_changed(self, event: Slider.Changed) -> None:
        assert event.control is self.query_one(Slider)
        self.values.append(event.value)

    def key_escape(self) -> None:
        self.escapes += 1


@asynccontextmanager
async def slider(width: int = 40) -> AsyncIterator[Any]:
    app = SliderApp()
    async with app.run_test(size=(width, 6)) as pilot:
        one = app.query_one(Slider)
        one.focus()
        await pilot.pause()
        yield app, pilot, one


@pytest.mark.parametrize(
    ("start", "keys", "value"),
    [
        (0.7, ["right"], 0.8),
        (0.7, ["left"] * 8, 0.0),
        (0.73, ["right"], 0.8),
        (0.73, ["left"], 0.7),
        (0.7, ["shift+right"], 1.0),
        (0.7, ["shift+right", "shift+right"], 1.5),
        (0.7, ["ctrl+right"], 0.71),
        (0.7, ["alt+left"], 0.69),
        (0.735, ["ctrl+left"], 0.725),
        (1.95, ["right", "right"], 2.0),
        (0.7, ["home"], 0.0),
        (0.7, ["end"], 2.0),
        (0.7, ["delete"], None),
        (0.7, ["backspace"], None),
        (None, ["right"], 1.1),
        (None, ["left"], 0.9),
        (0.7, ["1", ".", "2", "5"], 1.25),
        (0.7, ["1", ",", "5"], 1.5),
        (0.7, ["0"], 0.0),
        (0.7, ["."], 0.7),
        (0.7, ["1", "5"], 1.0),
        (0.7, ["1", "5", "enter", "2"], 2.0),
        (0.7, ["1", ".", "2", "backspace"], 1.0),
        (0.7, ["1", "backspace"], 0.7),
        (0.7, ["1", "backspace", "backspace"], None),
        (0.7, ["1", ".", "9", "escape"], 0.7),
        (0.7, ["1", ".", "9", "enter", "right"], 2.0),
        (0.7, ["x", "-"], 0.7),
    ],
)
async def test_keys_move_it(start: float | None, keys: list[str], value: float | None) -> None:
    async with slider() as (_, pilot, one):
        one.value = start
        await pilot.press(*keys)
        assert one.value == value


async def test_each_change_is_told_once() -> None:
    async with slider() as (app, pilot, one):
        await pilot.press("home", "home", "right")
        await until(lambda: app.values == [0.0, 0.1])
        with one.prevent(Slider.Changed):
            one.value = 1.0
        await pilot.pause()
        assert app.values == [0.0, 0.1]


async def test_it_shows_its_value_the_default_and_what_is_typed() -> None:
    async with slider() as (_, pilot, one):
        assert one.render().plain.split() == ["Temperature", "─" * 20, "default"]
        one.value = 0.7
        assert one.render().plain.endswith("   0.70")
        assert one.render().plain.count("●") == 1
        one.value = 0.123456
        assert one.render().plain.endswith("0.123456")
        await pilot.press("1")
        assert one.render().plain.endswith("1▏")
        await pilot.press("2")
        assert one.render().plain.endswith("0 to 2")
        assert one.region.height == 1


async def test_a_value_beyond_its_ends_shows_at_the_end() -> None:
    async with slider() as (_, _pilot, one):
        one.value = 9.0
        assert "●    9.00" in one.render().plain


async def test_escape_is_left_to_others_when_nothing_is_typed() -> None:
    async with slider() as (app, pilot, _):
        await pilot.press("escape")
        assert app.escapes == 1
        await pilot.press("1", "escape")
        assert app.escapes == 1


async def test_leaving_it_ends_the_typing() -> None:
    async with slider() as (_, pilot, one):
        await pilot.press("1", ".")
        assert one.typing
        await pilot.press("tab")
        assert not one.typing
        assert one.value == 1.0


async def test_it_fits_any_width() -> None:
    async with slider(width=5) as (_, pilot, one):
        one.value = 1.0
        await pilot.pause()
        assert "●" not in one.render().plain
