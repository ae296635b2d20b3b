"""What is loaded when: a start must not wait for what it does not need."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {"openai", "pydantic", "httpx2", "sqlalchemy", "starlette", "uvicorn", "alembic", "textual", "rich"}


def loaded_after(code: str) -> set[str]:
    """Top-level modules, and our own in full, that a new interpreter has loaded after running `code`."""
    script = f"import sys\n{code}\nimport json; sys.stderr.write(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    names: list[str] = json.loads(done.stderr)
    return {name if name.startswith("playground_tui") else name.partition(".")[0] for name in names}


def test_the_version_needs_nothing() -> None:
    loaded = loaded_after("from playground_tui.cli import main; main(['--version'])")
    ours = {name for name in loaded if name.startswith("playground_tui")}
    assert ours == {"playground_tui", "playground_tui.cli"}
    assert not loaded & (HEAVY | {"argparse", "asyncio"})


def test_the_help_needs_no_wing() -> None:
    code = "from playground_tui.cli import main; main(['--help'])"
    loaded = loaded_after(code)
    assert "playground_tui.commands.ask" in loaded
    assert not loaded & HEAVY
    assert not {name for name in loaded if name.startswith(("playground_tui.ui", "playground_tui.engine"))}


def test_the_screen_starts_without_the_commands() -> None:
    code = "from playground_tui import cli; cli.open_playground = print; cli.main(['--assistant', 'ask'])"
    loaded = loaded_after(code)
    assert "argparse" in loaded
    assert not loaded & (HEAVY | {"asyncio"})
    assert not {name for name in loaded if name.startswith("playground_tui.commands")}


def test_the_first_paint_waits_for_no_form_and_no_cache() -> None:
    loaded = loaded_after("import playground_tui.ui.app")
    assert "textual" in loaded
    assert not {name for name in loaded if name.startswith(("playground_tui.assistants", "playground_tui.cache"))}


@pytest.mark.parametrize("module", ["launch", "commands.serve", "commands.engine", "commands.doctor", "commands.ask"])
def test_headless_parts_need_no_wing(module: str) -> None:
    loaded = loaded_after(f"import playground_tui.{module}")
    assert not loaded & HEAVY
    assert not {name for name in loaded if name.startswith(("playground_tui.ui", "playground_tui.engine"))}


def test_the_engines_package_and_its_lock_need_little() -> None:
    loaded = loaded_after("import playground_tui.engine.__main__")
    assert not loaded & HEAVY


def test_the_engine_has_no_screen_and_no_client() -> None:
    loaded = loaded_after("import playground_tui.engine.process")
    assert {"starlette", "sqlalchemy"} <= loaded
    assert not loaded & {"textual", "rich", "openai"}
    assert not {name for name in loaded if name.startswith(("playground_tui.ui", "playground_tui.assistants"))}


def test_the_plain_mode_has_no_screen_and_its_client_comes_later() -> None:
    loaded = loaded_after("import playground_tui.plain.program")
    assert not loaded & HEAVY
    assert not {name for name in loaded if name.startswith(("playground_tui.ui", "playground_tui.engine"))}
