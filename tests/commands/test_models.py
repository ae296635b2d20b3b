"""`playground-tui models`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playground_tui.assistants.errors import NotReachable
from tests.commands.run import Shell, run_with


async def test_models_are_one_a_line_and_the_provider_is_named_on_stderr(shell: Shell) -> None:
    ran = await shell("models")
    assert ran.code == 0
    assert "rehearsal/echo" in ran.out.splitlines()
    assert "rehearsal" in ran.err


async def test_models_as_json_are_a_list(shell: Shell) -> None:
    ran = await shell("models", "--json")
    assert "rehearsal/markdown" in ran.data
    assert ran.err == ""


async def test_a_server_that_cannot_be_reached_is_said(tmp_path: Path) -> None:
    def refuse() -> Any:
        raise NotReachable("The server does not answer.")

    ran = await run_with(refuse, tmp_path, "models")
    assert (ran.code, ran.out) == (1, "")
    assert "The server does not answer." in ran.err
