"""What a run may do on this machine: nothing that was revoked, also where it has begun."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from playground_tui.engine.tools.base import CannotRun
from tests.support.engine import RunningEngine
from tests.support.sandbox import THREAD, bench
from tests.support.wait import until

REVOKED = "Code cannot be run: it is not allowed on this machine (code = false under [allow] in config.toml)."


async def test_what_was_revoked_is_not_run_and_runs_no_longer(tmp_path: Path) -> None:
    async with bench(tmp_path) as made:
        interpreter = made.interpreter
        running = asyncio.create_task(made.text("import time\nwhile True: time.sleep(0.01)"))
        await until(
            lambda: interpreter._seats.get(THREAD) is not None and interpreter._seats[THREAD].sandbox is not None
        )
        process = interpreter._seats[THREAD].sandbox
        await interpreter.allow(False)
        assert process is not None and not process.alive
        await asyncio.wait_for(running, 10)
        assert await interpreter.problem() == REVOKED
        with pytest.raises(CannotRun):
            await made.text("print(1)")
        await interpreter.allow(True)
        assert (await made.text("print(1 + 1)")).endswith("2\n")


async def test_a_visitor_who_says_nothing_allows_nothing(engine: RunningEngine) -> None:
    await engine.settle(allow_code=False)
    await engine.settle()
    assert await engine.engine.interpreter.problem() == REVOKED
    await engine.settle(allow_code="yes")
    assert await engine.engine.interpreter.problem() == REVOKED
