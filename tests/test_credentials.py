"""Keys from each source there is, and from none that others can read."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from playground_tui import credentials
from playground_tui.credentials import Found, Secret, Sources, find_key
from tests.support.engine_process import process_is_gone
from tests.support.wait import until

KEY = "sk-canary-4711"
ENVIRON = {"PATH": "/usr/bin:/bin", "PART": "canary"}


def of_command(command: str) -> Found:
    return find_key(Sources("x.api_key", command=command), ENVIRON)


def test_a_key_is_not_in_a_repr() -> None:
    assert KEY not in repr([Secret(KEY), Found(Secret(KEY), "X")])


def test_a_variable_has_the_key() -> None:
    sources = Sources("x", variable="X_KEY")
    assert find_key(sources, {"X_KEY": f" {KEY}\n"}) == Found(Secret(KEY), "X_KEY")
    assert find_key(sources, {}).problem == "X_KEY is not set."
    assert find_key(sources, {"X_KEY": "two words"}).problem.startswith("X_KEY holds no key")


def test_a_command_prints_the_key_in_its_first_line() -> None:
    found = of_command("echo; echo sk-$PART-4711; echo more; echo noise >&2")
    assert (found.key, found.origin, found.problem) == (KEY, "x.api_key_command", "")


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (f"echo {KEY} >&2; exit 3", "failed with exit code 3: [key]."),
        (f"echo {KEY}; echo bad: {KEY} >&2; exit 3", "failed with exit code 3: bad: [key]."),
        ("echo odd-one; echo bad: odd-one >&2; exit 3", "failed with exit code 3: bad: [key]."),
        ("printf '\\033]0;x\\007[red]no key[/]\\n\\n' >&2; exit 1", "exit code 1: ␛]0;x␇[red]no key[/]."),
        ("true", "printed nothing."),
        ("echo locked >&2", "printed nothing: locked."),
        ("does-not-exist-4711", "failed with exit code 127: "),
        (f"printf '{KEY} {KEY}'", "holds no key"),
        ("printf '\\377\\376'", "holds no key"),
        ("echo \x00", "cannot be run"),
    ],
)
def test_a_command_that_fails_is_a_sentence_without_the_key(command: str, problem: str) -> None:
    found = of_command(command)
    assert found.key is None
    assert found.problem.startswith("x.api_key_command ")
    assert problem in found.problem
    assert KEY not in found.problem


async def test_a_command_that_does_not_end_is_ended_with_all_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials, "KEY_TIMEOUT", 0.3)
    began = time.monotonic()
    assert "did not end within 0.3 s" in of_command(f"sleep 60 & echo $! > {tmp_path}/child; wait").problem
    assert time.monotonic() - began < 10
    child = int((tmp_path / "child").read_text())
    await until(lambda: process_is_gone(child))


def of_file(path: Path | str) -> Found:
    return find_key(Sources("x.api_key", file=str(path)), {"HOME": str(Path(path).parent)})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_text(f"{KEY}\nanother line\n")
    path.chmod(0o600)
    return path


def test_a_file_has_the_key_in_its_first_line(file: Path) -> None:
    assert of_file(file) == Found(Secret(KEY), "x.api_key_file")
    assert find_key(Sources("x", file="~/key"), {"HOME": str(file.parent)}).key == KEY


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o610, 0o602, 0o644])
def test_a_file_that_others_can_read_is_not_used(file: Path, mode: int) -> None:
    file.chmod(mode)
    found = of_file(file)
    assert found.key is None
    assert f"others can read {file}, so it is not used: chmod 600 {file}" in found.problem


def test_a_file_that_is_none_is_said(file: Path) -> None:
    assert "cannot be read: No such file" in of_file(file.with_name("other")).problem
    assert "is no file" in of_file(file.parent).problem
    os.mkfifo(file.with_name("pipe"), 0o600)
    assert "is no file" in of_file(file.with_name("pipe")).problem
    assert "cannot be read" in of_file("/a\0b").problem
    file.write_text("\n")
    assert "holds no key" in of_file(file).problem


@pytest.mark.skipif(os.geteuid() != 0, reason="a file can be given away by root alone")
def test_a_file_of_another_user_is_not_used(file: Path) -> None:
    os.chown(file, 65534, -1)
    assert "belongs to another user (uid 65534)" in of_file(file).problem


def of_keyring(environ: dict[str, str]) -> Found:
    return find_key(Sources("x.api_key", keyring="openai"), {**os.environ, **environ})


@pytest.mark.parametrize("backend", ["null", "fail"])
def test_a_keyring_that_is_none_is_not_used(backend: str) -> None:
    found = of_keyring({"PYTHON_KEYRING_BACKEND": f"keyring.backends.{backend}.Keyring"})
    assert found.problem.startswith("x.api_key_keyring failed with exit code 1: no real keyring works here")


PLAIN = """
from keyring.backend import KeyringBackend
class Keyring(KeyringBackend):
    priority = 9
    def get_password(self, service, user): return "from-a-plain-file"
    def set_password(self, service, user, password): ...
    def delete_password(self, service, user): ...
"""


def test_a_keyring_that_keeps_keys_in_plain_files_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "plain.py").write_text(PLAIN)
    found = of_keyring({"PYTHON_KEYRING_BACKEND": "plain.Keyring", "PYTHONPATH": str(tmp_path)})
    assert "no real keyring works here" in found.problem


REAL = """
class Keyring:
    __module__ = "keyring.backends.SecretService"
    def get_password(self, service, user): return {("playground-tui", "openai"): "sk-canary-4711"}.get((service, user))
class Chain:
    __module__ = "keyring.backends.chainer"
    backends = [Keyring()]
class errors:
    KeyringError = RuntimeError
def get_keyring(): return Chain()
"""


def test_a_real_keyring_is_asked_for_the_providers_entry(tmp_path: Path) -> None:
    """The service of a desktop is not there in tests: its place is taken by one that answers as it does."""
    (tmp_path / "keyring.py").write_text(REAL)
    environ = {**os.environ, "PYTHONPATH": str(tmp_path)}
    assert find_key(Sources("x", keyring="openai"), environ).key == KEY
    problem = find_key(Sources("x", keyring="other"), environ).problem
    assert "it holds nothing for other: keyring set playground-tui other" in problem


def test_without_the_package_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "keyring.py").write_text("raise ImportError")
    problem = of_keyring({"PYTHONPATH": str(tmp_path)}).problem
    assert "pip install keyring" in problem
    assert sys.executable not in problem
