"""The same faults without a screen: `ask`, and the plain mode."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import httpx2

from playground_tui.assistants.client import AssistantsClient
from playground_tui.config import Settings
from tests.campaigns.faults.answers import KEY, Fault, all_faults
from tests.campaigns.faults.bench import LONG, TIMEOUT, Rule, clock
from tests.commands.run import run_with
from tests.plain.session import Session
from tests.support.engine import RunningEngine, paths_in, running_engine
from tests.support.fault_proxy import FaultProxy

NAMES = frozenset(
    {
        "401",
        "403",
        "404",
        "413",
        "422",
        "429",
        "429, 7",
        "429, 99999999999",
        "500",
        "503",
        "502 as a page",
        "404 as a page",
    }
    | {"reset", "reset once done", "hang before headers", "hang after headers", "drip", "cut in the body"}
    | {"cut JSON", "a page", "an error object", "an empty object", "deep JSON", "a redirect", "gzip"}
)
"""The faults that are tried here: some of each kind."""
WHERE = {
    "assistant": r"^GET /assistants/",
    "thread": r"^POST /threads\?",
    "message": r"^POST /threads/\w+/messages",
    "run": r"^POST /threads/\w+/runs\?",
}
EVER = 10**6


@dataclass(frozen=True)
class FrontCase:
    """One fault at one kind of request, at `ask` or in the plain mode."""

    front: Literal["ask", "plain"]
    what: str
    fault: Fault
    way: Literal["passes", "lasts", "stopped"]

    def __str__(self) -> str:
        return f"{self.front}, {self.what}, {self.fault}, {self.way}"


def front_cases() -> list[FrontCase]:
    """Everything that makes sense."""
    cases = []
    for fault in all_faults():
        for what in WHERE:
            if fault.name not in NAMES or (what == "run" and fault.of_answer):
                continue
            again = fault.outcome != "stands"
            quick = what != "assistant" or not fault.slow
            cases += [FrontCase("ask", what, fault, "passes")] * (again and quick)
            cases += [FrontCase("ask", what, fault, "lasts")] * (fault.outcome != "harmless")
            if what != "assistant":
                cases += [FrontCase("plain", what, fault, "passes")] * again
                cases += [FrontCase("plain", what, fault, "stopped")] * (fault.outcome == "again")
                cases += [FrontCase("plain", what, fault, "lasts")] * (fault.outcome == "stands")
    return cases


@dataclass
class FrontBench:
    """A server with a proxy before it. `server` asks it directly."""

    server: AssistantsClient
    proxy: FaultProxy
    directory: Path
    engine: RunningEngine

    def client(self, *, hangs: bool) -> AssistantsClient:
        client = AssistantsClient.for_server(self.proxy.base_url, KEY, label="test")
        if hangs:
            client.transport.stream_timeout = httpx2.Timeout(TIMEOUT)
        return client

    async def users(self, thread_id: str) -> list[str]:
        """What the server has of the user."""
        messages = await self.server.list_messages(thread_id, limit=100)
        return [message.text for message in messages if message.role == "user"]


@asynccontextmanager
async def front_bench(directory: Path) -> AsyncIterator[FrontBench]:
    async with running_engine(directory / "server") as engine:
        address = await engine.tcp(KEY)
        port = int(re.findall(r":(\d+)", address.base_url)[-1])
        async with FaultProxy(port) as proxy:
            yield FrontBench(engine.client("campaign"), proxy, directory, engine)


async def play_front(case: FrontCase, bench: FrontBench) -> str:
    """Try it; how it ended. AssertionError when anything is not as it should be."""
    made = await bench.server.create_assistant({"model": "rehearsal/echo", "name": "A"}, key=str(case))
    thread = "" if case.what in {"thread", "assistant"} else await bench.server.create_thread(key=str(case))
    rule = Rule(WHERE[case.what], case.fault.make(bench.proxy), 1 if case.way == "passes" else EVER)
    try:
        played = asked if case.front == "ask" else talked
        return await played(case, bench, rule, made.id, thread)
    finally:
        bench.proxy.fault = lambda request: None


async def asked(case: FrontCase, bench: FrontBench, rule: Rule, assistant: str, thread: str) -> str:
    """Exit code and sentences of `ask`, and of `ask --json`."""
    bench.proxy.fault = rule
    hangs = case.fault.hangs
    given = ["-a", assistant, *(["-t", thread] if thread else []), "hello"]
    with clock(hangs=hangs):
        ran = await run_with(lambda: bench.client(hangs=hangs), bench.directory / "home", "ask", *given)
        json = await run_with(lambda: bench.client(hangs=hangs), bench.directory / "home", "ask", "--json", *given)
    assert rule.spoiled, "nothing was spoiled"
    if ran.code == 0:
        assert "> hello" in ran.out, ran
        assert case.way == "passes" or "once done" in case.fault.name or case.fault.of_answer, ran
        return "answered"
    assert case.way != "passes", f"what passes was not got over: {ran}"
    assert (ran.code, json.code) == (1, 1), (ran, json)
    words = case.fault.words if case.fault.name != "404" else "own words"
    assert words in ran.err and words in json.data["error"], (words, ran, json)
    assert ran.err.splitlines()[-1].startswith("playground-tui: ") and not ran.out, ran
    retried = "Trying again in" in ran.err
    assert retried == (case.fault.outcome == "again" and case.what != "assistant"), ran
    return "failed after some tries" if retried else "failed at once"


class OnServer(Session):
    """A session with another server than the engine."""

    def __init__(self, bench: FrontBench, settings: Settings, place: Path, *, hangs: bool) -> None:
        self._bench, self._hangs = bench, hangs
        home = RunningEngine(bench.engine.server, bench.engine.socket, paths_in(place))
        super().__init__(home, settings, {}, edits=True)

    async def _open(self, client: AssistantsClient | None) -> AssistantsClient:
        return client or self._bench.client(hangs=self._hangs)


async def talked(case: FrontCase, bench: FrontBench, rule: Rule, assistant: str, thread: str) -> str:
    """A message in the plain mode."""
    settings = Settings(autosave_delay=0.05, server=bench.proxy.base_url, server_key=KEY, assistant=assistant)
    if thread:
        settings = Settings(**{**vars_of(settings), "thread": thread})
    place = bench.directory / f"plain-{len(bench.proxy.requests)}"
    hangs = case.fault.hangs
    with clock(first=LONG if case.way == "stopped" else 0.0, hangs=hangs):
        session = OnServer(bench, settings, place, hangs=hangs)
        try:
            session.start()
            await session.hears("Assistant A is open")
            bench.proxy.fault = rule
            session.type("hello")
            return await told(case, bench, rule, session)
        finally:
            await session.close()


async def told(case: FrontCase, bench: FrontBench, rule: Rule, session: OnServer) -> str:
    """What is heard, and how it goes on."""
    end = "answered"
    found = "once done" in case.fault.name or (case.fault.of_answer and case.what == "message")
    if case.way != "passes" and not found:
        end = "failed at once"
        if case.way == "stopped":
            await session.hears(case.fault.words, f"Attempt 2 in {LONG:.0f} s, ctrl+c stops.")
            session.interrupt()
            end = "stopped by a key"
        kept = "Your message is in the thread" if case.what == "run" else "problem: Not sent:"
        words = case.fault.words if case.fault.name != "404" else "own words"
        heard = await session.hears("problem: ", "\n")
        assert words in heard and (kept in heard), heard
        bench.proxy.fault = lambda request: None
        session.type("/again" if case.what == "run" else "hello")
    await session.hears("quote: hello", "status: completed")
    assert rule.spoiled, "nothing was spoiled"
    assert await bench.users(session.room.sending.chatting.thread_id or "") == ["hello"]
    return end


def vars_of(settings: Settings) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in settings.__dataclass_fields__}
