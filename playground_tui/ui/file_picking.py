"""Files chosen by a person: one to attach, one to bring here."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from textual.screen import Screen

from playground_tui.assistants.errors import AssistantsError
from playground_tui.assistants.local_files import FileError, free_name, shown_size
from playground_tui.text import clean
from playground_tui.ui.attaching import Attaching
from playground_tui.ui.chat.pane import ChatPane
from playground_tui.ui.desk import Desk
from playground_tui.ui.dialogs.chooser import Choice, Chooser, Row
from playground_tui.ui.dialogs.confirm import Confirm
from playground_tui.ui.dialogs.paths import PathChooser, SavePath, near


class FilePicking:
    """Every method is one job for a worker."""

    def __init__(self, desk: Desk, screen: Screen[None], pane: ChatPane, attaching: Attaching) -> None:
        self._desk = desk
        self._screen = screen
        self._pane = pane
        self._attaching = attaching
        self._last = ""
        """The directory of the file chosen last, as typed."""

    async def choose(self, title: str) -> Path | None:
        """A file of this machine."""
        base = Path.cwd()
        choice = await self._screen.app.push_screen_wait(PathChooser(title, base, text=self._last))
        if choice is None:
            return None
        path = Path(choice.id)
        directory = near(base, path.parent)
        self._last = "" if directory == "." else directory + os.sep
        return path

    async def attach(self) -> None:
        """Choose a file and attach it to the next message."""
        path = await self.choose("Attach a file to the message")
        if path is None:
            return
        try:
            self._attaching.attach(path)
        except FileError as error:
            self._desk.say(f"Not attached: {error}")

    async def save(self) -> None:
        """Choose a file that was made in the thread, and where to write it. Raises AssistantsError."""
        made = self._pane.made_files()
        if not made:
            raise AssistantsError("no file was made in this thread.")
        names = {file_id: await self._name(file_id) for file_id in reversed(made)}
        file_id = made[-1] if len(made) == 1 else await self._one_of(names)
        if file_id is not None:
            await self._save(file_id, names[file_id])

    async def _name(self, file_id: str) -> str:
        name = self._pane.names.of(file_id)
        if name != file_id or self._desk.client is None:
            return name
        return clean((await self._desk.client.files.retrieve(file_id)).name, newlines=False) or file_id

    async def _one_of(self, names: dict[str, str]) -> str | None:
        rows = [Row(file_id, name, "" if name == file_id else file_id) for file_id, name in names.items()]
        chooser = Chooser("Save a file of this thread", rows, hint="enter save · esc close", empty="")
        choice: Choice | None = await self._screen.app.push_screen_wait(chooser)
        return choice.id if choice is not None else None

    async def _save(self, file_id: str, name: str) -> None:
        client, base = self._desk.client, Path.cwd()
        assert client is not None
        wanted = (await asyncio.to_thread(free_name, base, name)).name
        hint = "enter save · tab complete · esc close"
        choice = await self._screen.app.push_screen_wait(SavePath(f"Save {name} as", base, hint=hint, text=wanted))
        if choice is None:
            return
        target = Path(choice.id)
        there = await asyncio.to_thread(target.exists)
        if there and not await self._screen.app.push_screen_wait(
            Confirm(f"Replace {clean(target.name, newlines=False)}?", detail="It is there already.", yes="replace")
        ):
            return
        size = await client.files.download(file_id, target, replace=there)
        self._desk.say(f"Saved {clean(str(target), newlines=False)} ({shown_size(size)}).")
