"""Another assistant or thread is opened while something is under way: each thing stays where it belongs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from playground_tui.assistants.client import AssistantsClient
from playground_tui.assistants.editor import Editor
from playground_tui.assistants.errors import AssistantsError, NotReachable
from playground_tui.assistants.objects import Message, Step, ToolCall
from playground_tui.config import Settings
from playground_tui.desk.arrival import Arrival
from tests.support.engine import RunningEngine
from tests.support.playground import Playground, playground
from tests.support.wait import until

LOOKUP = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
SLOW = Settings(autosave_delay=60)


class Door:
    """Holds a method of the client: the answer is there and comes once the door is open."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, method: str, *, after: int = 0) -> None:
        """The first `after` answers come at once."""
        self.waits = 0
        self._open = asyncio.Event()
        call = getattr(AssistantsClient, method)

        async def held(client: AssistantsClient, *args: Any, **named: Any) -> Any:
            answer = await call(client, *args, **named)
            self.waits += 1
            if self.waits > after:
                await self._open.wait()
            return answer

        monkeypatch.setattr(AssistantsClient, method, held)

    def open(self) -> None:
        self._open.set()


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is read but what the test reads: changes that the engine tells of are not heeded."""

    async def unheeded(*_: object) -> None:
        pass

    monkeypatch.setattr(Arrival, "changed", unheeded)


async def made(engine: RunningEngine, name: str, **fields: Any) -> str:
    return (await engine.client().create_assistant({"model": "rehearsal/echo", "name": name, **fields}, key=name)).id


@asynccontextmanager
async def on_a_thread(engine: RunningEngine, **fields: Any) -> AsyncIterator[Playground]:
    """A playground in which an assistant was asked once, and has answered."""
    only = await made(engine, "A", **fields)
    async with playground(engine, settings=SLOW) as p:
        await p.screen.picking.open_assistant(only)
        await p.write("hello")
        await p.answered("hello")
        yield p


async def test_what_is_typed_while_an_assistant_is_created_and_left_is_an_edit_of_it(
    engine: RunningEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with playground(engine, settings=SLOW) as p:
        p.form.set_value("name", "New")
        p.form.set_value("model", "rehearsal/echo")
        door = Door(monkeypatch, "create_assistant")
        await p.press("f5")
        await p.until(lambda: door.waits)
        p.form.set_value("description", "typed later")
        await p.screen.picking.new_assistant()
        door.open()
        await p.until(lambda: not any(worker.group == "save" for worker in p.app.workers))
        assert p.app.desk.cache.new_drafts() == []
        (created,) = await engine.client().list_assistants()
        await p.screen.picking.open_assistant(created.id)
        assert (p.form.draft.text("description"), p.form.draft.edits) == ("typed later", {"description": "typed later"})


async def test_what_is_typed_while_its_assistant_is_deleted_is_kept_with_it(
    engine: RunningEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    only = await made(engine, "A")
    async with playground(engine, settings=SLOW) as p:
        await p.screen.editing.open(only)
        door = Door(monkeypatch, "delete_assistant")
        deleting = asyncio.ensure_future(p.screen.editing.delete(only))
        await until(lambda: door.waits)
        p.form.set_value("description", "typed")
        await until(lambda: p.screen.editing.draft.edits)
        door.open()
        await deleting
        kept = p.app.desk.cache.load_draft(only)
        assert kept is not None and kept.edits == {"description": "typed"}


async def test_no_editor_is_forgotten_where_an_assistant_is_opened_as_the_server_is_connected_to_again(
    engine: RunningEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await made(engine, "A"), await made(engine, "B")
    editors: set[Editor | None] = set()
    close = Editor.close

    async def closed(editor: Editor) -> None:
        await close(editor)
        editors.discard(editor)

    monkeypatch.setattr(Editor, "close", closed)
    async with playground(engine, settings=SLOW) as p:
        attach = p.screen.editing._attach

        def attached() -> None:
            attach()
            editors.add(p.screen.editing.editor)

        monkeypatch.setattr(p.screen.editing, "_attach", attached)
        await p.screen.editing.open(first)
        p.form.set_value("name", "A, edited")
        door = Door(monkeypatch, "update_assistant")
        opening = asyncio.ensure_future(p.screen.editing.open(second))
        await until(lambda: door.waits)  # for what is unsaved
        p.screen.editing._attached_to = None  # the client is another one
        connecting = asyncio.ensure_future(p.screen.editing.connected(None))
        await asyncio.sleep(0)
        door.open()
        await asyncio.gather(opening, connecting)
        assert editors == {p.screen.editing.editor}


async def test_a_message_never_goes_to_the_thread_of_the_assistant_before(
    engine: RunningEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await made(engine, "A"), await made(engine, "B")
    async with playground(engine, settings=SLOW) as p:
        await p.screen.picking.open_assistant(first)
        await p.write("to A")
        await p.answered("to A")
        thread = p.screen.sending.chatting.thread_id
        assert thread is not None
        door = Door(monkeypatch, "retrieve_assistant", after=1)
        opening = asyncio.ensure_future(p.screen.picking.open_assistant(second))
        await until(lambda: p.form.draft.text("name") == "B")
        await p.write("to B")
        door.open()
        await opening
        await p.until(lambda: p.screen.sending.chatting.thread_id not in (None, thread))
        await p.answered("to B")
        assert [message.text for message in await engine.client().list_messages(thread) if message.role == "user"] == [
            "to A"
        ]


async def test_a_message_that_is_stopped_while_the_form_is_saved_does_not_go_out(
    engine: RunningEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    only = await made(engine, "A")
    async with playground(engine, settings=SLOW) as p:
        await p.screen.picking.open_assistant(only)
        p.form.set_value("description", "unsaved")
        door = Door(monkeypatch, "update_assistant")
        await p.write("not yet")
        await until(lambda: door.waits)
        cancelling = asyncio.ensure_future(p.screen.sending.cancel())
        await asyncio.sleep(0)
        door.open()
        await cancelling
        await p.until(lambda: not p.screen.editing.draft.edits and not p.screen.sending.busy)
        assert (p.chat.composer.text, str(p.chat.problem.content)) == ("not yet", "Not sent: stopped.")
        assert p.screen.sending.chatting.thread_id is None


@pytest.mark.usefixtures("alone")
async def test_the_tool_calls_of_a_thread_do_not_come_into_the_next_one(
    engine: RunningEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Step("step_1", "run_1", "tool_calls", "completed", (ToolCall("call_1", "function", "look"),))

    async def one_step(*_: object) -> list[Step]:
        return [step]

    monkeypatch.setattr(AssistantsClient, "list_steps", one_step)
    door = Door(monkeypatch, "list_steps")
    async with on_a_thread(engine, tools=[LOOKUP]) as p:
        await p.screen.sending.chatting.load()
        await until(lambda: door.waits)
        await p.screen.picking.show_thread(None)
        door.open()
        await p.pilot.pause()
        assert p.chat.thread.column.items == []


async def test_what_becomes_of_reading_a_thread_is_not_said_in_the_next_one(
    engine: RunningEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = await engine.client().create_thread(key="t")
    go_on = asyncio.Event()

    async def fail(*_: object, **__: object) -> list[Message]:
        await go_on.wait()
        raise NotReachable("The line is gone.")

    async with playground(engine, settings=SLOW) as p:
        monkeypatch.setattr(AssistantsClient, "list_messages", fail)
        reading = asyncio.ensure_future(p.screen.picking.show_thread(thread))
        await until(lambda: p.screen.sending.chatting.loading)
        await p.screen.picking.show_thread(None)
        go_on.set()
        await reading
        assert not p.chat.run_status.retries and not p.chat.problem.display


async def test_older_messages_come_above_those_they_were_asked_for_alone(
    engine: RunningEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = [Message(f"msg_{number}", "user", text=str(number)) for number in range(3)]
    answers: list[list[Message] | AssistantsError] = [NotReachable("The line is gone."), shown[:1], shown[:1]]
    go_on = asyncio.Event()

    async def older(*_: object, **__: object) -> list[Message]:
        await go_on.wait()
        if isinstance(answer := answers.pop(0), AssistantsError):
            raise answer
        return answer

    async with playground(engine, settings=SLOW) as p:
        chatting = p.screen.sending.chatting
        chatting.thread_id = "thread"
        monkeypatch.setattr(AssistantsClient, "list_messages", older)
        p.chat.show_thread("thread", shown[1:], more=True)
        p.chat.thread._asked_older = True
        go_on.set()
        await chatting.older()
        assert "The line is gone." in p.said[-1] and not p.chat.thread._asked_older
        go_on.clear()
        late = asyncio.ensure_future(chatting.older())
        await asyncio.sleep(0)
        p.chat.show_thread("thread", shown[2:], more=True)
        go_on.set()
        await late
        assert p.chat.messages() == shown[2:]
        p.chat.show_thread("thread", shown[1:], more=True)
        await chatting.older()
        assert p.chat.messages() == shown


@pytest.mark.usefixtures("alone")
async def test_a_thread_is_not_read_again_over_a_message_that_was_sent_meanwhile(
    engine: RunningEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with on_a_thread(engine) as p:
        p.screen.sending.chatting.stale = True
        reading_door, sending_door = Door(monkeypatch, "retrieve_thread"), Door(monkeypatch, "create_message")
        reading = asyncio.ensure_future(p.screen._read_assistant_once())
        await until(lambda: reading_door.waits)
        await p.write("again")
        await until(lambda: sending_door.waits)
        conversation = p.screen.sending.chatting.conversation
        reading_door.open()
        await reading
        assert p.screen.sending.chatting.conversation is conversation  # which escape cancels
        sending_door.open()
        await p.answered("again")


@pytest.mark.usefixtures("alone")
async def test_nothing_is_run_again_before_the_thread_is_read(
    engine: RunningEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with on_a_thread(engine) as p:
        door = Door(monkeypatch, "list_runs")
        reading = asyncio.ensure_future(p.screen.sending.chatting.load())
        await until(lambda: door.waits)
        await p.press("ctrl+r")
        await p.until(lambda: "The thread is being read" in (p.said or [""])[-1])
        door.open()
        await reading
        await p.press("ctrl+r")
        await p.until(lambda: len(p.chat.messages()) == 3 and not p.screen.sending.busy)


@pytest.mark.usefixtures("alone")
async def test_outputs_that_are_given_as_the_thread_is_read_are_asked_for_again(
    engine: RunningEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    only = await made(engine, "A", model="rehearsal/tools", tools=[LOOKUP])
    async with playground(engine, settings=SLOW) as p:
        await p.screen.picking.open_assistant(only)
        await p.write("what is there?")
        await p.until(lambda: p.chat.outputs.display and not p.screen.sending.busy)
        door = Door(monkeypatch, "list_runs")
        reading = asyncio.ensure_future(p.screen.sending.chatting.load())
        await until(lambda: door.waits)
        p.chat.outputs.area.focus()
        await p.press(*"sunny", "enter")
        await p.until(lambda: not p.chat.outputs.display)
        door.open()
        await reading
        await p.until(lambda: p.chat.outputs.display and not p.screen.sending.busy)
        assert (p.chat.outputs.area.text, str(p.chat.problem.content)) == ("sunny", "")
        p.chat.outputs.area.focus()
        await p.press("enter")
        await p.answered("sunny")
