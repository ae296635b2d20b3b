"""The model: any id can be typed, and the server's list is searched while typing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from playground_tui.assistants.fields import matching
from playground_tui.text import clean
from playground_tui.ui.form.fields import LineField
from playground_tui.ui.form.messages import ModelsWanted

MOST_SHOWN = 50
_REFRESH = "refresh"


class ModelField(LineField):
    """`#model` with a list under it that opens by typing or with down, and closes with enter, escape or tab."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "highlight(1)", "Next model", show=False),
        Binding("up", "highlight(-1)", "Previous model", show=False),
        Binding("pagedown", "highlight(8)", "Further models", show=False),
        Binding("pageup", "highlight(-8)", "Earlier models", show=False),
        Binding("escape", "close", "Close the list", show=False),
    ]

    def __init__(self) -> None:
        super().__init__("model", "Model", placeholder="type an id, or down for the list", select=True)
        self._models: tuple[str, ...] = ()
        self._found: list[str] = []
        self._words = ""
        self._list = OptionList(id="model-list", markup=False, compact=True)
        self._list.can_focus = False
        self._list.display = False

    def compose(self) -> ComposeResult:
        yield from super().compose()
        yield self._list

    @property
    def models(self) -> tuple[str, ...]:
        return self._models

    def set_models(self, models: Sequence[str]) -> None:
        """The server's list; an open list shows it at once."""
        self._models = tuple(models)
        if self.is_open:
            self._fill()

    @property
    def is_open(self) -> bool:
        return bool(self._list.display)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "close":
            return self.is_open
        if action == "highlight":
            return self.is_open or parameters == (1,)
        return super().check_action(action, parameters)

    def action_highlight(self, steps: int) -> None:
        """Moves in the list from end to end; the first press opens all of it on the present model."""
        if not self.is_open:
            self._open("")
            self._highlight(self._found.index(self.value) if self.value in self._found else 0)
            return
        here = self._list.highlighted
        last = self._list.option_count - 1
        if here is None:
            self._highlight(0 if steps > 0 else last)
        elif abs(steps) == 1:
            self._highlight((here + steps) % (last + 1))
        else:
            self._highlight(max(0, min(last, here + steps)))

    def action_close(self) -> None:
        self._list.display = False

    def on_input_changed(self, event: Input.Changed) -> None:
        super().on_input_changed(event)
        if self.input.has_focus:
            self._open(self.input.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter takes what is highlighted; with nothing highlighted, what was typed stands."""
        event.stop()
        if not self.is_open:
            self._open("")
        elif self._list.highlighted is None:
            self.action_close()
        else:
            self._choose(self._list.highlighted)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._choose(event.option_index)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()

    def on_descendant_blur(self) -> None:
        super().on_descendant_blur()
        self.action_close()

    def _open(self, words: str) -> None:
        if not self.is_open:
            self.post_message(ModelsWanted())
        self._words = words
        self._fill()
        self._list.display = True

    def _fill(self) -> None:
        found = matching(self._models, self._words)
        self._found = found[:MOST_SHOWN]
        options = [Option(Content(clean(model, newlines=False))) for model in self._found]
        options.append(Option(Content(self._last_line(len(found))), id=_REFRESH))
        self._list.clear_options().add_options(options)
        self._list.highlighted = None

    def _last_line(self, count: int) -> str:
        if not self._models:
            return "no list yet: ask the server for it"
        if count > MOST_SHOWN:
            return f"{count - MOST_SHOWN:,} more; ask the server anew"
        return "ask the server for the list anew" if count else "none listed: kept as typed; ask anew"

    def _highlight(self, index: int) -> None:
        self._list.highlighted = index
        self._list.scroll_to_highlight()

    def _choose(self, index: int) -> None:
        if index >= len(self._found):
            self.post_message(ModelsWanted())
            return
        self.action_close()
        self.load(self._found[index])
        self.input.cursor_position = len(self.input.value)
        self.post_message(self.Edited(self))
