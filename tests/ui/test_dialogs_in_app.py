"""The lists and questions in the whole program: what they do to the screen behind them."""

from __future__ import annotations

import asyncio

import pytest

from playground_tui.config import Settings
from playground_tui.ui.dialogs.chooser import Chooser
from playground_tui.ui.dialogs.confirm import Confirm
from playground_tui.ui.dialogs.deleted import DeletedPicker
from playground_tui.ui.dialogs.help import Help
from tests.support.engine import RunningEngine
from tests.support.playground import Playground, playground


async def made(engine: RunningEngine, *names: str, **fields: object) -> list[str]:
    client = engine.client()
    return [
        (await client.create_assistant({"model": "rehearsal/echo", "name": name, **fields}, key=str(number))).id
        for number, name in enumerate(names)
    ]


def rows(p: Playground) -> list[str]:
    assert isinstance(p.app.screen, Chooser)
    return [str(option.prompt) for option in p.app.screen.choices.options]


async def listed(p: Playground, key: str) -> None:
    await p.press(key)
    await p.until(lambda: isinstance(p.app.screen, Chooser))


async def back(p: Playground) -> None:
    await p.until(lambda: p.app.screen is p.screen)


async def test_an_assistant_is_found_by_typing_and_opened(engine: RunningEngine) -> None:
    _, poet = await made(engine, "Reviewer", "Poet")
    async with playground(engine) as p:
        await p.press("ctrl+l", *"a thought")
        await listed(p, "ctrl+o")
        await p.press(*"poe", "enter")
        await p.until(lambda: p.screen.editing.assistant_id == poet)
        assert p.form.draft.text("name") == "Poet"
        assert p.chat.composer.text == "a thought"
        assert p.screen.focused is p.chat.composer


async def test_an_assistant_opened_from_the_form_is_read_there(engine: RunningEngine) -> None:
    (poet,) = await made(engine, "Poet")
    async with playground(engine, size=(60, 20)) as p:
        await p.press("ctrl+f", "shift+tab", "shift+tab", "enter")
        await p.until(lambda: isinstance(p.app.screen, Chooser))
        await p.press("enter")
        await p.until(lambda: p.screen.editing.assistant_id == poet)
        await back(p)
        await p.until(lambda: p.screen.focused is not None and p.screen.focused.id == "name")


async def test_the_open_assistant_chosen_again_keeps_its_thread(engine: RunningEngine) -> None:
    (poet,) = await made(engine, "Poet")
    async with playground(engine) as p:
        await p.screen.picking.open_assistant(poet)
        await p.write("hello")
        await p.answered("hello")
        await listed(p, "ctrl+o")
        await p.press("enter")
        await back(p)
        assert len(p.chat.messages()) == 2


async def test_a_new_one_from_the_list_begins_at_its_name(engine: RunningEngine) -> None:
    (poet,) = await made(engine, "Poet")
    async with playground(engine) as p:
        await p.screen.picking.open_assistant(poet)
        await listed(p, "ctrl+o")
        await p.press("ctrl+n")
        await p.until(lambda: p.screen.editing.assistant_id is None)
        await p.until(lambda: p.screen.focused is not None and p.screen.focused.id == "name")
        assert p.form.draft.text("model") == "rehearsal/echo"


async def test_a_clone_has_everything_and_is_not_created_yet(engine: RunningEngine) -> None:
    await made(engine, "Poet", instructions="Rhyme.", temperature=0.3)
    async with playground(engine) as p:
        await listed(p, "ctrl+o")
        await p.press("ctrl+k")
        await p.until(lambda: p.form.draft.text("name") == "Poet (copy)")
        assert p.form.draft.text("instructions") == "Rhyme."
        assert p.form.draft.number("temperature") == 0.3
        assert p.text("#save-status") == "Not created yet: f5 creates it"
        await p.press("f5")
        await p.until(lambda: p.screen.editing.assistant_id)
        assert len(await engine.client().list_assistants()) == 2


