"""The split screen: it lays the two panes out and routes what they say to the parts that do the work."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.getters import query_one
from textual.timer import Timer
from textual.widgets import Static

from playground_tui.assistants.errors import AssistantsError
from playground_tui.desk.arrival import Arrival
from playground_tui.desk.desk import Desk, OpenClient
from playground_tui.desk.editing import Editing
from playground_tui.desk.history import History
from playground_tui.desk.link import KEPT, Link, connected_to
from playground_tui.desk.models import read_models
from playground_tui.desk.sending import Sending
from playground_tui.letters import Letters
from playground_tui.text import clean
from playground_tui.ui import keys
from playground_tui.ui.chat import messages as chat
from playground_tui.ui.chat.pane import ChatPane
from playground_tui.ui.compositor import SparingCompositor
from playground_tui.ui.external_editor import ExternalEditor
from playground_tui.ui.file_picking import FilePicking
from playground_tui.ui.foot import Foot
from playground_tui.ui.form import messages as form
from playground_tui.ui.form.pane import FormPane
from playground_tui.ui.notice import Notice
from playground_tui.ui.pace import Pace
from playground_tui.ui.painting import EchoingScreen
from playground_tui.ui.picking import Picking
from playground_tui.ui.screen_actions import ScreenActions
from playground_tui.ui.split_keys import GRACE

FOREIGN_READ = 4.0
"""Seconds between reads of the open assistant on a server that reports no changes."""
NORMAL = 80
"""Columns from which on there is room for both panes."""


class SplitScreen(ScreenActions, EchoingScreen[None]):
    """The only screen that stays: the thread on the left, the assistant on the right."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (NORMAL, "-normal"), (120, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-lowest"), (10, "-low"), (18, "-high")]  # noqa: RUF012
    BINDINGS = [*keys.GLOBAL]  # noqa: RUF012
    AUTO_FOCUS: ClassVar[str | None] = None

    chat_pane = query_one(ChatPane)
    form_pane = query_one(FormPane)
    where = query_one("#where", Static)
    notice = query_one(Notice)
    disk = query_one("#disk", Static)
    foot = query_one(Foot)

    def __init__(self, desk: Desk, open_client: OpenClient, *, pace: Pace, letters: Letters | None) -> None:
        super().__init__()
        self._pace = pace
        self._letters = letters
        self._compositor = SparingCompositor()
        self.desk = desk
        self._open_client = open_client
        self._cancel_timer: Timer | None = None
        self._restored = False
        self._foreign_timer: Timer | None = None
        self._reading = False
        self._unanswered = False

    def compose(self) -> ComposeResult:
        yield Static(Content("connecting …"), id="where")
        yield Notice()
        with Horizontal(id="panes"):
            key = keys.keys_of(self.desk.settings.keys)
            yield ChatPane(scroll=self.desk.settings.scroll, pace=self._pace, letters=self._letters, key=key)
            yield FormPane(key=key)
        yield Static(id="disk")
        yield Foot(self.desk.settings.keys)

    def on_mount(self) -> None:
        self.editing = Editing(self.desk, self.form_pane)
        self.sending = Sending(self.desk, self.chat_pane, self.editing, lambda: self.form_pane.draft.switched_on)
        self.arrival = Arrival(self.desk, self.form_pane, self.editing, self.sending)
        history = History(self.desk, self.form_pane, self.editing)
        self.picking = Picking(self.desk, self, self.editing, self.sending, history)
        self.file_picking = FilePicking(self.desk, self, self.chat_pane, self.sending.chatting.attaching)
        self.external_editor = ExternalEditor(
            self.desk,
            self,
            composer=self.chat_pane.composer,
            chatting=self.sending.chatting,
            form=self.form_pane,
            editing=self.editing,
            keep=self.keep,
        )
        self.link = Link(
            self.desk,
            self._open_client,
            show=self._show_where,
            opened=self._opened,
            changed=self.arrival.changed,
            keys=f"{self.desk.ways.cancel} stops, {self.desk.ways.again} tries now",
        )
        self.editing.restore()
        self.sending.chatting.restore()
        self._restored = True
        session = self.desk.cache.session
        self.form_visible = session.form_visible
        self.form_pane.configuration_open = session.config_open
        self.pane = session.pane
        self._show_pane()
        self.set_focus(self.chat_pane.composer)
        if session.pane == "form":
            self.action_to_form()

    def connect(self) -> None:
        """Find the server, and keep to it."""
        self.desk.work(self.link.run(), group="link")

    def _show_where(self, sentence: str) -> None:
        self.where.update(Content(clean(sentence, newlines=False)))

    async def _opened(self) -> str:
        """The server is there, or there again. Raises AssistantsError when that may be otherwise later."""
        refused = await self.arrival.opened()
        self.count_files()
        if self._polled and self._foreign_timer is None:
            self._foreign_timer = self.set_interval(FOREIGN_READ, self._read_assistant)
        return refused

    @property
    def _polled(self) -> bool:
        """Whether the server is one that reports no changes, so that it is asked for them."""
        return self.desk.client is not None and not self.desk.client.is_engine

    def _read_assistant(self) -> None:
        if self.app.app_focus and self.form_pane.display and not self._reading:
            self._reading = True
            self.desk.work(self._read_assistant_once(), group="read")

    async def _read_assistant_once(self) -> None:
        try:
            error = await self.editing.refresh()
            self._show_reached(error)
            behind = error is None and not self.sending.busy and await self.sending.chatting.fell_behind()
            if behind and not self.sending.busy:
                await self.sending.chatting.load()
        finally:
            self._reading = False

    def _show_reached(self, error: AssistantsError | None) -> None:
        """Say in the top line that the server does not answer as it should, and that it does again."""
        if error is not None:
            self._unanswered = True
            self._show_where(f"Asking again every {FOREIGN_READ:.0f} s; {KEPT} {error}")
        elif self._unanswered and self.desk.client is not None:
            self._unanswered = False
            self._show_where(connected_to(self.desk.client.where))

    # The panes

    def watch_pane(self) -> None:
        self._show_pane()
        self.desk.cache.update_session(pane=self.pane)

    def _show_pane(self) -> None:
        narrow = self.app.size.width < NORMAL
        self.set_class(narrow and self.pane == "form", "-form-pane")  # it styles the whole screen anew: only if need be
        self.foot.pane = self.pane

    def on_resize(self) -> None:
        self._show_pane()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self.pane = "form" if self.form_pane in event.widget.ancestors_with_self else "chat"

    def show_trouble(self, sentence: str) -> None:
        """A line that stays until it is over; "" when it is."""
        self.disk.update(Content(clean(sentence, newlines=False)))
        self.disk.display = bool(sentence)

    async def leave(self, seconds: float) -> None:
        """Keep everything, and save what is unsaved if that takes no longer than this."""
        self.keep()
        if self.editing.editor is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.editing.flush(), seconds)

    def keep(self) -> None:
        """Put everything typed into the cache (before the program ends). It changes nothing else: a signal handler may.

        Before the kept texts are in the fields there is nothing to keep.
        """
        if self._restored:
            self.editing.keep()
            self.sending.chatting.store()

    # What the chat pane says

    @on(chat.Submitted)
    def _submitted(self, message: chat.Submitted) -> None:
        self.chat_pane.composer.taken_over()
        self.sending.submit(message.text)

    @on(chat.ComposerChanged)
    def _composer_changed(self) -> None:
        self.sending.chatting.keep()

    @on(chat.OlderWanted)
    def _older_wanted(self) -> None:
        self.desk.work(self.sending.chatting.older(), group="older", exclusive=True)

    @on(chat.OutputTyped)
    def _output_typed(self) -> None:
        self.sending.chatting.store()

    @on(chat.OutputsSubmitted)
    def _outputs_submitted(self, message: chat.OutputsSubmitted) -> None:
        self.sending.answer(message.outputs)

    @on(chat.SendWaiting)
    def _send_waiting(self, message: chat.SendWaiting) -> None:
        self.sending.send_held(message.key)

    @on(chat.EditWaiting)
    def _edit_waiting(self, message: chat.EditWaiting) -> None:
        self.sending.edit_held(message.key)

    @on(chat.AttachmentAction)
    def _attachment_action(self, message: chat.AttachmentAction) -> None:
        self.sending.chatting.attaching.act(message.key, message.action)

    @on(chat.NamesWanted)
    def _names_wanted(self) -> None:
        self.desk.work(self.sending.chatting.past.read_names(), group="names")

    # What the form says

    @on(form.DraftChanged)
    def _draft_changed(self) -> None:
        self.editing.take_typed()
        self.sending.chatting.attaching.show()

    @on(form.CreateRequested)
    @on(form.SaveRequested)
    def _save_requested(self) -> None:
        self.desk.work(self.editing.save(), group="save")

    @on(form.TakeOther)
    def _take_other(self, message: form.TakeOther) -> None:
        if self.editing.editor is not None:
            self.editing.editor.take_other(message.field)

    @on(form.ModelsWanted)
    def _models_wanted(self) -> None:
        if self.desk.client is not None:
            self.desk.work(read_models(self.desk, self.form_pane), group="models", exclusive=True)

    @on(form.ListRequested)
    def _list_requested(self) -> None:
        self.action_open_assistant()

    @on(form.EditorRequested)
    def _editor_requested(self) -> None:
        self.action_external_editor()

    @on(form.ConfigurationToggled)
    def _configuration_toggled(self, message: form.ConfigurationToggled) -> None:
        self.desk.cache.update_session(config_open=message.open)

    # Escape

    def action_back(self) -> None:
        """Escape, after widgets and dialogs had their turn: stop retrying, leave the form, cancel the run."""
        if self.pane == "form" and self.form_pane.close_open():
            return
        if self.sending.stop_retrying() or self.editing.stop_retrying() or self.link.stop_retrying():
            return
        if self.pane == "form":
            self.action_to_composer()
        elif self.sending.busy or self.sending.chatting.running:
            self._cancel_timer = self.set_timer(GRACE, self._cancel_run)

    def _cancel_run(self) -> None:
        self._cancel_timer = None
        self.desk.work(self.sending.cancel(), group="cancel")

    def keep_running(self) -> None:
        """The escape was the beginning of a torn arrow key: nothing is cancelled."""
        if self._cancel_timer is not None:
            self._cancel_timer.stop()
            self._cancel_timer = None
