"""The right pane: the assistant's form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Button, Select

from playground_tui.assistants.draft import AssistantDraft
from playground_tui.assistants.editor import Elsewhere
from playground_tui.assistants.fields import API_FIELD, Value
from playground_tui.assistants.limits import LONGEST
from playground_tui.assistants.save_state import SaveState
from playground_tui.assistants.stored import store_of
from playground_tui.assistants.tools import SWITCHES
from playground_tui.ui.form.configuration import Configuration
from playground_tui.ui.form.fields import AreaField, FieldBox, LineField, Remarks, TextField
from playground_tui.ui.form.messages import (
    CountsWanted,
    CreateRequested,
    DraftChanged,
    FormComplete,
    ListRequested,
    SaveRequested,
)
from playground_tui.ui.form.model import ModelField
from playground_tui.ui.form.slider import Slider
from playground_tui.ui.form.status import SaveStatus
from playground_tui.ui.form.tools import ToolFields
from playground_tui.ui.keys import USUAL, KeyOf

_JUDGED_WITH = {
    "file_search": ("functions",),
    "code_interpreter": ("functions",),
    "function": ("functions",),
    "response_format": ("schema",),
}
"""Fields whose problems depend on another field's value too."""


class FormFields(VerticalScroll, can_focus=False):
    """The part that scrolls."""


def texts() -> tuple[FieldBox, ...]:
    """The fields that say what the assistant is."""
    return (
        LineField("name", "Name", placeholder="what it is called"),
        AreaField("description", "Description"),
        AreaField("instructions", "Instructions", limit=LONGEST["instructions"]),
    )