async def test_deleting_asks_first_and_can_be_taken_back(engine: RunningEngine) -> None:
    (poet,) = await made(engine, "Poet")
    client = engine.client()
    async with playground(engine) as p:
        await p.screen.picking.open_assistant(poet)
        for answer in ("n", "escape"):
            await listed(p, "ctrl+o")
            await p.press("ctrl+d")
            await p.until(lambda: isinstance(p.app.screen, Confirm))
            await p.press(answer)
            await back(p)
        assert len(await client.list_assistants()) == 1
        await listed(p, "ctrl+o")
        await p.press("ctrl+d")
        await p.until(lambda: isinstance(p.app.screen, Confirm))
        await p.press("y")
        await p.until(lambda: p.screen.editing.assistant_id is None)
        assert await client.list_assistants() == []
        assert p.said[-1] == "Deleted. ctrl+o, then ctrl+r brings it back."
        await listed(p, "ctrl+o")
        await p.press("ctrl+r")
        await p.until(lambda: isinstance(p.app.screen, DeletedPicker))
        assert rows(p)[0].startswith("Poet  deleted ") and rows(p)[0].endswith(" · 30 days left")
        await p.press("enter")
        await p.until(lambda: p.screen.editing.assistant_id == poet)
        assert p.form.draft.text("name") == "Poet"


async def test_what_was_unsaved_of_a_deleted_assistant_comes_back_with_it(engine: RunningEngine) -> None:
    (poet,) = await made(engine, "Poet")
    async with playground(engine, settings=Settings(autosave_delay=60, assistant=poet)) as p:
        await p.until(lambda: p.screen.editing.assistant_id == poet)
        p.form.set_value("instructions", "typed and not saved")
        await p.pilot.pause()
        await p.screen.editing.delete(poet)
        await p.screen.run_action("deleted_assistants")
        await p.until(lambda: isinstance(p.app.screen, DeletedPicker))
        await p.press("enter")
        await p.until(lambda: p.screen.editing.assistant_id == poet)
        assert p.form.draft.text("instructions") == "typed and not saved"


async def test_nothing_deleted_is_nothing_to_bring_back(engine: RunningEngine) -> None:
    async with playground(engine) as p:
        for action in ("deleted_assistants", "deleted_threads", "versions"):
            await p.screen.run_action(action)
            if action == "versions":
                await p.until(lambda: p.said and p.said[-1].startswith("There are no versions yet"))
                break
            await p.until(lambda: isinstance(p.app.screen, DeletedPicker))
            assert rows(p) == ["nothing was deleted in the last 30 days"]
            await p.press("enter", "ctrl+y", "escape")
            await back(p)


@pytest.mark.parametrize("key", ["ctrl+o", "ctrl+g"])
async def test_an_id_is_copied_and_it_says_what_was_done(engine: RunningEngine, key: str) -> None:
    (poet,) = await made(engine, "Poet")
    async with playground(engine) as p:
        await p.screen.picking.open_assistant(poet)
        await p.write("hello")
        await p.answered("hello")
        await listed(p, key)
        await p.press("ctrl+y")
        await back(p)
        await p.until(lambda: p.said and p.said[-1].startswith("The id: "))


async def test_threads_are_listed_opened_and_deleted(engine: RunningEngine) -> None:
    (poet,) = await made(engine, "Poet")
    async with playground(engine) as p:
        await p.screen.picking.open_assistant(poet)
        await p.write("the first thread")
        await p.answered("the first thread")
        first = p.screen.sending.chatting.thread_id
        await p.screen.picking.show_thread(None)
        await p.write("the second")
        await p.answered("the second")
        await listed(p, "ctrl+g")
        assert [line.split("  ")[0] for line in rows(p)] == ["the second", "the first thread"]
        assert rows(p)[0].endswith("2 messages")
        await p.press("down", "enter")
        await p.until(lambda: p.chat.messages() and p.chat.messages()[0].text == "the first thread")
        assert p.screen.sending.chatting.thread_id == first
        assert p.screen.focused is p.chat.composer
        await listed(p, "ctrl+g")
        await p.press(*"the first", "ctrl+d")
        await p.until(lambda: isinstance(p.app.screen, Confirm))
        await p.press("enter")
        await p.until(lambda: p.screen.sending.chatting.thread_id is None)
        assert p.chat.messages() == []
        assert [thread.first_message for thread in await engine.client().list_threads()] == ["the second"]


async def test_a_new_thread_is_asked_for_only_when_messages_go_out_of_sight(engine: RunningEngine) -> None:
    (poet,) = await made(engine, "Poet")
    async with playground(engine) as p:
        await p.screen.picking.open_assistant(poet)
        await p.press("ctrl+t")
        await p.pilot.pause()
        assert p.app.screen is p.screen
        await p.write("hello")
        await p.answered("hello")
        await p.press(*"half a sen", "ctrl+t")
        await p.until(lambda: isinstance(p.app.screen, Confirm))
        await p.press("escape", *"ten")
        await back(p)
        assert len(p.chat.messages()) == 2
        await p.press("ctrl+t")
        await p.until(lambda: isinstance(p.app.screen, Confirm))
        await p.press("enter")
        await p.until(lambda: p.chat.messages() == [])
        await p.press(*"ce")
        assert p.chat.composer.text == "half a sentence"


