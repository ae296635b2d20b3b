"""Assistants and threads from numbered lists."""

from __future__ import annotations

from playground_tui.config import Settings
from tests.plain.session import CTRL_C, plain
from tests.plain.test_talk import at_prompt, made, opening
from tests.support.engine import RunningEngine


async def test_assistants_are_opened_copied_deleted_and_brought_back(engine: RunningEngine) -> None:
    first = await made(engine, metadata={"category": "work"}, tools=[{"type": "file_search"}])
    second = await made(engine, name="Other")
    async with plain(engine, settings=opening(first)) as p:
        await at_prompt(p)
        await p.says("/restore", "Nothing was deleted since the start.", "you: ")
        await p.says("/assistants", "Assistants on engine: 2.", "1. Other, model rehearsal/echo")
        await p.hears("2. Helper, work, model rehearsal/echo, tools file search, open now", "goes back: ")
        await p.says("1", "Assistant Other. What to do with it?", "goes back: ")
        await p.says("1", "Assistant Other is open, with a new thread.", "you: ")
        await p.says("/assistants", "goes back: ")
        await p.says("helper", "2. Helper", "goes back: ")
        await p.says("2", "goes back: ")
        await p.says("4", f"The id of Helper is {first}", "you: ")
        await p.says("/assistants", "goes back: ")
        await p.says("2", "goes back: ")
        await p.says("2", "A copy is begun, named Helper (copy).", "you: ")
        await p.says("/copy", "There is nothing to copy yet", "you: ")
        await p.says("/assistants other", "Assistant Other is open", "you: ")
        await p.says("/assistants Nobody", "problem: not opened: No assistant is called Nobody", "you: ")
        await p.says("/assistants", "1. Helper (copy), begun, not created yet", "goes back: ")
        await p.says("1", "1. go on with it", "goes back: ")
        await p.says("1", "Open: Helper (copy)", "you: ")
        await p.says(f"/assistants {second}", "is open", "you: ")
        await p.says("/assistants", "1. Helper (copy), begun", "goes back: ")
        await p.says("1", "2. give it up", "goes back: ")
        await p.says("2", "Give up this assistant")
        await p.says("yes", "Given up.", "you: ")
        await p.says("/assistants", "goes back: ")
        await p.says("1", "3. delete it", "goes back: ")
        await p.says("3", f"Delete the assistant {second}?")
        await p.says("no", "Kept.", "you: ")
        await p.says("/assistants", "goes back: ")
        await p.says("1", "goes back: ")
        await p.says("3", "Delete the assistant")
        await p.says("yes", "The assistant is deleted.", "you: ")
        await p.says("/restore", "The assistant is back, and open.", "you: ")
        await p.says("/status", "assistant: Other", "you: ")


async def test_what_is_unsaved_is_saved_before_another_is_opened(engine: RunningEngine) -> None:
    first = await made(engine)
    await made(engine, name="Other")
    async with plain(engine, settings=Settings(assistant=first, autosave_delay=60)) as p:
        await at_prompt(p)
        p.room.do(lambda: p.room.form.set_value("description", "not saved yet"))
        await p.says("/assistants Other", "Assistant Other is open", "you: ")
        assert (await engine.client().retrieve_assistant(first)).raw["description"] == "not saved yet"


async def test_threads_are_opened_deleted_and_brought_back(engine: RunningEngine) -> None:
    async with plain(engine, settings=opening(await made(engine))) as p:
        await at_prompt(p)
        await p.says("/threads", "This assistant has no threads yet", "you: ")
        await p.says("hello", "status: completed", "you: ")
        thread = p.room.sending.chatting.thread_id
        await p.says("/threads", "Threads of this assistant: 1.", "1. hello, ", "2 messages, open now", "goes back: ")
        await p.says("1", "goes back: ")
        await p.says("3", f"The id of the thread is {thread}", "you: ")
        await p.says("/thread", "This is a new thread", "you: ")
        await p.says("/threads", "goes back: ")
        await p.says("1", "goes back: ")
        await p.says("1", "This thread has 2 messages.", "you: hello", "you: ")
        await p.says("/threads", "goes back: ")
        await p.says("", "you: ")
        await p.says("/threads", "goes back: ")
        await p.says("1", "goes back: ")
        await p.says("2", "Delete this thread?")
        await p.says("", "Kept.", "you: ")
        await p.says("/threads", "goes back: ")
        await p.says("1", "goes back: ")
        await p.says("2", "Delete this thread?")
        await p.says("yes", "The thread is deleted.", "you: ")
        await p.says("/restore", "The thread is back, and open.", "you: hello", "you: ")


async def test_a_long_list_is_read_in_parts(engine: RunningEngine) -> None:
    for number in range(23):
        await made(engine, name=f"Number {number}")
    async with plain(engine) as p:
        await p.hears("you: ")
        await p.says("/assistants", "20. Number 3", "3 more: type more.", "goes back: ")
        await p.says("more", "23. Number 0", "goes back: ")
        await p.says("more", "1. Number 22", "goes back: ")
        await p.says("99", "There is no assistant 99: the last is 23.", "goes back: ")
        await p.says("nothing such", "None has these words.", "goes back: ")
        await p.says("number 7", "16. Number 7", "goes back: ")
        p.type("16", "1")
        await p.hears("Assistant Number 7 is open", "you: ")
        p.type("/assistants")
        await p.hears("goes back: ")
        await p.says(CTRL_C, "you: ")


async def test_without_any_assistant(engine: RunningEngine) -> None:
    async with plain(engine) as p:
        await p.hears("you: ")
        await p.says("/assistants", "There are no assistants yet: /new begins one.", "you: ")
