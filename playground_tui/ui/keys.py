"""The keys of the split screen.

They are priority bindings of the screen: of the app they would fire behind dialogs, and without priority the text
areas take f6, ctrl+y and ctrl+e for themselves. Tab too, so that the focus has moved before the next key of a burst is
handled. Each has an id, under which `[keys]` in the configuration remaps it.
"""

from __future__ import annotations

from collections.abc import Mapping

from textual.binding import Binding

from playground_tui.text import clean

GLOBAL: list[Binding] = [
    Binding("tab", "app.focus_next", "next field", id="next-field", priority=True),
    Binding("shift+tab", "app.focus_previous", "previous field", id="previous-field", priority=True),
    Binding(
        "ctrl+l", "to_composer_and_repaint", "to the composer (and repaint the screen)", id="composer", priority=True
    ),
    Binding("ctrl+f", "to_form", "to the form", id="form", priority=True),
    Binding("f6,alt+w", "other_pane", "other pane", id="other-pane", priority=True),
    Binding("ctrl+o", "open_assistant", "open an assistant", id="open", priority=True),
    Binding("ctrl+n", "new_assistant", "new assistant", id="new", priority=True),
    Binding("ctrl+t", "new_thread", "new thread", id="new-thread", priority=True),
    Binding("ctrl+g", "go_to_thread", "go to another thread", id="threads", priority=True),
    Binding("f3,alt+a", "attach", "attach a file to the message", id="attach", priority=True),
    Binding("f9,alt+d", "save_file", "save a file that was made in the thread", id="save-file", priority=True),
    Binding("ctrl+r", "run_again", "run again, or retry what failed", id="run-again", priority=True),
    Binding("ctrl+y", "copy_answer", "copy the last answer", id="copy", priority=True),
    Binding("f4,alt+e", "external_editor", "the focused text in $EDITOR", id="editor", priority=True),
    Binding("f5,alt+s", "save", "save now (creates a new assistant)", id="save", priority=True),
    Binding("f7,alt+v", "versions", "versions of this assistant: compare, restore", id="versions", priority=True),
    Binding("f2,alt+f", "toggle_form", "show or hide the form", id="toggle-form", priority=True),
    Binding("ctrl+end", "thread_end", "to the end of the thread", id="thread-end", priority=True),
    Binding("f1,alt+h", "help", "help", id="help", priority=True),
    Binding("ctrl+q", "quit", "quit", id="quit", priority=True),
    Binding("escape", "back", "close, leave or cancel, the nearest first", id="back", priority=True),
]

SEPARATOR = " · "

ELSEWHERE: list[tuple[str, str]] = [
    ("enter", "send (in the composer)"),
    ("ctrl+j", "new line (shift+enter too where the terminal tells it apart)"),
    ("up, down", "composer history, from its first and last line"),
    ("pageup, pagedown", "scroll the thread from the composer"),
    ("ctrl+p", "command palette: copy a code block or the whole thread, clone, what was deleted, …"),
    ("left, right", "move a slider (with shift: ten steps, with alt: 0.01); digits type a value, delete resets it"),
]
"""Keys that belong to a widget, for the help."""


def help_rows(keymap: Mapping[str, str]) -> list[tuple[str, str]]:
    """Every key and what it does, as remapped."""
    rows = [(keymap.get(binding.id or "", binding.key), binding.description) for binding in GLOBAL]
    return [(key.replace(",", " or "), does) for key, does in rows] + ELSEWHERE


PALETTE = "palette"
HINTS: dict[str, dict[str, str]] = {
    "chat": {
        "help": "help",
        "form": "form",
        "open": "assistants",
        "threads": "threads",
        "attach": "attach",
        "new-thread": "new thread",
        "run-again": "run again",
        "copy": "copy answer",
        PALETTE: "more",
    },
    "form": {
        "help": "help",
        "composer": "composer",
        "save": "save",
        "open": "assistants",
        "versions": "versions",
        "editor": "$EDITOR",
        PALETTE: "more",
        "new": "new",
    },
}
"""What the foot of the screen names in each pane, most needed first: binding id -> word."""
LAST = ("quit", "quit")


def key_of(keymap: Mapping[str, str], name: str) -> str:
    """The first key of a binding, as remapped."""
    key = next(binding.key for binding in GLOBAL if binding.id == name)
    return _first(keymap.get(name, key))


def _first(keys: str) -> str:
    return clean(keys.split(",", maxsplit=1)[0], newlines=False)


def hint(keymap: Mapping[str, str], pane: str, width: int) -> str:
    """The keys that matter in this pane, as many as `width` columns hold. How to leave is always among them."""
    keys = {binding.id: _first(keymap.get(binding.id or "", binding.key)) for binding in GLOBAL}
    keys[PALETTE] = _first(keymap.get("command-palette", "ctrl+p"))
    said: list[str] = []
    last = f"{keys[LAST[0]]} {LAST[1]}"
    for name, word in HINTS[pane].items():
        if len(SEPARATOR.join([*said, f"{keys[name]} {word}", last])) > width:
            break
        said.append(f"{keys[name]} {word}")
    return SEPARATOR.join([*said, last])
