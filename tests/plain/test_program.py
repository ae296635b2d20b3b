"""The plain mode from the command line, and how it is asked for."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from playground_tui.cli import main
from playground_tui.config import ConfigError, load_settings
from playground_tui.plain import program
from tests.plain.session import plain
from tests.support.engine import RunningEngine, paths_in
from tests.support.terminal import user
from tests.support.wait import until


async def test_a_callback_that_fails_beside_the_terminal_is_for_the_log(
    engine: RunningEngine, capfd: pytest.CaptureFixture[str]
) -> None:
    async with plain(engine) as p:
        await p.hears("you: ")
        p.room.do(lambda: asyncio.get_running_loop().call_soon(lambda: 1 // 0))
        await until(lambda: engine.paths.log.exists() and "ZeroDivisionError" in engine.paths.log.read_text())
    assert capfd.readouterr() == ("", "")


class Deadline:
    def arm(self, code: int) -> None:
        self.code = code


def run_main(monkeypatch: pytest.MonkeyPatch, lines: str, *, ended: bool = False) -> tuple[int, str]:
    """`playground-tui --plain` in this process with these lines; `ended`: a signal ends it."""
    deadline = Deadline()

    def on_signals(keep: Callable[[], None], leave: Callable[[int], None]) -> Deadline:
        keep()  # a signal may come before there is anything to keep
        if ended:

            def greet(self: object) -> NoReturn:
                leave(143)
                raise AssertionError

            monkeypatch.setattr("playground_tui.plain.talk.Talk._greet", greet)
        return deadline

    monkeypatch.setattr(program, "leave_on_signals", on_signals)
    out = io.StringIO()
    monkeypatch.setattr("sys.stdin", io.StringIO(lines))
    monkeypatch.setattr("sys.stdout", out)
    code = main(["--plain"])
    assert deadline.code == code
    return code, out.getvalue()


def test_lines_of_a_file_are_a_session(monkeypatch: pytest.MonkeyPatch) -> None:
    with user() as home, monkeypatch.context() as patched:
        for name, value in home.items():
            patched.setenv(name, value)
        code, said = run_main(patched, "/status\n")
        assert code == 0
        assert "you: /status\nassistant: without a name, not created yet.\n" in said
        assert "connected to: engine." in said
        assert said.endswith("Goodbye. Everything is kept for the next start.\n")
        assert run_main(patched, "", ended=True)[0] == 143


def test_the_option_comes_before_the_environment_before_the_configuration(tmp_path: Path) -> None:
    paths = paths_in(tmp_path)
    paths.config.mkdir(parents=True)

    def plain(environ: dict[str, str], **argv: object) -> bool:
        return load_settings(paths, environ, argv).plain

    assert not plain({})
    assert plain({"PLAYGROUND_TUI_PLAIN": "1"})
    paths.config_file.write_text("[display]\nplain = true\n")
    assert plain({})
    assert not plain({"PLAYGROUND_TUI_PLAIN": "0"})
    assert plain({"PLAYGROUND_TUI_PLAIN": "0"}, plain=True)
    paths.config_file.write_text('[display]\nplain = "yes"\n')
    with pytest.raises(ConfigError, match=r"display\.plain must be true or false"):
        plain({})
