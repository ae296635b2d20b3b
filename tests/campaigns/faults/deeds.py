"""What a user does, a deed for each kind of request, and how it is known to be done or to have failed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import ClassVar

from playground_tui.desk.models import read_models
from tests.campaigns.faults.bench import LONG, Bench
from tests.support.provider_server import Exchange, Received, Reply

FUNCTION = {
    "type": "function",
    "function": {"name": "look", "parameters": {"type": "object", "properties": {}}},
}


class Deed:
    """One kind of request. `where` finds it; `counted`: its failures are counted down on the screen."""

    where: ClassVar[str]
    counted: ClassVar[bool] = False
    first_delay: ClassVar[float] = LONG
    """Seconds of the first pause where the countdown is to be seen."""
    countdown: ClassVar[str] = r"(again|retrying) in (2\d|30) s.*escape stops"
    ends: ClassVar[bool] = True
    """Whether it is given up some time: a run is looked for as long as the user likes."""
    streams: ClassVar[bool] = False
    model: ClassVar[str] = "rehearsal/echo"
    fields: ClassVar[dict[str, object]] = {}
    missing: ClassVar[str] = ""
    """What is said in place of the server's words when it answers 404."""
    taken: ClassVar[str] = ""
    """What is said where another's object cannot be told from the one asked for."""

    def __init__(self, bench: Bench) -> None:
        self.b = bench
        self.p = bench.p
        self.typed: list[str] = []
        self.assistant = ""

    @property
    def name(self) -> str:
        return type(self).__name__

    async def prepare(self) -> None:
        self.assistant = await self.b.opened(self.model, **self.fields)

    async def act(self) -> None:
        """What the user does."""
        raise NotImplementedError

    async def again(self) -> None:
        """What the user does after it has failed."""
        await self.act()

    def done(self) -> bool:
        raise NotImplementedError

    def failed(self) -> bool:
        """Whether it is said that it has failed, and nothing more is tried."""
        raise NotImplementedError

    def kept(self) -> None:
        """Nothing that was typed is lost after a failure."""

    def first(self, _request: Received) -> Reply | None:
        """What is spoiled besides, so that the kind of request comes."""
        return None

    async def write(self, text: str) -> None:
        self.typed.append(text)
        await self.p.write(text)

    async def talked(self, text: str) -> None:
        await self.write(text)
        await self.b.until(lambda: self.b.idle and self._answers() == len(self.typed), f"an answer to {text}")

    def _answers(self) -> int:
        return sum(message.role == "assistant" and bool(message.text) for message in self.p.chat.messages())

    async def check(self) -> None:
        """In the end: each text once at the server, and on the screen what is there."""
        await self.b.settled()
        users = [message.text for message in await self.b.truth() if message.role == "user"]
        assert users == self.typed, f"sent {self.typed}, at the server {users}"
        await self.b.same()


class Models(Deed):
    where = "^GET /models"

    async def act(self) -> None:
        self.p.app.desk.cache.update_server(lambda state: replace(state, models=()))
        self.said = len(self.b.sentences)
        self.p.screen.desk.work(read_models(self.p.screen.desk, self.p.screen.form_pane), group="models")

    def done(self) -> bool:
        return bool(self.p.app.desk.cache.server.models)

    def failed(self) -> bool:
        return "The model list could not be read" in self.p.said[-1:].__repr__()


class Listing(Deed):
    where = r"^GET /assistants\?"

    async def act(self) -> None:
        await self.p.press("ctrl+o")

    def done(self) -> bool:
        return len(self.p.app.screen_stack) > 2

    def failed(self) -> bool:
        return "The assistants could not be listed" in self.p.said[-1:].__repr__()

    async def check(self) -> None:
        await self.p.press("escape")
        await self.b.until(lambda: len(self.p.app.screen_stack) == 2, "the list is closed")
        await super().check()