async def test_what_needs_the_server_says_so_while_it_is_not_there(engine: RunningEngine) -> None:
    async with playground(engine, connect=False, door=asyncio.Event()) as p:
        for key in ("ctrl+o", "ctrl+g", "ctrl+t", "ctrl+n"):
            await p.press(key)
            assert p.app.screen is p.screen
            assert p.said[-1].startswith("Not connected yet")


async def test_help_closes_with_the_key_that_opened_it(engine: RunningEngine) -> None:
    async with playground(engine) as p:
        await p.press("f1")
        assert isinstance(p.app.screen, Help)
        await p.press("f1")
        await back(p)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)])
async def test_a_long_list_and_the_help_fit_into_the_window(engine: RunningEngine, size: tuple[int, int]) -> None:
    await made(engine, *(f"Assistant {number}" for number in range(60)))
    async with playground(engine, size=size) as p:
        for key in ("ctrl+o", "f1"):
            await p.press(key)
            await p.until(lambda: p.app.screen is not p.screen)
            await p.press("pagedown", "pagedown")
            await p.pilot.pause()
            dialog = p.app.screen.query_one(".dialog")
            hint = p.app.screen.query_one(".dialog-hint")
            assert "esc close" in str(hint.render())
            assert dialog.content_region.contains_region(hint.region)
            await p.press("escape")
            await back(p)


async def test_names_from_elsewhere_are_shown_and_never_obeyed(engine: RunningEngine) -> None:
    (hostile,) = await made(engine, "[/b] [@click=app.quit]x[/] \x1b]0;t\x07 名前 🎉")
    async with playground(engine) as p:
        await listed(p, "ctrl+o")
        assert "[@click=app.quit]x[/]" in rows(p)[0] and "名前 🎉" in rows(p)[0] and "\x1b" not in rows(p)[0]
        await p.press("enter")
        await p.until(lambda: p.screen.editing.assistant_id == hostile)
        await p.screen.picking.show_thread(None)
        await p.write("[/] [red]hello[/red] \x1b[2J")
        await p.answered("[red]hello[/red]")
        await listed(p, "ctrl+g")
        assert "[/] [red]hello[/red]" in rows(p)[0] and "\x1b" not in rows(p)[0]


async def test_an_assistant_begun_and_left_is_listed_and_gone_on_with_or_given_up(engine: RunningEngine) -> None:
    await made(engine, "Poet")
    async with playground(engine) as p:
        await p.press("ctrl+f", *"Half made")
        await p.until(lambda: p.form.draft.text("name") == "Half made")
        await p.press("ctrl+n")
        await p.until(lambda: p.form.draft.text("name") == "")
        await listed(p, "ctrl+o")
        assert rows(p)[-2:] == ["begun, not created yet", "Half made"]
        await p.press(*"half", "enter")
        await p.until(lambda: p.form.draft.text("name") == "Half made")
        await back(p)
        await p.press("ctrl+n")
        await p.until(lambda: p.form.draft.text("name") == "")
        await listed(p, "ctrl+o")
        await p.press(*"half", "ctrl+d")
        await p.until(lambda: isinstance(p.app.screen, Confirm))
        await p.press("enter")
        await back(p)
        await listed(p, "ctrl+o")
        assert "Half made" not in rows(p)


async def test_a_deleted_thread_can_be_brought_back(engine: RunningEngine) -> None:
    (poet,) = await made(engine, "Poet")
    async with playground(engine) as p:
        await p.screen.picking.open_assistant(poet)
        await p.write("a line")
        await p.answered("a line")
        thread = p.screen.sending.chatting.thread_id
        await listed(p, "ctrl+g")
        await p.press("ctrl+d")
        await p.until(lambda: isinstance(p.app.screen, Confirm))
        await p.press("enter")
        await p.until(lambda: p.screen.sending.chatting.thread_id is None)
        await back(p)
        assert p.said[-1] == "Deleted. ctrl+g, then ctrl+r brings it back."
        await listed(p, "ctrl+g")
        await p.press("ctrl+r")
        await p.until(lambda: isinstance(p.app.screen, DeletedPicker))
        assert rows(p)[0].startswith("a line  deleted ") and rows(p)[0].endswith(" · 30 days left")
        await p.press("enter")
        await p.until(lambda: [message.text for message in p.chat.messages()][:1] == ["a line"])
        assert p.screen.sending.chatting.thread_id == thread
