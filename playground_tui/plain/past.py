"""What was before: the versions of the open assistant, and what was deleted."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from playground_tui.assistants.comparison import Line, Row
from playground_tui.assistants.differences import NAMES, Difference, choices, differences, text_of_field
from playground_tui.assistants.draft import AssistantDraft
from playground_tui.assistants.objects import Assistant, ThreadSummary
from playground_tui.assistants.save_state import clock_time
from playground_tui.assistants.versions import Deleted
from playground_tui.desk.history import NOT_CREATED, NOW, Moment
from playground_tui.plain.console import Console
from playground_tui.plain.lists import Lists
from playground_tui.plain.menus import choose, pick
from playground_tui.plain.room import Room
from playground_tui.text import shorten


class Past:
    """Every method says what it did."""

    def __init__(self, room: Room, console: Console, lists: Lists) -> None:
        self._room = room
        self._console = console
        self._lists = lists

    # Versions

    def versions(self, _rest: str = "") -> None:
        """Choose a version of the open assistant, then what to do with it."""
        if self._room.editing.assistant_id is None:
            self._console.write(NOT_CREATED)
            return
        moments = self._room.attempt(self._moments(), "the versions could not be read")
        if moments is None:
            return
        title = f"Versions of {self._room.form.name}, newest first: {len(moments)}."
        index = pick(self._console, title, [_moment_row(moment) for moment in moments], what="version")
        if index is not None:
            self._version(moments[index])

    async def _moments(self) -> list[Moment]:
        history = self._room.history
        _, *moments = await history.begin()
        while history.more:
            moments += await history.older()
        return moments

    def _version(self, moment: Moment) -> None:
        options = ["hear how it differs from the form", "read it whole", "restore it", "restore one field of it"]
        actions = (self._compare, self._read, self._restore, self._restore_field)
        chosen = choose(self._console, f"{_moment_row(moment)}. What to do with it?", options)
        if chosen is not None and actions[chosen](moment):
            self._version(moment)

    def _drafts(self, moment: Moment) -> tuple[AssistantDraft, AssistantDraft] | None:
        async def both() -> tuple[AssistantDraft, AssistantDraft]:
            return await self._room.history.draft(moment.key), await self._room.history.draft(NOW)

        return self._room.attempt(both(), "the version could not be read")

    def _compare(self, moment: Moment) -> bool:
        """Whether to ask again what to do with it."""
        drafts = self._drafts(moment)
        if drafts is None:
            return False
        found = differences(*drafts, "brief")
        self._console.write(f"{len(found)} of its fields differ from the form." if found else "It is as in the form.")
        for difference in found:
            for line in _heard(difference):
                self._console.write(line)
        return True

    def _read(self, moment: Moment) -> bool:
        drafts = self._drafts(moment)
        if drafts is None:
            return False
        for field, name in NAMES.items():
            text = text_of_field(drafts[0], field)
            if text:
                for number, line in enumerate(text.split("\n")):
                    self._console.write(line if number else f"{name}: {line}")
        return True

    def _restore(self, moment: Moment) -> bool:
        if self._differing(moment):
            self._bring_back(moment, tuple(NAMES))
        return False

    def _restore_field(self, moment: Moment) -> bool:
        fields = self._differing(moment)
        if fields:
            chosen = choose(self._console, "Which field?", [NAMES[field] for field in fields])
            if chosen is None:
                return True
            self._bring_back(moment, (fields[chosen],))
        return False

    def _differing(self, moment: Moment) -> list[str]:
        drafts = self._drafts(moment)
        fields = choices([difference.field for difference in differences(*drafts, "brief")]) if drafts else []
        if drafts and not fields:
            self._console.write("There is nothing to restore: the form holds the same.")
        return fields

    def _bring_back(self, moment: Moment, fields: Sequence[str]) -> None:
        said = self._room.attempt(self._room.history.restore(moment.key, fields), "not restored")
        if said is not None:
            what = moment.title if len(fields) > 1 else f"{NAMES[fields[0]]} of {moment.title}"
            self._console.write(f"Restored in the form: {what}. /versions has what was there before. {said}".rstrip())

    # What was deleted

    def deleted(self, _rest: str = "") -> None:
        """Choose something that was deleted, to bring it back."""
        chosen = choose(self._console, "What was deleted.", ["assistants", "threads of this assistant"])
        if chosen == 0:
            self._assistants()
        elif chosen == 1:
            self._threads()

    def _assistants(self) -> None:
        found = self._room.attempt(self._deleted_assistants(), "the deleted assistants could not be listed")
        if found is None:
            return
        rows = [f"{shorten(one.what.name, 60) or one.what.id}, {_when_deleted(one)}" for one in found]
        index = self._picked(rows, "assistant")
        if index is not None:
            self._lists.bring_back("assistant", found[index].what.id)

    async def _deleted_assistants(self) -> list[Deleted[Assistant]]:
        assert self._room.desk.client is not None
        return await self._room.desk.client.versions.deleted()

    def _threads(self) -> None:
        found = self._room.attempt(self._deleted_threads(), "the deleted threads could not be listed")
        if found is None:
            return
        rows = [f"{shorten(one.what.first_message, 80) or '(empty)'}, {_when_deleted(one)}" for one in found]
        index = self._picked(rows, "thread")
        if index is not None:
            self._lists.bring_back("thread", found[index].what.id)

    async def _deleted_threads(self) -> list[Deleted[ThreadSummary]]:
        assert self._room.desk.client is not None
        return await self._room.desk.client.deleted_threads(self._room.editing.assistant_id)

    def _picked(self, rows: Sequence[str], what: str) -> int | None:
        if not rows:
            self._console.write("Nothing was deleted in the last 30 days.")
            return None
        return pick(self._console, f"Deleted: {len(rows)}. A number brings the {what} back.", rows, what=what)


def _moment_row(moment: Moment) -> str:
    when = clock_time(moment.at, time.time())
    return shorten(f"{moment.title}, {when}, {moment.what}, from {moment.where}", 200)


def _when_deleted(one: Deleted[Assistant] | Deleted[ThreadSummary]) -> str:
    return f"deleted {clock_time(one.at, time.time())}, {one.left(time.time())}"


def _heard(difference: Difference) -> Iterator[str]:
    """A field's difference in sentences; what is the same is left out."""
    changed = [row for row in difference.rows if not row.same]
    if len(difference.rows) == len(changed) == 1:
        yield f"{difference.name}: then {_words(changed[0].old)}, now {_words(changed[0].new)}"
        return
    yield f"{difference.name}: {len(changed)} lines differ. {difference.note}".rstrip()
    for row in changed:
        yield from _lines(row)


def _lines(row: Row) -> Iterator[str]:
    if row.old is not None:
        yield f"then{'' if row.new else ' only'}: {_words(row.old)}"
    if row.new is not None:
        yield f"now{'' if row.old else ' only'}: {_words(row.new)}"


def _words(line: Line | None) -> str:
    return "".join(piece.text for piece in line or ()) or "empty"
