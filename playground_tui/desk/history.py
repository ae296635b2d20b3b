"""What the open assistant was before: its versions, what was put aside, and how they come back into the form."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from playground_tui.assistants.differences import NAMES, OTHER_TOOLS, edits_to
from playground_tui.assistants.draft import AssistantDraft
from playground_tui.assistants.errors import AssistantsError
from playground_tui.assistants.stored import resources_to
from playground_tui.assistants.tools import tool_list
from playground_tui.assistants.versions import FILES, Version
from playground_tui.cache.cache import Cache
from playground_tui.cache.state import DraftState
from playground_tui.desk.desk import Desk
from playground_tui.desk.editing import Editing
from playground_tui.desk.panes import FormFront

NOW: Final = "now"
"""The key of what is in the form."""
UNSAVED: Final = "unsaved"
NOT_CREATED: Final = "There are no versions yet: this assistant has not been created."
KNOWN: Final = 16
"""Whole versions kept in memory."""
SAVE_WITHIN: Final = 3.0
"""Seconds that a save may take before what is in the form is put aside in its place."""
_ASIDE: Final = 9
"""Unsaved states of one assistant that are kept when others take their place; then the oldest goes."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A state of the open assistant that can be looked at. `at` is in Unix seconds, 0 for now."""

    key: str
    title: str
    what: str
    where: str
    at: float = 0.0


class Asides:
    """Unsaved states of an assistant, kept in the cache when another state took their place in the form."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def of(self, assistant_id: str) -> list[DraftState]:
        """Newest first."""
        drafts = (self._cache.load_draft(key) for key in _aside_keys(assistant_id))
        return sorted((draft for draft in drafts if draft), key=lambda draft: -draft.edited_at)

    def put(self, assistant_id: str, draft: AssistantDraft) -> None:
        kept = self.of(assistant_id)
        used = {state.key for state in kept}
        key = next((key for key in _aside_keys(assistant_id) if key not in used), kept[-1].key if kept else "")
        raw = draft.to_json()
        self._cache.save_draft(DraftState(key, raw["base"], raw["edits"]))

    def drop(self, key: str) -> None:
        self._cache.drop_draft(key)


def _aside_keys(assistant_id: str) -> list[str]:
    return [f"aside-{number}-{assistant_id}" for number in range(1, _ASIDE + 1)]


class History:
    """The states of the open assistant, newest first. What asks the server raises AssistantsError."""

    def __init__(self, desk: Desk, form: FormFront, editing: Editing) -> None:
        self._desk = desk
        self._form = form
        self._editing = editing
        self._asides = Asides(desk.cache)
        self._assistant_id = ""
        self._whole: dict[str, AssistantDraft] = {}
        self._restored = AssistantDraft()
        self._last: str | None = None
        self.more = False
        """Whether there are older versions than those read so far."""

    async def begin(self) -> list[Moment]:
        """What is in the form, what was put aside, and the newest versions."""
        assert self._desk.client is not None
        if self._editing.assistant_id is None:
            raise AssistantsError(NOT_CREATED)
        self._assistant_id, self._last = self._editing.assistant_id, None
        self._whole = {}
        versions = await self.older()
        return [self.now(), *map(_put_aside, self._asides.of(self._assistant_id)), *versions]

    async def older(self) -> list[Moment]:
        """The next versions, older than those read so far."""
        assert self._desk.client is not None
        found, self.more = await self._desk.client.versions.page(self._assistant_id, after=self._last)
        if found:
            self._last = found[-1].id
        return [moment_of(version) for version in found]

    def now(self) -> Moment:
        """What is in the form."""
        unsaved = self._form.settle().unsaved()
        return Moment(NOW, "in the form now", UNSAVED if unsaved else "saved", "")

    async def draft(self, key: str) -> AssistantDraft:
        """The state with this key."""
        if key == NOW:
            return self._form.settle()
        known = self._whole.pop(key, None)
        self._whole[key] = draft = known or await self._read(key)
        while len(self._whole) > KNOWN:
            del self._whole[next(iter(self._whole))]
        return draft

    async def _read(self, key: str) -> AssistantDraft:
        assert self._desk.client is not None
        if key.startswith("aside-"):
            kept = self._desk.cache.load_draft(key)
            return AssistantDraft.from_json(kept.to_json()) if kept else AssistantDraft()
        number = int(key.removeprefix("version-"))
        return AssistantDraft((await self._desk.client.versions.whole(self._assistant_id, number)).assistant)

    async def restore(self, key: str, fields: Collection[str] = tuple(NAMES)) -> str:
        """Bring fields of a state into the form, as an edit; returns a sentence about what is not as it was, or "".

        What was in the form is a version then, or put aside where it cannot be saved. Raises AssistantsError also when
        another assistant is opened meanwhile: its form is left alone.
        """
        assistant_id = self._assistant_id
        old = await self.draft(key)
        edits = edits_to(old, fields)
        await self._keep_present(assistant_id, edits)
        said = await self._restore_beside(assistant_id, old, fields)
        self._same(assistant_id)
        for field, value in edits.items():
            self._form.set_value(field, value)
        self._restored = old
        if key.startswith("aside-") and set(fields) == set(NAMES):
            self._asides.drop(key)
        return said

    def _same(self, assistant_id: str) -> None:
        if self._editing.assistant_id != assistant_id:
            raise AssistantsError("another assistant was opened meanwhile.")

    async def _keep_present(self, assistant_id: str, edits: Collection[str]) -> None:
        """What the edits would overwrite is saved, or put aside; what came from the history needs neither."""
        if self._form.settle().unsaved():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._editing.flush(), SAVE_WITHIN)
        self._same(assistant_id)
        present = self._form.settle()
        known = all(present.value(field) == self._restored.value(field) for field in edits)
        if not known and any(field in present.edits for field in edits):
            self._asides.put(assistant_id, present)

    async def _restore_beside(self, assistant_id: str, old: AssistantDraft, fields: Collection[str]) -> str:
        """What is no field of the form is saved at once."""
        now = self._editing.draft
        resources = resources_to(old.base, now.base) if FILES in fields else {}
        others = OTHER_TOOLS in fields and old.other_tools != now.other_tools
        changes = {**({FILES: resources} if resources else {}), **({"tools": tool_list(old.base)} if others else {})}
        if not changes:
            return ""
        assert self._desk.client is not None
        try:
            await self._desk.client.update_assistant(assistant_id, changes)
        except AssistantsError as error:
            return f"Some of its tools or their files are not restored: {error}"
        await self._editing.refresh()
        return ""


def moment_of(version: Version) -> Moment:
    """A version as a state to look at."""
    return Moment(f"version-{version.number}", f"version {version.number}", version.what, version.where, version.at)


def _put_aside(draft: DraftState) -> Moment:
    return Moment(draft.key, "put aside", "never saved", "this machine", draft.edited_at)
