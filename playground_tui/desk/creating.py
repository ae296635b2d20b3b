"""A new assistant on its way to the server: once, whatever happens meanwhile."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from playground_tui.assistants.draft import AssistantDraft
from playground_tui.assistants.editor import Editor, NotSendable
from playground_tui.assistants.errors import AssistantsError
from playground_tui.assistants.objects import Assistant, Json
from playground_tui.assistants.outcome import may_have_acted
from playground_tui.cache.state import DraftState
from playground_tui.desk.desk import Desk

NEW = "new-"
"""With this the keys of drafts begin that no server knows yet."""


def new_key() -> str:
    """The key of a draft that no server knows yet; also its idempotency key when it is created."""
    return f"{NEW}{uuid.uuid4()}"


class Creating:
    """Creates the open assistant. What it asks for is in the draft on disk before it is sent.

    A server refuses other fields under the same key: while it is unknown what became of a request, that one is
    repeated, and what was edited since is saved afterwards.
    """

    def __init__(self, desk: Desk, keep: Callable[[], None]) -> None:
        """`keep` puts the draft of the open assistant into the cache."""
        self._desk = desk
        self._keep = keep
        self._key = ""
        self.draft_key = ""
        """The key that the open assistant had before it was created; "" where it was created before it was opened."""
        self.asked: Json = {}
        """`key` and `fields` of the request; empty when none is in doubt."""

    def begin(self, key: str, *, draft_key: str = "") -> None:
        """Another assistant is open, or the one that had `draft_key` is created."""
        self._key, self.draft_key = key, draft_key
        kept = self._desk.cache.load_draft(key)
        self.asked = kept.creating if kept else {}

    async def create(self, editor: Editor, key: str) -> Assistant | None:
        """The new assistant, or None after it was said why there is none."""
        before = self.asked
        asked = before or {"key": key if key.startswith(NEW) else new_key(), "fields": editor.draft.changes()}
        self._note(key, asked)
        self._desk.cache.flush()
        try:
            created = await editor.create(key=asked["key"], asked=asked["fields"])
        except NotSendable as problem:
            self._note(key, before)
            self._desk.say(f"Not created yet: {problem}.")
        except AssistantsError as error:
            self._note(key, asked if may_have_acted(error) else before)
            self._desk.say(f"Not created: {error}")
        else:
            self._settle(key, {})
            return created
        return None

    def keep_later_edits(self, key: str, created: Assistant) -> None:
        """It was left before it was created: what was edited since that was asked for is an edit of it."""
        if (kept := self._desk.cache.load_draft(key)) is not None:
            draft = AssistantDraft(created.raw).with_(**AssistantDraft.from_json(kept.to_json()).edits)
            state = {**draft.to_json(), "key": created.id, "edited_at": kept.edited_at}
            if draft.unsaved():
                self._desk.cache.save_draft(DraftState.from_json(state))

    def _note(self, key: str, asked: Json) -> None:
        """Keep what was asked with the draft."""
        if self._settle(key, asked):
            self._keep()

    def _settle(self, key: str, asked: Json) -> bool:
        """Remember what was asked, unless another assistant is open by now."""
        if key != self._key:
            return False
        self.asked = asked
        return True
