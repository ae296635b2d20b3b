"""Where the program's files are, and that their directories are the user's alone."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from playground_tui.paths import PathError, Paths, private_directory


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_users_choice_of_directories_is_honoured(tmp_path: Path) -> None:
    homes = {f"XDG_{kind}_HOME": str(tmp_path / kind.lower()) for kind in ("CONFIG", "DATA", "STATE")}
    paths = Paths.from_environment({**homes, "TMPDIR": str(tmp_path)})
    assert paths.config_file == tmp_path / "config/playground-tui/config.toml"
    assert paths.cache == tmp_path / "data/playground-tui/cache"
    assert paths.database == tmp_path / "data/playground-tui/engine.db"
    assert paths.engine_file == tmp_path / "data/playground-tui/engine.json"
    assert paths.engine_lock == tmp_path / "data/playground-tui/engine.lock"
    assert paths.editor == tmp_path / "data/playground-tui/editor"
    assert paths.serve_key == tmp_path / "data/playground-tui/serve.key"
    assert paths.engine_log == tmp_path / "state/playground-tui/engine.log"
    assert paths.log == tmp_path / "state/playground-tui/playground.log"
    assert paths.runtime == tmp_path / f"playground-tui-{os.getuid()}"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("unusable", ["", "relative/path", " "])
def test_an_unusable_choice_means_the_platforms_own_place(unusable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ("CONFIG", "DATA", "STATE"):
        monkeypatch.delenv(f"XDG_{kind}_HOME", raising=False)
    paths = Paths.from_environment({"XDG_DATA_HOME": unusable, "TMPDIR": unusable})
    assert paths.data == Paths.from_environment({}).data
    assert paths.data.is_absolute()
    assert paths.data.name == "playground-tui"
    assert paths.runtime.parent == Path("/tmp")


def test_without_an_argument_the_process_environment_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert Paths.from_environment().data == tmp_path / "playground-tui"


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o277])
def test_a_private_directory_is_private_with_its_new_parents_under_any_umask(tmp_path: Path, umask: int) -> None:
    former = os.umask(umask)
    try:
        made = private_directory(tmp_path / "a" / "b") if umask != 0o277 else private_directory(tmp_path / "b")
    finally:
        os.umask(former)
    assert mode_of(made) == 0o700
    if umask != 0o277:
        assert mode_of(tmp_path / "a") & 0o077 == 0


def test_an_open_directory_is_closed_and_its_parents_are_left(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    open_one = tmp_path / "open"
    open_one.mkdir()
    open_one.chmod(0o777)
    assert private_directory(open_one) == open_one
    assert mode_of(open_one) == 0o700
    assert mode_of(tmp_path) == 0o755


def test_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(PathError, match="link is a symbolic link"):
        private_directory(tmp_path / "link")


def test_a_link_that_leads_nowhere_is_refused_and_nothing_is_made(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PathError, match="symbolic link"):
        private_directory(tmp_path / "link")
    assert not (tmp_path / "elsewhere").exists()


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PathError, match="is not a directory"):
        private_directory(tmp_path / "file")


def test_another_users_directory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(PathError, match="belongs to another user"):
        private_directory(tmp_path)


@pytest.mark.parametrize("module", ["paths", "text", "config", "cache.cache"])
def test_importing_the_ground_loads_nothing_heavy(module: str) -> None:
    heavy = ["textual", "openai", "pydantic", "httpx2", "sqlalchemy", "starlette", "asyncio", "platformdirs", "tomllib"]
    program = f"import sys, playground_tui.{module}; print([name for name in {heavy} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
