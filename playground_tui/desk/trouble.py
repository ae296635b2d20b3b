"""What keeps things from being saved or used, in one line that stays until it is over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

Where = Literal["cache", "engine", "settings"]


class Trouble:
    """Knows of each place what is wrong there. `changed` is called after each change, by whoever told it.

    Safe to use from any thread.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._sentences: dict[Where, str] = {"cache": "", "engine": "", "settings": ""}

    @property
    def sentence(self) -> str:
        """What is shown: of several troubles the nearest to what is typed; "" when there is none."""
        return next(filter(None, self._sentences.values()), "")

    def tell(self, where: Where, sentence: str) -> None:
        """Something is wrong there, or ("") nothing any more."""
        if self._sentences[where] != sentence:
            self._sentences[where] = sentence
            self._changed()
