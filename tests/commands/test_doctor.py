"""`playground-tui doctor`: what it finds, and what it calls broken."""

from __future__ import annotations

import argparse
import asyncio
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from textual.theme import BUILTIN_THEMES

from playground_tui.commands import doctor, login
from playground_tui.commands.doctor import Finding, code_finding, directory_finding, examine
from playground_tui.config import Settings
from playground_tui.display import DARK, LIGHT, THEMES
from playground_tui.launch import ensure_engine
from playground_tui.paths import Paths
from tests.support.engine_process import held_lock, home, write_address

TERMINAL = {"TERM": "xterm-256color", "LANG": "C.UTF-8"}


@pytest.fixture
def paths() -> Iterator[Paths]:
    with home() as made:
        yield made


def found(paths: Paths, environ: Mapping[str, str] = TERMINAL, **settings: Any) -> dict[str, Finding]:
    """Findings by name; of several of a name the last."""
    return {finding.name: finding for finding in examine(Settings(**settings), paths, environ)}


async def call(paths: Paths, *arguments: str, environ: Mapping[str, str] = TERMINAL) -> tuple[int, str]:
    parser = argparse.ArgumentParser()
    doctor.add_parser(parser.add_subparsers())
    out = io.StringIO()
    given = parser.parse_args(["doctor", *arguments])
    code = await doctor.run(given, None, Settings(), paths, out, io.StringIO(), environ=environ)
    return code, out.getvalue()


async def test_a_bare_machine_is_fine_and_nothing_is_made(paths: Paths) -> None:
    code, text = await call(paths)
    assert code == 0
    for name in ("Python", "terminal", "display", "time zone", "data", "configuration", "engine", "provider"):
        assert f"\n{name} " in text
    assert "rehearsal" in text and "broken" not in text
    assert not paths.data.exists()


async def test_it_can_be_read_by_a_script(paths: Paths) -> None:
    code, text = await call(paths, "--json")
    report = json.loads(text)
    assert (code, report["ok"]) == (0, True)
    assert {"name", "value", "state", "advice"} == set(report["findings"][0])


async def test_a_key_is_present_but_never_shown(paths: Paths) -> None:
    environ = {**TERMINAL, "OPENAI_API_KEY": "sk-canary"}
    for arguments in ([], ["--json"]):
        _, text = await call(paths, *arguments, environ=environ)
        assert "openai at https://api.openai.com/v1 (environment), key present" in text
        assert "canary" not in text


def test_a_key_that_cannot_be_had_is_said(paths: Paths) -> None:
    table = {"base_url": "http://127.0.0.1:9/v1", "api_key_env": "NOWHERE"}
    finding = found(paths, providers={"own": table})["provider"]
    assert (finding.state, finding.advice) == ("warning", "NOWHERE is not set.")
    assert finding.value.endswith("no key")


def test_what_else_a_url_may_hold_is_not_shown(paths: Paths) -> None:
    table = {"base_url": "https://me:canary@host/v1?api-key=canary#canary"}
    finding = found(paths, providers={"own": table}, server="http://me:canary@there/v1")
    assert finding["provider"].value == "own at https://host/v1 (config), no key"
    assert finding["server"].value == "http://there/v1, no key"


def test_another_server_is_named_without_its_key(paths: Paths) -> None:
    finding = found(paths, server="http://host/v1", server_key="canary")["server"]
    assert finding.value == "http://host/v1, key present (PLAYGROUND_TUI_SERVER_KEY)"


async def test_a_wrong_configuration_is_broken(paths: Paths) -> None:
    paths.config.mkdir(parents=True)
    paths.config_file.write_text("nonsense = 1")
    code, text = await call(paths)
    assert code == 1
    assert f"broken: {paths.config_file}: nonsense is not a setting" in text
    paths.config_file.write_text("autosave_delay = 1")
    assert found(paths)["configuration"] == Finding("configuration", str(paths.config_file))


def test_what_runs_may_run_is_said_with_where_it_is_changed(paths: Paths) -> None:
    assert found(paths)["runs may run"].value.startswith("Python in a sandbox, where an assistant has code_interpreter")
    assert found(paths, allow_code=False)["runs may run"].value == "nothing (allow it again: code = true under [allow])"


def test_directories_that_cannot_be_used_are_broken(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path)
    assert directory_finding("data", tmp_path) == Finding("data", str(tmp_path))
    assert directory_finding("data", tmp_path / "a" / "b").value.endswith("(made when it is needed)")
    for name in ("file", "file/below", "link"):
        assert directory_finding("data", tmp_path / name).state == "broken"


async def test_a_living_engine_and_its_providers_are_shown(paths: Paths) -> None:
    address = await asyncio.to_thread(ensure_engine, paths)
    findings = await asyncio.to_thread(found, paths)
    assert findings["engine"].value.startswith(f"process {address.pid}, version ")
    assert findings["provider"].value.startswith("rehearsal (built in)")
    assert "no model is connected" in findings["models go to"].value


def test_an_engine_that_does_not_answer_is_broken(paths: Paths) -> None:
    with held_lock(paths):
        write_address(paths)
        assert "playground-tui engine stop" in found(paths)["engine"].advice
    write_address(paths, host="devbox", boot_id="another kernel")
    assert "devbox" in found(paths)["engine"].advice


def display(paths: Paths, environ: Mapping[str, str], **settings: Any) -> dict[str, str]:
    """What the lines about the display say, by what they are about."""
    findings = [finding for finding in examine(Settings(**settings), paths, environ) if finding.name == "display"]
    pairs = (finding.value.partition(": ") for finding in findings)
    return {what: said for what, _, said in pairs}