class FormPane(Vertical):
    """Shows a draft and tells each edit of it.

    `show` begins with a draft, `update` brings the same draft in from elsewhere; neither posts DraftChanged.
    """

    def __init__(self, *, key: KeyOf = USUAL) -> None:
        super().__init__(id="form")
        self._swap = key("take-other")
        self._tool_problems: Mapping[str, str] = {}
        self._draft = self._heard = AssistantDraft()
        self._state = SaveState("saved")
        self._notes: Mapping[str, str] = {}
        self._elsewhere: Mapping[str, Elsewhere] = {}
        self._asked = False
        self._there: set[str] = set()  # the fields that are mounted
        self._back = Button("‹ Assistants", id="form-list", compact=True)
        self._create = Button("Create", id="form-create", compact=True, variant="primary")
        self._status = SaveStatus(key)
        self._model = ModelField()
        self.tools = ToolFields()
        self._configuration = Configuration()
        self._first: tuple[FieldBox, ...] = (*texts(), self._model)
        boxes = (*self._first, *self.tools.boxes, *self._configuration.boxes)
        self._boxes: dict[str, FieldBox] = {box.field: box for box in boxes}
        self._behind = set(self._boxes)  # the fields that do not show the draft yet

    def compose(self) -> ComposeResult:
        with Vertical(id="form-head"):
            with Horizontal(id="form-actions"):
                yield self._back
                yield self._create
            yield self._status
        yield FormFields(id="form-fields")

    def on_mount(self) -> None:
        self.call_after_refresh(self._mount_fields)

    async def _mount_fields(self) -> None:
        """The fields come after the first paint, those further down last."""
        fields = self.query_one(FormFields)
        await fields.mount(*self._first)
        self._there = {box.field for box in self._first}
        self._load(self._there)
        self._status.show(self._state)
        self.call_after_refresh(self._mount_rest)

    async def _mount_rest(self) -> None:
        await self.query_one(FormFields).mount(self.tools, self._configuration)
        rest = self._boxes.keys() - self._there
        self._there |= rest
        self._load(rest)
        self.call_after_refresh(self.post_message, FormComplete())

    def _is_there(self, field: str) -> bool:
        return field in self._there

    # What the screen shows

    @property
    def draft(self) -> AssistantDraft:
        return self._draft

    def show(self, draft: AssistantDraft, *, models: Sequence[str] | None = None) -> None:
        """Another assistant: every field is loaded, marks of the last one go."""
        self._behind = set(self._boxes)
        self._draft = self._heard = draft
        self._asked = False
        self._elsewhere, self._notes = {}, {}
        if models is not None:
            self._model.set_models(models)
        self._load(self._boxes)
        if self._there:
            self.query_one(FormFields).scroll_home(animate=False)

    def update_draft(self, draft: AssistantDraft) -> None:
        """The same assistant after an edit, a save or a change elsewhere: what came from elsewhere is loaded.

        What was typed since is newer than `draft` may know, and stays.
        """
        mine = self.settle()
        typed = {field: mine.value(field) for field in API_FIELD if mine.value(field) != self._heard.value(field)}
        changed = [field for field in API_FIELD if field not in typed and draft.value(field) != mine.value(field)]
        self._behind.update(changed)
        self._heard = draft
        self._draft = draft.with_(**typed)
        self._load(changed)
        if typed:
            self.post_message(DraftChanged(self._draft))

    def heard(self, draft: AssistantDraft) -> None:
        """The screen has taken this edit in: what is given back from now on knows of it."""
        self._heard = draft

    def settle(self) -> AssistantDraft:
        """The draft with what the fields hold at this moment; tells of it what was not told yet."""
        self._take(self.held)
        return self._draft

    @property
    def held(self) -> dict[str, Value]:
        """What the fields hold at this moment. Reading it changes nothing: a signal handler may."""
        return {field: box.value for field, box in self._boxes.items() if field not in self._behind}

    def set_value(self, field: str, value: Value) -> None:
        """An edit made elsewhere than in the field, in $EDITOR say."""
        if self._is_there(field):
            self._boxes[field].load(value)
        self._take({field: value})

    def show_state(self, state: SaveState) -> None:
        self._state = state
        self._create.display = state.kind == "deleted" or self._draft.is_new
        if self._there:
            self._status.show(state)

    def show_elsewhere(self, elsewhere: Mapping[str, Elsewhere]) -> None:
        before, self._elsewhere = self._elsewhere, dict(elsewhere)
        self._judge(field for field in API_FIELD if elsewhere.get(field) != before.get(field))

    def show_notes(self, notes: Mapping[str, str]) -> None:
        """Sentences to stand under fields, such as what the last run did without."""
        before, self._notes = self._notes, dict(notes)
        self._judge(field for field in API_FIELD if notes.get(field) != before.get(field))

    def show_tool_problems(self, problems: Mapping[str, str]) -> None:
        """Why tools do not work at this server, by their types, in sentences."""
        before, self._tool_problems = self._tool_problems, dict(problems)
        self._judge(tool for tool in SWITCHES if problems.get(tool) != before.get(tool))

    def set_models(self, models: Sequence[str]) -> None:
        """The server's list of models."""
        self._model.set_models(models)
        self._judge(["model"])

    @property
    def configuration_open(self) -> bool:
        return not self._configuration.collapsed

    @configuration_open.setter
    def configuration_open(self, opened: bool) -> None:
        self._configuration.collapsed = not opened

    # Where the keys go

    def focus_first(self) -> None:
        self.focus_field("name")

    def focus_field(self, field: str) -> None:
        """Puts the cursor there, the section around it opened."""
        if self._boxes[field] in self._configuration.boxes:
            self.configuration_open = True
        if self._is_there(field):
            # At once: keys that follow in the same burst belong to this field already.
            self.screen.set_focus(self._boxes[field].control)
        else:
            self.call_after_refresh(self._boxes[field].control.focus)

    @property
    def focused_field(self) -> str | None:
        """The field of text that has the cursor."""
        focused = self.screen.focused
        boxes = focused.ancestors_with_self if focused is not None else ()
        return next((box.field for box in boxes if isinstance(box, TextField)), None)

    def close_open(self) -> bool:
        """Closes what is open in the form (the model list, a menu, half-typed digits). Whether there was one."""
        if self._model.is_open:
            self._model.action_close()
            return True
        for menu in filter(lambda menu: menu.expanded, self.query(Select)):
            menu.expanded = False
            self.screen.set_focus(menu)
            return True
        for slider in filter(lambda slider: slider.typing, self.query(Slider)):
            slider.action_undo_typing()
            return True
        return False

    def request_save(self) -> None:
        """Asks for a save, or for the creation of a new assistant; a problem is shown and gone to instead."""
        problems = self.settle().problems()
        if problems:
            self._asked = True
            self._judge(API_FIELD)
            self.focus_field(next(iter(problems)))
        elif self._draft.is_new:
            self.post_message(CreateRequested())
        else:
            self.post_message(SaveRequested())

    def on_button_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button is self._back:
            self.post_message(ListRequested())
        else:
            self.request_save()

    # Edits

    def on_field_box_edited(self, event: FieldBox.Edited) -> None:
        event.stop()
        self._take({event.box.field: event.box.value})

    def _take(self, values: Mapping[str, Value]) -> None:
        draft = self._draft.with_(**values)
        if draft is self._draft:
            return
        self._draft = draft
        self._judge(_affected(values))
        self.post_message(DraftChanged(draft))

    def _load(self, fields: Iterable[str]) -> None:
        if not self._there:
            return
        for field in filter(self._is_there, fields):
            self._boxes[field].load(self._draft.value(field))
            self._behind.discard(field)
        self.tools.show_others(self._draft.other_tools)
        if self.tools.wants_counts(store := store_of(self._draft.base)):
            self.post_message(CountsWanted(store))
        self._create.display = self._draft.is_new
        self._judge(API_FIELD)

    def _judge(self, fields: Iterable[str]) -> None:
        """Says under these fields what there is to say, and shows those that depend on them."""
        for field in filter(self._is_there, fields):
            self._boxes[field].remark(self._remarks(field))
        self.tools.show_definitions(self._draft.value("function") is True)
        self.tools.show_files(self._draft)
        self._configuration.show_schema(self._draft.value("response_format") == "json_schema")
        self._configuration.show_problems(sum(bool(box.remarks.problem) for box in self._configuration.boxes))

    def _remarks(self, field: str) -> Remarks:
        draft = self._draft
        remarks = Remarks(note=self._note(field), elsewhere=self._elsewhere.get(field), swap=self._swap)
        problem = draft.problem(field) if draft.blocks(field) else ""
        if problem and draft.is_new and field not in draft.edits and not self._asked:
            return replace(remarks, note=problem)
        warning = "" if problem else draft.warning(field, self._model.models)
        return replace(remarks, problem=problem, warning=warning)

    def _note(self, field: str) -> str:
        box = self._boxes[field]
        if isinstance(box, AreaField) and box.unwrapped:
            return "a line is too long to wrap: it is shown unwrapped"
        known = self._tool_problems.get(field)
        if known is None or self._draft.value(field) is not True:
            return self._notes.get(field, "")
        return known or self._notes.get(field, "") or _MAY.get(field, "")


_MAY = {"code_interpreter": "runs may run Python in a sandbox of this machine; [allow] in config.toml revokes it"}
"""What a tool that works lets runs do on the engine's machine."""


def _affected(values: Mapping[str, Value]) -> Iterator[str]:
    for field in values:
        yield field
        yield from _JUDGED_WITH.get(field, ())
