"""The command palette: what has a key and what has none."""

from __future__ import annotations

import pytest
from textual.command import CommandPalette

from playground_tui.ui import clipboard
from playground_tui.ui.dialogs.chooser import Chooser
from playground_tui.ui.driver import BEHIND, PatientDriver
from tests.support.engine import RunningEngine
from tests.support.playground import Playground, playground

CODE = "Two:\n\n```python\nprint(1)\n```\n\n```sh\nls [a-z]*\n```"


@pytest.fixture
def copied(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that were copied."""
    texts: list[str] = []

    def copy(text: str, **_: object) -> str:
        texts.append(text)
        return "sent to the terminal"

    monkeypatch.setattr(clipboard, "copy", copy)
    return texts


async def test_what_a_terminal_that_is_behind_would_drop_is_not_said_to_be_sent(
    engine: RunningEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PatientDriver, "queued", BEHIND)
    async with playground(engine) as p:
        with monkeypatch.context() as behind:
            behind.setattr(p.app, "_driver", PatientDriver.__new__(PatientDriver))
            p.screen._copy("text", "It")
        assert p.said[-1].startswith("It: not sent: ")


async def command(p: Playground, words: str) -> None:
    """Find a command by typing and run it."""
    await p.press("ctrl+p")
    await p.until(lambda: isinstance(p.app.screen, CommandPalette))
    await p.press(*words)
    await p.until(lambda: p.app.screen.query("CommandList").first().highlighted is not None)  # type: ignore[attr-defined]
    await p.press("enter")
    await p.until(lambda: not isinstance(p.app.screen, CommandPalette))


async def talked(p: Playground, engine: RunningEngine) -> None:
    made = await engine.client().create_assistant({"model": "rehearsal/echo", "name": "A"}, key="k")
    await p.screen.picking.open_assistant(made.id)
    thread = await engine.client().create_thread(key="t")
    await engine.client().create_message(thread, CODE, key="m")
    await p.screen.picking.show_thread(thread)
    await p.until(p.chat.messages)


async def test_the_thread_a_message_and_a_code_block_are_copied(engine: RunningEngine, copied: list[str]) -> None:
    async with playground(engine) as p:
        await talked(p, engine)
        await command(p, "copy the whole thread")
        await p.until(lambda: copied == [f"**user**\n\n{CODE}"])
        assert p.said[-1] == "The thread: sent to the terminal"
        await command(p, "copy a message")
        await p.until(lambda: isinstance(p.app.screen, Chooser))
        await p.press("enter")
        await p.until(lambda: copied[-1] == CODE)
        await command(p, "copy a code block")
        await p.until(lambda: isinstance(p.app.screen, Chooser))
        await p.press("down", "enter")
        await p.until(lambda: copied[-1].strip() == "print(1)")


async def test_the_last_answer_is_copied_as_it_was_written(engine: RunningEngine, copied: list[str]) -> None:
    async with playground(engine) as p:
        await p.press("ctrl+y")
        assert p.said[-1] == "There is no answer to copy yet."
        await talked(p, engine)
        await p.write("hello")
        await p.answered("hello")
        await p.press("ctrl+y")
        assert copied == [p.chat.last_answer()]


async def test_an_empty_list_says_so_and_closes(engine: RunningEngine, copied: list[str]) -> None:
    async with playground(engine) as p:
        await p.screen.run_action("copy_block")
        await p.until(lambda: isinstance(p.app.screen, Chooser))
        assert isinstance(p.app.screen, Chooser)
        assert [str(option.prompt) for option in p.app.screen.choices.options] == ["there is none yet"]
        await p.press("enter", "escape")
        await p.until(lambda: p.app.screen is p.screen)
        assert copied == []


async def test_what_has_a_key_is_there_too(engine: RunningEngine) -> None:
    async with playground(engine) as p:
        await command(p, "new thread")
        assert p.app.screen is p.screen
        await command(p, "show or hide the form")
        await p.until(lambda: not p.screen.form_visible)


async def test_cloning_needs_an_assistant_that_was_created(engine: RunningEngine) -> None:
    async with playground(engine) as p:
        await command(p, "clone this assistant")
        await p.until(lambda: p.said and "nothing to clone yet" in p.said[-1])
        await talked(p, engine)
        await command(p, "clone this assistant")
        await p.until(lambda: p.form.draft.text("name") == "A (copy)")
        assert p.screen.editing.assistant_id is None
