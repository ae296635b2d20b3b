"""Sentences said in passing. They lie over the top lines for some seconds: never over what is being typed."""

from __future__ import annotations

from collections import deque

from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from playground_tui.text import clean

SECONDS = 6.0
"""How long a sentence is shown, plus what its length asks for."""
CHARACTERS_PER_SECOND = 25.0


class Notice(Static):
    """Shows the newest sentence. It never takes the focus."""

    def __init__(self) -> None:
        super().__init__(id="notice", markup=False)
        self.said: deque[str] = deque(maxlen=20)
        """The sentences said last, oldest first."""
        self._timer: Timer | None = None

    def say(self, sentence: str) -> None:
        """Show a sentence for some seconds."""
        self.said.append(sentence)
        self.update(Content(clean(sentence)))
        self.display = True
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(SECONDS + len(sentence) / CHARACTERS_PER_SECOND, self._fade)

    def _fade(self) -> None:
        self.display = False
