"""A conversation in lines: each understandable alone, and nothing typed is lost."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from playground_tui.assistants.local_files import FileError
from playground_tui.config import Settings
from playground_tui.desk.panes import output_key
from playground_tui.engine.providers.rehearsal import RehearsalProvider
from playground_tui.plain import listener
from playground_tui.plain.attached import path_of
from playground_tui.plain.composing import Composing
from tests.plain.session import CTRL_C, Session, plain
from tests.support.engine import RunningEngine
from tests.support.wait import until

WEATHER = {
    "type": "function",
    "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}


async def made(engine: RunningEngine, **fields: object) -> str:
    """An assistant on the engine."""
    body = {"model": "rehearsal/echo", "name": "Helper", **fields}
    return (await engine.client().create_assistant(body, key=str(fields))).id


def opening(assistant_id: str) -> Settings:
    return Settings(assistant=assistant_id, autosave_delay=0.05)


def slow(engine: RunningEngine, pace: float = 40.0) -> None:
    """The long text takes its time, so that a run can be caught under way; in tokens a second."""
    provider, _ = engine.engine.providers.resolve("rehearsal/markdown")
    assert isinstance(provider, RehearsalProvider)
    provider._pace = pace


async def at_prompt(session: Session) -> None:
    await session.hears("is open, with model", "you: ")


async def test_the_first_minute(engine: RunningEngine) -> None:
    async with plain(engine) as p:
        await p.hears("rehearsal: no model is connected", "No assistant is open.", "you: ")
        await p.says("hello", "Your message is kept.", "name of the new assistant")
        await p.says("Helper", "model, now rehearsal/echo", "enter to keep it: ")
        await p.says("", "model stays as it was.", "instructions")
        await p.says("Answer in verse.", "Create it now?")
        await p.says("yes", "Created.", "you: ")
        await p.says(
            "/again", "assistant: ", "Answer in verse.", "quote: hello", "status: completed, ", " tokens", "you: "
        )
        (created,) = await engine.client().list_assistants()
        assert (created.name, created.raw["instructions"]) == ("Helper", "Answer in verse.")
        p.type("/quit")
        assert await p.ended() == 0
        await p.hears("Goodbye.")
    assert "\x1b" not in p.heard


async def test_without_a_name_nothing_is_begun(engine: RunningEngine) -> None:
    async with plain(engine) as p:
        await p.hears("you: ")
        await p.says("/new", "name of the new assistant")
        await p.says("", "Not now.", "you: ")
        assert await engine.client().list_assistants() == []


async def test_what_was_said_is_read_at_the_next_start_and_on_request(engine: RunningEngine) -> None:
    assistant = await made(engine)
    async with plain(engine, settings=opening(assistant)) as p:
        await at_prompt(p)
        await p.says("hello", "status: completed", "you: ")
    async with plain(engine) as p:
        await p.hears("This thread has 2 messages.", "you: hello", "assistant: ", "more lines of this message")
        await p.hears("Helper is open, with model rehearsal/echo, on the last thread.", "you: ")
        await p.says("/read 1", "assistant: ", "quote: hello", "you: ")
        await p.says("/read", "you: hello", "assistant: ", "you: ")
        await p.says("/older", "There are no older messages.", "you: ")
        await p.says("/thread", "This is a new thread", "you: ")
        await p.says("/read", "no messages yet", "you: ")
        await p.says("/status", "assistant: Helper, asst_", "thread: a new one, 0 messages", "no run yet", "you: ")


async def test_older_messages_are_paged_in(engine: RunningEngine) -> None:
    client, assistant = engine.client(), await made(engine)
    thread = await client.create_thread(key="t")
    for number in range(53):
        await client.create_message(thread, f"message {number}.", key=f"m{number}")
    async with plain(engine, settings=Settings(assistant=assistant, thread=thread)) as p:
        await p.hears("This thread has more than 50 messages. These are the last two", "you: message 52.")
        await at_prompt(p)
        await p.says("/read", "There are older messages", "message 3.", "message 52.", "you: ")
        await p.says("/older", "you: message 0.", "you: message 2.", "you: ")
        await p.says("/read 2", "message 51.", "message 52.", "you: ")


async def test_a_text_that_begins_with_a_slash_is_sent_with_two(engine: RunningEngine) -> None:
    async with plain(engine, settings=opening(await made(engine))) as p:
        await at_prompt(p)
        await p.says("/nothing", "There is no command /nothing.", "you: ")
        await p.says("/", "There is no command /.", "you: ")
        await p.says("//etc", "quote: /etc", "status: completed", "you: ")


async def test_enter_alone_opens_the_menu(engine: RunningEngine) -> None:
    async with plain(engine, settings=opening(await made(engine))) as p:
        await at_prompt(p)
        await p.says("", "Menu.", "1. edit this assistant: /edit", "number from 1 to 22")
        await p.says("99", "There is no choice 99.", "goes back: ")
        await p.says("21", "/edit: edit this assistant. /edit temperature", "Your texts are kept in", "you: ")
        await p.says("", "goes back: ")
        await p.says("", "you: ")


async def test_several_lines_make_one_message(engine: RunningEngine) -> None:
    async with plain(engine, settings=opening(await made(engine))) as p:
        await at_prompt(p)
        await p.says("/lines", "line 1: ")
        await p.says("one", "line 2: ")
        await p.says("two", "line 3: ")
        await p.says(".", "quote: one\n", "quote: two\n", "status: completed", "you: ")


async def test_several_lines_that_were_begun_keep_their_breaks(engine: RunningEngine) -> None:
    async with plain(engine, settings=opening(await made(engine)), edits=True) as p:
        await at_prompt(p)
        p.room.do(lambda: p.room.chat.composer.load("one\ntwo"))
        kept = "Not sent yet, /again sends it and /editor changes it: one two"
        await p.says("/status", kept, "you: ")
        await p.says(CTRL_C, kept, "you: ")
        await p.says("hello", "quote: hello\n", kept, "you: ")
        assert p.room.chat.composer.text == "one\ntwo"
        await p.says("/again", "quote: one\n", "quote: two\n", "status: completed", "you: ")
        assert p.room.chat.composer.text == ""


async def test_a_line_is_kept_after_what_waits_beside_it(engine: RunningEngine) -> None:
    async with plain(engine, settings=opening(await made(engine)), edits=True) as p:
        await at_prompt(p)
        composing, composer = Composing(p.room, p.console), p.room.chat.composer
        composer.text = "hal"
        composing.taken()
        for line, kept in (("half", "hal\nhalf"), ("/again", "hal"), ("half", "hal\nhalf")):
            composing.typed(line)
            assert composer.text == kept
        composer.give_back("refused")
        composing.typed("half a")
        assert composer.text == "refused\nhal\nhalf a"


async def test_ctrl_c_gives_up_what_is_written_and_does_not_leave(engine: RunningEngine) -> None:
    async with plain(engine, settings=opening(await made(engine))) as p:
        await at_prompt(p)
        await p.says("/lines", "line 1: ")
        await p.says(CTRL_C, "Nothing is sent.", "you: ")
        await p.says(CTRL_C, "Nothing is sent.", "you: ")
        p.end()
        assert await p.ended() == 0


async def test_ctrl_c_cancels_the_run(engine: RunningEngine) -> None:
    slow(engine)
    async with plain(engine, settings=opening(await made(engine, model="rehearsal/markdown"))) as p:
        await at_prompt(p)
        await p.says("hello", "status: in progress", "assistant: ")
        p.interrupt()
        await p.hears("status: cancelled", "you: ")
        await p.says("/status", "status: cancelled", "you: ")


async def test_a_function_asks_for_its_output(engine: RunningEngine) -> None:
    async with plain(engine, settings=opening(await made(engine, model="rehearsal/tools", tools=[WEATHER]))) as p:
        await at_prompt(p)
        heard = await p.says("hello", "status: requires action", "tool: get_weather wants its output, called with city")
        assert heard.count("status: in progress") == 1
        await p.hears("output of get_weather: ")
        await p.says("21 degrees", "tool: get_weather answered: 21 degrees", "status: completed", "you: ")
        await p.says("again", "output of get_weather: ")
        await p.says("/lines", "line 1: ")
        await p.says("cold", "line 2: ")
        await p.says("wet", "line 3: ")
        await p.says(".", "answered: cold wet", "status: completed", "you: ")
        await p.says("once more", "output of get_weather: ")
        await p.says(CTRL_C, "status: cancelled", "you: ")


async def test_an_output_of_several_lines_that_was_begun_goes_on(engine: RunningEngine) -> None:
    async with plain(engine, settings=opening(await made(engine, model="rehearsal/tools", tools=[WEATHER]))) as p:
        await at_prompt(p)
        await p.says("hello", "output of get_weather: ")
        run = p.room.run
        assert run is not None
        p.room.chat.outputs.note(output_key(run.id, run.waiting_for[0].id), "cold\nwet")
    async with plain(engine, edits=True) as p:
        await p.hears("/lines goes on with what was typed before: cold wet", "output of get_weather: ")
        await p.says("/lines", "line 3: ")
        await p.says(".", "answered: cold wet", "status: completed", "you: ")


async def test_a_run_that_lasts_says_so(engine: RunningEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "STILL", 0.2)
    slow(engine, pace=2.0)
    async with plain(engine, settings=opening(await made(engine, model="rehearsal/markdown"))) as p:
        await at_prompt(p)
        await p.says("hello", "status: still in progress after")
        p.interrupt()
        await p.hears("status: cancelled", "you: ")


async def test_what_could_not_be_sent_waits(engine: RunningEngine) -> None:
    async with plain(engine, settings=opening(await made(engine))) as p:
        await at_prompt(p)
        p.room.do(lambda: (p.room.sending.chatting.outbox.add("first"), p.room.sending.chatting.outbox.add("second")))
        p.room.do(p.room.sending.chatting.outbox.hold)
        await p.says("/waiting", "1. not sent: first", "2. not sent: second", "goes back: ")
        await p.says("1", "1. send it", "goes back: ")
        await p.says("1", "quote: first", "status: completed", "you: ")
        p.room.do(p.room.sending.chatting.outbox.hold)
        await p.says("/waiting", "second", "goes back: ")
        await p.says("", "you: ")
    async with plain(engine) as p:
        await p.hears("1 message was not sent: /waiting.", "you: ")
        await p.says("/waiting", "goes back: ")
        await p.says("1", "goes back: ")
        await p.says("2", "Not sent yet, /again sends it and /editor changes it: second", "you: ")
        await p.says("/again", "quote: second", "status: completed", "you: ")
        await p.says("/waiting", "No message waits.", "you: ")


async def test_before_there_is_a_server_everything_is_kept(engine: RunningEngine) -> None:
    assistant = await made(engine)
    async with plain(engine, settings=opening(assistant)) as p:
        await at_prompt(p)
    async with plain(engine, start=False) as p:
        p.door.clear()
        p.start()
        await p.hears("status: connecting.")
        p.interrupt()
        await p.hears("not waiting for the connection", "you: ")
        await p.says("/assistants", "Not connected yet", "you: ")
        await p.says("/copy", "not connected yet", "you: ")
        await p.says("early", "your message goes out as soon as the server has answered", "you: ")
        p.door.set()
        await until(p.room.arrived.is_set)
        await p.says("/status", "quote: early", "status: completed", "you: ")


async def test_a_refused_form_keeps_the_message(engine: RunningEngine) -> None:
    async with plain(engine, settings=Settings(assistant=await made(engine), autosave_delay=60)) as p:
        await at_prompt(p)
        p.room.do(lambda: p.room.form.set_value("name", ""))
        await p.says("hello", "problem: Not sent.", "name is empty", "/again sends with the last saved version")
        await p.hears("Not sent yet, /again sends it and /editor changes it: hello", "you: ")
        await p.says("/again", "Runs with the last saved version", "quote: hello", "status: completed", "you: ")


async def test_what_others_write_is_said_before_the_next_prompt(engine: RunningEngine) -> None:
    assistant = await made(engine)
    async with plain(engine, settings=opening(assistant)) as p:
        await at_prompt(p)
        await p.says("hello", "status: completed", "you: ")
        thread = p.room.sending.chatting.thread_id
        assert thread
        await engine.client().create_message(thread, "from elsewhere.", key="x")
        await until(lambda: len(p.room.chat.messages()) == 3)
        await p.says("/status", "you: from elsewhere.", "you: ")


@pytest.mark.parametrize("fault", [ZeroDivisionError(), OSError(errno.ENOSPC, "No space left on device")])
async def test_a_fault_of_the_program_is_a_sentence(engine: RunningEngine, fault: Exception) -> None:
    async with plain(engine, settings=opening(await made(engine))) as p:
        await at_prompt(p)

        async def broken() -> None:
            raise fault

        p.room.do(lambda: p.room.desk.work(broken(), group="x"))
        p.type("/status")
        assert await p.ended() == 1
        await p.hears("a fault in the program itself")
        assert type(fault).__name__ in engine.paths.log.read_text()


async def test_nobody_hears_any_more(engine: RunningEngine) -> None:
    async with plain(engine, start=False) as p:
        p._out.close()

        def gone(_text: str) -> int:
            raise OSError(errno.EIO, "Input/output error")

        p.console._put = gone  # type: ignore[assignment, method-assign]
        p.start()
        assert await p.ended() == 129
        p._out = __import__("io").StringIO()


async def test_a_file_is_attached_changed_and_goes_with_the_message(engine: RunningEngine, tmp_path: Path) -> None:
    assistant = await made(engine, tools=[{"type": "file_search"}])
    plan = tmp_path / "plan.md"
    plan.write_text("Due in March.")
    async with plain(engine, settings=opening(assistant)) as p:
        await at_prompt(p)
        await p.says("/attach", "No file is attached. /attach and a path attaches one.", "you: ")
        await p.says(f"/attach {tmp_path}/nothing.md", "Not attached: ", "you: ")
        await p.says(f"/attach {plan}", "file: plan.md, for file search, goes with the next message.", "you: ")
        await p.says("/attach", "1. plan.md, for file search, goes with the next message.", "number of the file")
        await p.says("1", "1. remove it", "number from 1 to 3")
        await p.says("2", "you: ")
        await p.says("when?", "assistant: ", "status: completed", "you: ")
    (thread,) = await engine.client().list_threads(assistant)
    messages = await engine.client().list_messages(thread.id)
    (attachment,) = messages[0].attachments
    assert attachment.tools == ("code_interpreter",)


def test_a_path_may_begin_with_the_home_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert path_of("'~/a b.md'") == tmp_path / "a b.md"
    with pytest.raises(FileError):
        path_of("~nobody-of-that-name/x")
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert path_of("a.md") == tmp_path / "a.md"
