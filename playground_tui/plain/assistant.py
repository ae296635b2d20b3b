"""The commands for the open assistant, and the few questions that a new one needs."""

from __future__ import annotations

from playground_tui.plain.console import Console
from playground_tui.plain.fields import Fields
from playground_tui.plain.lists import Lists
from playground_tui.plain.menus import confirm
from playground_tui.plain.room import Room


class AssistantCommands:
    """What a command does gets what stands behind its word."""

    def __init__(self, room: Room, console: Console, lists: Lists) -> None:
        self._room = room
        self._console = console
        self._fields = Fields(room, console)
        self._lists = lists

    def edit(self, field: str) -> None:
        """Edit one field, or all; offer to create what is new and whole then."""
        if field:
            self._fields.named(field)
        else:
            self._fields.all()
        if self._room.form.draft.is_new and not self._room.form.draft.problems():
            self._offer_to_create()

    def _offer_to_create(self) -> None:
        if confirm(self._console, f"The assistant {self._room.form.name} is not created yet. Create it now?"):
            self.save()

    def save(self, _rest: str = "") -> None:
        """Create it, or save it now."""
        self._room.wait(self._room.editing.save())
        if not self._room.tell(self._console.write):
            self._console.write(f"assistant form: {self._room.form.sentence()}.")

    def assistants(self, name: str) -> None:
        """Open this one, or choose from the list."""
        if name:
            self._lists.open(name)
        else:
            self._lists.assistants()

    def new(self, _rest: str = "") -> None:
        """Begin a new one."""
        self._lists.new()
        self.guide()

    def guide(self) -> None:
        """The few questions a new assistant needs."""
        name = self._fields.ask("name", "name of the new assistant, enter alone for not now: ", "")
        if not name:
            self._console.write("Not now. /edit goes on with the new assistant.")
            return
        self._fields.set("name", name)
        model = self._room.form.draft.text("model")
        self._fields.edit("model")
        if not model and not self._room.form.draft.text("model"):
            return
        said = self._fields.ask("instructions", "instructions, one line; enter alone for none: ", "")
        if said:
            self._fields.set("instructions", said)
        self._offer_to_create()

    def copy(self, _rest: str = "") -> None:
        """Begin a copy of the open one."""
        self._lists.copy(self._room.editing.assistant_id)
