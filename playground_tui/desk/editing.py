"""Which assistant is open, its draft in the cache and its saves at the server."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from playground_tui.assistants.draft import AssistantDraft
from playground_tui.assistants.editor import Editor
from playground_tui.assistants.errors import AssistantsError, NotFound
from playground_tui.assistants.fields import API_FIELD
from playground_tui.assistants.naming import named
from playground_tui.assistants.objects import Run
from playground_tui.assistants.save_state import SaveState
from playground_tui.cache.state import DraftState
from playground_tui.desk.creating import NEW, Creating, new_key
from playground_tui.desk.desk import Desk
from playground_tui.desk.editor import recover
from playground_tui.desk.panes import FormFront
from playground_tui.text import clean

if TYPE_CHECKING:
    from playground_tui.assistants.client import AssistantsClient

UNUSED = "not used by this model"
UNUSED_FIELD = re.compile(rf"(\w+) is {UNUSED}")


def _kept(desk: Desk, key: str | None) -> tuple[AssistantDraft, float]:
    """What the cache has of this assistant, and when it was typed; an empty draft where it has nothing."""
    kept = desk.cache.load_draft(key) if key else None
    return (AssistantDraft.from_json(kept.to_json()), kept.edited_at) if kept else (AssistantDraft(), 0.0)


class Editing:
    """One assistant open in the form at a time, kept in the cache at every change and saved by its Editor."""

    def __init__(self, desk: Desk, form: FormFront) -> None:
        self._desk = desk
        self._form = form
        self.key = ""
        """The open assistant's id, or `new-<uuid>` while it has not been created."""
        self._draft = AssistantDraft()
        self._shown = self._draft
        self._edited_at = 0.0
        self._creating = Creating(desk, lambda: self._keep(self.draft))
        self._first_start = False
        self.editor: Editor | None = None
        self._attached_to: AssistantsClient | None = None

    @property
    def draft(self) -> AssistantDraft:
        """The open assistant with everything that is not saved yet."""
        return self.editor.draft if self.editor else self._draft

    @property
    def assistant_id(self) -> str | None:
        """The open assistant's id; None while it has not been created."""
        return None if self.key.startswith(NEW) or not self.key else self.key

    def has(self, key: str) -> bool:
        """Whether the open assistant has this key, or had it before it was created."""
        return key in (self.key, self._creating.draft_key)

    def restore(self) -> None:
        """Show what the cache has, before any server has answered."""
        session = self._desk.cache.session
        key = session.assistant_id or session.draft_key
        self._first_start = key is None
        draft, edited_at = _kept(self._desk, key)
        created = SaveState("unsaved" if draft.unsaved() else "saved")
        self._form.show_state(created if session.assistant_id else SaveState("new"))
        self._begin(key or new_key(), draft, edited_at)

    async def connected(self, wanted: str | None) -> None:
        """The server is there: go on with what is shown, or open `wanted` (an id or a name)."""
        if self.editor is not None and wanted is None and self._attached_to is self._desk.client:
            await self._catch_up(self.editor)
            return
        first, self._first_start = self._first_start, False
        last = self._desk.cache.server.last_assistant if first else None
        unread = self.assistant_id if self._draft.is_new else None
        await self._close_editor()
        try:
            if wanted is not None:
                await self.open(await id_of(wanted, self._desk))
            elif last or unread:
                await self.open(last or unread or "")
        except NotFound as error:
            self._desk.say(f"{error} The form begins a new assistant.")
            self._begin_new()
        except AssistantsError:
            if self.editor is None and unread is None:
                self._attach()
            raise
        if self.editor is None:
            self.take_typed()
            if self.draft == AssistantDraft():
                self._begin_new(self.key)
            self._attach()
            if self.draft.is_new and not self.draft.text("model"):
                # Typed in before the server had said with which model a new assistant begins.
                self._form.set_value("model", self._desk.default_model)
            await self.refresh()

    async def _catch_up(self, editor: Editor) -> None:
        """The server was away: read what was changed meanwhile, and save what could not be saved."""
        editor.following = self._desk.live
        await editor.changed_elsewhere()
        if editor.state.kind == "failed":
            self._desk.work(self.save(), group="save")

    async def open(self, assistant_id: str) -> None:
        """Leave the open assistant, saved, and show this one with its unsaved edits. Raises AssistantsError."""
        if (client := self._desk.client) is None:
            raise AssistantsError("Not connected yet: the list opens as soon as the server has answered.")
        assistant = await client.retrieve_assistant(assistant_id)
        await self._leave()
        self.take_typed()
        draft, edited_at = _kept(self._desk, assistant_id)
        if draft.is_new:  # whatever was typed was typed before the assistant had ever been read
            draft = AssistantDraft(assistant.raw).with_(**draft.edits)
        self._begin(assistant_id, *((draft, edited_at) if draft.edits else (AssistantDraft(assistant.raw), 0.0)))
        self._attach()
        # Not waited for: the open thread is not this one's, and is left in the same moment.
        self._desk.work(self.refresh(), group="refresh")

    async def resume(self, key: str) -> None:
        """Go on with an assistant that was begun and left before it was created."""
        await self._leave()
        self._begin(key, *_kept(self._desk, key))
        self._attach()

    async def begin(self) -> None:
        """A new assistant, not created yet."""
        await self._leave()
        self._begin_new()
        self._attach()

    async def clone(self, assistant_id: str) -> None:
        """A new assistant with everything of this one. Raises AssistantsError."""
        assert self._desk.client is not None
        source = await self._desk.client.retrieve_assistant(assistant_id)
        await self._leave()
        self._begin(new_key(), AssistantDraft.copy_of(source.raw, f"{source.name} (copy)"))
        self._keep(self._draft)
        self._attach()

    def _begin_new(self, key: str = "") -> None:
        self._begin(key or new_key(), AssistantDraft.new(self._desk.default_model))

    def _begin(self, key: str, draft: AssistantDraft, edited_at: float = 0.0) -> None:
        """Show a draft that was last edited at this time (Unix seconds; 0 for never)."""
        self.take_typed()
        self._creating.begin(key)
        self.key, self._edited_at = key, edited_at
        self._draft = self._shown = draft
        self._form.show(draft, models=self._desk.cache.server.models)
        new = key.startswith(NEW)
        self._desk.cache.update_session(assistant_id=None if new else key, draft_key=key if new else None)
        if not draft.is_new:
            self._keep(draft)
        self._recover(key)

    def _recover(self, key: str) -> None:
        """Take in what $EDITOR had written when the program ended before it."""
        for leftover in recover(self._desk.paths.editor, key, API_FIELD, self._edited_at, self._desk.say):
            self._form.set_value(leftover.field, leftover.text_after(self._form.draft.text(leftover.field)))
            self.edited(self._form.draft)
            if self._desk.cache.flush():
                leftover.discard()

    def _attach(self) -> None:
        client = self._attached_to = self._desk.client
        assert client is not None
        self.editor = Editor(client, self._draft, delay=self._desk.settings.autosave_delay, on_change=self._changed)
        self.editor.following = self._desk.live
        self._form.show_state(self.editor.state)
        self._form.show_elsewhere(self.editor.elsewhere)
        if assistant_id := self.assistant_id:
            self._desk.cache.update_server(lambda state: replace(state, last_assistant=assistant_id))

    async def _leave(self) -> None:
        if self.editor is not None and not self.editor.draft.is_new:
            await self.editor.flush()
        await self._close_editor()

    async def _close_editor(self) -> None:
        while (editor := self.editor) is not None:
            await editor.close()
            if editor is self.editor:  # else another was opened meanwhile
                self._draft, self.editor = editor.draft, None

    def edited(self, draft: AssistantDraft) -> None:
        """The form has a new draft: into the cache at once, to the server soon."""
        if draft.text("model") != self._shown.text("model"):
            self._form.show_notes({})
        self._form.heard(draft)
        self._shown = self._draft = draft
        self._edited_at = time.time()
        self._keep(draft)
        if self.editor is not None:
            self.editor.edit(draft)

    def take_typed(self) -> None:
        """What the form holds at this moment belongs to the open assistant: another one may be about to be shown."""
        if self.key and (draft := self._form.settle()) != self._shown:
            self.edited(draft)

    def keep(self) -> None:
        """Put the draft into the cache as it stands on the screen (before the program ends)."""
        if (draft := self._form.draft.with_(**self._form.held)).edits:
            self._keep(draft)

    def _keep(self, draft: AssistantDraft) -> None:
        more = {"key": self.key, "edited_at": self._edited_at, "creating": self._creating.asked}
        self._desk.cache.save_draft(DraftState.from_json({**draft.to_json(), **more}))

    def _changed(self, editor: Editor) -> None:
        """The Editor saved, failed, or took in what was changed elsewhere."""
        if editor is not self.editor:
            return
        self._form.show_state(editor.state)
        self._form.show_elsewhere(editor.elsewhere)
        if editor.draft != self._shown:
            self._keep(editor.draft)
            self._form.update_draft(editor.draft)
            self._shown = editor.draft

    async def refresh(self) -> AssistantsError | None:
        """Read the assistant again: somebody may have changed it. Answers why it could not be read."""
        return await self.editor.changed_elsewhere() if self.editor is not None else None

    def note_run(self, run: Run) -> None:
        """Say at its field what the run did without."""
        self._form.show_notes({field: UNUSED for field in UNUSED_FIELD.findall(run.notes) if field in API_FIELD})

    def stop_retrying(self) -> bool:
        """Stop the countdown to the next attempt to save; False when there is none."""
        return self.editor is not None and self.editor.stop_retrying()

    async def save(self) -> None:
        """Create a new assistant, or save an existing one now."""
        editor = self.editor
        if editor is None:
            self._desk.say("Not connected yet: your changes are kept on this machine and saved afterwards.")
        elif editor.draft.is_new:
            await self._create(editor)
        else:
            await editor.flush()

    async def _create(self, editor: Editor) -> None:
        key = self.key
        if (assistant := await self._creating.create(editor, key)) is None:
            return
        if editor is not self.editor:
            self._creating.keep_later_edits(key, assistant)
        else:
            self.key = assistant.id
            self._creating.begin(self.key, draft_key=key)
            self._keep(editor.draft)
            self._desk.cache.update_session(assistant_id=assistant.id, draft_key=None)
            self._desk.cache.update_server(lambda state: replace(state, last_assistant=assistant.id))
            self._desk.say(f"Created. From now on it saves itself; {self._desk.ways.try_it}.")
        # Last of all: a program that ends in between has it twice, and not nowhere.
        self._desk.cache.drop_draft(key)

    async def flush(self) -> SaveState:
        """Save what is unsaved and say how it went."""
        if self.editor is None:
            return SaveState("failed", detail="the assistant has not been read from the server yet")
        self.editor.edit(self._form.settle())
        return await self.editor.flush()

    async def delete(self, assistant_id: str) -> None:
        """Delete an assistant; what is unsaved of it is there again when it is brought back. Raises AssistantsError."""
        await _delete(assistant_id, self._desk)
        draft = self.draft if assistant_id == self.assistant_id else _kept(self._desk, assistant_id)[0]
        if not draft.unsaved():
            self._desk.cache.drop_draft(assistant_id)
        if assistant_id == self.assistant_id:
            await self._close_editor()
            self._begin_new()
            self._attach()


