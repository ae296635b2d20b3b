"""A fault of the program itself keeps what was typed, and shows no trace."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from playground_tui.assistants.client import AssistantsClient
from playground_tui.config import Settings
from playground_tui.desk.faults import record
from playground_tui.ui.app import PlaygroundApp
from tests.support.engine import paths_in
from tests.support.wait import until


class OurFault(Exception):
    """What nobody expected."""


async def nobody(client: AssistantsClient | None) -> AssistantsClient:
    await asyncio.Event().wait()
    raise AssertionError


async def test_the_trace_goes_to_the_log_and_what_was_typed_to_the_disk(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = paths_in(tmp_path)
    app = PlaygroundApp(Settings(), paths, {}, nobody)

    async def fail() -> None:
        raise OurFault("secret details")

    with pytest.raises(OurFault):
        async with app.run_test() as pilot:
            await until(lambda: app.takes_keys)
            await pilot.press("h", "i")
            await until(lambda: app._split is not None and app._split.chat_pane.composer.text == "hi")
            app.call_later(fail)
            await until(lambda: app._exception is not None)
    app.desk.cache.close()
    said = " ".join(capsys.readouterr().err.split())
    assert "What you typed is kept" in said
    assert "Traceback" not in said
    assert "OurFault: secret details" in paths.log.read_text()
    assert any('"hi"' in file.read_text() for file in paths.cache.glob("*composer*"))


def test_a_signal_or_a_disk_that_refuses_after_the_screen_was_left_is_no_fault(tmp_path: Path) -> None:
    """The terminal is given back by then, and the last texts are being written."""
    app = PlaygroundApp(Settings(), paths_in(tmp_path), {}, nobody)

    async def left() -> None:
        async with app.run_test():
            await until(lambda: app.takes_keys)

    asyncio.run(left())
    app.keep_now()
    app.leave_now(129)
    app.desk.trouble.tell("cache", "Nothing can be saved.")
    app._notice("A file was set aside.")
    app.desk.cache.close()


def test_a_key_in_what_went_wrong_stays_out_of_the_log(tmp_path: Path) -> None:
    log = tmp_path / "state" / "playground.log"
    record(OurFault("Incorrect API key provided: sk-proj-Abc123Def456Ghi7"), log)
    assert "Incorrect API key provided: [key]" in log.read_text()


def test_without_a_place_for_the_log_the_sentence_is_still_said(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where a directory should be")
    assert "fault in the program" in record(OurFault("x"), tmp_path / "state" / "playground.log")