def test_what_the_screen_shows_itself_with_is_said_with_the_reason(paths: Paths) -> None:
    environ = {"TERM": "xterm", "COLORTERM": "truecolor", "NO_COLOR": "1", "SSH_CONNECTION": "x", "COLORFGBG": "0;15"}
    assert display(paths, environ, scroll="line") == {
        "colours": "none (NO_COLOR is set)",
        "theme": "playground-light (COLORFGBG=0;15)",
        "letters": "Unicode, written as utf-8 (no locale is set)",
        "frames": "10 a second while text streams (over SSH)",
        "pace": "a frame waits until the terminal has read the one before (if it answers CSI 6 n)",
        "scrolling": "line by line (set in the configuration)",
    }
    assert display(paths, {"TERM": "tmux-256color"}, frame_rate=5)["frames"].startswith("5 a second")


def test_a_theme_there_is_not_is_warned_of(paths: Paths) -> None:
    assert set(THEMES) == {DARK, LIGHT, *BUILTIN_THEMES}
    warned = [one for one in examine(Settings(theme="nrd"), paths, TERMINAL) if one.state == "warning"]
    assert [one.value for one in warned] == ["theme: nrd (set in the configuration)"]
    assert warned[0].advice.startswith("There is no such theme. Known: playground-dark, playground-light, ansi-dark")
    assert not [one for one in examine(Settings(theme="nord"), paths, TERMINAL) if one.state == "warning"]


def test_no_directory_is_promised_for_the_configuration(paths: Paths) -> None:
    findings = found(paths)
    assert "config" not in findings
    assert findings["configuration"].value == f"{paths.config_file} (not there: defaults are used)"


def test_what_stands_around_the_terminal_is_named(paths: Paths) -> None:
    environ = {**TERMINAL, "TMUX": "x", "STY": "y", "SSH_CONNECTION": "z", "TZ": "Europe/Berlin"}
    findings = found(paths, environ)
    assert findings["terminal"].value.endswith(", in tmux and screen and SSH")
    assert findings["time zone"].value.endswith("(TZ=Europe/Berlin)")
    assert found(paths, {"TERM": "dumb"})["terminal"].state == "warning"


def test_a_locale_that_is_not_unicode_is_said(paths: Paths) -> None:
    findings = [one for one in examine(Settings(), paths, {"TERM": "xterm", "LANG": "C"}) if one.state == "warning"]
    assert [(one.name, one.value) for one in findings] == [("display", "letters: ASCII, written as utf-8 (LANG=C)")]
    assert "LANG=C.UTF-8" in findings[0].advice
    chosen = examine(Settings(letters="ascii"), paths, TERMINAL)
    assert not [one for one in chosen if one.state == "warning"]


def test_hostile_values_are_cleaned(paths: Paths) -> None:
    _, text = asyncio.run(call(paths, environ={"TERM": "x\x1b]0;title\x07\nfake: line"}))
    assert "\x1b" not in text and "\nfake" not in text


def test_a_login_that_takes_the_engine_with_it_is_warned_of(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "login_ends_processes", lambda _: True)
    assert "loginctl enable-linger" in found(paths)["logout"].advice


@pytest.mark.parametrize(
    ("answer", "bwrap", "state", "words"),
    [
        ({"tools": {"code_interpreter": ""}}, "/bin/bwrap", "ok", "runs in a sandbox of /bin/bwrap"),
        (
            {"tools": {"code_interpreter": "Code cannot be run: why."}},
            "/bin/bwrap",
            "warning",
            "Code cannot be run: why.",
        ),
        ({}, "/bin/bwrap", "ok", "runs in a sandbox of /bin/bwrap (not tried)"),
        ({}, None, "warning", "apt install bubblewrap"),
    ],
)
def test_whether_code_can_be_run(
    monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any], bwrap: str | None, state: str, words: str
) -> None:
    monkeypatch.setattr(doctor.shutil, "which", lambda _: bwrap)
    finding = code_finding(answer)
    assert (finding.name, finding.state) == ("code", state)
    assert words in (finding.value, finding.advice) or words in finding.advice


@pytest.mark.parametrize(
    ("answer", "ends"), [("b true", True), ("b false", False), ("", True)], ids=["asked: yes", "asked: no", "files"]
)
def test_logind_is_asked_before_its_files(tmp_path: Path, answer: str, ends: bool) -> None:
    (tmp_path / "logind.conf").write_text("[Login]\n#KillUserProcesses=no\n")
    (tmp_path / "logind.conf.d").mkdir()
    (tmp_path / "logind.conf.d" / "own.conf").write_text("[Login]\nKillUserProcesses=yes\n")
    question = ["echo", answer] if answer else ["false"]
    around: dict[str, Any] = {"question": question, "linger": tmp_path / "linger", "configuration": [tmp_path]}
    assert login.login_ends_processes({"XDG_SESSION_ID": "1"}, **around) is ends
    assert login.login_ends_processes({}, **around) is False
    around["question"] = [str(tmp_path / "missing")]
    assert login.login_ends_processes({"XDG_SESSION_ID": "1"}, **around) is True
    (tmp_path / "linger").mkdir()
    (tmp_path / "linger" / login.pwd.getpwuid(login.os.getuid()).pw_name).touch()
    assert login.login_ends_processes({"XDG_SESSION_ID": "1"}, **around) is False
