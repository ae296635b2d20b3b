"""Versions and what was deleted, in numbered menus."""

from __future__ import annotations

from tests.plain.session import plain
from tests.plain.test_talk import at_prompt, made, opening
from tests.support.engine import RunningEngine


async def test_versions_are_heard_compared_and_restored(engine: RunningEngine) -> None:
    assistant = await made(engine, instructions="Rhyme.\nBe brief.")
    client = engine.client("laptop")
    await client.update_assistant(assistant, {"name": "Bard", "instructions": "Rhyme.\nBe very brief.\nSing."})
    async with plain(engine, settings=opening(assistant)) as p:
        await at_prompt(p)
        await p.says(
            "/versions", "Versions of Bard, newest first: 2.", "1. version 2, ", "name, instructions, from laptop"
        )
        await p.hears("2. version 1, ", "created, from test", "goes back: ")
        await p.says("1", "1. hear how it differs from the form", "4. restore one field of it", "goes back: ")
        await p.says("1", "It is as in the form.", "goes back: ")
        await p.says("3", "There is nothing to restore: the form holds the same.", "you: ")
        await p.says("/versions", "goes back: ")
        await p.says("2", "goes back: ")
        await p.says("1", "2 of its fields differ from the form.", "name: then Helper, now Bard")
        await p.hears("instructions: 2 lines differ.", "then: Be brief.", "now: Be very brief.", "now only: Sing.")
        await p.hears("goes back: ")
        await p.says("2", "name: Helper", "instructions: Rhyme.", "Be brief.", "temperature: default", "goes back: ")
        await p.says("4", "Which field?", "1. name", "2. instructions", "goes back: ")
        await p.says("", "goes back: ")
        await p.says("4", "goes back: ")
        await p.says("1", "Restored in the form: name of version 1. /versions has what was there before.", "you: ")
        await p.says("/versions", "goes back: ")
        await p.says("version 1", "version 1, ", "goes back: ")
        number = p.heard.rsplit(". version 1, ", 1)[0].rsplit("\n", 1)[1]
        await p.says(number, "goes back: ")
        await p.says("3", "Restored in the form: version 1.", "you: ")
        await p.says("/save", "you: ")
        saved = await client.retrieve_assistant(assistant)
        assert (saved.name, saved.raw["instructions"]) == ("Helper", "Rhyme.\nBe brief.")


async def test_what_was_deleted_is_listed_and_brought_back(engine: RunningEngine) -> None:
    assistant = await made(engine)
    other = await made(engine, name="Other")
    async with plain(engine, settings=opening(assistant)) as p:
        await at_prompt(p)
        await p.says("hello", "status: completed", "you: ")
        thread = p.room.sending.chatting.thread_id
        assert thread
        for choice in ("1", "2"):
            await p.says("/deleted", "1. assistants", "2. threads of this assistant", "goes back: ")
            await p.says(choice, "Nothing was deleted in the last 30 days.", "you: ")
        client = engine.client()
        await client.delete_assistant(other)
        await client.delete_thread(thread)
        await p.says("/deleted", "goes back: ")
        await p.says(
            "2", "Deleted: 1. A number brings the thread back.", "1. hello, deleted ", "30 days left", "goes back: "
        )
        await p.says("1", "The thread is back, and open.", "you: ")
        assert [one.id for one in await client.list_threads()] == [thread]
        await p.says("/deleted", "goes back: ")
        await p.says("1", "1. Other, deleted ", "30 days left", "goes back: ")
        await p.says("1", "The assistant is back, and open.", "you: ")
        await p.says("/status", "assistant: Other", "you: ")


async def test_a_new_assistant_has_no_versions(engine: RunningEngine) -> None:
    async with plain(engine) as p:
        await p.hears("you: ")
        await p.says("/versions", "There are no versions yet: this assistant has not been created.", "you: ")
