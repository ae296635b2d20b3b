"""The line of keys at the foot of the screen."""

from __future__ import annotations

from collections.abc import Mapping

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from playground_tui.ui import keys


class Foot(Widget):
    """Names the keys that matter in the pane the cursor is in, as many as fit."""

    pane = reactive("chat")

    def __init__(self, keymap: Mapping[str, str]) -> None:
        super().__init__(id="keys")
        self._keymap = keymap

    def render(self) -> Content:
        return Content(keys.hint(self._keymap, self.pane, self.size.width))
