"""Every field of the form, edited by questions and saved by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from playground_tui.config import Settings
from tests.plain.session import CTRL_C, Session, plain
from tests.plain.test_talk import WEATHER, at_prompt, made, opening
from tests.support.engine import RunningEngine
from tests.support.wait import until


async def saved(engine: RunningEngine, p: Session, assistant_id: str) -> dict[str, Any]:
    """The assistant at the server, once everything is saved."""
    await until(lambda: p.room.form.state.kind == "saved")
    return dict((await engine.client().retrieve_assistant(assistant_id)).raw)


async def test_short_fields_numbers_and_choices(engine: RunningEngine) -> None:
    assistant = await made(engine)
    async with plain(engine, settings=opening(assistant)) as p:
        await at_prompt(p)
        await p.says("/edit", "Assistant Helper.", "1. name: Helper", "9. temperature: default", "ends editing: ")
        await p.says("name", "name, now Helper.", "to keep it: ")
        await p.says("Poet", "Now name: Poet.", "ends editing: ")
        await p.says("9", "temperature, now default", "to keep it: ")
        await p.says("0,7", "Now temperature: 0.7.", "ends editing: ")
        await p.says("top p", "A number from 0 to 1", "to keep it: ")
        await p.says("3", "3 is no number from 0 to 1.", "top p stays as it was.", "ends editing: ")
        await p.says("top_p", "to keep it: ")
        await p.says("much", "much is no number", "ends editing: ")
        await p.says("response format", "1. auto", "3. json object", "goes back: ")
        await p.says("3", "Now response format: json_object.", "ends editing: ")
        await p.says("reasoning effort", "1. default", "goes back: ")
        await p.says("", "reasoning effort stays as it was.", "ends editing: ")
        await p.says("code interpreter", "Now code interpreter: on.", "ends editing: ")
        await p.says("colour", "There is no field colour. The fields are: name,", "ends editing: ")
        await p.says("?", "1. name: Poet", "ends editing: ")
        await p.says("", "you: ")
        raw = await saved(engine, p, assistant)
        assert (raw["name"], raw["temperature"], raw["response_format"]) == ("Poet", 0.7, {"type": "json_object"})
        assert raw["tools"] == [{"type": "code_interpreter"}]
        await p.says("/edit temperature", "to keep it: ")
        await p.says("default", "Now temperature: default.", "you: ")


async def test_a_text_of_several_lines(engine: RunningEngine) -> None:
    assistant = await made(engine)
    async with plain(engine, settings=opening(assistant)) as p:
        await at_prompt(p)
        await p.says("/edit instructions", "instructions, now empty", "1. write it anew", "goes back: ")
        await p.says("1", "line 1: ")
        await p.says("one", "line 2: ")
        await p.says("two", "line 3: ")
        await p.says(".", "Now instructions: 2 lines, 7 characters, begins: one two.", "you: ")
        await p.says("/edit instructions", "2. add lines", "goes back: ")
        await p.says("2", "line 3: ")
        await p.says("three", "line 4: ")
        await p.says(".", "Now instructions: 3 lines", "you: ")
        await p.says("/edit instructions", "3. change one of its lines", "goes back: ")
        await p.says("3", "which line, from 1 to 3: ")
        await p.says("2", "line 2 is: two", "keeps it: ")
        await p.says("zwei", "you: ")
        await p.says("/edit instructions", "goes back: ")
        await p.says("3", "which line")
        await p.says("1", "line 1 is: one", "keeps it: ")
        await p.says(".", "you: ")
        await p.says("/edit instructions", "goes back: ")
        await p.says("3", "which line")
        await p.says("7", "instructions stays as it was.", "you: ")
        await p.says("/edit instructions", "4. read it", "goes back: ")
        await p.says("4", "line 1: zwei", "line 2: three", "you: ")
        assert (await saved(engine, p, assistant))["instructions"] == "zwei\nthree"
        await p.says("/edit instructions", "goes back: ")
        await p.says("1", "line 1: ")
        await p.says(CTRL_C, "instructions stays as it was.", "you: ")
        await p.says("/edit instructions", "5. make it empty", "goes back: ")
        await p.says("5", "Now instructions: empty.", "you: ")


async def test_the_model_from_the_servers_list(engine: RunningEngine) -> None:
    async with plain(engine, settings=opening(await made(engine))) as p:
        await at_prompt(p)
        await p.says("/edit model", "? lists models", "to keep it: ")
        await p.says("?mark", "Models the server lists: 1.", "1. rehearsal/markdown", "goes back: ")
        await p.says("1", "Now model: rehearsal/markdown.", "you: ")
        await p.says("/edit model", "to keep it: ")
        await p.says("?nothing", "The server lists no such model.", "you: ")
        await p.says("/edit model", "to keep it: ")
        await p.says("?", "goes back: ")
        await p.says("", "model stays as it was.", "you: ")
        await p.says("/edit model", "to keep it: ")
        await p.says("strange", "Note: this model is not in the server's list.", "you: ")


async def test_functions_and_schema_show_where_they_are_used(engine: RunningEngine) -> None:
    assistant = await made(engine, tools=[WEATHER, {"type": "file_search"}])
    async with plain(engine, settings=opening(assistant)) as p:
        await at_prompt(p)
        await p.says("/edit", "functions: on", "function definitions: 1 defined: get_weather", "ends editing: ")
        await p.says("functions", "Now functions: off.", "ends editing: ")
        heard = await p.says("?", "ends editing: ")
        assert "definitions" not in heard and "schema" not in heard
        await p.says("response format", "goes back: ")
        await p.says("4", "ends editing: ")
        await p.says("?", "JSON schema: empty. Problem: JSON schema: empty", "ends editing: ")
        await p.says("", "you: ")
        await p.says("/status", "form: Not saved: JSON schema", "you: ")


async def test_in_your_editor(engine: RunningEngine, tmp_path: Path) -> None:
    script = tmp_path / "editor.sh"
    script.write_text('#!/bin/sh\nprintf "from the editor\\n" > "$1"\n')
    script.chmod(0o700)
    environ = {"PATH": "/usr/bin:/bin", "EDITOR": str(script)}
    assistant = await made(engine)
    async with plain(engine, settings=opening(assistant), environ=environ) as p:
        await at_prompt(p)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("playground_tui.desk.editor.signal.signal", lambda *_: None)  # not in the main thread here
            await p.says("/edit description", "2. open it in your editor", "goes back: ")
            await p.says("2", "Now description: from the editor.", "you: ")
            await p.says("/editor", "your text: from the editor", "Send this?")
            await p.says("yes", "quote: from the editor", "status: completed", "you: ")
            assert list(engine.paths.editor.iterdir()) == []
            p.room.desk.environ = {"EDITOR": "/nowhere/at/all"}
            await p.says("/editor", "problem: /nowhere/at/all could not be started", "you: ")


async def test_a_change_made_elsewhere_is_said_and_can_be_swapped(engine: RunningEngine) -> None:
    assistant = await made(engine, instructions="mine")
    async with plain(engine, settings=opening(assistant)) as p:
        await at_prompt(p)
        await engine.client().update_assistant(assistant, {"instructions": "theirs"})
        await until(lambda: p.room.form.draft.text("instructions") == "theirs")
        await p.says("/status", "instructions was changed elsewhere at", "the new value is taken", "mine", "you: ")
        await p.says("/edit instructions", "was changed elsewhere to mine. Swap the two?")
        await p.says("yes", "Now instructions: mine.", "you: ")
        assert (await saved(engine, p, assistant))["instructions"] == "mine"


async def test_a_new_assistant_is_edited_and_then_created(engine: RunningEngine) -> None:
    async with plain(engine, settings=Settings(autosave_delay=0.05)) as p:
        await p.hears("No assistant is open.", "you: ")
        await p.says("/save", "Not created yet: name is empty.", "you: ")
        await p.says("/edit name", "to keep it: ")
        await p.says("Later", "Now name: Later.", "Create it now?")
        await p.says("", "you: ")
    async with plain(engine) as p:
        await p.hears("One is begun, named Later: /edit goes on with it.", "you: ")
        await p.says("/save", "Created.", "you: ")
        assert [one.name for one in await engine.client().list_assistants()] == ["Later"]
        await p.says("/save", "assistant form: Saved", "you: ")
