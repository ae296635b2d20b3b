"""What the global keys do. Each action is a few lines that call the part that does the work."""

from __future__ import annotations

from collections.abc import Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from textual import on
from textual.reactive import reactive
from textual.screen import Screen

from playground_tui.assistants.errors import AssistantsError
from playground_tui.assistants.stored import store_of
from playground_tui.desk.history import NOT_CREATED
from playground_tui.text import clean, shorten
from playground_tui.ui import clipboard, keys
from playground_tui.ui.dialogs.chooser import Choice, Chooser, Row
from playground_tui.ui.dialogs.help import Help
from playground_tui.ui.driver import PatientDriver
from playground_tui.ui.form.messages import CountsWanted, ToolFilesRequested

if TYPE_CHECKING:
    from playground_tui.desk.desk import Desk
    from playground_tui.desk.editing import Editing
    from playground_tui.desk.link import Link
    from playground_tui.desk.sending import Sending
    from playground_tui.ui.chat.pane import ChatPane
    from playground_tui.ui.external_editor import ExternalEditor
    from playground_tui.ui.file_picking import FilePicking
    from playground_tui.ui.form.pane import FormPane
    from playground_tui.ui.picking import Picking

NOT_CONNECTED = "Not connected yet: this works as soon as the server has answered."


class ScreenActions(Screen[None]):
    """The actions of the split screen."""

    desk: Desk
    editing: Editing
    sending: Sending
    link: Link
    picking: Picking
    file_picking: FilePicking
    external_editor: ExternalEditor
    chat_pane: ChatPane
    form_pane: FormPane
    pane = reactive("chat", init=False)
    """Which pane has the keys; below 80 columns the only one shown."""
    form_visible = reactive(True, toggle_class="-with-form")

    def keep(self) -> None:
        """Put everything typed into the cache."""
        raise NotImplementedError

    def _attempt(self, job: Coroutine[Any, Any, Choice | None], failed: str, *, then: str = "") -> None:
        """Run a job that asks the server; a failure is said as `failed: sentence`. `then` is an action after it."""

        async def attempt() -> None:
            try:
                choice = await job
            except AssistantsError as error:
                self.desk.say(f"{failed}: {error}")
                return
            if choice is not None:
                self._copy(choice.id, "The id")
            elif then:
                await self.run_action(then)

        if self.desk.client is None:
            job.close()
            self.desk.say(NOT_CONNECTED)
        else:
            self.desk.work(attempt(), group="action")

    # Focus

    def action_to_composer(self) -> None:
        self.set_focus(self.chat_pane.composer)

    def action_to_composer_and_repaint(self) -> None:
        self.action_to_composer()
        self.app.refresh(repaint=True, layout=True)

    def action_to_form(self) -> None:
        self.form_visible = True
        self.form_pane.focus_first()

    def action_to_pane(self) -> None:
        """To the place in the pane where one begins: its cursor may have been on a button."""
        if self.pane == "form":
            self.action_to_form()
        else:
            self.action_to_composer()

    def action_other_pane(self) -> None:
        if self.pane == "form":
            self.action_to_composer()
        else:
            self.action_to_form()

    def action_toggle_form(self) -> None:
        self.form_visible = not self.form_visible
        self.desk.cache.update_session(form_visible=self.form_visible)
        if not self.form_visible:
            self.action_to_composer()

    def action_thread_end(self) -> None:
        self.chat_pane.scroll_to_end()

    def action_help(self) -> None:
        settings, paths = self.desk.settings, self.desk.paths
        about = f"Your texts are kept in {paths.data}, the configuration is {paths.config_file}."
        rows = [row[1:] for row in keys.help_rows(settings.keys)]
        self.app.push_screen(Help(rows, about, saved_after=settings.autosave_delay))

    # Assistants and threads

    def action_save(self) -> None:
        self.form_pane.request_save()

    def action_new_assistant(self) -> None:
        self._attempt(self.picking.new_assistant(), "No new assistant", then="to_form")

    def action_open_assistant(self) -> None:
        self._attempt(self.picking.assistant(), "The assistants could not be listed")

    def action_clone_assistant(self) -> None:
        if self.editing.assistant_id is None:
            self.desk.say("There is nothing to clone yet: this assistant has not been created.")
        else:
            self._attempt(self.picking.clone(self.editing.assistant_id), "Not cloned", then="to_form")

    def action_versions(self) -> None:
        if self.editing.assistant_id is None:
            self.desk.say(NOT_CREATED)
        else:
            self._attempt(self.picking.versions(), "The versions could not be shown")

    def action_deleted_assistants(self) -> None:
        self._attempt(self.picking.deleted_assistants(), "The deleted assistants could not be listed")

    def action_deleted_threads(self) -> None:
        self._attempt(self.picking.deleted_threads(), "The deleted threads could not be listed")

    def action_new_thread(self) -> None:
        self._attempt(self.picking.new_thread(len(self.chat_pane.messages())), "No new thread", then="to_composer")

    def action_go_to_thread(self) -> None:
        self._attempt(self.picking.thread(), "The threads could not be listed", then="to_composer")

    # Files

    def action_attach(self) -> None:
        self.desk.work(self.file_picking.attach(), group="attach", exclusive=True)

    def action_save_file(self) -> None:
        self._attempt(self.file_picking.save(), "Not saved")

    @on(ToolFilesRequested)
    def _tool_files_requested(self, message: ToolFilesRequested) -> None:
        self._attempt(self._tool_files(message.tool), "The files could not be shown")

    async def _tool_files(self, tool: str) -> None:
        await self.file_picking.tool_files(self.editing.assistant_id, tool)
        await self.editing.refresh()
        self.count_files()

    @on(CountsWanted)
    def count_files(self) -> None:
        """Read how many files the assistant's vector store has."""
        if store := store_of(self.form_pane.draft.base):
            self.desk.work(self._read_counts(store), group="counts", exclusive=True)

    async def _read_counts(self, store: str) -> None:
        if self.desk.client is not None:
            with suppress(AssistantsError):
                self.form_pane.tools.show_counts(store, await self.desk.client.assistant_files.counts(store))

    def action_run_again(self) -> None:
        if not self.link.try_now():
            self.sending.run_again()

    # Copying

    def _copy(self, text: str, what: str) -> None:
        """Copy through the terminal, as it is shown, and say what was really done.

        What a terminal obeys would be obeyed where it is pasted.
        """
        done = clipboard.copy(
            clean(text), write=self._write_terminal, environ=self.desk.environ, fallback_dir=self.desk.paths.data
        )
        self.desk.say(f"{what}: {done}")

    def _write_terminal(self, codes: str) -> bool:
        """Whether the terminal gets these codes."""
        driver = self.app._driver  # Textual has no public way to send a sequence of one's own
        if driver is None or (isinstance(driver, PatientDriver) and driver.behind):
            return False
        driver.write(codes)
        return True

    def action_copy_answer(self) -> None:
        answer = self.chat_pane.last_answer()
        if answer:
            self._copy(answer, "The last answer")
        else:
            self.desk.say("There is no answer to copy yet.")

    def action_copy_thread(self) -> None:
        parts = [f"**{message.role}**\n\n{message.text}" for message in self.chat_pane.messages()]
        self._copy("\n\n".join(parts), "The thread")

    def action_copy_block(self) -> None:
        self._copy_one_of("Copy a code block", [("", block) for block in reversed(self.chat_pane.code_blocks())])

    def action_copy_message(self) -> None:
        texts = [(f"{m.role}: ", m.text) for m in reversed(self.chat_pane.messages()) if m.text]
        self._copy_one_of("Copy a message", texts)

    def action_copy_output(self) -> None:
        self._copy_one_of("Copy what a tool put out", [("", text) for text in reversed(self.chat_pane.tool_outputs())])

    def _copy_one_of(self, title: str, texts: list[tuple[str, str]]) -> None:
        rows = [Row(str(i), who + shorten(clean(text, newlines=False), 70)) for i, (who, text) in enumerate(texts)]

        def chosen(choice: Choice | None) -> None:
            if choice is not None:
                self._copy(texts[int(choice.id)][1], "Copied text")

        self.app.push_screen(Chooser(title, rows, hint="enter copy · esc close", empty="there is none yet"), chosen)

    def action_external_editor(self) -> None:
        self.external_editor.open()
