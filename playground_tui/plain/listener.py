"""What happens beside the terminal, told between prompts; a run is followed until it rests."""

from __future__ import annotations

import time
from functools import partial

from playground_tui.assistants.errors import AssistantsError
from playground_tui.assistants.objects import Run, ToolCall
from playground_tui.assistants.run_words import duration
from playground_tui.desk.panes import output_key
from playground_tui.plain.chat import GLANCE
from playground_tui.plain.console import Console
from playground_tui.plain.fields import write_lines
from playground_tui.plain.room import Room
from playground_tui.plain.wording import arguments, call_name
from playground_tui.text import shorten

STILL = 15.0
"""Seconds of silence after which it is said that a run goes on."""


class Listener:
    """Tells what there is to say, and asks for the outputs that a run waits for."""

    def __init__(self, room: Room, console: Console) -> None:
        self._room = room
        self._console = console

    def settle(self) -> None:
        """Tell what happens until nothing is under way; ask for the outputs a run waits for."""
        while True:
            self._follow()
            run = self._room.run
            if run is None or run.status != "requires_action" or not run.waiting_for:
                return
            if not self._give_outputs(run):
                self._follow()
                return

    def _follow(self) -> None:
        said = time.monotonic()
        while True:
            try:
                if self.tell(GLANCE):
                    said = time.monotonic()
                elif not self._room.busy:
                    self.tell()
                    return
                elif time.monotonic() - said > STILL:
                    said = time.monotonic()
                    self._say_still()
            except KeyboardInterrupt:
                self._cancel()

    def _say_still(self) -> None:
        run, sending = self._room.run, self._room.chat.sending
        if sending:
            self._console.write(f"status: still {sending}. ctrl+c stops.")
        elif run is not None:
            since = duration(time.time() - (run.started_at or run.created_at))
            self._console.write(f"status: still {run.status.replace('_', ' ')} after {since}. ctrl+c cancels.")

    def tell(self, seconds: float = 0) -> bool:
        """Write what there is to say, waiting so long for the first line; whether there was something."""
        return self._room.tell(self._console.write, seconds)

    def _cancel(self) -> None:
        """ctrl+c: stop looking for a lost run, cancel the run, and the second time leave it."""
        run = self._room.run
        if self._room.do(self._room.sending.stop_retrying):
            return
        if run is not None and run.status == "cancelling":
            self._room.do(self._room.sending.leave)
            self._console.write("status: left. The run goes on at the server until it has ended there.")
            return
        if run is None or run.status == "queued":
            self._console.write("status: cancelling.")
        try:
            self._room.wait(self._room.sending.cancel())
        except AssistantsError as error:
            self._console.write(f"problem: {error}")

    # Function outputs

    def _give_outputs(self, run: Run) -> bool:
        """Ask for the output of each call; False when the run is cancelled in their place."""
        calls = run.waiting_for
        outputs = {}
        for number, call in enumerate(calls, start=1):
            place = f" ({number} of {len(calls)})" if len(calls) > 1 else ""
            output = self._output(call, place, output_key(run.id, call.id))
            if output is None:
                self._cancel_waiting_run()
                return False
            outputs[call.id] = output

        def answer() -> None:
            self._room.chat.answered()
            self._room.sending.answer(outputs)

        self._room.do(answer)
        return True

    def _output(self, call: ToolCall, place: str, key: str) -> str | None:
        """The output of a call, kept under `key` as it is typed; None when the run is to be cancelled."""
        given = arguments(call)
        what = f"with {given}" if given else "without arguments"
        self._console.write(f"tool: {call_name(call)} wants its output{place}, called {what}.")
        self._console.write("Type the output, /lines for several lines, or ctrl+c to cancel the run.")
        begun, keep = self._room.chat.outputs.typed.get(key, ""), partial(self._typed, key)
        several = begun.split("\n") if "\n" in begun else []
        prompt = f"output of {call_name(call)}: "
        try:
            if several:
                self._console.write(f"/lines goes on with what was typed before: {shorten(begun, 200)}")
                line = self._console.read(prompt)
            else:
                line = self._console.read(prompt, begun=begun, typed=keep)
        except KeyboardInterrupt:
            self._console.write("")
            return None
        if line.strip() == "/lines":
            lines = write_lines(self._console, lambda now: keep("\n".join(now)), begun=several)
            return None if lines is None else "\n".join(lines)
        keep(line)
        return line

    def _typed(self, key: str, text: str) -> None:
        """What is typed of an output is kept; from a signal handler."""
        self._room.chat.outputs.note(key, text)
        self._room.sending.chatting.store()

    def _cancel_waiting_run(self) -> None:
        chatting = self._room.sending.chatting

        async def cancel() -> None:
            run = await chatting.conversation.cancel() if chatting.conversation is not None else None
            self._room.chat.show_run(run)
            if run is not None and run.active:
                self._room.sending.follow(run)

        self._room.attempt(cancel(), "not cancelled")
