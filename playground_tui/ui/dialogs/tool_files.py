"""The files that an assistant has for a tool."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import ClassVar, Final

from textual.binding import Binding, BindingType

from playground_tui.assistants.errors import AssistantsError
from playground_tui.desk.tool_files import FilesOfTool
from playground_tui.ui.dialogs.chooser import Chooser, Row
from playground_tui.ui.dialogs.paths import PathChooser

HINT: Final = "ctrl+n add · ctrl+d take out · esc close"
EVERY: Final = 1.0
"""Seconds between two looks while files are being indexed."""


class ToolFilesDialog(Chooser):
    """Lists, adds and takes out, until escape. `ask_path` makes the dialog in which a file is chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+n", "add", priority=True),
        Binding("ctrl+d", "remove", priority=True),
    ]

    def __init__(self, title: str, files: FilesOfTool, *, ask_path: Callable[[], PathChooser]) -> None:
        super().__init__(title, [], hint=HINT, empty="no files yet: ctrl+n adds one")
        self._files = files
        self._ask_path = ask_path
        self._again = asyncio.Event()

    def on_mount(self) -> None:
        super().on_mount()
        self.run_worker(self._watch(), group="watch")

    async def _watch(self) -> None:
        """Show the files, and look again after every change and while they are being indexed."""
        while True:
            self._again.clear()
            busy = False
            try:
                files, busy = await self._files.list()
            except AssistantsError as error:
                self.say(str(error))
            else:
                self._show_again([Row(file.id, file.name, " · ".join(file.facts)) for file in files])
            try:
                await asyncio.wait_for(self._again.wait(), EVERY if busy else None)
            except TimeoutError:
                continue

    def _show_again(self, rows: Sequence[Row]) -> None:
        """Show the rows with the highlight where it was."""
        if list(rows) == self._rows:
            return
        chosen = self.highlighted_id
        self.set_rows(rows)
        ids = [option.id for option in self.choices.options]
        if chosen in ids:
            self.choices.highlighted = ids.index(chosen)

    def choose(self, action: str) -> None:
        """There is nothing to open in a file here."""

    def action_add(self) -> None:
        self.run_worker(self._add(), group="add")

    async def _add(self) -> None:
        choice = await self.app.push_screen_wait(self._ask_path())
        if choice is None:
            return
        path = Path(choice.id)
        await self._try(
            self._files.add(path, lambda percent: self.say(f"{path.name}: {percent} % sent · esc stops it"))
        )

    def action_remove(self) -> None:
        if self.highlighted_id is not None:
            self.run_worker(self._try(self._files.remove(self.highlighted_id)), group="remove")

    async def _try(self, job: Awaitable[None]) -> None:
        try:
            await job
        except AssistantsError as error:
            self.say(str(error))
        else:
            self.say("")
        self._again.set()
