"""The order in which tab goes through the form."""

from __future__ import annotations

from textual.widget import Widget


class InOrder(Widget):
    """Gets the focus in its turn among its neighbours.

    Textual goes by where widgets are on the screen; before they are laid out that is nowhere, and a tab that is typed
    early would skip fields.
    """

    @property
    def _focus_sort_key(self) -> tuple[int, int]:
        return 0, 0
