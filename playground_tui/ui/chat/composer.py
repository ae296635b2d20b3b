"""The composer: where messages are written."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea

from playground_tui.ui.chat.messages import ComposerChanged, Submitted
from playground_tui.ui.chat.writing import Writing
from playground_tui.ui.keys import USUAL, KeyOf


class Composer(Writing):
    """Grows with its text. Up on the first line and down on the last go through `sent`, what was sent before."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+end", "thread_end", "to the end of the thread", show=False, id="thread-end"),
    ]

    class ScrollThread(Message):
        """Scroll the thread by pages, up when negative; to its end for 0."""

        def __init__(self, pages: int) -> None:
            super().__init__()
            self.pages = pages

    def __init__(self, key: KeyOf = USUAL) -> None:
        hint = f"Message; {key('send')} sends, {key('new-line')} new line"
        super().__init__(id="composer", placeholder=hint)
        self.sent: list[str] = []
        """Texts sent before, newest last."""
        self._back = 0
        """How many texts back in `sent` is shown; 0 for the text being written."""
        self._put_by = ""
        """The text being written, while another is shown."""
        self._going: list[str] = []
        """Texts that were sent and that nobody has taken over yet."""

    def send(self) -> None:
        if not self.text.strip():
            return
        text = self.take()
        if not self.sent or self.sent[-1] != text:
            self.sent.append(text)
        self._going.append(text)
        self.post_message(Submitted(text))

    def take(self) -> str:
        """The text, which goes out now; one that was put by for it stands there again."""
        text = self.text
        self.load(self._put_by if self._back else "")
        return text

    def taken_over(self) -> None:
        """The oldest of the texts that were sent is kept elsewhere from now on."""
        del self._going[:1]

    def load(self, text: str) -> None:
        self._back = 0
        super().load(text)

    @property
    def draft(self) -> str:
        """What is being written: not the sent text that is only looked at, but one that was begun from it."""
        if not self._back:
            return self.text
        begun = self.text if self.text != self.sent[-self._back] else ""
        return "\n".join(filter(None, [begun, self._put_by]))

    @property
    def written(self) -> str:
        """The draft, with what was sent and is kept nowhere else."""
        return "\n".join(filter(None, [*self._going, self.draft]))

    def take_in(self, before: str, text: str) -> None:
        """Put `text` in place of `before`; where something else stands by now, above it."""
        if self.text == before:
            super().load(text)
        elif text != before:
            self.give_back(text)

    def give_back(self, text: str) -> None:
        """Put a text that could not be sent above what was written since."""
        draft = self.draft
        self.load(f"{text}\n{draft}" if draft.strip() else text)

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        super().on_text_area_changed(event)
        self.post_message(ComposerChanged(self.text))

    def action_cursor_up(self, select: bool = False) -> None:
        if select or not self.navigator.is_first_wrapped_line(self.cursor_location):
            super().action_cursor_up(select)
        elif self._back < len(self.sent):
            self._show_sent(self._back + 1)

    def action_cursor_down(self, select: bool = False) -> None:
        if select or not self.navigator.is_last_wrapped_line(self.cursor_location):
            super().action_cursor_down(select)
        elif self._back:
            self._show_sent(self._back - 1)

    def _show_sent(self, back: int) -> None:
        """Show the text sent `back` texts ago, or the draft again for 0."""
        self._put_by = self.draft
        self.load(self.sent[-back] if back else self._put_by)
        self._back = back

    def action_cursor_page_up(self) -> None:
        self.post_message(self.ScrollThread(-1))

    def action_cursor_page_down(self) -> None:
        self.post_message(self.ScrollThread(1))

    def action_thread_end(self) -> None:
        self.post_message(self.ScrollThread(0))
