"""f4 in the playground: the terminal is the editor's for a while, and texts change meanwhile all the same."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path

import pytest

from playground_tui.config import Settings
from playground_tui.ui.external_editor import ExternalEditor
from tests.support.engine import RunningEngine
from tests.support.playground import Playground, playground

SLOW = Settings(autosave_delay=60)


class Vi:
    """An editor that adds " edited" to the text once the test lets it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.go = directory / "go"
        self.started = directory / "started"
        self.command = directory / "vi"
        self.command.write_text(
            f"#!/bin/sh\necho x >> {self.started}\nwhile [ ! -e {self.go} ]; do sleep 0.01; done\n"
            'printf " edited" >> "$1"\n'
        )
        self.command.chmod(0o700)

    @property
    def starts(self) -> int:
        return self.started.read_text().count("x") if self.started.exists() else 0


@pytest.fixture
def vi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vi:
    monkeypatch.setattr(ExternalEditor, "_given_away", lambda _: nullcontext())
    return Vi(tmp_path)


@asynccontextmanager
async def opened(engine: RunningEngine, vi: Vi) -> AsyncIterator[Playground]:
    environ = {"PATH": os.environ["PATH"], "EDITOR": str(vi.command)}
    async with playground(engine, settings=SLOW, environ=environ) as p:
        fields = {"model": "rehearsal/echo", "name": "A", "instructions": "before"}
        made = await engine.client().create_assistant(fields, key="k")
        await p.screen.picking.open_assistant(made.id)
        yield p


async def begins(p: Playground, vi: Vi, field: str = "") -> None:
    """Press f4 in this field of the form, or in the composer."""
    if field:
        p.form.focus_field(field)
    else:
        p.screen.action_to_composer()
    await p.pilot.pause()
    await p.press("f4")
    await p.until(lambda: vi.starts)


async def ends(p: Playground, vi: Vi) -> None:
    vi.go.touch()
    await p.until(lambda: not p.screen.external_editor._is_open)


async def test_f4_twice_opens_one_editor(engine: RunningEngine, vi: Vi) -> None:
    async with opened(engine, vi) as p:
        p.chat.composer.load("text")
        p.screen.action_to_composer()
        await p.press("f4", "f4")
        await p.until(lambda: vi.starts)
        await ends(p, vi)
        assert p.chat.composer.text == "text edited"
        assert vi.starts == 1
        await p.press("f4")
        await p.until(lambda: p.chat.composer.text == "text edited edited")


async def test_what_came_into_the_composer_meanwhile_stays_in_it(engine: RunningEngine, vi: Vi) -> None:
    async with opened(engine, vi) as p:
        p.chat.composer.load("text")
        await begins(p, vi)
        p.chat.composer.give_back("not sent")
        await ends(p, vi)
        assert p.chat.composer.text == "text edited\nnot sent\ntext"
        assert list(engine.paths.editor.iterdir()) == []


async def test_a_draft_that_an_old_text_stands_in_for_stays(engine: RunningEngine, vi: Vi) -> None:
    async with opened(engine, vi) as p:
        p.chat.composer.sent = ["old"]
        p.chat.composer.load("draft")
        p.screen.action_to_composer()
        await p.press("up")
        await begins(p, vi)
        await ends(p, vi)
        assert p.chat.composer.text == "old edited"
        await p.press("enter")
        await p.until(lambda: p.chat.composer.text == "draft")


async def test_what_came_into_a_field_meanwhile_is_one_key_away(engine: RunningEngine, vi: Vi) -> None:
    async with opened(engine, vi) as p:
        await begins(p, vi, "instructions")
        p.form.set_value("instructions", "meanwhile")
        await ends(p, vi)
        assert p.form.draft.text("instructions") == "before edited"
        await p.press("f8")
        await p.until(lambda: p.form.draft.text("instructions") == "meanwhile")


async def test_a_text_whose_assistant_is_not_open_any_more_stays_in_its_file(engine: RunningEngine, vi: Vi) -> None:
    async with opened(engine, vi) as p:
        await begins(p, vi, "instructions")
        await p.screen.editing.begin()
        await ends(p, vi)
        assert p.form.draft.text("instructions") == ""
        (file,) = re.findall(r"kept in (\S+)\.$", p.said[-1])
        assert Path(file).read_text() == "before edited"


async def test_a_text_is_at_home_in_an_assistant_created_meanwhile(engine: RunningEngine, vi: Vi) -> None:
    async with opened(engine, vi) as p:
        await p.screen.editing.begin()
        p.form.set_value("name", "B")
        p.form.set_value("instructions", "before")
        await begins(p, vi, "instructions")
        await p.screen.editing.save()
        assert p.screen.editing.assistant_id is not None
        await ends(p, vi)
        assert p.form.draft.text("instructions") == "before edited"


async def test_what_an_editor_left_for_another_thread_is_there_when_that_is_opened(
    engine: RunningEngine, vi: Vi
) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    async with opened(engine, vi) as p:
        thread = await engine.client().create_thread(key="t")
        engine.paths.editor.mkdir(mode=0o700, parents=True, exist_ok=True)
        (engine.paths.editor / f"composer@{thread}~{gone.pid}-0123abcd.md").write_text("left by the editor\n")
        p.chat.composer.load("being written")
        await p.screen.picking.show_thread(thread)
        assert p.chat.composer.text == "left by the editor"
        assert list(engine.paths.editor.iterdir()) == []
        await p.screen.picking.show_thread(None)
        assert p.chat.composer.text == "being written"
