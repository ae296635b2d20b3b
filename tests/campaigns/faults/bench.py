"""One playground in front of another server: the engine's whole API, with a proxy between that spoils answers."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest

from playground_tui.assistants import autosave, conversation, outcome, transport, tries
from playground_tui.assistants.client import AssistantsClient
from playground_tui.assistants.objects import Message
from playground_tui.config import Settings
from playground_tui.desk import reading
from playground_tui.engine.providers.rehearsal import RehearsalProvider
from playground_tui.ui import screen
from playground_tui.ui.app import PlaygroundApp
from playground_tui.ui.form.status import SaveStatus
from tests.campaigns.faults.answers import KEY
from tests.support.clock import no_pauses
from tests.support.engine import RunningEngine, paths_in, running_engine
from tests.support.fault_proxy import FaultProxy
from tests.support.playground import QUICK, Playground
from tests.support.provider_server import ProviderServer, Received, Reply
from tests.support.wait import until

PATIENCE = 30.0
"""Seconds in which what is waited for must come: the machine may be busy."""
LONG = 30.0
"""Seconds of a countdown that is to be seen and stopped."""
TIMEOUT = 1.5
"""Seconds after which a server that hangs is given up here."""


@dataclass
class Rule:
    """The requests that are spoiled, and how often. `spoiled` counts them.

    `where` is searched for in "METHOD /path?query"; `first` spoils the very first request that it has an answer for.
    """

    where: str
    reply: Reply
    times: int
    spoiled: int = 0
    first: Callable[[Received], Reply | None] = lambda request: None

    def __call__(self, request: Received) -> Reply | None:
        line = f"{request.method} {request.path.removeprefix('/v1')}?{request.query}"
        if self.spoiled < self.times and re.search(self.where, line):
            self.spoiled += 1
            return self.reply
        return self.first(request)


@dataclass
class Bench:
    """What a case works with. `server` asks the server directly, past the proxy."""

    engine: RunningEngine
    server: AssistantsClient
    proxy: FaultProxy
    elsewhere: ProviderServer
    p: Playground
    sentences: set[str] = field(default_factory=set)
    """Everything that was to be read on the screen since the case began, but the thread."""

    @property
    def thread_id(self) -> str:
        return self.p.screen.sending.chatting.thread_id or ""

    def look(self) -> None:
        """Read the screen."""
        p = self.p
        shown = [str(p.chat.problem.content) if p.chat.problem.display else "", p.status, str(p.screen.where.content)]
        self.sentences.update([*shown, p.screen.query_one(SaveStatus).sentence, *p.said[-3:]])

    def reads(self, words: str) -> bool:
        """Whether these words were to be read."""
        self.look()
        return any(words in sentence for sentence in self.sentences)

    async def until(self, predicate: Callable[[], Any], what: str) -> None:
        """Wait, reading the screen."""

        def there() -> Any:
            self.look()
            return predicate()

        try:
            await until(there, timeout=PATIENCE)
        except AssertionError:
            raise AssertionError(f"never: {what}; read: {self.read}") from None

    @property
    def read(self) -> list[str]:
        """What was read, without the seconds that went by."""
        return sorted({re.sub(r"\d+ s\b", "… s", sentence).strip() for sentence in self.sentences})

    @property
    def idle(self) -> bool:
        sending = self.p.screen.sending
        return not sending.busy and not sending.chatting.loading

    async def settled(self) -> None:
        await self.until(lambda: self.idle, "nothing is under way any longer")

    async def opened(self, model: str, **fields: Any) -> str:
        """An assistant of its own for a case, on a new thread."""
        fields = {"model": model, "name": "A", **fields}
        made = await self.server.create_assistant(fields, key=f"{len(self.proxy.requests)} {model}")
        await self.p.screen.picking.open_assistant(made.id)
        await self.settled()
        return made.id

    async def truth(self) -> list[Message]:
        """The open thread as the server has it."""
        return await self.server.list_messages(self.thread_id, limit=100) if self.thread_id else []

    async def same(self) -> None:
        """The thread shown is the thread at the server."""
        there = [(message.id, message.role, message.text) for message in await self.truth()]
        shown = [(message.id, message.role, message.text) for message in self.p.chat.messages()]
        assert shown == there, f"shown {shown}, at the server {there}"

    def pace(self, pieces: float) -> None:
        """How many pieces of a long text come in a second; 0: as fast as can be."""
        rehearsal, _ = self.engine.engine.providers.resolve("rehearsal/markdown")
        assert isinstance(rehearsal, RehearsalProvider)
        rehearsal._pace = pieces

    def spoil(self, rule: Rule) -> Rule:
        self.proxy.fault = rule
        return rule

    def mend(self) -> None:
        self.proxy.fault = lambda request: None


@asynccontextmanager
async def bench(directory: Path) -> AsyncIterator[Bench]:
    """A playground on a server of its own."""
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(running_engine(directory / "server"))
        address = await engine.tcp(KEY)
        proxy = await stack.enter_async_context(FaultProxy(int(address.base_url.rpartition(":")[2].partition("/")[0])))
        elsewhere = await stack.enter_async_context(ProviderServer())
        proxy.elsewhere = elsewhere.port
        p = await stack.enter_async_context(on_server(proxy.base_url, directory / "home"))
        await until(lambda: p.screen.editing.editor, timeout=PATIENCE)
        yield Bench(engine, engine.client("campaign"), proxy, elsewhere, p)


@asynccontextmanager
async def on_server(url: str, directory: Path) -> AsyncIterator[Playground]:
    """A playground with `--server`."""

    async def open_client(client: AssistantsClient | None) -> AssistantsClient:
        return client or AssistantsClient.for_server(url, KEY, label="test")

    app = PlaygroundApp(
        Settings(autosave_delay=QUICK, server=url, server_key=KEY), paths_in(directory), {}, open_client
    )
    try:
        async with app.run_test(size=(120, 40), notifications=True, tooltips=True) as pilot:
            await until(lambda: app._split is not None, timeout=PATIENCE)
            yield Playground(app, pilot)
    finally:
        if app.desk.client is not None:
            await app.desk.client.close()
        app.desk.cache.close()


@contextmanager
def clock(*, first: float = 0.0, hangs: bool = False) -> Iterator[None]:
    """The pauses of a case: next to nothing, or `first` seconds and more; and the time a silent server is given."""
    with pytest.MonkeyPatch.context() as patch:
        no_pauses(patch)
        patch.setattr(screen, "FOREIGN_READ", 3600.0)  # a case says itself when the assistant is read
        patch.setattr(autosave, "FIRST_RETRY", first or 0.01)
        patch.setattr(autosave, "LONGEST_RETRY", LONG if first else 0.01)
        if first:
            for module in (tries, conversation):
                patch.setattr(module, "FIRST_DELAY", first)
                patch.setattr(module, "LONGEST_DELAY", LONG)
        if hangs:
            for name in ("ORDINARY", "SERVER_STREAM"):
                patch.setattr(transport, name, httpx2.Timeout(TIMEOUT))
            patch.setattr(transport, "WHOLE", TIMEOUT)
            patch.setattr(transport, "SOON", 0.0)
            patch.setattr(outcome, "SOON", 0.0)
            patch.setattr(reading, "PATIENCE", 0.5)
        yield
