"""Where the saving stands, in words, counting down while a retry is due."""

from __future__ import annotations

import time

from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from playground_tui.assistants.save_state import SaveState
from playground_tui.text import clean
from playground_tui.ui.keys import USUAL, KeyOf


class SaveStatus(Static):
    """`#save-status`. Its classes `-saved -unsaved -failed ...` follow the state."""

    def __init__(self, key: KeyOf = USUAL) -> None:
        super().__init__(id="save-status", markup=False)
        self._save, self._stop = key("save"), key("back")
        self._state = SaveState("saved")
        self._said = ""
        self._timer: Timer | None = None

    def show(self, state: SaveState) -> None:
        self.remove_class(f"-{self._state.kind}")
        self.add_class(f"-{state.kind}")
        self._state = state
        self._say()
        self._count_down()

    @property
    def sentence(self) -> str:
        """What stands there."""
        return self._said

    def _say(self) -> None:
        sentence = clean(self._state.sentence(time.time(), self._save, stop=self._stop), newlines=False)
        if sentence != self._said:
            self._said = sentence
            self.update(Content(sentence))

    def _count_down(self) -> None:
        """A timer only while there is something to count."""
        counting = self._state.retry_in is not None
        if counting and self._timer is None:
            self._timer = self.set_interval(1.0, self._say)
        elif not counting and self._timer is not None:
            self._timer.stop()
            self._timer = None
