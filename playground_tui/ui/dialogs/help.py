"""The help: every key, read from the bindings themselves so that it cannot be wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from playground_tui.assistants.autosave import LONGEST_WAIT
from playground_tui.text import clean

_ABOUT = """\
Left is the thread, right the assistant. Write in the composer and press enter: the assistant answers with what the \
form says at that moment. The form saves itself {delay:g} s after the last key ({longest:g} s after the first at the \
latest), and before each run.

Lists and dialogs name their own keys at their foot. What has no key is in the command palette: copying a code block \
or the whole thread, cloning, bringing back what was deleted.

Nothing you type is lost: text and unsaved changes are kept on disk as you type and come back at the next start, \
also after a dropped connection. Runs go on in the engine, a process of its own, while no screen is open."""


class Help(ModalScreen[None]):
    """What the program does and its keys: pairs of key and what it does."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,f1,q", "dismiss", "Close", priority=True)]
    AUTO_FOCUS = "VerticalScroll"

    def __init__(self, keys: Sequence[tuple[str, str]], about_here: str, *, saved_after: float) -> None:
        """`saved_after` is how many seconds after the last key the form saves itself."""
        super().__init__(classes="help")
        self._about = _ABOUT.format(delay=min(saved_after, LONGEST_WAIT), longest=LONGEST_WAIT)
        self._keys = [(clean(key, newlines=False), does) for key, does in keys]
        self._about_here = about_here

    def compose(self) -> ComposeResult:
        width = max((len(key) for key, _ in self._keys), default=0)
        with Vertical(classes="dialog"):
            yield Static(Content("Help"), classes="dialog-title")
            with VerticalScroll(can_focus=True):
                lines = [Content.assemble((key.ljust(width), "bold"), "  ", does) for key, does in self._keys]
                yield Static(Content("\n").join(lines))
                yield Static(Content(self._about), classes="help-about")
                yield Static(Content(clean(self._about_here)), classes="help-about")
            yield Static(Content("up, down scroll · esc close"), classes="dialog-hint")
