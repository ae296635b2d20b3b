"""Editing the assistant: one question for each field, and a small menu for long texts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial

from playground_tui.assistants.fields import API_FIELD, LABELS, SAMPLING, Value, matching
from playground_tui.assistants.limits import HIGHEST
from playground_tui.assistants.response_format import KINDS
from playground_tui.desk import editor
from playground_tui.desk.editing import take_written
from playground_tui.plain.console import Console
from playground_tui.plain.form import in_words
from playground_tui.plain.menus import choose, confirm, line_of, pick
from playground_tui.plain.room import Room

LONG = frozenset({"description", "instructions", "functions", "schema", "metadata"})
"""Fields that may have several lines."""
SWITCHES = frozenset({"file_search", "code_interpreter", "function"})
CHOICES = {
    "response_format": KINDS,
    "reasoning_effort": ("", "none", "minimal", "low", "medium", "high", "xhigh", "max"),
}
END = "."
"""A line of its own that ends a text of several lines."""


class Fields:
    """The form, by questions."""

    def __init__(self, room: Room, console: Console) -> None:
        self._room = room
        self._console = console
        self._form = room.form

    def all(self) -> None:
        """Read every field once, then ask which to edit until none is."""
        self._console.write(f"Assistant {self._form.name}. {self._form.sentence()}.")
        self._list()
        while True:
            self._room.tell(self._console.write)
            prompt = "field to edit, by number or name; ? reads them again, enter alone ends editing: "
            answer = line_of(self._console, prompt)
            if not answer:
                return
            if answer == "?":
                self._list()
            else:
                self.named(answer)

    def _list(self) -> None:
        for number, field in enumerate(self._form.fields(), start=1):
            self._console.write(f"{number}. {self._form.line(field)}")
        others = self._form.draft.other_tools
        if others:
            self._console.write(f"Kept, not editable here: {', '.join(others)}.")

    def named(self, answer: str) -> None:
        """Edit the field of this name, or of this number in the list."""
        fields = self._form.fields()
        if answer.isdecimal() and 1 <= int(answer) <= len(fields):
            self.edit(fields[int(answer) - 1])
            return
        wanted = answer.casefold().replace("_", " ")
        found = [field for field in API_FIELD if wanted in (field.replace("_", " "), LABELS[field].casefold())]
        if found:
            self.edit(found[0])
        else:
            self._console.write(
                f"There is no field {answer}. The fields are: {', '.join(LABELS[field] for field in fields)}."
            )

    def edit(self, field: str) -> None:
        """Edit one field, and say what it is then."""
        before = self._form.draft.value(field)
        other = self._form.elsewhere.get(field)
        if other is not None and confirm(
            self._console, f"{LABELS[field]} was changed elsewhere to {in_words(field, other.value)}. Swap the two?"
        ):
            self._swap(field)
        elif field in SWITCHES:
            self.set(field, before is not True)
        elif field in CHOICES:
            self._choice(field)
        elif field in SAMPLING:
            self._number(field)
        elif field in LONG:
            self._long(field)
        elif field == "model":
            self._model()
        else:
            self._short(field)
        if self._form.draft.value(field) != before or field in SWITCHES:
            self._console.write(f"Now {self._form.line(field)}.")
        else:
            self._console.write(f"{LABELS[field]} stays as it was.")

    def set(self, field: str, value: Value) -> None:
        """The new value of a field; it is saved by itself."""
        self._room.do(lambda: self._form.set_value(field, value))

    def _swap(self, field: str) -> None:
        editing = self._room.editing.editor
        if editing is not None:
            self._room.do(partial(editing.take_other, field))

    # The kinds of fields

    def _short(self, field: str) -> None:
        now = self._form.draft.text(field)
        answer = self.ask(field, f"{LABELS[field]}, now {in_words(field, now)}. New text, or enter to keep it: ", now)
        if answer:
            self.set(field, answer)

    def ask(self, field: str, prompt: str, now: str) -> str:
        """A line for this field, kept on disk while it is typed. The up arrow brings what it is now."""

        def typed(line: str) -> None:
            self._form.held = {field: line} if line else {}
            self._room.editing.keep()

        try:
            return line_of(self._console, prompt, history=[now] if now else [], typed=typed)
        finally:
            if self._form.held:
                self._form.held = {}
                self._room.do(lambda: self._room.editing.edited(self._form.draft))

    def _model(self) -> None:
        now = self._form.draft.text("model")
        answer = self.ask("model", f"model, now {now or 'empty'}. New id, ? lists models, or enter to keep it: ", now)
        if answer.startswith("?"):
            answer = self._listed(answer[1:].strip())
        if answer:
            self.set("model", answer)

    def _listed(self, words: str) -> str:
        models = matching(self._form.models, words)
        if not models:
            self._console.write("The server lists no such model.")
            return ""
        chosen = pick(self._console, f"Models the server lists: {len(models)}.", models, what="model")
        return "" if chosen is None else models[chosen]

    def _choice(self, field: str) -> None:
        options = CHOICES[field]
        title = f"{LABELS[field]}, now {in_words(field, self._form.draft.value(field))}. Choose:"
        chosen = choose(self._console, title, [option.replace("_", " ") or "default" for option in options])
        if chosen is not None:
            self.set(field, options[chosen])

    def _number(self, field: str) -> None:
        now = in_words(field, self._form.draft.value(field))
        prompt = f"{LABELS[field]}, now {now}. A number from 0 to {HIGHEST[field]:g}, default, or enter to keep it: "
        answer = line_of(self._console, prompt)
        if answer == "default":
            self.set(field, None)
        elif answer:
            self._take_number(field, answer)

    def _take_number(self, field: str, answer: str) -> None:
        try:
            value = float(answer.replace(",", "."))
        except ValueError:
            value = -1.0
        if 0 <= value <= HIGHEST[field]:
            self.set(field, value)
        else:
            self._console.write(f"{answer} is no number from 0 to {HIGHEST[field]:g}.")

    def _long(self, field: str) -> None:
        now = self._form.draft.text(field)
        ways: list[tuple[str, Callable[[], None]]] = [
            ("write it anew, line by line", lambda: self._write(field, [])),
            ("open it in your editor", lambda: self._in_editor(field)),
        ]
        if now:
            ways[1:1] = [
                ("add lines at its end", lambda: self._write(field, now.split("\n"))),
                ("change one of its lines", lambda: self._change_line(field)),
                ("read it", lambda: self._read(field)),
                ("make it empty", lambda: self.set(field, "")),
            ]
        title = f"{LABELS[field]}, now {in_words(field, now)}. What to do with it?"
        chosen = choose(self._console, title, [words for words, _ in ways])
        if chosen is not None:
            ways[chosen][1]()

    def _read(self, field: str) -> None:
        for number, line in enumerate(self._form.draft.text(field).split("\n"), start=1):
            self._console.write(f"line {number}: {line}")

    def _write(self, field: str, before: Sequence[str]) -> None:
        def typed(lines: list[str]) -> None:
            self._form.held = {field: "\n".join([*before, *lines])}
            self._room.editing.keep()

        try:
            lines = write_lines(self._console, typed, first=len(before) + 1)
        finally:
            self._form.held = {}
        if lines is not None:
            self.set(field, "\n".join([*before, *lines]))
        else:
            self._room.do(lambda: self._room.editing.edited(self._form.draft))

    def _change_line(self, field: str) -> None:
        lines = self._form.draft.text(field).split("\n")
        answer = line_of(self._console, f"which line, from 1 to {len(lines)}: ")
        if not (answer.isdecimal() and 1 <= int(answer) <= len(lines)):
            return
        index = int(answer) - 1
        self._console.write(f"line {index + 1} is: {lines[index]}")
        new = line_of(self._console, "new line, a full stop alone deletes it, enter keeps it: ", history=[lines[index]])
        if new:
            lines[index : index + 1] = [] if new == END else [new]
            self.set(field, "\n".join(lines))

    def _in_editor(self, field: str) -> None:
        room, before, key = self._room, self._form.draft.text(field), self._room.editing.key
        edited = in_editor(room, self._console, before, field, key)
        if edited is None:
            return
        if not room.do(lambda: take_written(room.editing, self._form, field, key=key, before=before, text=edited.text)):
            self._console.write(f"problem: {editor.HOMELESS} {edited.put_by()}.")
        elif room.desk.cache.flush():
            edited.discard()


def write_lines(
    console: Console, typed: Callable[[list[str]], None], *, first: int = 1, begun: Sequence[str] = ()
) -> list[str] | None:
    """The lines written until a full stop alone; None when that is given up with ctrl+c."""
    lines = list(begun)
    console.write("Write line by line. A line with only a full stop ends the text, ctrl+c gives it up.")
    while True:
        try:
            line = console.read(f"line {first + len(lines)}: ", typed=lambda text: typed([*lines, text]))
        except EOFError:
            return lines
        except KeyboardInterrupt:
            console.write("")
            return None
        if line == END:
            return lines
        lines.append(line)
        typed(lines)


def in_editor(room: Room, console: Console, text: str, name: str, key: str) -> editor.Edited | None:
    """The text as $EDITOR left it, None when it failed."""
    job = editor.edit(
        text, name=name, key=key, directory=room.desk.paths.editor, environ=room.desk.environ, suspend=nullcontext
    )
    try:
        return asyncio.run(job)  # here, and not on the stage: it takes the terminal's signals
    except editor.EditorError as error:
        console.write(f"problem: {error}")
        return None
