"""The command line as a newcomer meets it: help, versions, wrong usage, and never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from playground_tui import __version__, cli
from playground_tui.assistants.errors import NotReachable
from playground_tui.config import Settings
from playground_tui.engine import process
from playground_tui.engine.process import CannotBegin
from playground_tui.launch import LaunchError, stop_engine
from playground_tui.paths import Paths
from tests.support.engine_process import home, write_address


@pytest.fixture
def paths(monkeypatch: pytest.MonkeyPatch) -> Iterator[Paths]:
    """A new user's directories, which the environment names."""
    for variable in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "PLAYGROUND_TUI_SERVER", "PLAYGROUND_TUI_SERVER_KEY"):
        monkeypatch.delenv(variable, raising=False)
    with home() as made:
        made.data.parent.mkdir(exist_ok=True)
        for kind in ("CONFIG", "DATA", "STATE"):
            monkeypatch.setenv(f"XDG_{kind}_HOME", str(made.data.parent / kind))
        (made.data.parent / "tmp").mkdir()
        monkeypatch.setenv("TMPDIR", str(made.data.parent / "tmp"))
        own = Paths.from_environment()
        yield own
        with suppress(LaunchError):
            stop_engine(own)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "playground_tui", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("arguments", [["--version"], ["--provider", "x", "--version"]])
