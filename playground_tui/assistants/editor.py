"""One assistant being edited: its draft, when it is saved, and what others changed meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Protocol

from playground_tui.assistants import reconcile
from playground_tui.assistants.autosave import Autosave, Timers
from playground_tui.assistants.draft import AssistantDraft
from playground_tui.assistants.errors import AssistantsError, NotFound
from playground_tui.assistants.events import Retrying
from playground_tui.assistants.fields import API_FIELD, Value
from playground_tui.assistants.objects import Assistant, Json
from playground_tui.assistants.save_state import SaveKind, SaveState
from playground_tui.assistants.tries import Tries


class EditorClient(Protocol):
    """What the editor asks of a server. Each raises AssistantsError."""

    async def retrieve_assistant(self, assistant_id: str) -> Assistant: ...
    async def create_assistant(self, fields: Mapping[str, Any], *, key: str) -> Assistant: ...
    async def update_assistant(self, assistant_id: str, fields: Mapping[str, Any]) -> Assistant: ...


class NotSendable(AssistantsError):
    """The draft cannot be created as it is. `str(error)` says why."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A field that was changed elsewhere, seen at `at` (Unix seconds).

    `taken`: the form shows the other value and `value` is the one it replaced; else the form keeps its own value and
    `value` is the other one.
    """

    value: Value
    at: float
    taken: bool


class Editor:
    """Saves a draft by itself and keeps it in step with the server.

    `on_change` is called after every change of `draft`, `state` or `elsewhere`. A draft with an id is saved `delay`
    seconds after its last change; a new one is saved by `create`, then by itself. `following` is true while the server
    reports its changes to us: then `changed_elsewhere` reads, and a save need not read first.
    """

    def __init__(
        self,
        client: EditorClient,
        draft: AssistantDraft,
        *,
        delay: float = 3.0,
        on_change: Callable[[Editor], None] = lambda editor: None,
        now: Callable[[], float] = time.time,
        timers: Timers | None = None,
    ) -> None:
        self._client = client
        self._on_change = on_change
        self._now = now
        self._draft = draft
        self._form = draft
        self._server: Json = draft.base
        self._elsewhere: dict[str, Elsewhere] = {}
        self._saved_at: float | None = None
        self._saved_detail = ""
        self._sending = asyncio.Lock()
        self._busy = False
        self._stop = asyncio.Event()
        self._autosave = Autosave(self._save, self._failed, delay=delay, timers=timers)
        self._state = SaveState("saved")
        self.following = False
        self._settle()

    @property
    def draft(self) -> AssistantDraft:
        return self._draft

    @property
    def state(self) -> SaveState:
        return self._state

    @property
    def elsewhere(self) -> Mapping[str, Elsewhere]:
        """By field of the form."""
        return MappingProxyType(self._elsewhere)

    @property
    def unsaved(self) -> bool:
        """Whether the server lacks something that the form holds."""
        return self._draft.unsaved()

    def edit(self, draft: AssistantDraft) -> None:
        """The form's newest draft. Of one made on an older base the fields edited since the last are taken."""
        form, self._form = self._form, draft
        if draft.base is not self._draft.base:
            draft = self._draft.with_(
                **{name: draft.value(name) for name in API_FIELD if draft.value(name) != form.value(name)}
            )
        if draft.edits != self._draft.edits:
            self._draft = draft
            self._settle()

    async def create(self, *, key: str, asked: Mapping[str, Any] | None = None) -> Assistant:
        """Creates the assistant; `key` makes a repetition harmless. An assistant that exists is saved instead.

        `asked` are the API fields that an earlier attempt with this key asked for, where it is unknown what became of
        it: the same is asked again, and what was edited since is saved afterwards. Raises NotSendable for a draft with
        problems, AssistantsError when the server fails.
        """
        async with self._sending:
            if not self._draft.is_new:
                return Assistant.from_json(self._server)
            problem = next(iter(self._draft.problems().values()), "")
            if problem:
                raise NotSendable(problem)
            return await self._create(key, asked or self._draft.changes())

    async def flush(self) -> SaveState:
        """Saves now what is unsaved. Returns how that ended: nothing is raised for a failed save."""
        if self._draft.is_new or not (self._draft.unsaved() or self._autosave.saving):
            return self._state
        await self._autosave.flush()
        return self._state

    async def changed_elsewhere(self) -> AssistantsError | None:
        """Something says that the assistant was changed: reads it and takes in what is new.

        Answers why it could not be read. Never raises.
        """
        async with self._sending:
            before = self._draft
            if before.assistant_id is None:
                return None
            try:
                self._take_in((await self._client.retrieve_assistant(before.assistant_id)).raw)
            except NotFound:
                self._deleted()
            except AssistantsError as error:
                return error
            else:
                self._tell_of_news(before)
        return None

    def _tell_of_news(self, before: AssistantDraft) -> None:
        """A read that found nothing new starts nothing: a save that was refused stays refused."""
        now = self._draft
        if before.unsaved() != now.unsaved() or any(before.value(field) != now.value(field) for field in API_FIELD):
            self._settle()
        elif before.base.get("tool_resources") != now.base.get("tool_resources"):
            self._on_change(self)

    def take_other(self, field: str) -> None:
        """Swaps the field's value with the one kept beside it; once more brings it back."""
        kept = self._elsewhere.get(field)
        if kept is None:
            return
        self._elsewhere[field] = Elsewhere(self._draft.value(field), kept.at, not kept.taken)
        self._draft = self._draft.with_(**{field: kept.value})
        self._settle()

    def keep_beside(self, field: str, value: Value) -> None:
        """Keep this value beside the field, which has another one by now."""
        self._elsewhere[field] = Elsewhere(value, self._now(), taken=False)
        self._on_change(self)

    def stop_retrying(self) -> bool:
        """Gives up the retry that is counted down to; False when there is none."""
        if self._state.retry_in is None:
            return False
        self._stop.set()
        self._autosave.stop_retrying()
        self._show("failed", self._state.detail)
        return True

    async def close(self) -> None:
        """Ends the timers and waits for a save under way. Flush first to save what is unsaved."""
        await self._autosave.close()

    # Saving

    async def _create(self, key: str, sent: Mapping[str, Any]) -> Assistant:
        self._show("saving", "Creating")
        self._stop.clear()
        creating = Tries("", partial(self._client.create_assistant, sent, key=key), self._stop)
        try:
            async with aclosing(creating.events()) as waits:
                async for waiting in waits:
                    if isinstance(waiting, Retrying):
                        self._show("failed", waiting.reason, waiting.delay)
        except AssistantsError as error:
            self._show("failed", str(error))
            raise
        self._server = {}
        self._take_in(creating.result.raw, sent)
        self._elsewhere.clear()
        self._now_saved()
        return creating.result

    async def _save(self) -> None:
        """One attempt, of whatever is newest once the assistant was read."""
        async with self._sending:
            if not self._sendable():
                return
            self._show("saving")
            self._busy = True
            try:
                sent = await self._send(self._draft.assistant_id or "")
            except NotFound:
                self._deleted()
                return
            finally:
                self._busy = False
            if sent:
                self._now_saved()
            else:
                self._settle()

    def _sendable(self) -> bool:
        return not (self._draft.is_new or self._draft.problems()) and self._draft.unsaved()

    async def _send(self, assistant_id: str) -> bool:
        """Whether there was something to send after all."""
        if not self.following:
            self._take_in((await self._client.retrieve_assistant(assistant_id)).raw)
        if not self._sendable():
            return False
        sent = self._draft.changes()
        reply = await self._client.update_assistant(assistant_id, sent)
        self._take_in(reply.raw, sent)
        return True

    def _now_saved(self) -> None:
        self._saved_at = self._now()
        self._settle()

    def _failed(self, error: AssistantsError, retry_in: float | None) -> None:
        self._show("failed", str(error), retry_in)

    def _deleted(self) -> None:
        """Deleted elsewhere: the draft goes on as a new assistant with everything in it."""
        self._autosave.withdraw()
        base = {key: value for key, value in self._draft.base.items() if key != "id"}
        self._draft = AssistantDraft(base, self._draft.edits)
        self._elsewhere.clear()
        self._show("deleted")

    def _take_in(self, raw: Json, sent: Mapping[str, Any] = MappingProxyType({})) -> None:
        """The server's newest object becomes the base, and what is new in it is marked."""
        shown = {field: self._draft.value(field) for field in API_FIELD}
        self._draft, conflicts = reconcile.take_in(self._draft, self._server, raw, sent)
        self._server = raw
        if sent:
            self._saved_detail = reconcile.alterations(raw, sent)
        at = self._now()
        for field in API_FIELD:
            if field in conflicts:
                self._elsewhere[field] = Elsewhere(conflicts[field], at, taken=False)
            elif self._draft.value(field) != shown[field]:
                self._elsewhere[field] = Elsewhere(shown[field], at, taken=True)

    # The state

    def _settle(self) -> None:
        """The state that follows from the draft, and a save where one is due."""
        problem = next(iter(self._draft.problems().values()), "")
        if self._draft.is_new:
            self._settle_new()
        elif self._busy or (self._autosave.retrying and self._sendable()):
            self._autosave.submit()
            self._on_change(self)
        elif not self._draft.unsaved():
            self._autosave.withdraw()
            self._show("saved", self._saved_detail, at=self._saved_at)
        elif problem:
            self._autosave.withdraw()
            self._show("invalid", problem)
        else:
            self._autosave.submit()
            self._show("unsaved")

    def _settle_new(self) -> None:
        """What keeps it from being created stands at its field, once that was typed in or asked for."""
        if self._state.kind == "deleted" or self._sending.locked():  # how its creation goes stays said
            self._on_change(self)
        else:
            self._show("new")

    def _show(
        self, kind: SaveKind, detail: str = "", retry_in: float | None = None, *, at: float | None = None
    ) -> None:
        at = at if kind == "saved" else self._now()
        self._state = SaveState(kind, at, detail, retry_in)
        self._on_change(self)
