"""Threads at another server than the engine, while a run of one of them goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from playground_tui.ui.dialogs.confirm import Confirm
from tests.support.assistants_server import AssistantsServer, delta, event
from tests.support.provider_server import Exchange, send_stream
from tests.ui.test_foreign import foreign, with_assistant


async def test_the_run_of_a_deleted_thread_does_not_go_on_in_the_new_one(tmp_path: Path) -> None:
    deleted = asyncio.Event()

    async with AssistantsServer() as server, foreign(server, tmp_path) as p:
        assistant = await with_assistant(p, server)

        async def reply(exchange: Exchange) -> None:
            run = server.add_run(exchange.request.path.split("/")[-2], assistant, "in_progress")

            async def blocks() -> AsyncIterator[bytes]:
                yield event("thread.run.created", run)
                yield event("thread.message.delta", delta("msg_1", "Once"))
                await deleted.wait()
                yield event("thread.message.delta", delta("msg_1", " upon a time"))
                yield event("thread.run.completed", {**run, "status": "completed"})

            await send_stream(exchange, blocks())

        server.instead("POST", "/runs", reply)
        await p.write("tell")
        await p.until(lambda: p.chat.last_answer() == "Once")
        await p.press("ctrl+g")
        await p.until(lambda: len(p.app.screen_stack) > 2)
        await p.press("ctrl+d")
        await p.until(lambda: isinstance(p.app.screen, Confirm))
        await p.press("enter")
        await p.until(lambda: p.screen.sending.chatting.thread_id is None)
        deleted.set()
        await p.write("another")
        await p.until(lambda: p.chat.last_answer() == "Hello" and not p.screen.sending.busy)
        assert [message.text for message in p.chat.messages()] == ["another", "Hello"]
