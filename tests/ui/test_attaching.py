"""Files go with a message: attached by path, uploaded at once, kept over restarts, and never lost by a failure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from playground_tui.assistants.client import AssistantsClient
from playground_tui.assistants.errors import NotReachable, Rejected
from playground_tui.assistants.files import Files
from playground_tui.assistants.stored import StoredFile
from playground_tui.ui.dialogs.paths import PathChooser
from tests.support.engine import RunningEngine
from tests.support.playground import Playground, playground


@asynccontextmanager
async def with_assistant(engine: RunningEngine, *tools: str, size: Any = (120, 40)) -> AsyncIterator[Playground]:
    fields = {"model": "rehearsal/echo", "name": "A", "tools": [{"type": tool} for tool in tools]}
    made = await engine.client().create_assistant(fields, key="k")
    async with playground(engine, size=size) as p:
        await p.screen.picking.open_assistant(made.id)
        yield p


def lines(p: Playground) -> list[str]:
    """The attached files as they are shown."""
    shown = str(p.chat.attachments.render()) if p.chat.attachments.display else ""
    return [line.strip() for line in shown.split("\n") if line]


def attach(p: Playground, path: Path) -> None:
    p.screen.sending.chatting.attaching.attach(path)


async def until_line(p: Playground, words: str) -> None:
    await p.until(lambda: any(words in line for line in lines(p)))


async def messages(engine: RunningEngine, p: Playground) -> list[Any]:
    return await engine.client().list_messages(p.screen.sending.chatting.thread_id or "")


class Gate:
    """Uploads that wait, or fail, in place of the server's."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.error: Exception | None = None
        self.tried = 0

    def put_before(self, monkeypatch: pytest.MonkeyPatch) -> None:
        real: Callable[..., Any] = Files.upload

        async def upload(files: Files, path: Path, **more: Any) -> StoredFile:
            self.tried += 1
            more["progress"](path.stat().st_size // 2)
            await self.open.wait()
            if self.error is not None:
                raise self.error
            stored: StoredFile = await real(files, path, **more)
            return stored

        monkeypatch.setattr(Files, "upload", upload)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    gate = Gate()
    gate.put_before(monkeypatch)
    return gate


async def test_a_file_is_attached_by_keys_and_goes_with_the_message(engine: RunningEngine, handbook: Path) -> None:
    async with with_assistant(engine, "file_search") as p:
        await p.press("f3")
        await p.until(lambda: isinstance(p.app.screen, PathChooser) and p.app.screen.highlighted_id)
        await p.press(*"hand", "enter")
        await until_line(p, "+ handbook.md · file search")
        await p.until(lambda: p.screen.sending.chatting.attaching.files[0].file_id)
        await p.write("How long is the leave?")
        await p.answered("How long is the leave?")
        assert lines(p) == []
        (first, *_) = await messages(engine, p)
        (attachment,) = first.attachments
        assert attachment.tools == ("file_search",)
        assert (await engine.client().files.retrieve(attachment.file_id)).name == "handbook.md"


async def test_a_picture_is_seen_by_the_model(engine: RunningEngine, tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 40)
    async with with_assistant(engine) as p:
        attach(p, picture)
        await p.until(lambda: p.screen.sending.chatting.attaching.files[0].file_id)
        assert lines(p) == ["+ a.png · picture  (shift+tab goes here)"]
        await p.write("What is it?")
        await p.until(lambda: p.chat.messages() and not p.screen.sending.busy)
        (first, *_) = await messages(engine, p)
        assert len(first.images) == 1 and first.text.startswith("What is it?")


async def test_a_message_waits_for_its_files(engine: RunningEngine, handbook: Path, gate: Gate) -> None:
    async with with_assistant(engine, "file_search") as p:
        attach(p, handbook)
        await until_line(p, "uploading 50 %")
        await p.write("How long?")
        assert "goes out after it" in str(p.chat.problem.content)
        assert p.chat.composer.text == "How long?"
        gate.open.set()
        await p.answered("How long?")
        assert p.chat.composer.text == "" and not p.chat.problem.display


async def test_a_message_that_was_changed_meanwhile_does_not_go_out_by_itself(
    engine: RunningEngine, handbook: Path, gate: Gate
) -> None:
    async with with_assistant(engine, "file_search") as p:
        attach(p, handbook)
        await p.write("How long?")
        await p.press(*" Or")
        gate.open.set()
        await p.until(lambda: p.screen.sending.chatting.attaching.files[0].file_id)
        assert p.chat.composer.text == "How long? Or" and not p.screen.sending.busy
        assert not p.chat.problem.display


async def test_a_message_that_waited_for_its_files_does_not_go_to_another_thread_by_itself(
    engine: RunningEngine, handbook: Path, gate: Gate
) -> None:
    async with with_assistant(engine, "file_search") as p:
        attach(p, handbook)
        await p.write("How long?")
        await p.until(lambda: p.screen.sending.chatting.attaching.sends_after)
        await p.screen.picking.show_thread(None)
        gate.open.set()
        await p.until(lambda: p.screen.sending.chatting.attaching.files[0].file_id)
        await p.pilot.pause()
        assert p.chat.composer.text == "How long?" and not p.screen.sending.busy
        assert p.screen.sending.chatting.thread_id is None


async def test_a_message_goes_out_once_the_file_it_waits_for_is_removed(
    engine: RunningEngine, handbook: Path, gate: Gate
) -> None:
    async with with_assistant(engine, "file_search") as p:
        attach(p, handbook)
        await p.write("How long?")
        assert "goes out after it" in str(p.chat.problem.content)
        await p.press("shift+tab", "delete")
        await p.answered("How long?")
        assert not p.chat.problem.display
        assert not (await messages(engine, p))[0].attachments


async def test_a_message_that_was_not_sent_for_its_file_waits_for_enter(
    engine: RunningEngine, handbook: Path, gate: Gate
) -> None:
    gate.error = Rejected("The server has no room.", status=507)
    gate.open.set()
    async with with_assistant(engine, "file_search") as p:
        attach(p, handbook)
        await until_line(p, "not uploaded")
        await p.write("How long?")
        assert "was not uploaded" in str(p.chat.problem.content)
        gate.error = None
        await p.press("shift+tab", "enter")
        await p.until(lambda: p.screen.sending.chatting.attaching.files[0].file_id)
        assert p.chat.composer.text == "How long?" and not p.screen.sending.busy


async def test_a_failed_upload_is_said_and_tried_again_by_a_key(
    engine: RunningEngine, handbook: Path, gate: Gate
) -> None:
    gate.error = Rejected("The server has no room.", status=507)
    async with with_assistant(engine, "file_search") as p:
        attach(p, handbook)
        await p.write("How long?")
        gate.open.set()
        await until_line(p, "not uploaded: The server has no room.")
        await p.until(lambda: "was not uploaded" in str(p.chat.problem.content))
        assert p.chat.composer.text == "How long?"
        gate.error = None
        await p.press("shift+tab", "enter")
        await p.until(lambda: p.screen.sending.chatting.attaching.files[0].file_id)
        await p.press("tab", "enter")
        await p.answered("How long?")


async def test_what_broke_with_the_connection_is_sent_when_it_is_back(
    engine: RunningEngine, handbook: Path, gate: Gate
) -> None:
    gate.error = NotReachable("The connection broke.")
    gate.open.set()
    async with with_assistant(engine, "file_search") as p:
        attach(p, handbook)
        await until_line(p, "not uploaded")
        gate.error = None
        p.screen.sending.chatting.attaching.pump(again=True)
        await p.until(lambda: p.screen.sending.chatting.attaching.files[0].file_id)
        assert gate.tried == 2


async def test_files_are_removed_and_used_otherwise_by_keys(engine: RunningEngine, handbook: Path) -> None:
    async with with_assistant(engine, "file_search", "code_interpreter") as p:
        attach(p, handbook)
        data = handbook.with_name("data.csv")
        data.write_text("a,b\n")
        attach(p, data)
        await p.until(lambda: all(file.file_id for file in p.screen.sending.chatting.attaching.files))
        assert [line.partition("  (")[0] for line in lines(p)] == [
            "+ handbook.md · file search",
            "+ data.csv · code interpreter",
        ]
        p.screen.action_to_composer()
        await p.press("shift+tab", "u", "u")
        await until_line(p, "handbook.md · file search and code interpreter")
        await p.press("down", "delete")
        await p.until(lambda: len(lines(p)) == 1)
        await p.press("backspace")
        await p.until(lambda: lines(p) == [])
        assert p.screen.focused is p.chat.composer
        client = engine.client()
        async with asyncio.timeout(10):  # nobody else has the files: they go from the server too
            while await client.files.list():
                await p.pilot.pause()


async def test_a_tool_that_is_off_is_said_and_no_longer_when_it_is_ticked(
    engine: RunningEngine, handbook: Path
) -> None:
    async with with_assistant(engine) as p:
        attach(p, handbook)
        await until_line(p, "handbook.md · file search is off in the form")
        p.form.set_value("file_search", True)
        await until_line(p, "handbook.md · file search  (")


async def test_attached_files_are_there_after_a_restart(engine: RunningEngine, handbook: Path) -> None:
    async with with_assistant(engine, "file_search") as p:
        attach(p, handbook)
        await p.until(lambda: p.screen.sending.chatting.attaching.files[0].file_id)
        before = p.screen.sending.chatting.attaching.files
        p.chat.composer.load("not sent yet")
        await p.until(lambda: p.screen.sending.chatting._typed.text == "not sent yet")
    async with playground(engine) as p:
        assert p.screen.sending.chatting.attaching.files == before
        assert p.chat.composer.text == "not sent yet"
        await until_line(p, "+ handbook.md · file search")
        await p.press("enter")
        await p.answered("not sent yet")


async def test_files_stay_with_their_thread(engine: RunningEngine, handbook: Path) -> None:
    async with with_assistant(engine, "file_search") as p:
        await p.write("first")
        await p.answered("first")
        thread = p.screen.sending.chatting.thread_id
        await p.screen.picking.show_thread(None)
        p.chat.composer.load("second")
        await p.pilot.pause()
        await p.screen.picking.show_thread(thread)
        p.chat.composer.load("with a file")
        attach(p, handbook)
        await p.until(lambda: p.screen.sending.chatting.attaching.files[0].file_id)
        await p.screen.picking.show_thread(None)
        await p.screen.picking.show_thread(thread)
        assert [file.path for file in p.screen.sending.chatting.attaching.files] == [str(handbook)]


async def test_a_message_that_was_refused_has_its_files_back(
    engine: RunningEngine, handbook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_args: object, **_more: object) -> None:
        raise Rejected("The server refused it.", status=400)

    async with with_assistant(engine, "file_search") as p:
        attach(p, handbook)
        await p.until(lambda: p.screen.sending.chatting.attaching.files[0].file_id)
        with monkeypatch.context() as patched:
            patched.setattr(AssistantsClient, "create_message", refuse)
            await p.write("How long?")
            await p.until(lambda: p.chat.composer.text == "How long?")
        await until_line(p, "+ handbook.md · file search")
        await p.press("enter")
        await p.answered("How long?")
        assert len((await messages(engine, p))[0].attachments) == 1


async def test_what_cannot_be_attached_is_said(engine: RunningEngine, handbook: Path) -> None:
    empty = handbook.with_name("empty.txt")
    empty.touch()
    async with with_assistant(engine, "file_search") as p:
        await p.press("f3")
        await p.until(lambda: isinstance(p.app.screen, PathChooser))
        await p.press(*"empty", "enter")
        await p.until(lambda: any("is empty" in said for said in p.said))
        attach(p, handbook)
        attach(p, handbook)
        await p.until(lambda: any("attached already" in said for said in p.said))
        assert len(p.screen.sending.chatting.attaching.files) == 1


async def test_where_the_program_was_started_may_be_gone(
    engine: RunningEngine, handbook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(handbook.parent))
    gone = handbook.with_name("gone")
    gone.mkdir()
    async with with_assistant(engine, "file_search") as p:
        monkeypatch.chdir(gone)
        gone.rmdir()
        await p.press("f3")
        await p.until(lambda: isinstance(p.app.screen, PathChooser))
        await p.press(*"handbook", "enter")
        await until_line(p, "handbook.md")


async def test_many_files_leave_room_for_the_thread(engine: RunningEngine, handbook: Path) -> None:
    async with with_assistant(engine, "file_search", size=(60, 20)) as p:
        for number in range(9):
            path = handbook.with_name(f"file-{number}.md")
            path.write_text("x")
            attach(p, path)
        await p.until(lambda: all(file.file_id for file in p.screen.sending.chatting.attaching.files))
        assert p.chat.attachments.region.height == 4
        assert p.chat.thread.region.height >= 5
        p.screen.action_to_composer()
        await p.press("shift+tab", *["down"] * 8)
        assert "> + file-8.md" in lines(p)[-1]
