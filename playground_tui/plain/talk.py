"""The conversation: a prompt for messages and commands, and what the run does told line by line."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from playground_tui.assistants.errors import AssistantsError
from playground_tui.assistants.objects import Run, ToolCall
from playground_tui.assistants.run_words import duration
from playground_tui.desk.chatting import COMPOSER, NEW_THREAD
from playground_tui.plain.chat import arguments, call_name, message_lines, status_line
from playground_tui.plain.console import Console
from playground_tui.plain.fields import Fields, in_editor, write_lines
from playground_tui.plain.lists import Lists
from playground_tui.plain.menus import choose, confirm
from playground_tui.plain.room import Room
from playground_tui.text import shorten

PROMPT = "you: "
GLANCE = 0.1
"""Seconds between looks whether a run has ended, where nothing is to be said."""
STILL = 15.0
"""Seconds of silence after which it is said that a run goes on."""


@dataclass(frozen=True, slots=True)
class Command:
    """What can be done besides writing. `run` gets what stands behind the command's word."""

    word: str
    does: str
    run: Callable[[str], None]


class Leave(Exception):
    """The user wants to leave."""


class Talk:
    """One session at the terminal."""

    def __init__(self, room: Room, console: Console) -> None:
        self._room = room
        self._console = console
        self._fields = Fields(room, console)
        self._lists = Lists(room, console)
        self._composer = room.chat.composer
        self._commands = self._all_commands()

    def _all_commands(self) -> tuple[Command, ...]:
        return (
            Command("edit", "edit the fields of this assistant; or one: /edit temperature", self._edit),
            Command("save", "create this assistant, or save it now", lambda _: self._save()),
            Command("assistants", "open, copy or delete an assistant; or open one: /assistants NAME", self._assistants),
            Command("new", "begin a new assistant", lambda _: self._new()),
            Command("copy", "begin a copy of this assistant", lambda _: self._copy()),
            Command("thread", "begin a new thread", lambda _: self._lists.open_thread(None)),
            Command(
                "threads", "go to another thread of this assistant, or delete one", lambda _: self._lists.threads()
            ),
            Command("restore", "bring back the assistant or thread deleted last", lambda _: self._lists.restore()),
            Command("read", "read this thread; or its last messages: /read 3", self._read),
            Command("older", "read the messages before those", lambda _: self._older()),
            Command("again", "run again, or retry what failed", lambda _: self._again()),
            Command("lines", "write a message of several lines", lambda _: self._lines()),
            Command("editor", "write the message in your editor", lambda _: self._editor()),
            Command("waiting", "messages that were not sent: send, change or drop them", lambda _: self._waiting()),
            Command("status", "say where everything stands", lambda _: self._status()),
            Command("help", "read the commands", lambda _: self._help()),
            Command("quit", "leave; everything is kept", lambda _: self._quit()),
        )

    def run(self) -> None:
        """Talk until the user leaves."""
        self._greet()
        while True:
            try:
                self._settle()
                self._take(self._prompt())
            except KeyboardInterrupt:
                self._console.write("")
                self._console.write("ctrl+c: nothing is sent. /quit leaves.")
            except (EOFError, Leave):
                break

    # The start

    def _greet(self) -> None:
        self._console.write("playground-tui, plain mode. Enter alone opens the menu, /help reads the commands.")
        self._console.write("status: connecting.")
        try:
            while not self._room.arrived.wait(GLANCE):
                self._tell(0)
        except KeyboardInterrupt:
            self._console.write("status: not waiting for the connection.")
        self._settle()
        self._say_what_is_open()

    def _say_what_is_open(self) -> None:
        if self._room.editing.assistant_id is None:
            begun = self._room.form.draft.text("name")
            how = f" One is begun, named {self._room.form.name}: /edit goes on with it." if begun else ""
            self._console.write(f"No assistant is open.{how} /new makes one, /assistants lists those there are.")
        else:
            model = self._room.form.draft.text("model")
            thread = "a new thread" if self._room.sending.chatting.thread_id is None else "the last thread"
            self._console.write(f"Assistant {self._room.form.name} is open, with model {model}, on {thread}.")
        if self._room.chat.waiting:
            self._console.write(f"{len(self._room.chat.waiting)} messages were not sent: /waiting.")

    # The prompt

    def _prompt(self) -> str:
        begun = self._composer.text
        if begun:
            how = "it stands in the line and enter sends it" if self._console.edits else "/again sends it"
            self._console.write(f"Not sent yet, {how}: {shorten(begun, 200)}")
        lines = self._console.read_pasted(PROMPT, begun=begun, history=self._composer.sent, typed=self._typed)
        if len(lines) == 1:
            return lines[0]
        self._console.write(f"Several lines came at once: {len(lines)}.")
        return self._several(lines)

    def _typed(self, line: str) -> None:
        """What stands in the line is kept as it is typed; from a signal handler."""
        if line != self._composer.text:
            self._composer.text = line
            self._room.sending.chatting.store()

    def _several(self, begun: list[str]) -> str:
        lines = write_lines(self._console, lambda now: self._typed("\n".join(now)), begun=begun)
        return "" if lines is None else "\n".join(lines)

    def _take(self, text: str) -> None:
        """A message, a command, or nothing, which asks for the menu."""
        if not text.strip():
            self._clear()
            self._menu()
        elif text.startswith("/") and not text.startswith("//"):
            self._clear_typed(text)
            self._command(text[1:].strip())
        else:
            self._send(text[1:] if text.startswith("//") else text)

    def _clear(self) -> None:
        self._composer.text = ""
        self._room.do(self._room.sending.chatting.keep)

    def _clear_typed(self, text: str) -> None:
        """Take a command out of the composer, where the line was kept as it was typed."""
        if self._console.edits:
            self._clear()

    def _send(self, text: str) -> None:
        def send() -> None:
            self._composer.text = ""
            self._room.sending.submit(text)

        if self._room.editing.assistant_id is None and self._room.desk.client is not None:
            self._composer.text = text
            self._console.write("There is no assistant yet to answer. Your message is kept.")
            self._guide()
            return
        self._room.do(send)
        if self._room.desk.client is None:
            self._console.write("Not connected yet: your message goes out as soon as the server has answered.")

    # Commands

    def _menu(self) -> None:
        chosen = choose(self._console, "Menu.", [f"{c.does} (/{c.word})" for c in self._commands])
        if chosen is not None:
            self._commands[chosen].run("")

    def _command(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        found = [c for c in self._commands if c.word == word] or [c for c in self._commands if c.word.startswith(word)]
        if word and found:
            found[0].run(rest.strip())
        else:
            self._console.write(f"There is no command /{word}. /help reads them. Begin with // to send such a text.")

    def _help(self) -> None:
        self._console.write("What you type is sent as a message, unless it begins with a stroke. ctrl+c cancels a run.")
        for command in self._commands:
            self._console.write(f"/{command.word}: {command.does}.")
        paths = self._room.desk.paths
        self._console.write(f"Your texts are kept in {paths.data}, the configuration is {paths.config_file}.")

    def _quit(self) -> None:
        raise Leave

    def _edit(self, field: str) -> None:
        if field:
            self._fields.named(field)
        else:
            self._fields.all()
        if self._room.form.draft.is_new and not self._room.form.draft.problems():
            self._offer_to_create()

    def _offer_to_create(self) -> None:
        if confirm(self._console, f"The assistant {self._room.form.name} is not created yet. Create it now?"):
            self._save()

    def _save(self) -> None:
        self._room.wait(self._room.editing.save())
        if not self._tell(0):
            self._console.write(f"assistant form: {self._room.form.sentence()}.")

    def _assistants(self, name: str) -> None:
        if name:
            self._lists.open(name)
        else:
            self._lists.assistants()

    def _new(self) -> None:
        self._lists.new()
        self._guide()

    def _guide(self) -> None:
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

    def _copy(self) -> None:
        self._lists.copy(self._room.editing.assistant_id)

    # The thread

    def _read(self, count: str) -> None:
        messages = self._room.do(self._room.chat.messages)
        if count.isdecimal() and int(count):
            messages = messages[-int(count) :]
        elif self._room.chat.more:
            self._console.write("There are older messages: /older reads them.")
        for message in messages:
            for line in message_lines(message):
                self._console.write(line)
        if not messages:
            self._console.write("This thread has no messages yet.")

    def _older(self) -> None:
        if self._room.chat.more:
            self._room.attempt(self._room.sending.chatting.older(), "the older messages could not be read")
        else:
            self._console.write("There are no older messages.")

    def _again(self) -> None:
        self._room.do(self._room.sending.run_again)

    def _lines(self) -> None:
        text = self._several([])
        if text.strip():
            self._send(text)

    def _editor(self) -> None:
        chatting = self._room.sending.chatting
        edited = in_editor(self._room, self._console, self._composer.text, COMPOSER, chatting.thread_id or NEW_THREAD)
        if edited is None:
            return
        self._composer.text = edited.text
        self._room.do(chatting.keep)
        if self._room.desk.cache.flush():
            edited.discard()
        for line in edited.text.split("\n"):
            self._console.write(f"your text: {line}")
        if edited.text.strip() and confirm(self._console, "Send this?"):
            self._send(edited.text)

    def _waiting(self) -> None:
        waiting = self._room.chat.waiting
        if not waiting:
            self._console.write("No message waits.")
            return
        rows = [f"{item.state}: {shorten(item.text, 200)}" for item in waiting]
        chosen = choose(self._console, "Messages that wait:", rows)
        if chosen is None:
            return
        item = waiting[chosen]
        action = choose(self._console, f"{rows[chosen]}. What to do with it?", ["send it", "change it", "drop it"])
        sending = self._room.sending
        if action is not None:
            jobs = (sending.send_held, sending.edit_held, sending.chatting.outbox.take)
            self._room.do(lambda: jobs[action](item.key))

    def _status(self) -> None:
        room = self._room
        self._console.write(f"assistant: {room.form.name}, {room.editing.assistant_id or 'not created yet'}.")
        self._console.write(f"form: {room.form.sentence()}.")
        self._console.write(f"thread: {room.sending.chatting.thread_id or 'a new one'}, {self._count()}.")
        run = room.chat.run
        self._console.write(status_line(run) if run else "status: no run yet in this thread.")
        connected = room.desk.client.where if room.desk.client else "nothing yet"
        self._console.write(f"connected to: {connected}.")

    def _count(self) -> str:
        count = len(self._room.do(self._room.chat.messages))
        return "1 message" if count == 1 else f"{count} messages"

    # A run under way

    def _settle(self) -> None:
        """Tell what happens until nothing is under way; ask for the outputs a run waits for."""
        while True:
            self._follow()
            run = self._room.run
            if run is None or run.status != "requires_action" or not run.waiting_for:
                return
            self._give_outputs(run)

    def _follow(self) -> None:
        said = time.monotonic()
        while True:
            try:
                if self._tell(GLANCE):
                    said = time.monotonic()
                elif not self._room.busy:
                    self._tell(0)
                    return
                elif time.monotonic() - said > STILL:
                    said = time.monotonic()
                    self._say_still()
            except KeyboardInterrupt:
                self._cancel()

    def _say_still(self) -> None:
        run = self._room.run
        if run is not None:
            since = duration(time.time() - (run.started_at or run.created_at))
            self._console.write(f"status: still {run.status.replace('_', ' ')} after {since}. ctrl+c cancels.")

    def _tell(self, seconds: float) -> bool:
        """Write what there is to say, waiting so long for the first line; whether there was something."""
        self._room.stage.raise_fault()
        line = self._room.voice.next(seconds)
        something = line is not None
        while line is not None:
            self._console.write(line)
            line = self._room.voice.next(0)
        return something

    def _cancel(self) -> None:
        """ctrl+c: stop looking for a lost run, cancel the run, and the second time leave it."""
        run = self._room.run
        if self._room.do(self._room.sending.stop_retrying):
            return
        if run is not None and run.status == "cancelling":
            self._room.do(self._room.sending.leave)
            self._console.write("status: left. The run goes on at the server until it has ended there.")
            return
        self._console.write("status: cancelling.")
        try:
            self._room.wait(self._room.sending.cancel())
        except AssistantsError as error:
            self._console.write(f"problem: {error}")

    # Function outputs

    def _give_outputs(self, run: Run) -> None:
        calls = run.waiting_for
        outputs = {}
        for number, call in enumerate(calls, start=1):
            output = self._output(call, f" ({number} of {len(calls)})" if len(calls) > 1 else "")
            if output is None:
                self._cancel_waiting_run()
                return
            outputs[call.id] = output
        self._room.do(lambda: self._room.sending.answer(outputs))

    def _output(self, call: ToolCall, place: str) -> str | None:
        """The output of a call; None when the run is to be cancelled."""
        self._console.write(f"tool: {call_name(call)} wants its output{place}. {arguments(call) or 'no arguments'}.")
        self._console.write("Type the output, /lines for several lines, or ctrl+c to cancel the run.")
        try:
            line = self._console.read(f"output of {call_name(call)}: ")
        except (KeyboardInterrupt, EOFError):
            self._console.write("")
            return None
        if line.strip() == "/lines":
            lines = write_lines(self._console, lambda now: None)
            return None if lines is None else "\n".join(lines)
        return line

    def _cancel_waiting_run(self) -> None:
        chatting = self._room.sending.chatting

        async def cancel() -> None:
            if chatting.conversation is not None:
                run = await chatting.conversation.cancel()
                self._room.chat.show_run(run)

        self._room.attempt(cancel(), "not cancelled")
        self._tell(0)
