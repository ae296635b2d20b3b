"""What is loaded before the first paint: nothing that takes long."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import asyncio, sys
from pathlib import Path
from playground_tui.config import Settings
from playground_tui.paths import Paths
from playground_tui.ui.app import PlaygroundApp

LATE = {"openai", "pydantic", "httpx2", "sqlalchemy", "starlette", "alembic", "uvicorn"}

async def never(client):
    print("asked for a client with", sorted(LATE & set(sys.modules)))
    await asyncio.Event().wait()

async def main():
    place = Path(sys.argv[1])
    app = PlaygroundApp(Settings(), Paths(place, place, place, place), {}, never)
    async with app.run_test() as pilot:
        while app._split is None:
            await pilot.pause()
        print("painted with", sorted(LATE & set(sys.modules)))
        await pilot.press("h", "i")
        print("composer", app._split.chat_pane.composer.text)
    app.desk.cache.close()

asyncio.run(main())
"""


def test_the_first_paint_and_the_composer_wait_for_no_sdk(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)], capture_output=True, text=True, timeout=60, check=True
    )
    assert "painted with []" in ran.stdout
    assert "asked for a client with []" in ran.stdout
    assert "composer hi" in ran.stdout
