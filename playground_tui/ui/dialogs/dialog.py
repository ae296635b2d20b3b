"""A dialog that does things beside the keys."""

from __future__ import annotations

from typing import TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen

T = TypeVar("T")


class Dialog(ModalScreen[T]):
    """What it does ends with it: what went on a moment longer would find its fields gone."""

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        for worker in list(self.workers):
            if self in worker.node.ancestors_with_self:
                worker.cancel()
        return super().dismiss(result)