class Reading(Deed):
    """The assistant is read because somebody may have changed it."""

    where = r"^GET /assistants/"
    missing = "Deleted elsewhere"

    async def prepare(self) -> None:
        await super().prepare()
        await self.b.server.update_assistant(self.assistant, {"name": "Renamed"})

    async def act(self) -> None:
        self.p.screen._read_assistant()

    def done(self) -> bool:
        return self.p.form.draft.text("name") == "Renamed" and str(self.p.screen.where.content).startswith("connected")

    def failed(self) -> bool:
        return not self.p.screen._reading and (self.b.reads("Asking again") or self.b.reads(self.missing))


class Saving(Deed):
    where = r"^POST /assistants/"
    counted = True
    ends = False
    missing = "Deleted elsewhere"

    async def act(self) -> None:
        self.p.form.set_value("name", "Edited")

    async def again(self) -> None:
        await self.p.press("f5")

    def done(self) -> bool:
        editor = self.p.screen.editing.editor
        saved = editor is not None and editor.state.kind == "saved" and not editor.unsaved
        return saved and editor is not None and editor.draft.text("name") == "Edited"

    def failed(self) -> bool:
        editor = self.p.screen.editing.editor
        state = editor.state if editor is not None else None
        return state is not None and (state.kind == "deleted" or (state.kind == "failed" and state.retry_in is None))

    def kept(self) -> None:
        assert self.p.form.draft.text("name") == "Edited", self.p.form.draft.text("name")

    async def check(self) -> None:
        await super().check()
        there = await self.b.server.retrieve_assistant(self.p.screen.editing.assistant_id or "")
        assert there.name == "Edited", there.name


class Creating(Deed):
    where = r"^POST /assistants\?"
    counted = True

    async def prepare(self) -> None:
        self.title = f"New {len(self.b.proxy.requests)}"
        await self.p.screen.picking.new_assistant()
        self.p.form.set_value("name", self.title)
        self.p.form.set_value("model", "rehearsal/echo")
        await self.p.pilot.pause()

    async def act(self) -> None:
        await self.p.press("f5")

    def done(self) -> bool:
        return self.p.screen.editing.assistant_id is not None

    def failed(self) -> bool:
        return "Not created:" in self.p.said[-1:].__repr__()

    def kept(self) -> None:
        assert self.p.form.draft.text("name") == self.title

    async def check(self) -> None:
        await super().check()
        named = [one for one in await self.b.server.list_assistants() if one.name == self.title]
        assert len(named) == 1, f"{len(named)} assistants were made"


class Sending(Deed):
    """A message on a thread that is there."""

    where = r"^POST /threads/\w+/messages"
    counted = True

    async def prepare(self) -> None:
        await super().prepare()
        await self.talked("first")

    async def act(self) -> None:
        await self.write("second")

    async def again(self) -> None:
        await self.p.press("ctrl+r")

    def done(self) -> bool:
        return self.b.idle and self._answers() == len(self.typed)

    def failed(self) -> bool:
        return self.b.idle and self.p.chat.problem.display and not self.done()

    def kept(self) -> None:
        assert self.p.chat.composer.text == self.typed[-1], self.p.chat.composer.text


class Beginning(Sending):
    """The first message, for which a thread is made."""

    where = r"^POST /threads\?"
    taken = "no longer knows the thread"

    async def prepare(self) -> None:
        await Deed.prepare(self)


class Running(Sending):
    where = r"^POST /threads/\w+/runs\?"
    streams = True

    def kept(self) -> None:
        assert self.p.chat.messages()[-1].text == "second"


