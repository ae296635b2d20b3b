"""An app that sends only what differs from what its terminal shows."""

from __future__ import annotations

from typing import Self

from rich.console import RenderableType
from textual import events
from textual._compositor import CompositorUpdate
from textual.app import App
from textual.screen import Screen, ScreenResultType

from playground_tui.ui.compositor import sparing
from playground_tui.ui.driver import PatientDriver


class EchoingScreen(Screen[ScreenResultType]):
    """Shows what was typed as soon as it is known.

    Textual paints with the next tick of a clock, or the one after it when it has just painted: while text streams in
    every few keys would wait for 30 ms.
    """

    async def _on_idle(self, event: events.Idle) -> None:
        # Textual calls the handler of each class, this one before its own, which waits for the clock.
        if self.focused in self._dirty_widgets:
            self._on_timer_update()


class PaintingApp(App[int]):
    """Needs a PatientDriver, which knows what the terminal shows; with any other it paints as Textual does."""

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        if isinstance(self._driver, PatientDriver) and isinstance(renderable, CompositorUpdate):
            renderable = sparing(renderable, self._driver.shown)
        super()._display(screen, renderable)

    def _set_pointer_shape(self, shape: str) -> None:
        """The mouse pointer is left as it is: many terminals take the sequence for it as a title."""

    def refresh(self, *, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """Of the whole app, laid out anew: for whoever sees that the terminal shows something else."""
        if layout:
            self._forget_shown()
        return super().refresh(repaint=repaint, layout=layout, recompose=recompose)

    def on_resize(self, event: events.Resize) -> None:
        """The terminal may have moved its lines."""
        self._forget_shown()

    def _forget_shown(self) -> None:
        if isinstance(self._driver, PatientDriver):
            self._driver.shown.forget()
