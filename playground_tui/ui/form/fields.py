"""The form's fields: a label, a control, and below it what is to be said about it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Checkbox, Input, Select, Static, TextArea

from playground_tui.assistants.editor import Elsewhere
from playground_tui.assistants.fields import Value
from playground_tui.assistants.save_state import clock_time
from playground_tui.text import clean, shorten
from playground_tui.ui.form.messages import EditorRequested, TakeOther
from playground_tui.ui.form.shown import Shown
from playground_tui.ui.form.slider import Slider
from playground_tui.ui.form.text_box import LineBox, TextBox

clean_line = partial(clean, newlines=False)


@dataclass(frozen=True, slots=True)
class Remarks:
    """What is said under a field; each is "" or None when there is nothing."""

    problem: str = ""
    warning: str = ""
    note: str = ""
    elsewhere: Elsewhere | None = None
    swap: str = "f8"
    """The key that swaps with the other value."""

    def content(self) -> Content:
        """One line each, the worst first."""
        lines = [
            (self.problem, "$text-error"),
            (self.warning, "$text-warning"),
            (_said(self.elsewhere, self.swap) if self.elsewhere else "", "$text-accent"),
            (self.note, ""),
        ]
        styled = [Content.styled(clean_line(line), style) for line, style in lines if line]
        return Content("\n").join(styled)


def _said(elsewhere: Elsewhere, swap: str) -> str:
    when = clock_time(elsewhere.at, time.time())
    does = "brings back" if elsewhere.taken else "takes"
    return f"changed elsewhere {when} · {swap} {does}: {_words(elsewhere.value)}"


def _words(value: Value) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if value is None:
        return "default"
    return shorten(str(value), 40) or "(empty)"


class FieldBox(Vertical):
    """One field of the draft on screen. Subclasses give it a control."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f8,alt+x", "take_other", "Swap with the other value", show=False, id="take-other"),
    ]

    @dataclass
    class Edited(Message):
        """The control holds another value than the field last told; it may equal the draft's."""

        box: FieldBox

    def __init__(self, field: str, label: str) -> None:
        super().__init__(classes="field")
        self.field = field
        self.label = label
        self._remarks = Remarks()
        self._note: Static | None = None

    def compose(self) -> ComposeResult:
        if self.label:
            yield Static(Content(self.label), classes="label")
        yield self.control

    @property
    def control(self) -> Widget:
        """The widget that takes the focus."""
        raise NotImplementedError

    @property
    def value(self) -> Value:
        """The draft's value that the control stands for."""
        raise NotImplementedError

    def load(self, value: Value) -> None:
        """Shows this value. Posts nothing."""
        raise NotImplementedError

    @property
    def remarks(self) -> Remarks:
        return self._remarks

    def remark(self, remarks: Remarks) -> None:
        """Says this under the control, and nothing else."""
        if remarks == self._remarks:
            return
        self._remarks = remarks
        self.set_class(bool(remarks.problem), "-problem")
        content = remarks.content()
        if self._note is not None:
            self._note.update(content)
            self._note.display = bool(content)
        elif content:
            self._note = Static(content, classes="note")
            self.mount(self._note)

    def on_descendant_focus(self) -> None:
        self.add_class("-focused")

    def on_descendant_blur(self) -> None:
        self.remove_class("-focused")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self._remarks.elsewhere is not None if action == "take_other" else True

    def action_take_other(self) -> None:
        self.post_message(TakeOther(self.field))