class Loading(Deed):
    """The thread is read anew."""

    where = r"^GET /threads/\w+/messages"
    counted = True

    async def prepare(self) -> None:
        await super().prepare()
        await self.talked("first")
        self.typed.append("from elsewhere")
        await self.b.server.create_message(self.b.thread_id, "from elsewhere", key=f"{len(self.b.proxy.requests)}")

    async def act(self) -> None:
        self.p.screen.desk.work(self.p.screen.sending.chatting.load(), group="load")

    async def again(self) -> None:
        await self.p.press("ctrl+r")

    def done(self) -> bool:
        return self.b.idle and self.p.chat.messages()[-1].text == "from elsewhere"

    def failed(self) -> bool:
        return self.b.idle and self.p.screen.sending.chatting.unread


class LoadingRuns(Loading):
    where = r"^GET /threads/\w+/runs\?"


class Following(Sending):
    """A run whose stream breaks and that is asked for."""

    where = r"^GET /threads/\w+/runs/\w+\?"
    streams = False
    first_delay = 0.5
    countdown = r"again in \d+ s \(attempt [3-9]\) · escape stops"
    ends = False

    def __init__(self, bench: Bench) -> None:
        super().__init__(bench)
        self._cut = False

    def first(self, request: Received) -> Reply | None:
        if self._cut or request.method != "POST" or not request.path.endswith("/runs"):
            return None
        self._cut = bool(self.typed[1:])
        return self._broken if self._cut else None

    async def _broken(self, exchange: Exchange) -> None:
        async with self.b.proxy.asked(exchange.request) as upstream:
            await exchange.head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})
            await exchange.chunk(await first_events(upstream.body))
        raise ConnectionAbortedError

    def kept(self) -> None:
        assert "second" in [message.text for message in self.p.chat.messages()]


class FollowingSteps(Following):
    where = r"^GET /threads/\w+/runs/\w+/steps"


class FollowingMessages(Following):
    where = r"^GET /threads/\w+/messages\?.*run_id="


class Cancelling(Deed):
    where = r"^POST /threads/\w+/runs/\w+/cancel"
    model = "rehearsal/markdown"

    async def prepare(self) -> None:
        self.b.pace(40.0)
        await super().prepare()

    async def act(self) -> None:
        if not self.typed:
            await self.write("go on")
        await self.b.until(lambda: len(self.p.chat.last_answer() or "") > 20, "a run under way")
        await self.p.press("escape")

    def done(self) -> bool:
        return self.b.idle and "cancelled" in self.p.status

    def failed(self) -> bool:
        return "Not cancelled:" in self.p.said[-1:].__repr__()


class Submitting(Deed):
    where = r"^POST /threads/\w+/runs/\w+/submit_tool_outputs"
    counted = True
    streams = True
    model = "rehearsal/tools"
    fields: ClassVar[dict[str, object]] = {"tools": [FUNCTION]}

    async def prepare(self) -> None:
        await super().prepare()
        await self.write("look")
        await self.b.until(lambda: self.p.chat.outputs.display and self.b.idle, "the output is asked for")

    async def act(self) -> None:
        self.p.chat.outputs.area.focus()
        await self.p.press(*"sunny", "enter")

    async def again(self) -> None:
        self.p.chat.outputs.area.focus()
        await self.p.press("enter")

    def done(self) -> bool:
        return self.b.idle and "sunny" in (self.p.chat.last_answer() or "") and "completed" in self.p.status

    def failed(self) -> bool:
        return self.b.idle and self.p.chat.outputs.display and self.p.chat.problem.display

    def kept(self) -> None:
        assert self.p.chat.outputs.area.text == "sunny"


async def first_events(body: AsyncIterator[bytes]) -> bytes:
    """The beginning of a run's stream, up to where the run is under way."""
    received = b""
    async for piece in body:
        received += piece
        if b"thread.run.in_progress" in received:
            break
    return received[: received.rindex(b"\n\n") + 2]


DEEDS: list[type[Deed]] = [
    Models,
    Listing,
    Reading,
    Saving,
    Creating,
    Beginning,
    Sending,
    Running,
    Loading,
    LoadingRuns,
    Following,
    FollowingSteps,
    FollowingMessages,
    Cancelling,
    Submitting,
]
