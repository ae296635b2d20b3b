"""Files chosen by a person: one to attach, one to bring here."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from pathlib import Path

from textual.screen import Screen

from playground_tui.assistants.errors import AssistantsError
from playground_tui.assistants.local_files import FileError, free_name, shown_size, working_directory
from playground_tui.assistants.sent import TOOLS
from playground_tui.desk.attaching import Attaching
from playground_tui.desk.desk import Desk
from playground_tui.desk.message_files import name_of
from playground_tui.desk.tool_files import FilesOfTool
from playground_tui.text import clean
from playground_tui.ui.chat.pane import ChatPane
from playground_tui.ui.dialogs.chooser import Choice, Chooser, Row
from playground_tui.ui.dialogs.confirm import Confirm
from playground_tui.ui.dialogs.paths import PathChooser, SavePath, near
from playground_tui.ui.dialogs.tool_files import ToolFilesDialog


class FilePicking:
    """Every method is one job for a worker."""

    def __init__(self, desk: Desk, screen: Screen[None], pane: ChatPane, attaching: Attaching) -> None:
        self._desk = desk
        self._screen = screen
        self._pane = pane
        self._attaching = attaching
        self._last = ""
        """The directory of the file chosen last, as typed."""

    def asking(self, title: str) -> PathChooser:
        """A dialog in which a file of this machine is chosen; it begins where the last one was."""
        return PathChooser(title, working_directory(), text=self._last)

    async def attach(self) -> None:
        """Choose a file and attach it to the next message."""
        choice = await self._screen.app.push_screen_wait(self.asking("Attach a file to the message"))
        if choice is None:
            return
        path = Path(choice.id)
        directory = near(working_directory(), path.parent)
        self._last = "" if directory == "." else directory + os.sep
        try:
            self._attaching.attach(path)
        except FileError as error:
            self._desk.say(f"Not attached: {error}")

    async def tool_files(self, assistant_id: str | None, tool: str) -> None:
        """Show the files that the assistant has for a tool, to be changed."""
        if assistant_id is None or self._desk.client is None:
            raise AssistantsError(f"this assistant has not been created yet: {self._desk.ways.save} creates it.")
        files = FilesOfTool(self._desk.client, assistant_id, tool)
        ask_path = partial(self.asking, f"Add a file for {TOOLS[tool]}")
        dialog = ToolFilesDialog(f"Files of the assistant for {TOOLS[tool]}", files, ask_path=ask_path)
        await self._screen.app.push_screen_wait(dialog)

    async def save(self) -> None:
        """Choose a file that was made in the thread, and where to write it. Raises AssistantsError."""
        made, client = self._pane.made_files(), self._desk.client
        if not made or client is None:
            raise AssistantsError("no file was made in this thread.")
        names = {file_id: await name_of(file_id, self._pane.names, client) for file_id in reversed(made)}
        file_id = made[-1] if len(made) == 1 else await self._one_of(names)
        if file_id is not None:
            await self._save(file_id, names[file_id])

    async def _one_of(self, names: dict[str, str]) -> str | None:
        rows = [Row(file_id, name, "" if name == file_id else file_id) for file_id, name in names.items()]
        chooser = Chooser("Save a file of this thread", rows, hint="enter save · esc close", empty="")
        choice: Choice | None = await self._screen.app.push_screen_wait(chooser)
        return choice.id if choice is not None else None

    async def _save(self, file_id: str, name: str) -> None:
        client, base = self._desk.client, working_directory()
        assert client is not None
        wanted = (await asyncio.to_thread(free_name, base, name)).name
        hint = "enter save · tab complete · esc close"
        choice = await self._screen.app.push_screen_wait(SavePath(f"Save {name} as", base, hint=hint, text=wanted))
        if choice is None:
            return
        target = Path(choice.id)
        there = await asyncio.to_thread(os.path.exists, target)
        if there and not await self._screen.app.push_screen_wait(
            Confirm(f"Replace {clean(target.name, newlines=False)}?", detail="It is there already.", yes="replace")
        ):
            return
        size = await client.files.download(file_id, target, replace=there)
        self._desk.say(f"Saved {clean(str(target), newlines=False)} ({shown_size(size)}).")
