"""How things are done on the screen: by keys, as the configuration has them."""

from __future__ import annotations

from collections.abc import Mapping

from playground_tui.desk.panes import Ways
from playground_tui.ui.keys import keys_of


def ways_of(keymap: Mapping[str, str]) -> Ways:
    """The ways of the split screen with the keys of `[keys]`."""
    key = keys_of(keymap)
    return Ways(
        save=key("save"),
        again=key("run-again"),
        cancel=key("back"),
        assistants=key("open"),
        try_it=f"{key('composer')} goes to the composer, to try it",
    )