def test_it_says_its_version(arguments: list[str], paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(arguments) == 0
    assert capsys.readouterr().out == f"playground-tui {__version__}\n"


def test_the_module_is_the_command(paths: Paths) -> None:
    done = run("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"playground-tui {__version__}\n", "")


def test_the_help_names_every_command_and_the_way_to_a_model(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    text = capsys.readouterr().out
    for word in ("ask", "assistants", "threads", "models", "serve", "engine", "doctor", "OPENAI_API_KEY", "Ollama"):
        assert word in text
    assert str(paths.config_file) in text


@pytest.mark.parametrize("command", ["ask", "assistants", "threads", "models", "serve", "engine", "doctor"])
def test_every_command_has_its_help(paths: Paths, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([command, "--help"]) == 0
    assert f"usage: playground-tui {command}" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["nonsense"], ["--nonsense"], ["engine"], ["serve", "--port", "99999"]])
def test_wrong_usage_is_exit_code_2(paths: Paths, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(arguments) == 2
    assert capsys.readouterr().err.startswith("usage: playground-tui")


def test_a_wrong_configuration_is_a_sentence_and_exit_code_2(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    paths.config_file.parent.mkdir(parents=True)
    paths.config_file.write_text('"autosave\\u001b[2Jdelay" = 1')
    assert cli.main(["engine", "status"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"playground-tui: {paths.config_file}: ") and "\x1b" not in said


def test_what_keeps_the_engine_away_is_a_sentence_and_exit_code_1(
    paths: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    write_address(paths, host="devbox", boot_id="another kernel")
    assert cli.main(["models"]) == 1
    assert "devbox" in capsys.readouterr().err


def test_a_command_finds_an_engine_and_hands_over_its_settings(
    paths: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["models"]) == 0
    assert "rehearsal/echo" in capsys.readouterr().out
    assert cli.main(["engine", "stop"]) == 0
    assert capsys.readouterr().out == "The engine has stopped.\n"


def _raises(error: BaseException) -> Any:
    def command(*_: object) -> int:
        raise error

    return command


def test_an_interrupt_is_130_without_a_word(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "open_playground", _raises(KeyboardInterrupt()))
    assert cli.main([]) == 130
    assert capsys.readouterr() == ("", "")


def test_an_error_of_the_server_is_a_sentence(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "open_playground", _raises(NotReachable("The server is away.")))
    assert cli.main([]) == 1
    assert capsys.readouterr().err == "playground-tui: The server is away.\n"


def test_without_a_command_the_playground_opens_with_what_was_given(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Settings] = []
    monkeypatch.setattr(cli, "open_playground", lambda settings, _paths, _environ: opened.append(settings) or 0)
    assert cli.main(["--server", "http://host/v1", "--assistant", "Tutor", "--thread", "thread_1"]) == 0
    assert (opened[0].server, opened[0].assistant, opened[0].thread) == ("http://host/v1", "Tutor", "thread_1")


def test_a_reader_that_goes_away_is_no_error(paths: Paths) -> None:
    command = f"{sys.executable} -m playground_tui doctor | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.stderr == "" and done.returncode in (0, 1)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is always full")
@pytest.mark.parametrize("arguments", [["--version"], ["engine", "status"]])
def test_output_that_no_disk_takes_is_a_sentence(paths: Paths, arguments: list[str]) -> None:
    command = [sys.executable, "-m", "playground_tui", *arguments]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    said = "playground-tui: the output cannot be written: No space left on device.\n"
    assert (done.returncode, done.stderr) == (1, said)


def test_a_terminal_that_is_not_unicode_gets_escapes(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    monkeypatch.setenv("TERM", "größe")
    done = run("doctor")
    assert "gr\\xf6\\xdfe" in done.stdout and "Traceback" not in done.stderr


async def test_the_opener_finds_the_engine_again_for_the_same_client(paths: Paths) -> None:
    opener = cli.Opener(Settings(), paths, {})
    opener.begin()
    client = await opener()
    assert client.is_engine and (await client.engine_status()).default_model == "rehearsal/echo"
    assert await opener(client) is client
    await client.close()


async def test_the_opener_says_what_keeps_the_engine_away_as_the_client_would(paths: Paths) -> None:
    write_address(paths, host="devbox", boot_id="another kernel")
    with pytest.raises(NotReachable, match="devbox"):
        await cli.Opener(Settings(), paths, {})()


async def test_the_opener_goes_to_another_server_without_an_engine(paths: Paths) -> None:
    opener = cli.Opener(Settings(server="http://127.0.0.1:9/v1", server_key="k"), paths, {})
    opener.begin()
    client = await opener()
    assert not client.is_engine and await opener(client) is client
    assert not paths.engine_lock.exists()
    await client.close()


def test_the_label_says_where_a_visitor_sits(monkeypatch: pytest.MonkeyPatch) -> None:
    host = os.uname().nodename
    monkeypatch.setattr(os, "ttyname", lambda _: "/dev/pts/3")
    assert cli.label() == f"{host}, pts/3"
    monkeypatch.setattr(os, "ttyname", _raises(OSError()))
    assert cli.label() == f"{host}, no terminal"


async def test_serve_becomes_the_engine_with_an_exit_code(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    endings: list[Any] = [True, False, None, CannotBegin("the socket cannot be made")]

    async def in_front(_paths: Paths, _serving: object) -> bool | None:
        ending = endings.pop(0)
        if isinstance(ending, Exception):
            raise ending
        return ending

    monkeypatch.setattr(process, "in_front", in_front)
    serving: Any = None
    assert [await cli.become_engine(paths, serving) for _ in range(3)] == [130, 0, None]
    with pytest.raises(LaunchError, match="the socket cannot be made"):
        await cli.become_engine(paths, serving)


def test_the_playground_gets_an_opener_whose_engine_is_being_started(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_playground(settings: Settings, _paths: Paths, _environ: object, open_client: cli.Opener) -> int:
        assert open_client._starting is not None
        assert open_client._starting.result().pid != os.getpid()
        return 7

    monkeypatch.setattr("playground_tui.ui.app.run_playground", run_playground)
    assert cli.open_playground(Settings(), paths, {}) == 7


def test_a_broken_pipe_is_no_traceback(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    replaced: list[int] = []
    monkeypatch.setattr(os, "dup2", lambda _, descriptor: replaced.append(descriptor))
    monkeypatch.setattr(cli, "open_playground", _raises(BrokenPipeError()))
    assert cli.main([]) == 1
    assert replaced == [1]
