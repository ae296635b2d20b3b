"""The panel that asks for the outputs of function calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Static, TextArea

from playground_tui.assistants.objects import ToolCall
from playground_tui.desk.panes import output_key
from playground_tui.text import clean
from playground_tui.ui.chat.messages import OutputsSubmitted, OutputTyped
from playground_tui.ui.chat.steps import call_name, pretty
from playground_tui.ui.chat.writing import Writing
from playground_tui.ui.keys import KeyOf

SHOWN_ARGUMENTS = 20_000
"""Characters of arguments shown; the thread has them whole."""


class OutputArea(Writing):
    """Where one call's output is typed. An empty output may be sent."""

    class Sent(Message):
        """Enter was pressed."""

    def __init__(self, key: KeyOf) -> None:
        hint = f"Output; {key('send')} sends, {key('new-line')} new line"
        super().__init__(id="tool-output", placeholder=hint)

    def send(self) -> None:
        self.post_message(self.Sent())


class OutputsPanel(Vertical):
    """Shown while a run requires action: one call after the other. What is typed is kept until all is submitted."""

    def __init__(self, key: KeyOf) -> None:
        super().__init__(id="outputs")
        self._key = key
        self._hint = f"{key('previous-field')} goes here"
        self._calls: tuple[ToolCall, ...] = ()
        self._run_id = ""
        self._at = 0
        self._texts: dict[str, str] = {}
        """What was typed, by `output_key`; kept for a call that is shown again after a break or a new start."""
        self._typing = ""
        """Under which key the field's text belongs."""
        self.display = False

    def compose(self) -> ComposeResult:
        yield Static(id="outputs-title", markup=False)
        with VerticalScroll(id="outputs-arguments", can_focus=False):
            yield Static(id="outputs-json", markup=False)
        yield OutputArea(self._key)

    @property
    def area(self) -> OutputArea:
        """The field in which the output is typed."""
        return self.query_one(OutputArea)

    @property
    def typed(self) -> Mapping[str, str]:
        """What is typed so far, by `output_key`."""
        texts = {**self._texts, **({self._typing: self.area.text} if self._typing else {})}
        return {key: text for key, text in texts.items() if text}

    def load(self, typed: Mapping[str, str]) -> None:
        """Take over what an earlier start left, for the calls that are shown from now on."""
        self._texts = dict(typed)

    def asks_for(self, run_id: str) -> bool:
        """Whether outputs of this run are asked for and not submitted yet."""
        return bool(self._calls) and run_id == self._run_id

    def show(self, run_id: str, calls: Sequence[ToolCall]) -> None:
        """Ask for the outputs of these calls; none hides the panel. The focus stays where it is."""
        if not calls:
            self._leave()
        elif (run_id, [call.id for call in calls]) != (self._run_id, [call.id for call in self._calls]):
            self._run_id, self._calls, self._at = run_id, tuple(calls), 0
            self._show_call()
            self.display = True

    def _leave(self) -> None:
        self._run_id, self._calls, self._typing = "", (), ""
        if self.display:
            if self.has_focus_within:
                self.screen.focus_next(selector="#composer")
            self.display = False

    def _show_call(self) -> None:
        call = self._calls[self._at]
        place = f" ({self._at + 1} of {len(self._calls)})" if len(self._calls) > 1 else ""
        title = clean(f"Output of {call_name(call)}{place}", newlines=False)
        self.query_one("#outputs-title", Static).update(Content.assemble((title, "bold"), "  ", self._hint))
        arguments = clean(pretty(call.arguments)[:SHOWN_ARGUMENTS])
        self.query_one("#outputs-json", Static).update(Content(arguments or "(no arguments)"))
        key, self._typing = output_key(self._run_id, call.id), ""
        self.area.load(self._texts.get(key, ""))
        self._typing = key

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        event.stop()
        if self._typing and event.text_area is self.area:
            self._texts[self._typing] = self.area.text
            self.post_message(OutputTyped())

    def on_output_area_sent(self, event: OutputArea.Sent) -> None:
        event.stop()
        if not self._calls:
            return
        self._texts[self._typing] = self.area.text
        if self._at + 1 < len(self._calls):
            self._at += 1
            self._show_call()
            return
        outputs = {call.id: self._texts.get(output_key(self._run_id, call.id), "") for call in self._calls}
        self._leave()
        self.post_message(OutputsSubmitted(outputs))

    def forget(self) -> None:
        """The server has the outputs: what was typed is no longer needed."""
        if self._texts:
            self._texts.clear()
            self.post_message(OutputTyped())
