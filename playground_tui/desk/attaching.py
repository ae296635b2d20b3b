"""The files that go with the next message: sent to the server as they are attached, and kept until they went out."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from playground_tui.assistants.errors import AssistantsError
from playground_tui.assistants.local_files import is_picture, size_of
from playground_tui.assistants.sent import PICTURE, TOOLS, SentFile, use_of
from playground_tui.cache.state import AttachedFile
from playground_tui.desk.desk import Desk
from playground_tui.desk.panes import AttachmentLine, AttachmentsFront

UPLOAD: Final = "upload"
"""The group of the worker that sends files, one after the other."""
PICTURE_USES: Final = ((PICTURE,), ("code_interpreter",))
OTHER_USES: Final = (("file_search",), ("code_interpreter",), ("file_search", "code_interpreter"))
"""What a file can be for, in the order in which a key goes through them."""


class Attaching:
    """The attached files of the open thread. `changed` is called when what is to be kept has changed.

    `tools` gives the types of the tools that the assistant in the form has; `uploaded` is called when no file is on
    its way any longer.
    """

    def __init__(
        self,
        desk: Desk,
        shown: AttachmentsFront,
        *,
        tools: Callable[[], Collection[str]],
        changed: Callable[[], None],
        uploaded: Callable[[], None],
    ) -> None:
        self._desk = desk
        self._shown = shown
        self._tools = tools
        self._changed = changed
        self._uploaded = uploaded
        self._files: list[AttachedFile] = []
        self._problems: dict[str, AssistantsError] = {}
        self._sending: str | None = None
        self._percent = 0
        self.sends_after = ""
        """The text that goes out by itself when its files are at the server, while it and the thread stay the same."""

    @property
    def files(self) -> tuple[AttachedFile, ...]:
        """What goes with the next message, in order."""
        return tuple(self._files)

    def attach(self, path: Path) -> None:
        """Attach a file, and begin to send it. Raises FileError for one that cannot be sent."""
        size_of(path)
        if any(file.path == str(path) for file in self._files):
            self._desk.say(f"{path.name} is attached already.")
            return
        use = use_of(path, self._tools())
        self._set([*self._files, AttachedFile(uuid.uuid4().hex, str(path), (use,))])
        self.pump()

    def load(self, files: Sequence[AttachedFile]) -> None:
        """Other files, those of another thread; what the server does not have of them is sent."""
        self._desk.stop(UPLOAD)
        self._sending = None
        self._problems.clear()
        self._files = list(files)
        self.show()
        self.pump()

    def give_back(self, files: Sequence[AttachedFile]) -> None:
        """The files of a message that did not go out."""
        self._set([*files, *self._files])

    def take(self) -> tuple[AttachedFile, ...]:
        """The files, which go out now."""
        files = self.files
        self._set([])
        return files

    def not_ready(self) -> str:
        """Why the files cannot go out yet, as a sentence, or ""."""
        missing = [file for file in self._files if not file.file_id]
        broken = next((file for file in missing if file.key in self._problems), None)
        if broken is not None:
            return f"Not sent: {name_of(broken)} was not uploaded. {self._problems[broken.key]}"
        return f"{name_of(missing[0])} is on its way to the server: the message goes out after it." if missing else ""

    @property
    def on_their_way(self) -> bool:
        """Whether there is nothing to do but to wait for files."""
        missing = [file.key for file in self._files if not file.file_id]
        return bool(missing) and not self._problems.keys() & missing

    def act(self, key: str, action: str) -> None:
        """Do what a key in the list asks for: `remove`, `use` or `upload`."""
        file = next((file for file in self._files if file.key == key), None)
        if file is None:
            return
        if action == "remove":
            self._remove(file)
        elif action == "use":
            self._replace(replace(file, uses=_next_use(file)))
        else:
            self._problems.pop(key, None)
            self._replace(replace(file, file_id=""))
            self.pump()

    def _remove(self, file: AttachedFile) -> None:
        self._set([one for one in self._files if one.key != file.key])
        if file.key == self._sending:
            self._desk.stop(UPLOAD)
            self._sending = None
            self.pump()
        if file.file_id:
            self._desk.work(self._forget(file.file_id), group="forget")
        if self._sending is None and self._next() is None:
            self._uploaded()

    async def _forget(self, file_id: str) -> None:
        """Nobody else knows of the file: it goes from the server too, where that is possible."""
        if self._desk.client is not None:
            with suppress(AssistantsError):
                await self._desk.client.files.delete(file_id)

    # Sending

    def pump(self, *, again: bool = False) -> None:
        """Send what the server does not have, unless that is being done; with `again` what failed before, too."""
        if again:
            self._problems = {key: error for key, error in self._problems.items() if not error.retry}
        if self._sending is None and self._desk.client is not None and self._next() is not None:
            self._sending = ""
            self._desk.work(self._send_all(), group=UPLOAD)

    def _next(self) -> AttachedFile | None:
        waiting = (file for file in self._files if not file.file_id and file.key not in self._problems)
        return next(waiting, None)

    async def _send_all(self) -> None:
        while (file := self._next()) is not None:
            self._sending, self._percent = file.key, 0
            await self._send(file)
        self._sending = None
        self.show()
        self._uploaded()

    async def _send(self, file: AttachedFile) -> None:
        client, path = self._desk.client, Path(file.path)
        assert client is not None
        self.show()
        try:
            size = size_of(path)
            stored = await client.files.upload(path, progress=lambda sent: self._told(100 * sent // size))
        except AssistantsError as error:
            self._problems[file.key] = error
            self.show()
            return
        now = next((one for one in self._files if one.key == file.key), None)
        if now is None:
            await self._forget(stored.id)
        else:
            self._replace(replace(now, file_id=stored.id))

    def _told(self, percent: int) -> None:
        if percent != self._percent:
            self._percent = percent
            self.show()

    # What is shown and kept

    def _replace(self, file: AttachedFile) -> None:
        self._set([file if one.key == file.key else one for one in self._files])

    def _set(self, files: list[AttachedFile]) -> None:
        self._files = files
        self.show()
        self._changed()

    def show(self) -> None:
        """Show the files as they stand."""
        tools = self._tools()
        self._shown.show([self._line(file, tools) for file in self._files])

    def _line(self, file: AttachedFile, tools: Collection[str]) -> AttachmentLine:
        key, name = file.key, name_of(file)
        if key in self._problems:
            return AttachmentLine(key, name, problem=f"not uploaded: {self._problems[key]}")
        off = [TOOLS[use] for use in file.uses if use in TOOLS and use not in tools]
        use = " and ".join(TOOLS.get(use, use) for use in file.uses if TOOLS.get(use) not in off)
        problem = f"{' and '.join(off)} is off in the form" if off else ""
        state = "" if file.file_id else f"uploading {self._percent} %" if key == self._sending else "waits"
        return AttachmentLine(key, name, use, state, problem)


def sent_files(files: Sequence[AttachedFile]) -> list[SentFile]:
    """The files as they go with a message."""
    return [SentFile(file.file_id, file.uses) for file in files]


def name_of(file: AttachedFile) -> str:
    return Path(file.path).name


def _next_use(file: AttachedFile) -> tuple[str, ...]:
    uses = PICTURE_USES if is_picture(Path(file.path)) else OTHER_USES
    return uses[(uses.index(file.uses) + 1) % len(uses)] if file.uses in uses else uses[0]
