"""How `ask` ends: as the answer comes in, when it is not whole, and by signals and time."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from playground_tui.assistants.events import (
    MessageChanged,
    Reconnecting,
    RunChanged,
    ServerError,
    TextDelta,
    ThreadCreated,
)
from playground_tui.assistants.objects import Message, Run, Usage
from playground_tui.commands import ask
from playground_tui.commands.asking import Answer, Asked, why_not_whole
from playground_tui.commands.output import CleanStream
from playground_tui.config import Settings
from tests.commands.run import Ran, Shell, parsed
from tests.support.engine import paths_in
from tests.support.provider_server import ProviderServer, answer, error
from tests.support.wait import until


@pytest.fixture
async def provider(shell: Shell) -> AsyncIterator[ProviderServer]:
    """A model server that the engine uses by default."""
    async with ProviderServer() as server:
        entry = {"name": "model", "kind": "chat", "base_url": server.base_url, "api_key": None, "origin": "config"}
        await shell.engine.settle(providers=[entry], default_provider="model")
        yield server


class Begun:
    """An `ask` under way."""

    def __init__(self, shell: Shell, *argv: str):
        self.out, self.err = io.StringIO(), io.StringIO()
        self._client = shell.engine.client()
        arguments = parsed("ask", "-m", "model/one", *argv, "Hello")
        self._shell = shell
        self._task = asyncio.ensure_future(
            ask.run(arguments, self._connect, Settings(), paths_in(shell.directory), self.out, self.err)
        )

    async def _connect(self) -> Any:
        return self._client

    async def shows(self, text: str) -> None:
        await until(lambda: text in self.out.getvalue() or self._task.done())
        assert text in self.out.getvalue()

    async def ended(self) -> Ran:
        code = await asyncio.wait_for(self._task, 10)
        return Ran(code, self.out.getvalue(), self.err.getvalue())

    async def run(self) -> Run:
        """The run at the server."""
        thread_id = self.err.getvalue().split("thread: ")[1].split()[0]
        return (await self._shell.engine.client().list_runs(thread_id))[0]


async def test_text_is_written_as_it_arrives(shell: Shell, provider: ProviderServer) -> None:
    rest = asyncio.Event()
    provider.script(answer("Once ", "upon", hold=rest))
    begun = Begun(shell)
    await begun.shows("Once upon")
    rest.set()
    assert (await begun.ended()).out == "Once upon\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_an_interrupt_cancels_the_run(shell: Shell, provider: ProviderServer, number: int) -> None:
    provider.script(answer("Once ", hold=asyncio.Event()))
    before = signal.getsignal(number)
    begun = Begun(shell)
    await begun.shows("Once")
    os.kill(os.getpid(), number)
    ran = await begun.ended()
    assert (ran.code, ran.out) == (130, "Once \n")
    assert "cancelled" in ran.err
    assert (await begun.run()).status == "cancelled"
    assert signal.getsignal(number) == before
    assert (await shell("assistants", "list", "--json")).data == []


async def test_the_time_out_cancels_the_run(
    shell: Shell, provider: ProviderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.script(answer("Once ", hold=asyncio.Event()))
    wait = asyncio.wait

    async def over_once_the_model_is_asked(*tasks: Any, timeout: float | None = None, **more: Any) -> Any:
        if timeout == 7.5:
            await until(lambda: provider.posts)
            timeout = 0.0
        return await wait(*tasks, timeout=timeout, **more)

    monkeypatch.setattr(asyncio, "wait", over_once_the_model_is_asked)
    ran = await Begun(shell, "--timeout", "7.5", "--json").ended()
    assert ran.code == 1
    assert "7.5 s" in ran.data["error"]
    run = await shell.engine.client().retrieve_run(ran.data["thread_id"], ran.data["run_id"])
    assert run.status == "cancelled"


async def test_a_hangup_leaves_the_run_to_the_engine(shell: Shell, provider: ProviderServer) -> None:
    rest = asyncio.Event()
    provider.script(answer("Once ", "upon", hold=rest))
    begun = Begun(shell)
    await begun.shows("Once")
    os.kill(os.getpid(), signal.SIGHUP)
    assert (await begun.ended()).code == 130
    run = await begun.run()
    assert run.status == "in_progress"
    rest.set()
    async with aclosing(shell.engine.client().follow(run.thread_id, run.id)) as events:
        last = [event async for event in events if isinstance(event, RunChanged)][-1]
    assert last.run.status == "completed"
    assert (await shell("assistants", "list", "--json")).data == []


async def test_a_hangup_that_is_ignored_stays_ignored(shell: Shell, provider: ProviderServer) -> None:
    rest = asyncio.Event()
    provider.script(answer("Once ", "upon", hold=rest))
    former = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        begun = Begun(shell)
        await begun.shows("Once")
        os.kill(os.getpid(), signal.SIGHUP)
        rest.set()
        assert (await begun.ended()).code == 0
    finally:
        signal.signal(signal.SIGHUP, former)


async def test_an_interrupt_before_anything_was_sent_ends_at_once(shell: Shell) -> None:
    connecting = asyncio.Event()

    async def connect() -> Any:
        connecting.set()
        await asyncio.Event().wait()

    out, err = io.StringIO(), io.StringIO()
    arguments = parsed("ask", "-m", "x", "--json", "Hello")
    task = asyncio.ensure_future(ask.run(arguments, connect, Settings(), paths_in(shell.directory), out, err))
    await connecting.wait()
    os.kill(os.getpid(), signal.SIGINT)
    assert await asyncio.wait_for(task, 10) == 130
    assert json.loads(out.getvalue()) == {"error": "Interrupted: nothing was run.", "thread_id": None, "run_id": None}


async def test_an_answer_that_was_cut_is_printed_with_the_reason(shell: Shell, provider: ProviderServer) -> None:
    provider.script(answer("Half of", finish="length"))
    ran = await Begun(shell).ended()
    assert (ran.code, ran.out) == (1, "Half of\n")
    assert "not whole: max completion tokens" in ran.err


async def test_a_failed_run_says_why(shell: Shell, provider: ProviderServer) -> None:
    provider.script(*[error(429, "slow \x1bdown")] * 9)
    ran = await Begun(shell).ended()
    assert (ran.code, ran.out) == (1, "")
    assert "The run failed: " in ran.err
    assert "\x1b" not in ran.err


def written(*events: Any) -> str:
    out = io.StringIO()
    shown = Answer(CleanStream(out))
    for event in events:
        shown.take(event)
    shown.end()
    return out.getvalue()


def message(message_id: str, text: str) -> MessageChanged:
    return MessageChanged(Message(message_id, "assistant", text))


def test_text_that_comes_again_after_a_break_is_written_once() -> None:
    again = [message("m", ""), TextDelta("m", "Once upon"), TextDelta("m", " a time"), message("m", "Once upon a time")]
    assert written(TextDelta("m", "Once "), TextDelta("m", "up"), *again) == "Once upon a time\n"


def test_text_that_is_another_after_a_break_begins_anew() -> None:
    assert written(TextDelta("m", "Once"), message("m", ""), message("m", "Twice")) == "Once\nTwice\n"


def test_two_messages_are_two_paragraphs_and_the_users_is_none_of_them() -> None:
    mine = MessageChanged(Message("u", "user", "Hello"))
    assert written(mine, TextDelta("m", "One"), TextDelta("n", "Two")) == "One\n\nTwo\n"


def test_what_ended_without_a_text_prints_nothing() -> None:
    assert written(ThreadCreated("t"), message("m", "")) == ""


@pytest.mark.parametrize(
    ("run", "sentence"),
    [
        (None, "The run did not begin."),
        (Run("r", status="completed"), ""),
        (Run("r", status="incomplete"), "The answer is not whole: no reason was given."),
        (Run("r", status="failed", error_code="server_error"), "The run failed: server_error"),
        (Run("r", status="expired"), "The run took too long and expired at the server."),
        (Run("r", status="cancelling"), "The run was cancelled."),
        (Run("r", status="odd"), "The run stopped in the state odd."),
    ],
)
def test_every_end_has_its_sentence(run: Run | None, sentence: str) -> None:
    assert why_not_whole(run) == sentence


def test_usage_that_the_server_does_not_tell_is_null() -> None:
    assert Asked(run=Run("r")).answer()["usage"] == dict.fromkeys(
        ("prompt_tokens", "completion_tokens", "total_tokens")
    )
    told = Asked(run=Run("r", usage=Usage(1, 2, 3))).answer()["usage"]
    assert told == {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}


class Scripted:
    """A server that tells of one run, with a break in between."""

    is_engine = False
    where = "test"

    async def close(self) -> None: ...

    async def retrieve_assistant(self, assistant_id: str) -> Any:
        from playground_tui.assistants.objects import Assistant

        return Assistant.from_json({"id": assistant_id})

    async def create_thread(self, *, key: str) -> str:
        return "thread_1"

    async def create_message(self, thread_id: str, text: str, *, key: str, files: Any = ()) -> Message:
        return Message("msg_1", "user", text, thread_id)

    async def run(self, thread_id: str, assistant_id: str, *, key: str, overrides: Any) -> AsyncIterator[Any]:
        yield RunChanged(Run("run_1", thread_id, assistant_id, status="in_progress"))
        yield ServerError("something odd\x1b")
        yield Reconnecting("The stream broke.", 1, 2.0)
        yield TextDelta("msg_2", "Hello")
        yield RunChanged(Run("run_1", thread_id, assistant_id, status="completed", notes="temperature is not used"))


async def test_what_happens_on_the_way_is_said_on_stderr(tmp_path: Any) -> None:
    from tests.commands.run import run_with

    ran = await run_with(Scripted(), tmp_path, "ask", "-a", "asst_1", "Hi")
    assert (ran.code, ran.out) == (0, "Hello\n")
    assert "something odd␛" in ran.err
    assert "The stream broke. Looking for the run again in 2 s." in ran.err
    assert "temperature is not used" in ran.err
