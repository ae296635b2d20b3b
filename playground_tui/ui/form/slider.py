"""A number on a line: moved with the arrows, typed in digits, or left to the server's default."""

from __future__ import annotations

import math
import re
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.style import Style
from textual.widget import Widget

FINE_STEP = 0.01
DEFAULT = 1.0
"""What the Assistants API takes for a value that is not given."""

_TYPED = re.compile(r"\d{0,2}(\.\d{0,4})?")


class Slider(Widget, can_focus=True):
    """`value` is None for the default. One line: label, track, number; keys repaint this widget alone."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1)", "Less", show=False),
        Binding("right", "move(1)", "More", show=False),
        Binding("shift+left", "move(-1, 'big')", "Much less", show=False),
        Binding("shift+right", "move(1, 'big')", "Much more", show=False),
        Binding("ctrl+left,alt+left", "move(-1, 'fine')", "A little less", show=False),
        Binding("ctrl+right,alt+right", "move(1, 'fine')", "A little more", show=False),
        Binding("home", "to_end(0)", "Least", show=False),
        Binding("end", "to_end(1)", "Most", show=False),
        Binding("delete,backspace", "erase", "Default", show=False),
        Binding("enter", "commit", "Take what was typed", show=False),
        Binding("escape", "undo_typing", "Drop what was typed", show=False),
    ]

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "slider--label",
        "slider--track",
        "slider--filled",
        "slider--handle",
        "slider--value",
        "slider--default",
    }

    DEFAULT_CSS = """
    Slider {
        width: 1fr; height: 1;
        & > .slider--track { color: $foreground 40%; }
        & > .slider--filled { color: $foreground 70%; }
        & > .slider--handle { color: $foreground; }
        & > .slider--default { color: $text-muted; }
        &:focus > .slider--filled, &:focus > .slider--handle { color: $accent; }
        &:focus > .slider--value, &:focus > .slider--default { text-style: bold reverse; }
        &:focus > .slider--label { text-style: bold; }
    }
    """

    value: reactive[float | None] = reactive(None, init=False)

    class Changed(Message):
        """The value changed."""

        def __init__(self, slider: Slider, value: float | None) -> None:
            super().__init__()
            self.slider = slider
            self.value = value

        @property
        def control(self) -> Slider:
            return self.slider

    def __init__(
        self,
        label: str,
        *,
        maximum: float,
        step: float,
        big_step: float,
        id: str | None = None,  # noqa: A002
    ) -> None:
        """From 0 to `maximum`; from the default a key moves as from 1."""
        super().__init__(id=id)
        self.label = label
        self.maximum = maximum
        self._steps = {"step": step, "big": big_step, "fine": FINE_STEP}
        self._typed = ""
        self._before: float | None = None

    @property
    def typing(self) -> bool:
        """Whether digits are being typed."""
        return bool(self._typed)

    def watch_value(self) -> None:
        self.post_message(self.Changed(self, self.value))

    def action_move(self, direction: int, size: str = "step") -> None:
        self._typed = ""
        step = self._steps[size]
        value = DEFAULT if self.value is None else self.value
        moved = value + direction * step if size == "fine" else _next_on_grid(value, step, direction)
        self.value = round(min(self.maximum, max(0.0, moved)), 4)
        self.refresh()

    def action_to_end(self, end: int) -> None:
        self._typed = ""
        self.value = self.maximum if end else 0.0
        self.refresh()

    def action_erase(self) -> None:
        """Takes back a typed digit; with none typed, the value goes back to the default."""
        if self._typed:
            self._type(self._typed[:-1])
        else:
            self.value = None

    def action_commit(self) -> None:
        self._typed = ""
        self.refresh()

    def action_undo_typing(self) -> None:
        self._typed = ""
        self.value = self._before
        self.refresh()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enter and escape are ours only while digits are typed."""
        return self.typing if action in {"undo_typing", "commit"} else True

    def on_key(self, event: events.Key) -> None:
        digit = "." if event.character == "," else event.character or ""
        if digit.isascii() and (digit.isdigit() or digit == ".") and _TYPED.fullmatch(self._typed + digit):
            event.stop()
            if not self._typed:
                self._before = self.value
            self._type(self._typed + digit)

    def on_blur(self) -> None:
        self._typed = ""

    def _type(self, typed: str) -> None:
        self._typed = typed
        number = float(typed) if typed.strip(".") else None
        if number is None:
            self.value = self._before
        elif number <= self.maximum:
            self.value = number
        self.refresh()

    @property
    def _too_big(self) -> bool:
        return self._typed.strip(".") != "" and float(self._typed) > self.maximum

    def _words(self) -> str:
        if self._typed:
            return f"0 to {self.maximum:g}" if self._too_big else f"{self._typed}▏"
        if self.value is None:
            return "default"
        return f"{self.value:.2f}" if round(self.value, 2) == self.value else f"{self.value:.6g}"

    def get_content_width(self, container: Size, viewport: Size) -> int:
        return container.width

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return 1

    def render(self) -> Content:
        label = self.label.ljust(12)
        words = self._words().rjust(7)
        room = max(0, self.size.width - len(label) - len(words) - 1)
        style = self.get_visual_style
        return Content.assemble(
            (label, style("slider--label")),
            *self._track(room),
            " ",
            (words, style("slider--value" if self.value is not None or self._typed else "slider--default")),
        )

    def _track(self, room: int) -> list[tuple[str, Style]]:
        style = self.get_visual_style
        if room < 3 or self.value is None:
            return [("─" * room, style("slider--track"))]
        place = round(min(1.0, max(0.0, self.value / self.maximum)) * (room - 1))
        return [
            ("━" * place, style("slider--filled")),
            ("●", style("slider--handle")),
            ("─" * (room - 1 - place), style("slider--track")),
        ]


def _next_on_grid(value: float, step: float, direction: int) -> float:
    """The next multiple of `step` in this direction; what is a hair from one counts as being there."""
    steps = value / step
    return (math.floor(steps + 1e-6) + 1 if direction > 0 else math.ceil(steps - 1e-6) - 1) * step
