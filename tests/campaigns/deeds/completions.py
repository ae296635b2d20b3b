"""Chat completions, and models."""

from __future__ import annotations

import asyncio
from typing import Any

from playground_tui.engine.providers.base import CallArguments, CallBegun, Finished, Text, Usage
from tests.campaigns.deeds.conversations import FUNCTION
from tests.campaigns.looks import PATIENCE
from tests.campaigns.user import User, status
from tests.campaigns.wire import EventStream

THREAD = "x-playground-tui-thread"
USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
HELLO = {"role": "user", "content": "hello"}


async def ask(user: User) -> None:
    """A model answers, or an assistant, whose thread is gone with the answer."""
    assistant = user.known.assistants.pick(user.random)
    if not assistant.startswith("asst_"):
        assistant = "asst_none"
    model = user.random.choice([assistant, assistant, "rehearsal/ready"])
    there = status(model != assistant or assistant in user.known.assistants.there)
    answer = await user.send("POST", "/chat/completions", there, body={"model": model, "messages": [HELLO]})
    if there == 200:
        completion = answer.json()
        said = completion["choices"][0]["message"]["content"], completion["usage"]
        assert said == ("fine", USAGE), completion
        if model == assistant:
            await user.send("GET", f"/threads/{answer.headers[THREAD]}", 404)


async def ask_streamed(user: User) -> None:
    """The whole answer, or as much of it as is waited for: a run that nobody reads is cancelled."""
    model = user.new_name()
    made = await user.post("/assistants", 200, model=f"rehearsal/{model}", tools=[FUNCTION])
    user.stage.provider.say(model, Text("sea"), Text(" blue"))
    leaves = user.chance(0.4)
    if not leaves:
        user.stage.provider.say(model, Finished("stop", Usage(7, 3)))
    body = {"model": made["id"], "messages": [HELLO], "stream": True, "stream_options": {"include_usage": True}}
    said, last = "", dict[str, Any]()
    user.seen["calls"] += 1
    async with user.stage.wire.stream("POST", "/chat/completions", body=body) as answer:
        assert isinstance(answer, EventStream), answer
        async for _, chunk in answer.events():
            said += "".join(choice["delta"].get("content") or "" for choice in chunk.get("choices", ()))
            last = chunk if "choices" in chunk else last
            if leaves and said == "sea blue":
                break
    assert said == "sea blue" and (leaves or last["usage"] == USAGE), (said, last)
    await _gone(user, answer.headers[THREAD])


async def _gone(user: User, thread: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while (await user.send("GET", f"/threads/{thread}", 200, 404)).status == 200:
            await asyncio.sleep(0.002)


async def ask_with_function(user: User) -> None:
    """The assistant calls a function, and goes on with its output: in the same run."""
    model = user.new_name()
    made = await user.post("/assistants", 200, model=f"rehearsal/{model}")
    body: dict[str, Any] = {"model": made["id"], "messages": [HELLO], "tools": [FUNCTION]}
    call = f"call_{model}"
    user.stage.provider.say(model, CallBegun(0, call, "look"), CallArguments(0, "{}"), Finished("tool_calls"))
    first = await user.send("POST", "/chat/completions", 200, body=body)
    choice = first.json()["choices"][0]
    assert choice["finish_reason"] == "tool_calls", choice
    assert [one["id"] for one in choice["message"]["tool_calls"]] == [call], choice
    output = {"role": "tool", "tool_call_id": call, "content": "x"}
    user.stage.provider.say(model, Text("done"), Finished("stop"))
    body["messages"] = [HELLO, choice["message"], output]
    second = await user.send("POST", "/chat/completions", 200, body=body)
    assert second.json()["choices"][0]["message"]["content"] == "done", second
    assert second.headers[THREAD] == first.headers[THREAD], (first, second)
    await user.send("GET", f"/threads/{first.headers[THREAD]}", 404)
    await user.send("POST", "/chat/completions", 400, body={**body, "messages": [HELLO, choice["message"]]})


async def read_models(user: User) -> None:
    assistant = user.known.assistants.pick(user.random)
    await user.send("GET", f"/models/{assistant}", status(assistant in user.known.assistants.there))
    await user.send("DELETE", f"/models/{assistant}", 403)


DEEDS = (ask, ask, ask_streamed, ask_with_function, read_models)
