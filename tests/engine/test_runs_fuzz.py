"""Random sequences of calls, held against a model of the contract's states: none is refused or allowed wrongly."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, precondition, rule

from playground_tui.engine.providers.base import (
    CallArguments,
    CallBegun,
    Finished,
    ProviderError,
    ProviderEvent,
    Text,
    Usage,
)
from tests.support.scripted import ScriptedEngine, scripted_engine
from tests.support.talking import TalkingProvider
from tests.support.tools import CODE, FILE_SEARCH, give_tools
from tests.support.wait import until

RUNNING, WAITING = "in_progress", "requires_action"
ENDS = {
    "stop": "completed",
    "length": "incomplete",
    "content_filter": "failed",
    "error": "failed",
}
"""How a run ends, by the end of its answer."""
WHICH = st.sampled_from([0, 0, 0, 1, 2])
"""Which of a thread's runs, from the newest on."""


@dataclass
class KnownRun:
    """A run as the contract would have it."""

    id: str
    model: str
    status: str = RUNNING
    calls: list[str] = field(default_factory=list)
    said: str = ""

    @property
    def active(self) -> bool:
        return self.status in {RUNNING, WAITING}


@dataclass
class KnownThread:
    id: str
    runs: list[KnownRun] = field(default_factory=list)
    deleted: bool = False

    @property
    def path(self) -> str:
        return f"/threads/{self.id}"

    @property
    def active(self) -> KnownRun | None:
        return next((run for run in self.runs if run.active), None)


