"""Files in lines: those of the assistant, those that a message names, and those that were made."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from playground_tui.assistants.events import MessageChanged
from playground_tui.assistants.objects import Annotation, Attachment, Message
from playground_tui.config import Settings
from playground_tui.desk.message_files import Names
from playground_tui.plain.wording import message_lines
from tests.plain.session import Session, plain
from tests.support.engine import RunningEngine
from tests.support.wait import until

CITED = "Thirty days【4:0†handbook.md】, paid【4:1†travel.md】 twice【4:0†handbook.md】."
NOTES = (
    Annotation("file_citation", "【4:0†handbook.md】", "file-h"),
    Annotation("file_citation", "【4:1†travel.md】", "file-t"),
)


async def opening(engine: RunningEngine, *tools: str) -> Settings:
    fields = {"model": "rehearsal/echo", "name": "A", "tools": [{"type": tool} for tool in tools]}
    assistant = await engine.client().create_assistant(fields, key="k")
    return Settings(assistant=assistant.id, autosave_delay=0.05)


def answered(p: Session, *made: tuple[str, str]) -> None:
    """An answer comes for which these files were made."""
    notes = tuple(Annotation("file_path", f"sandbox:/mnt/data/{name}", file_id) for file_id, name in made)
    p.room.do(lambda: p.room.chat.apply(MessageChanged(Message("msg_a", "assistant", "Here.", annotations=notes))))


async def test_files_of_the_assistant_are_added_heard_and_taken_out(engine: RunningEngine, handbook: Path) -> None:
    async with plain(engine, settings=await opening(engine, "file_search")) as p:
        await p.hears("is open, with model", "you: ")
        await p.says("/files", "1. file search", "2. code interpreter")
        await p.says("2", "No files for code interpreter.", "path of a file to add")
        await p.says("none.md", "not added: ", "is not there", "path of a file to add")
        await p.says("~no-such-user/x", "Not added: ", "path of a file to add")
        heard = await p.says("handbook.md", "Adding handbook.md.", "1. handbook.md, 22 bytes", "number to take one out")
        assert "1 file for code interpreter." in heard
        assert "This tool is off: /edit code interpreter switches it on." in heard
        await p.says("1", "Take out handbook.md?")
        await p.says("no", "1 file for code interpreter.", "goes back: ")
        await p.says("1", "Take out handbook.md?")
        await p.says("yes", "No files for code interpreter.", "goes back: ")
        await p.says("", "you: ")


async def test_an_upload_is_waited_for_and_can_be_left(
    engine: RunningEngine, handbook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with plain(engine, settings=await opening(engine, "file_search")) as p:
        await p.hears("is open, with model", "you: ")
        assert p.room.desk.client is not None
        upload, tell, door, waiting = p.room.desk.client.files.upload, p.room.tell, threading.Event(), threading.Event()

        async def held(path: Path, **more: Any) -> Any:
            await asyncio.to_thread(door.wait)
            return await upload(path, **more)

        def telling(write: Callable[[str], None], seconds: float = 0) -> bool:
            waiting.set()
            return tell(write, seconds)

        monkeypatch.setattr(p.room.desk.client.files, "upload", held)
        monkeypatch.setattr(p.room, "tell", telling)
        p.type("/attach handbook.md")
        await until(waiting.is_set)
        p.interrupt()
        await p.hears("It goes on by itself: /attach tells how far it is.", "you: ")
        door.set()
        await until(lambda: not p.room.sending.chatting.attaching.on_their_way)
        await p.says("/attach", "1. handbook.md, for file search, goes with the next message.", "goes back: ")
        await p.says("", "you: ")


async def test_an_assistant_that_is_not_created_has_no_files(engine: RunningEngine) -> None:
    async with plain(engine) as p:
        await p.hears("No assistant is open.", "you: ")
        await p.says("/files", "has not been created yet: /save creates it.", "you: ")


async def test_a_file_that_was_made_is_told_of_and_saved(engine: RunningEngine, handbook: Path) -> None:
    async with plain(engine, settings=await opening(engine)) as p:
        await p.hears("is open, with model", "you: ")
        await p.says("/download", "No file was made in this thread.", "you: ")
        answered(p, ((await engine.client().files.upload(handbook)).id, "handbook.md"))
        await p.says("/download x.md", "is called x.md", "file made: handbook.md. /download saves it.", "you: ")
        await p.says("/download", "save handbook.md as, enter alone for handbook-2.md: ")
        await p.says("", "Saved ", "handbook-2.md, 22 bytes.", "you: ")
        assert handbook.with_name("handbook-2.md").read_bytes() == handbook.read_bytes()


async def test_of_several_files_one_is_chosen_and_nothing_is_replaced_unasked(
    engine: RunningEngine, handbook: Path
) -> None:
    other = handbook.with_name("other.md")
    other.write_text("other")
    first, second = [(await engine.client().files.upload(path)).id for path in (handbook, other)]
    async with plain(engine, settings=await opening(engine)) as p:
        await p.hears("is open, with model", "you: ")
        answered(p, (first, "handbook.md"), (second, "other.md"), ("file-gone", "gone.csv"))
        await p.says("/download", "1. gone.csv", "2. other.md", "3. handbook.md", "goes back: ")
        await p.says("2", "save other.md as")
        await p.says("handbook.md", "handbook.md is there already. Replace it?")
        await p.says("no", "you: ")
        assert handbook.read_text().startswith("# Leave")
        await p.says("/download other.md", "save other.md as")
        await p.says("handbook.md", "Replace it?")
        await p.says("yes", "Saved", "handbook.md, 5 bytes.", "you: ")
        assert handbook.read_text() == "other"
        await p.says("/download gone.csv", "save gone.csv as")
        await p.says("~no-such-user/x", "Not saved: ", "you: ")
        await p.says("/download gone.csv", "save gone.csv as")
        await p.says("", "problem: not saved: ", "you: ")
        await p.says("/download", "goes back: ")
        await p.says("", "you: ")


async def test_the_files_of_a_thread_are_read_by_their_names(engine: RunningEngine, handbook: Path) -> None:
    client, settings = engine.client(), await opening(engine, "file_search")
    stored = (await client.files.upload(handbook)).id
    async with plain(engine, settings=settings) as p:
        await p.hears("is open, with model", "you: ")
        attached = (Attachment(stored, ("file_search",)),)
        p.room.do(lambda: p.room.chat.apply(MessageChanged(Message("u", "user", "How long?", attachments=attached))))
        await p.says("/read", "you: How long?", "file with it: handbook.md, for file search.", "you: ")


def test_sources_are_numbered_and_named() -> None:
    names = Names()
    names.learn("file-h", "Handbook.md")
    names.learn("file-t", "travel.md")
    assert message_lines(Message("m", "assistant", CITED, annotations=NOTES), names) == [
        "assistant: Thirty days[1], paid[2] twice[1].",
        "source [1]: Handbook.md.",
        "source [2]: travel.md.",
    ]


def test_a_picture_has_no_name_that_helps() -> None:
    shown = Message("u", "user", "look", images=("file-p",))
    assert message_lines(shown, Names()) == ["you: look", "file with it: a picture."]
    drawn = Message("a", "assistant", "[image_file: file-i]", images=("file-i",))
    assert message_lines(drawn, Names()) == ["assistant: (picture)", "file made: a picture. /download saves it."]