class TextField(FieldBox):
    """A field of text. What cannot be shown is shown by stand-ins and stays as it is until it is edited."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f4,alt+e", "open_editor", "Edit in $EDITOR", show=False, id="editor"),
    ]

    def __init__(self, field: str, label: str, clean_text: Callable[[str], str]) -> None:
        super().__init__(field, label)
        self._shown = Shown.of("", clean_text)

    @property
    def value(self) -> str:
        self._shown = self._shown.edited(self._text)
        return self._shown.text

    def load(self, value: Value) -> None:
        self._shown = Shown.of(value if isinstance(value, str) else "", self._shown.clean)
        self._show(self._shown.shown)

    @property
    def _text(self) -> str:
        """What the control holds."""
        raise NotImplementedError

    def _show(self, text: str) -> None:
        raise NotImplementedError

    def action_open_editor(self) -> None:
        self.post_message(EditorRequested(self.field))


class LineField(TextField):
    """Text of one line."""

    def __init__(self, field: str, label: str, *, placeholder: str = "", select: bool = False) -> None:
        super().__init__(field, label, clean_line)
        self.input = LineBox(placeholder=placeholder, id=field, select=select)

    @property
    def control(self) -> Widget:
        return self.input

    @property
    def _text(self) -> str:
        return self.input.value

    def _show(self, text: str) -> None:
        self.input.load(text)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Edited(self))


class AreaField(TextField):
    """Text of many lines; `limit` shows how many characters of it are used."""

    def __init__(self, field: str, label: str, *, limit: int | None = None, placeholder: str = "") -> None:
        super().__init__(field, label, clean)
        self.area = TextBox(id=field, placeholder=Content(placeholder))
        self._limit = limit

    @property
    def control(self) -> Widget:
        return self.area

    @property
    def _text(self) -> str:
        return self.area.text

    @property
    def unwrapped(self) -> bool:
        """Whether a line is so long that lines are not wrapped."""
        return not self.area.soft_wrap

    def _show(self, text: str) -> None:
        self.area.load(text)
        self._count(self._shown.text)

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        event.stop()
        self.area.fit()
        self._count(self.value)
        self.post_message(self.Edited(self))

    def _count(self, text: str) -> None:
        if self._limit is not None and self.is_mounted:
            self.query_one(".label", Static).update(
                Content(f"{self.label}  {len(text):,} / {self._limit:,}"), layout=False
            )


class Tick(Checkbox):
    """A checkbox that can be told on and off in any colours, and in none."""

    @property
    def _button(self) -> Content:
        return Content(f"[{'x' if self.value else ' '}]")


class TickField(FieldBox):
    """On or off."""

    def __init__(self, field: str, label: str) -> None:
        super().__init__(field, "")
        self.box = Tick(Content(label), id=f"tool-{field}")

    @property
    def control(self) -> Widget:
        return self.box

    @property
    def value(self) -> bool:
        return self.box.value

    def load(self, value: Value) -> None:
        with self.prevent(Checkbox.Changed):
            self.box.value = value is True

    def on_checkbox_changed(self, event: Checkbox.Changed) -> None:
        event.stop()
        self.post_message(self.Edited(self))


class SliderField(FieldBox):
    """A number or the server's default."""

    def __init__(self, field: str, slider: Slider) -> None:
        super().__init__(field, "")
        self.slider = slider

    @property
    def control(self) -> Widget:
        return self.slider

    @property
    def value(self) -> float | None:
        return self.slider.value

    def load(self, value: Value) -> None:
        with self.prevent(Slider.Changed):
            self.slider.value = float(value) if isinstance(value, int | float) else None

    def on_slider_changed(self, event: Slider.Changed) -> None:
        event.stop()
        self.post_message(self.Edited(self))


class ChoiceField(FieldBox):
    """One of several words; a value that is none of them is shown and kept."""

    def __init__(self, field: str, label: str, choices: Sequence[tuple[str, str]]) -> None:
        super().__init__(field, label)
        self._choices = list(choices)
        self._extra: str | None = None
        self.select: Select[str] = Select(choices, allow_blank=False, id=field, compact=True)

    @property
    def control(self) -> Widget:
        return self.select

    @property
    def value(self) -> str:
        return self.select.selection or ""

    def load(self, value: Value) -> None:
        word = value if isinstance(value, str) else ""
        extra = word if word not in {known for _, known in self._choices} else None
        with self.prevent(Select.Changed):
            if extra != self._extra:
                self._extra = extra
                self.select.set_options([*self._choices, *self._extra_choice()])
            self.select.value = word

    def _extra_choice(self) -> list[tuple[Content, str]]:
        if self._extra is None:
            return []
        return [(Content(f"{shorten(self._extra, 40)} (kept, not editable here)"), self._extra)]

    def on_select_changed(self, event: Select.Changed) -> None:
        event.stop()
        self.post_message(self.Edited(self))
