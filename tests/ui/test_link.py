"""The connection: opened, watched, opened again; and the sentences said in passing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from playground_tui.assistants.engine_objects import Change, EngineStatus
from playground_tui.assistants.errors import NotReachable
from playground_tui.desk import link as link_module
from playground_tui.desk.link import Link
from playground_tui.desk.trouble import Trouble
from playground_tui.ui import notice as notice_module
from tests.support.engine import RunningEngine
from tests.support.playground import playground
from tests.support.wait import until


class Server:
    """A server that reports the changes it is given, then drops the connection."""

    where = "box.example"

    def __init__(self, *changes: Change, is_engine: bool = True) -> None:
        self.given = changes
        self.is_engine = is_engine
        self.problems: list[str] = []
        """What is wrong with it, the first time it is asked, the second, ..."""

    async def engine_status(self) -> EngineStatus:
        problem = self.problems.pop(0) if self.problems else ""
        notices = ("The store was damaged.",)
        return EngineStatus("rehearsal: ready", "rehearsal/echo", problem=problem, notices=notices)

    async def changes(self) -> AsyncIterator[Change]:
        for change in self.given:
            yield change
        raise NotReachable("The engine is gone.")


class Watched:
    """A link and everything it did."""

    def __init__(self, *servers: Server | Exception) -> None:
        self.servers = list(servers)
        self.shown: list[str] = []
        self.changed: list[str] = []
        self.opened = 0
        self.said: list[str] = []
        self.troubles: list[str] = []
        trouble = Trouble(lambda: self.troubles.append(trouble.sentence))
        self.desk = SimpleNamespace(client=None, live=False, default_model="", trouble=trouble, say=self.said.append)
        self.link = Link(
            self.desk,  # type: ignore[arg-type]
            self.open,
            show=self.shown.append,
            opened=self.read,
            changed=self.hear,
        )

    async def open(self, client: Any) -> Any:
        if not self.servers:
            await asyncio.Event().wait()
        server = self.servers.pop(0)
        if isinstance(server, Exception):
            raise server
        return server

    async def read(self) -> None:
        self.opened += 1

    async def hear(self, change: Change) -> None:
        self.changed.append(change.id)
        assert self.desk.live


async def test_what_is_wrong_with_the_engine_is_shown_until_it_is_over_and_what_was_is_said_once() -> None:
    server = Server(Change(1, "reset"), Change(2, "engine"), Change(3, "engine"))
    server.problems = ["", "The disk is full.", ""]
    again = Server(Change(4, "reset"))
    again.problems = ["The disk is full."]
    watched = Watched(server, again)
    task = asyncio.create_task(watched.link.run())
    await until(lambda: len(watched.troubles) == 2)
    assert watched.troubles == ["The disk is full.", ""]
    assert (watched.opened, watched.changed, watched.said) == (1, [], ["The store was damaged."])
    # An engine that has gone has no trouble.
    await until(lambda: watched.troubles[2:] == ["The disk is full.", ""])
    assert watched.said == ["The store was damaged."]
    task.cancel()


async def test_it_tries_again_until_the_server_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "DELAYS", (0.0,))
    reset, change = Change(1, "reset"), Change(2, "assistant", "asst_1")
    watched = Watched(NotReachable("Nobody listens."), Server(reset, change), Server(reset))
    task = asyncio.create_task(watched.link.run())
    await until(lambda: watched.opened == 2 and not watched.servers and not watched.desk.live)
    task.cancel()
    assert "Nobody listens." in watched.shown[0] and "what you type is kept" in watched.shown[0]
    assert watched.shown[1] == "rehearsal: ready"
    assert watched.changed == ["asst_1"]
    assert watched.desk.default_model == "rehearsal/echo"


async def test_a_server_that_reports_nothing_is_read_once() -> None:
    watched = Watched(Server(is_engine=False))
    await watched.link.run()
    assert (watched.opened, watched.shown) == (1, ["connected to box.example"])


async def test_a_sentence_lies_over_the_top_lines_for_a_while_and_moves_nothing(
    engine: RunningEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notice_module, "SECONDS", 0.05)
    monkeypatch.setattr(notice_module, "CHARACTERS_PER_SECOND", 1e6)
    async with playground(engine, size=(60, 20)) as p:
        await p.press("ctrl+l", *"typing")
        before = p.chat.composer.region
        p.app.say("A long sentence [/b] from \x1b]0;elsewhere\x07 " * 20)
        await p.pilot.pause()
        assert p.screen.notice.region.y == 0
        assert p.screen.notice.region.height <= 4
        assert p.chat.composer.region == before
        assert p.screen.focused is p.chat.composer
        assert "[/b]" in p.text("#notice") and "\x1b" not in p.text("#notice")
        await p.until(lambda: not p.screen.notice.display)


async def test_a_disk_problem_stays_until_it_is_over(engine: RunningEngine) -> None:
    async with playground(engine) as p:
        p.screen.show_trouble("The disk is full: [what] you type is kept in memory.")
        await p.pilot.pause()
        assert "[what]" in p.text("#disk") and p.screen.disk.region.height == 1
        p.screen.show_trouble("")
        await p.pilot.pause()
        assert not p.screen.disk.display
