"""The conversation: a prompt for messages and commands, and what the run does told line by line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from playground_tui.desk.chatting import COMPOSER, NEW_THREAD
from playground_tui.plain.assistant import AssistantCommands
from playground_tui.plain.attached import Attached
from playground_tui.plain.chat import GLANCE
from playground_tui.plain.composing import Composing
from playground_tui.plain.console import Console
from playground_tui.plain.fields import in_editor, write_lines
from playground_tui.plain.files import Files
from playground_tui.plain.listener import Listener
from playground_tui.plain.lists import Lists
from playground_tui.plain.menus import choose, confirm
from playground_tui.plain.past import Past
from playground_tui.plain.room import Room
from playground_tui.plain.wording import status_line
from playground_tui.text import shorten


@dataclass(frozen=True, slots=True)
class Command:
    """What can be done besides writing. `run` gets what stands behind the command's word."""

    word: str
    does: str
    run: Callable[[str], None]
    example: str = ""
    """What may stand behind the word, and what it does then."""


class Leave(Exception):
    """The user wants to leave."""


class Talk:
    """One session at the terminal."""

    def __init__(self, room: Room, console: Console) -> None:
        self._room = room
        self._console = console
        self._lists = Lists(room, console)
        self._own = AssistantCommands(room, console, self._lists)
        self._past = Past(room, console, self._lists)
        self._listener = Listener(room, console)
        self._attached = Attached(room, console)
        self._files = Files(room, console)
        self._composing = Composing(room, console)
        self._commands = self._all_commands()

    def _all_commands(self) -> tuple[Command, ...]:
        return (
            Command("edit", "edit this assistant", self._own.edit, "/edit temperature edits this field alone"),
            Command("save", "create this assistant, or save it now", self._own.save),
            Command(
                "assistants", "open, copy or delete an assistant", self._own.assistants, "/assistants NAME opens it"
            ),
            Command("new", "begin a new assistant", self._own.new),
            Command("copy", "begin a copy of this assistant", self._own.copy),
            Command("thread", "begin a new thread", self._new_thread),
            Command("threads", "go to another thread of this assistant, or delete one", self._threads),
            Command("versions", "hear, compare and restore versions of this assistant", self._past.versions),
            Command("deleted", "bring back a deleted assistant or thread", self._past.deleted),
            Command("restore", "bring back the assistant or thread deleted last", self._restore),
            Command("read", "read this thread", self._read, "/read 3 reads its last three messages"),
            Command("older", "read the messages before those of /read", self._older),
            Command(
                "attach",
                "attach a file, or change those attached",
                self._attached.command,
                "/attach plan.pdf",
            ),
            Command("files", "hear, add and take out files of this assistant", self._files.of_assistant),
            Command("download", "save a file that was made in this thread", self._files.download, "/download plot.png"),
            Command("again", "run again, or retry what failed", self._again),
            Command("lines", "write a message of several lines", self._lines),
            Command("editor", "write the message in your editor", self._editor),
            Command("waiting", "send, change or drop messages that were not sent", self._waiting),
            Command("status", "say where everything stands", self._status),
            Command("help", "read the commands", self._help),
            Command("quit", "leave; everything is kept", self._quit),
        )

    def run(self) -> None:
        """Talk until the user leaves."""
        self._greet()
        while True:
            try:
                self._listener.settle()
                self._take(self._prompt())
            except KeyboardInterrupt:
                self._drop()
            except (EOFError, Leave):
                break

    # The start

    def _greet(self) -> None:
        self._console.write("playground-tui, plain mode. Enter alone opens the menu, /help reads the commands.")
        self._console.write("status: connecting.")
        try:
            while not self._room.arrived.wait(GLANCE):
                self._listener.tell()
        except KeyboardInterrupt:
            self._console.write("status: not waiting for the connection.")
        self._listener.settle()
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
        waiting = len(self._room.chat.waiting)
        if waiting:
            self._console.write(f"{waiting} {'message was' if waiting == 1 else 'messages were'} not sent: /waiting.")

    # The prompt

    def _prompt(self) -> str:
        lines = self._composing.read()
        if len(lines) == 1:
            return lines[0]
        self._console.write(f"Several lines came at once: {len(lines)}.")
        return self._several(lines)

    def _several(self, begun: list[str]) -> str:
        lines = write_lines(self._console, lambda now: self._composing.typed("\n".join(now)), begun=begun)
        if lines is None:
            raise KeyboardInterrupt
        return "\n".join(lines)

    def _drop(self) -> None:
        """ctrl+c at the prompt: what stands in the line is not wanted; the up arrow still has it."""
        back = " The up arrow brings the line back." if self._composing.drop() else ""
        self._console.write(f"\nNothing is sent.{back} /quit leaves.")

    def _take(self, text: str) -> None:
        """A message, a command, or nothing, which asks for the menu."""
        if not text.strip():
            self._composing.taken()
            self._menu()
        elif text.startswith("/") and not text.startswith("//"):
            self._composing.taken()
            self._command(text[1:].strip())
        else:
            self._send(text[1:] if text.startswith("//") else text)

    def _send(self, text: str) -> None:
        if self._room.editing.assistant_id is None and self._room.desk.client is not None:
            self._composing.hold(text)
            self._console.write("There is no assistant yet to answer. Your message is kept.")
            self._own.guide()
            return
        self._composing.send(text)
        if self._room.desk.client is None:
            self._console.write("Not connected yet: your message goes out as soon as the server has answered.")

    # Commands

    def _menu(self) -> None:
        chosen = choose(self._console, "Menu.", [f"{c.does}: /{c.word}" for c in self._commands])
        if chosen is not None:
            self._commands[chosen].run("")

    def _command(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        found = [c for c in self._commands if c.word == word] or [c for c in self._commands if c.word.startswith(word)]
        if word and found:
            found[0].run(rest.strip())
        else:
            self._console.write(f"There is no command /{word}. /help reads them. Begin with // to send such a text.")

    def _help(self, _rest: str = "") -> None:
        self._console.write("What you type is sent as a message, unless it begins with a slash. ctrl+c cancels a run.")
        for command in self._commands:
            example = f" {command.example}." if command.example else ""
            self._console.write(f"/{command.word}: {command.does}.{example}")
        paths = self._room.desk.paths
        self._console.write(f"Your texts are kept in {paths.data}, the configuration is {paths.config_file}.")

    def _quit(self, _rest: str = "") -> None:
        raise Leave

    # The thread

    def _new_thread(self, _rest: str) -> None:
        self._lists.open_thread(None)

    def _threads(self, _rest: str) -> None:
        self._lists.threads()

    def _restore(self, _rest: str) -> None:
        self._lists.restore()

    def _read(self, count: str) -> None:
        messages = self._room.do(self._room.chat.messages)
        if count.isdecimal() and int(count):
            messages = messages[-int(count) :]
        elif self._room.chat.more:
            self._console.write("There are older messages: /older reads them.")
        for line in self._room.lines_of(messages):
            self._console.write(line)
        if not messages:
            self._console.write("This thread has no messages yet.")

    def _older(self, _rest: str = "") -> None:
        if self._room.chat.more:
            self._room.attempt(self._room.sending.chatting.older(), "the older messages could not be read")
        else:
            self._console.write("There are no older messages.")

    def _again(self, _rest: str = "") -> None:
        self._room.do(self._room.again)

    def _lines(self, _rest: str = "") -> None:
        text = self._several([])
        if text.strip():
            self._send(text)

    def _editor(self, _rest: str = "") -> None:
        chatting, composer = self._room.sending.chatting, self._room.chat.composer
        before = composer.text
        edited = in_editor(self._room, self._console, before, COMPOSER, chatting.thread_id or NEW_THREAD)
        if edited is None:
            return
        self._composing.take_in(before, edited.text)
        if self._room.desk.cache.flush():
            edited.discard()
        text = composer.text
        for line in text.split("\n"):
            self._console.write(f"your text: {line}")
        if text.strip() and confirm(self._console, "Send this?"):
            self._send(text)

    def _waiting(self, _rest: str = "") -> None:
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
            jobs = (sending.send_held, sending.edit_held, sending.drop_held)
            self._room.do(lambda: jobs[action](item.key))

    def _status(self, _rest: str = "") -> None:
        for line in where_all_stands(self._room):
            self._console.write(line)


def where_all_stands(room: Room) -> Iterator[str]:
    """What is open, whether it is saved, what runs and where."""
    yield f"assistant: {room.form.name}, {room.editing.assistant_id or 'not created yet'}."
    yield f"form: {room.form.sentence()}."
    count = len(room.do(room.chat.messages))
    messages = "1 message" if count == 1 else f"{count} messages"
    yield f"thread: {room.sending.chatting.thread_id or 'a new one'}, {messages}."
    run = room.chat.run
    yield status_line(run) if run else "status: no run yet in this thread."
    yield f"connected to: {room.desk.client.where if room.desk.client else 'nothing yet'}."
