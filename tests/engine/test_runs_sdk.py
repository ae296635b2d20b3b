"""The official SDK in front of the engine, with a script and with the rehearsal as the model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from openai import AsyncAssistantEventHandler

from tests.support.engine import RunningEngine
from tests.support.scripted import ScriptedEngine, called, said, scripted_engine

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

TEXT = [
    "thread.run.created",
    "thread.run.queued",
    "thread.run.in_progress",
    "thread.run.step.created",
    "thread.run.step.in_progress",
    "thread.message.created",
    "thread.message.in_progress",
    "thread.message.delta",
    "thread.message.delta",
    "thread.message.completed",
    "thread.run.step.completed",
    "thread.run.completed",
]
FUNCTION: Any = {
    "type": "function",
    "function": {"name": "look", "parameters": {"type": "object", "properties": {"at": {"type": "string"}}}},
}


@pytest.fixture
async def scripted(tmp_path: Path) -> AsyncIterator[ScriptedEngine]:
    async with scripted_engine(tmp_path) as engine:
        yield engine


async def test_a_streamed_run(scripted: ScriptedEngine) -> None:
    thread, assistant = await scripted.thread("hello")
    scripted.provider.answers = [said("hi ", "there")]
    stream = await scripted.sdk.beta.threads.runs.create(thread, assistant_id=assistant, stream=True)
    assert [event.event async for event in stream] == TEXT


async def test_the_streaming_helper_and_its_handler(scripted: ScriptedEngine) -> None:
    thread, assistant = await scripted.thread("hello")
    scripted.provider.answers = [said("hi ", "there")]
    seen: list[str] = []

    class Handler(AsyncAssistantEventHandler):
        async def on_text_created(self, text: Any) -> None:
            seen.append(f"begun {text.value}")

        async def on_text_delta(self, delta: Any, snapshot: Any) -> None:
            seen.append(snapshot.value)

        async def on_text_done(self, text: Any) -> None:
            seen.append(f"done {text.value}")

        async def on_end(self) -> None:
            seen.append("end")

    runs = scripted.sdk.beta.threads.runs
    async with runs.stream(thread_id=thread, assistant_id=assistant, event_handler=Handler()) as stream:
        await stream.until_done()
        (message,) = await stream.get_final_messages()
        (step,) = await stream.get_final_run_steps()
        run = await stream.get_final_run()
    assert seen == ["begun hi ", "hi ", "hi there", "done hi there", "end"]
    assert (message.content[0].text.value, step.type, run.status) == ("hi there", "message_creation", "completed")  # type: ignore[union-attr]


async def test_a_polled_run(scripted: ScriptedEngine) -> None:
    thread, assistant = await scripted.thread("hello")
    run = await scripted.sdk.beta.threads.runs.create_and_poll(
        thread_id=thread, assistant_id=assistant, poll_interval_ms=5
    )
    assert (run.status, run.usage.total_tokens if run.usage else 0) == ("completed", 10)


async def test_a_thread_and_its_run_at_once(scripted: ScriptedEngine) -> None:
    _, assistant = await scripted.thread()
    scripted.provider.answers = [said("hi ", "there")]
    stream = await scripted.sdk.beta.threads.create_and_run(
        assistant_id=assistant, thread={"messages": [{"role": "user", "content": "hello"}]}, stream=True
    )
    assert [event.event async for event in stream] == ["thread.created", *TEXT]
    run = await scripted.sdk.beta.threads.create_and_run_poll(assistant_id=assistant, poll_interval_ms=5)
    assert run.status == "completed"


async def test_functions_called_and_answered_from_within_the_stream(scripted: ScriptedEngine) -> None:
    thread, assistant = await scripted.thread("hello", tools=[FUNCTION])
    scripted.provider.answers = [called(("call_1", "look", ['{"at":', ' "sky"}'])), said("hi ", "there")]
    runs = scripted.sdk.beta.threads.runs
    names: list[str] = []
    async with runs.stream(thread_id=thread, assistant_id=assistant) as stream:
        async for event in stream:
            names.append(event.event)
            if event.event == "thread.run.requires_action":
                (step,) = await first_steps(scripted, thread, event.data.id)
                assert step.step_details.tool_calls[0].function.output is None
                output = {"tool_call_id": "call_1", "output": "blue"}
                async with runs.submit_tool_outputs_stream(
                    run_id=event.data.id,
                    thread_id=thread,
                    tool_outputs=[output],  # type: ignore[list-item]
                ) as more:
                    names += [event.event async for event in more]
    (call,) = stream.current_run_step_snapshot.step_details.tool_calls  # type: ignore[union-attr]
    assert (call.function.name, call.function.arguments) == ("look", '{"at": "sky"}')  # type: ignore[union-attr]
    assert names == [
        *TEXT[:5],
        *["thread.run.step.delta"] * 3,
        "thread.run.requires_action",
        "thread.run.step.completed",
        *TEXT[1:],
    ]


async def first_steps(scripted: ScriptedEngine, thread: str, run_id: str) -> list[Any]:
    return (await scripted.sdk.beta.threads.runs.steps.list(run_id, thread_id=thread)).data


async def test_a_cancel_and_a_refused_one(scripted: ScriptedEngine) -> None:
    thread, assistant = await scripted.thread("hello")
    scripted.provider.answers = [[asyncio.Event()]]
    runs = scripted.sdk.beta.threads.runs
    stream = await runs.create(thread, assistant_id=assistant, stream=True)
    names = []
    async for event in stream:
        names.append(event.event)
        if event.event == "thread.run.in_progress":
            assert (await runs.cancel(event.data.id, thread_id=thread)).status == "cancelling"
    assert names == [*TEXT[:3], "thread.run.cancelling", "thread.run.cancelled"]
    (run,) = (await runs.list(thread)).data
    with pytest.raises(openai.BadRequestError, match="Cannot cancel run with status 'cancelled'"):
        await runs.cancel(run.id, thread_id=thread)


async def test_the_rehearsal_calls_functions_and_reports_them(engine: RunningEngine) -> None:
    transport = httpx2.AsyncHTTPTransport(uds=str(engine.socket))
    http = httpx2.AsyncClient(transport=transport)
    async with openai.AsyncOpenAI(base_url="http://engine/v1", api_key="engine", http_client=http) as sdk:
        assistant = await sdk.beta.assistants.create(model="rehearsal/tools", tools=[FUNCTION])
        run = await sdk.beta.threads.create_and_run_poll(
            assistant_id=assistant.id,
            thread={"messages": [{"role": "user", "content": "go"}]},
            poll_interval_ms=5,
        )
        assert run.status == "requires_action"
        assert run.required_action
        outputs: Any = [
            {"tool_call_id": call.id, "output": "blue"} for call in run.required_action.submit_tool_outputs.tool_calls
        ]
        run = await sdk.beta.threads.runs.submit_tool_outputs_and_poll(
            run_id=run.id, thread_id=run.thread_id, tool_outputs=outputs, poll_interval_ms=5
        )
        assert run.status == "completed"
        (message,) = (await sdk.beta.threads.messages.list(run.thread_id, run_id=run.id)).data
        assert "blue" in message.content[0].text.value  # type: ignore[union-attr]