class Calls(RuleBasedStateMachine):
    """One engine, a few threads, and everything that may be asked of their runs in any order."""

    threads = Bundle("threads")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.directory = TemporaryDirectory()
        self.provider = TalkingProvider()
        self.all_threads: list[KnownThread] = []
        self.count = 0
        self.stack = AsyncExitStack()
        self.start()
        self.assistant = self.post("/assistants", 200, model="m", tools=[FILE_SEARCH, CODE])["id"]

    def start(self) -> None:
        engine = scripted_engine(Path(self.directory.name), provider=self.provider)
        self.scripted: ScriptedEngine = self.loop.run(self.stack.enter_async_context(engine))
        give_tools(self.scripted)

    def teardown(self) -> None:
        self.loop.run(self.stack.aclose())
        self.loop.close()
        self.directory.cleanup()

    def post(self, path: str, status: int, **body: Any) -> Any:
        return self.loop.run(self.scripted.post(path, status=status, **body))

    def get(self, path: str, status: int = 200) -> Any:
        return self.loop.run(self.scripted.get(path, status=status))

    def check(self, thread: KnownThread) -> None:
        """The store says what the model says, and nothing is left open under a run that has ended."""
        listed = self.get(f"{thread.path}/runs?order=asc&limit=100")["data"]
        assert [run["id"] for run in listed] == [run.id for run in thread.runs]
        for known, run in zip(thread.runs, listed, strict=True):
            if not known.active:
                assert (run["status"], run["required_action"]) == (known.status, None)
                self.check_ended(thread, known)
            else:
                assert run["status"] in ({"queued", RUNNING} if known.status == RUNNING else {WAITING})

    def check_ended(self, thread: KnownThread, run: KnownRun) -> None:
        steps = self.get(f"{thread.path}/runs/{run.id}/steps")["data"]
        assert all(step["status"] != "in_progress" and step["usage"] for step in steps)
        messages = self.get(f"{thread.path}/messages?run_id={run.id}&order=asc")["data"]
        assert all(message["status"] in {"completed", "incomplete"} for message in messages)
        texts = [part["text"]["value"] for message in messages for part in message["content"]]
        assert "".join(texts) == run.said

    def settle(self, run: KnownRun) -> None:
        self.loop.run(asyncio.wait_for(self.scripted.settled(run.id), 10))

    def say(self, run: KnownRun, *items: ProviderEvent | Exception) -> None:
        self.provider.say(run.model, *items)

    @precondition(lambda self: len(self.all_threads) < 2)
    @rule(target=threads)
    def new_thread(self) -> KnownThread:
        thread = KnownThread(self.post("/threads", 200, messages=[{"role": "user", "content": "hello"}])["id"])
        self.all_threads.append(thread)
        return thread

    @rule(thread=threads)
    def new_message(self, thread: KnownThread) -> None:
        allowed = 404 if thread.deleted else 400 if thread.active else 200
        self.post(f"{thread.path}/messages", allowed, role="user", content="more")

    @rule(thread=threads, at_once=st.integers(1, 4))
    def new_runs(self, thread: KnownThread, at_once: int) -> None:
        """Of creates at once one succeeds, if the thread is free."""
        self.count += 1
        model = f"r{self.count}"
        body = {"assistant_id": self.assistant, "model": f"rehearsal/{model}"}

        async def create() -> list[Any]:
            asked = (self.scripted.http.post(f"{thread.path}/runs", json=body) for _ in range(at_once))
            return await asyncio.gather(*asked)

        answers = self.loop.run(create())
        made = [answer.json()["id"] for answer in answers if answer.status_code == 200]
        refused = 404 if thread.deleted else 400
        assert {answer.status_code for answer in answers} <= {200, refused}
        assert len(made) == (0 if thread.deleted or thread.active else 1)
        thread.runs += [KnownRun(run_id, model) for run_id in made]

    @rule(thread=threads, text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=9))
    def say_text(self, thread: KnownThread, text: str) -> None:
        run = thread.active
        if run and run.status == RUNNING:
            run.said += text
            self.say(run, Text(text))
            self.loop.run(asyncio.wait_for(self.heard(run), 10))

    async def heard(self, run: KnownRun) -> None:
        """All that was said is in the run's feed."""
        told = ""
        async for event in self.scripted.follow(run.id):
            if event.name == "thread.message.delta":
                told += json.loads(event.plain.split(b"data: ", 1)[1])["delta"]["content"][0]["text"]["value"]
            if told == run.said:
                return

    @rule(thread=threads, calls=st.integers(1, 3))
    def call(self, thread: KnownThread, calls: int) -> None:
        run = thread.active
        if run and run.status == RUNNING:
            self.count += 1
            run.status, run.calls = WAITING, [f"call_{self.count}_{index}" for index in range(calls)]
            for index, call_id in enumerate(run.calls):
                self.say(run, CallBegun(index, call_id, "look"), CallArguments(index, "{}"))
            self.say(run, Finished("tool_calls", Usage(1, 1)))
            self.settle(run)
            self.refuse_outputs(thread, run, run.calls[1:], [*run.calls, "call_x"], [*run.calls, run.calls[0]])
            self.check(thread)

    @rule(thread=threads, tools=st.lists(st.sampled_from(["file_search", "code_interpreter", "look"]), min_size=1))
    def use_tools(self, thread: KnownThread, tools: list[str]) -> None:
        """The engine's own tools are used at once; the run waits for functions among them, or asks the model again."""
        run = thread.active
        if run and run.status == RUNNING:
            self.count += 1
            calls = [f"call_{self.count}_{index}" for index in range(len(tools))]
            run.calls = [call_id for call_id, tool in zip(calls, tools, strict=True) if tool == "look"]
            run.status = WAITING if run.calls else RUNNING
            self.loop.run(until(lambda: self.provider.asked[run.model]))
            asked = self.provider.asked[run.model]
            for index, (call_id, tool) in enumerate(zip(calls, tools, strict=True)):
                self.say(run, CallBegun(index, call_id, tool), CallArguments(index, '{"queries": ["x"]}'))
            self.say(run, Finished("tool_calls", Usage(1, 1)))
            self.settle(run) if run.calls else self.loop.run(until(lambda: self.provider.asked[run.model] > asked))
            self.check(thread)

    def refuse_outputs(self, thread: KnownThread, run: KnownRun, *wrong: list[str]) -> None:
        for calls in wrong:
            self.give_outputs(thread, run, calls, 400)

    def give_outputs(self, thread: KnownThread, run: KnownRun, calls: list[str], status: int) -> None:
        outputs = [{"tool_call_id": call_id, "output": "x"} for call_id in calls]
        self.post(f"{thread.path}/runs/{run.id}/submit_tool_outputs", status, tool_outputs=outputs)

    @rule(thread=threads, end=st.sampled_from(sorted(ENDS)))
    def end(self, thread: KnownThread, end: Any) -> None:
        run = thread.active
        if run and run.status == RUNNING:
            run.status = ENDS[end]
            self.say(run, ProviderError("broken") if end == "error" else Finished(end, Usage(1, 1)))
            self.settle(run)
            self.check(thread)

    @rule(thread=threads, which=WHICH)
    def submit(self, thread: KnownThread, which: int) -> None:
        for run in thread.runs[-1 - which :][:1]:
            allowed = 404 if thread.deleted else 200 if run.status == WAITING else 400
            self.give_outputs(thread, run, run.calls[::-1], allowed)
            if allowed == 200:
                run.status = RUNNING

    @rule(thread=threads, which=WHICH)
    def cancel(self, thread: KnownThread, which: int) -> None:
        for run in thread.runs[-1 - which :][:1]:
            allowed = 404 if thread.deleted else 200 if run.active else 400
            self.post(f"{thread.path}/runs/{run.id}/cancel", allowed)
            if allowed == 200:
                self.cancelled(run)
                self.check(thread)

    def cancelled(self, run: KnownRun) -> None:
        run.status = "cancelled"
        self.settle(run)

    @rule(thread=threads)
    def delete_or_restore(self, thread: KnownThread) -> None:
        if thread.deleted:
            self.post(f"{thread.path}/restore", 200)
            thread.deleted = False
            self.check(thread)
        else:
            assert self.loop.run(self.scripted.http.delete(thread.path)).status_code == 200
            if thread.active:
                self.cancelled(thread.active)
            thread.deleted = True
            self.get(thread.path, 404)

    @rule()
    def another_assistant(self) -> None:
        """Runs outlive their assistant."""
        assert self.loop.run(self.scripted.http.delete(f"/assistants/{self.assistant}")).status_code == 200
        self.assistant = self.post("/assistants", 200, model="m", tools=[FILE_SEARCH, CODE])["id"]

    @rule()
    def restart(self) -> None:
        """What was under way has failed; what waits for outputs waits on."""
        self.loop.run(self.stack.aclose())
        self.provider.says.clear()
        self.start()
        for thread in self.all_threads:
            for run in thread.runs:
                run.status = "failed" if run.status == RUNNING else run.status
            if not thread.deleted:
                self.check(thread)


TestCalls = Calls.TestCase
TestCalls.settings = settings(
    max_examples=12,
    stateful_step_count=20,
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