def take_written(editing: Editing, form: FormFront, field: str, *, key: str, before: str, text: str) -> bool:
    """Put what $EDITOR made of `before` into its field of the assistant `key`; False where it has no place there.

    What came into the field meanwhile is kept beside it.
    """
    if text == before:
        return True
    theirs, editor = form.settle().text(field), editing.editor
    changed = theirs not in (before, text)
    if not editing.has(key) or (changed and editor is None):
        return False
    form.set_value(field, text)
    editing.edited(form.draft)
    if changed and editor is not None:
        editor.keep_beside(field, theirs)
    return True


async def _delete(assistant_id: str, desk: Desk) -> None:
    """Delete an assistant at the server; one that is gone already is said. Raises AssistantsError."""
    assert desk.client is not None
    try:
        await desk.client.delete_assistant(assistant_id)
    except NotFound:
        desk.say("It had been deleted already.")


async def id_of(wanted: str, desk: Desk) -> str:
    """The id of the assistant with this id or name. Raises AssistantsError in words."""
    assert desk.client is not None
    found = named(await desk.client.list_assistants(), wanted)
    if len(found) == 1:
        return found[0].id
    if not found:
        raise AssistantsError(
            f"No assistant is called {clean(wanted, newlines=False)}: {desk.ways.assistants} lists them."
        )
    ids = ", ".join(assistant.id for assistant in found)
    raise AssistantsError(f"Several assistants are called {clean(wanted, newlines=False)}: {ids}.")
