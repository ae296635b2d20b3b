"""The keys of the split screen.

They are priority bindings of the screen: of the app they would fire behind dialogs, and without priority the text
areas take f6, ctrl+y and ctrl+e for themselves. Tab too, so that the focus has moved before the next key of a burst is
handled. Each has an id, under which `[keys]` in the configuration remaps it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

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

Row = tuple[str, str, str]
"""The name under which `[keys]` remaps keys ("": not at all), the keys, and what they do."""

COMPOSER: list[Row] = [
    ("send", "enter", "send (in the composer)"),
    ("new-line", "ctrl+j,shift+enter", "new line (shift+enter in some terminals)"),
    ("", "up, down", "messages sent before (in the composer)"),
    ("", "pageup, pagedown", "scroll the thread (from the composer)"),
]
ELSEWHERE: list[Row] = [
    ("redo", "alt+z", "redo what ctrl+z undid"),
    ("take-other", "f8,alt+x", "swap with what was changed elsewhere"),
    ("", "left, right", "move a slider (shift: 5 steps, alt: 0.01)"),
    ("", "digits, delete", "type a slider's value, take the default"),
    ("", "ctrl+d, ctrl+k, ctrl+r", "in lists: delete, clone, deleted ones"),
    ("palette", "ctrl+p", "every command, also what has no key"),
]
"""Keys that belong to a widget or a dialog."""


def help_rows(keymap: Mapping[str, str]) -> list[Row]:
    """Every key as remapped: its name in `[keys]`, the keys, and what they do."""
    rows = [*COMPOSER, *((binding.id or "", binding.key, binding.description) for binding in GLOBAL), *ELSEWHERE]
    return [(name, keymap.get(name, keys).replace(",", " or ") if name else keys, does) for name, keys, does in rows]


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
_KEYS = {binding.id or "": binding.key for binding in GLOBAL} | {name: keys for name, keys, _ in COMPOSER + ELSEWHERE}


def key_of(keymap: Mapping[str, str], name: str) -> str:
    """The first key of a binding, as remapped."""
    return _first(keymap.get(name, _KEYS[name]))


KeyOf = Callable[[str], str]
"""The first key of a binding by its name."""


def keys_of(keymap: Mapping[str, str]) -> KeyOf:
    """`key_of` these keys."""
    return partial(key_of, keymap)


USUAL = keys_of({})
"""The keys as they are without a configuration."""


def _first(keys: str) -> str:
    return clean(keys.split(",", maxsplit=1)[0], newlines=False)


def hint(keymap: Mapping[str, str], pane: str, width: int) -> str:
    """The keys that matter in this pane, as many as `width` columns hold. How to leave is always among them."""
    said: list[str] = []
    last = f"{key_of(keymap, LAST[0])} {LAST[1]}"
    for name, word in HINTS[pane].items():
        one = f"{key_of(keymap, name)} {word}"
        if len(SEPARATOR.join([*said, one, last])) > width:
            break
        said.append(one)
    return SEPARATOR.join([*said, last])
