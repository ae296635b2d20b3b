"""The text that has the cursor, in the user's own editor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from textual.app import SuspendNotSupported
from textual.screen import Screen

from playground_tui.desk import editor
from playground_tui.desk.chatting import COMPOSER, NEW_THREAD, Chatting
from playground_tui.desk.desk import Desk
from playground_tui.desk.editing import Editing, take_written
from playground_tui.ui.chat.composer import Composer
from playground_tui.ui.form.pane import FormPane
from playground_tui.ui.keys import key_of

Take = Callable[[str], bool]
"""Takes a text in; False where there is no place for it."""


class ExternalEditor:
    """Opens one text at a time. Streams and saves go on meanwhile."""

    def __init__(
        self,
        desk: Desk,
        screen: Screen[None],
        *,
        composer: Composer,
        chatting: Chatting,
        form: FormPane,
        editing: Editing,
        keep: Callable[[], None],
    ) -> None:
        """`keep` puts everything typed into the cache."""
        self._desk = desk
        self._screen = screen
        self._composer = composer
        self._chatting = chatting
        self._form = form
        self._editing = editing
        self._keep = keep
        self._is_open = False

    def open(self) -> None:
        """Open the text that has the cursor. While an editor has the terminal, another one cannot."""
        field = self._form.focused_field
        if self._is_open:
            return
        if self._screen.focused is self._composer:
            key, text = self._chatting.thread_id or NEW_THREAD, self._composer.text
            job = self._edit(COMPOSER, key, text, partial(self._into_composer, text))
        elif field is not None:
            key, text = self._editing.key, self._form.settle().text(field)
            into_field = partial(take_written, self._editing, self._form, field, key=key, before=text)
            job = self._edit(field, key, text, lambda written: into_field(text=written))
        else:
            key = key_of(self._desk.settings.keys, "editor")
            self._desk.say(f"Put the cursor into a text first: {key} opens that text in $EDITOR.")
            return
        self._is_open = True
        self._desk.work(job, group="editor")

    @contextmanager
    def _given_away(self) -> Iterator[None]:
        """The terminal is another program's. Raises OSError where that cannot be, or where it cannot be started."""
        failed: OSError | None = None
        try:
            with self._screen.app.suspend():
                try:
                    yield
                except OSError as error:
                    failed = error  # Textual takes the terminal back after the block, and only when that ends well.
        except SuspendNotSupported as error:
            raise OSError(str(error)) from error
        if failed is not None:
            raise failed

    async def _edit(self, name: str, key: str, text: str, take: Take) -> None:
        self._keep()
        self._desk.cache.flush()  # before another program has the terminal
        try:
            edited = await editor.edit(
                text,
                name=name,
                key=key,
                directory=self._desk.paths.editor,
                environ=self._desk.environ,
                suspend=self._given_away,
            )
        except editor.EditorError as error:
            self._desk.say(str(error))
            return
        finally:
            self._is_open = False
        if not take(edited.text):
            self._desk.say(f"{editor.HOMELESS} {edited.put_by()}.")
            return
        self._keep()
        if self._desk.cache.flush():
            edited.discard()

    def _into_composer(self, before: str, text: str) -> bool:
        self._composer.take_in(before, text)
        return True
