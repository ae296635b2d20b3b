"""Runs, whose models say what is chosen here: followed, left, cancelled, given outputs, raced."""

from __future__ import annotations

import asyncio
import re
from contextlib import aclosing
from typing import Any

from playground_tui.engine.providers.base import (
    CallArguments,
    CallBegun,
    Finished,
    ProviderError,
    ProviderEvent,
    Refusal,
    Text,
    Usage,
)
from tests.campaigns.deeds.conversations import FUNCTION, have_thread
from tests.campaigns.known import RUNNING, WAITING, KnownRun
from tests.campaigns.looks import PATIENCE, replayed, rested, thread_of
from tests.campaigns.streams import CREATED, RESUMED, check_calls, check_order, kept_in, said_in
from tests.campaigns.user import User, check_answer, status
from tests.campaigns.wire import Answer, Event, EventStream
from tests.support.wait import until

TEXTS = ("The", " sea ", "is\n\nblue.", "日本 🦊", "\0", '"}\\', "\u2028", "x" * 3000)
ARGUMENTS = {"look": '{"at": "it"}', "file_search": '{"queries": ["sea"]}', "code_interpreter": '{"code": "1"}'}
USAGE = Usage(5, 2)
ENDS: dict[str, ProviderEvent | Exception] = {
    "completed": Finished("stop", USAGE),
    "incomplete": Finished("length", USAGE),
    "failed": ProviderError("The provider broke."),
}
"""How a model ends a run."""
FILTERED = Finished("content_filter", USAGE)
EXTRAS: tuple[dict[str, Any], ...] = (
    {},
    {"additional_messages": [{"role": "user", "content": "and"}, {"role": "assistant", "content": "or"}]},
    {"truncation_strategy": {"type": "last_messages", "last_messages": 1}, "instructions": "Be brief."},
    {"max_prompt_tokens": 100_000, "max_completion_tokens": 1000, "tool_choice": "required"},
    {"parallel_tool_calls": False, "response_format": {"type": "json_object"}},
    {"metadata": {"a": "b"}, "temperature": 0, "tools": [FUNCTION, {"type": "file_search"}]},
)


async def new_runs(user: User) -> None:
    """Of creates at once one succeeds, if the thread is free."""
    thread, assistant = user.known.threads.pick(user.random), user.known.assistants.pick(user.random)
    known = await thread_of(user, thread)
    there, free = status(known, assistant in user.known.assistants.there), not (known and known.active)
    model, extra = user.new_name(), user.random.choice(EXTRAS)
    body = {"assistant_id": assistant, "model": f"rehearsal/{model}", **extra}
    times = user.random.choice([1, 1, 1, 2, 3])
    asked = [_asked(user, f"/threads/{thread}/runs", CREATED, body) for _ in range(times)]
    made = _made(await asyncio.gather(*asked), there == 200 and free, there if there == 404 else 400)
    if made and known:
        _have_run(user, made, model)
        before, after = len(known.messages), await user.ids(f"/threads/{thread}/messages")
        assert after[:before] == known.messages, (after, known)
        assert len(after) == before + len(extra.get("additional_messages", ())), (after, known)
        known.messages = after


async def new_thread_and_run(user: User) -> None:
    assistant, model = user.known.assistants.pick(user.random), user.new_name()
    thread = {"messages": [{"role": "user", "content": "hello"}]}
    body = {"assistant_id": assistant, "model": f"rehearsal/{model}", "thread": thread}
    there = assistant in user.known.assistants.there
    made = _made([await _asked(user, "/threads/runs", CREATED, body)], there, 404)
    if made:
        known = await have_thread(user, made["thread_id"])
        assert len(known.messages) == 1, known
        _have_run(user, made, model)


async def new_run_beyond_its_prompt(user: User) -> None:
    """It ends before the model is asked, and the thread is free again."""
    assistant, model = user.known.assistants.pick(user.random), user.new_name()
    thread = {"messages": [{"role": "user", "content": "sea " * 1000}]}
    body = {"assistant_id": assistant, "model": f"rehearsal/{model}", "thread": thread, "max_prompt_tokens": 256}
    made = _made([await _asked(user, "/threads/runs", CREATED, body)], assistant in user.known.assistants.there, 404)
    if made:
        await have_thread(user, made["thread_id"])
        run = _have_run(user, made, model)
        run.status = "incomplete"
        found = await rested(user, run)
        assert found["incomplete_details"] == {"reason": "max_prompt_tokens"}, found


def _have_run(user: User, made: dict[str, Any], model: str) -> KnownRun:
    run = KnownRun(made["id"], made["thread_id"], model, made["expires_at"])
    user.known.all_threads[run.thread].runs.append(run)
    return run


def _made(answers: list[Answer | dict[str, Any]], may: bool, refused: int) -> dict[str, Any] | None:
    """The run of the one answer that has one; the others are refused."""
    made = [answer for answer in answers if isinstance(answer, dict)]
    for answer in answers:
        if isinstance(answer, Answer):
            check_answer(answer, refused)
    assert len(made) == may, answers
    return made[0] if made else None


async def _asked(user: User, path: str, order: re.Pattern[str], body: dict[str, Any]) -> Answer | dict[str, Any]:
    """The run that is made or goes on, or the answer that refuses it. Its stream is followed, if it gets one."""
    user.seen["calls"] += 1
    if user.chance(0.5):
        answer = await user.stage.wire.call("POST", path, body=body)
        return answer if answer.status != 200 else answer.json()
    first: asyncio.Future[Answer | Event] = asyncio.get_running_loop().create_future()
    leave_after = user.random.choice([None, None, None, 3, 7])
    listener = asyncio.create_task(_listen(user, path, order, body, first, leave_after))
    user.listeners.append(listener)
    await asyncio.wait([listener, first], return_when=asyncio.FIRST_COMPLETED)
    begun = first.result() if first.done() else listener.result()
    assert begun is not None, f"the stream of {path} ended before it told of a run"
    return begun if isinstance(begun, Answer) else begun[1]


async def _listen(
    user: User,
    path: str,
    order: re.Pattern[str],
    body: dict[str, Any],
    first: asyncio.Future[Answer | Event],
    leave_after: int | None,
) -> None:
    """Follow a stream to its end, or hang up after so many events."""
    events: list[Event] = []
    async with user.stage.wire.stream("POST", path, body={**body, "stream": True}) as answer:
        if isinstance(answer, Answer):
            first.set_result(answer)
            return
        async with aclosing(answer.events()) as stream:
            async for event in stream:
                events.append(event)
                if event[1].get("object") == "thread.run" and not first.done():
                    first.set_result(event)
                if first.done() and len(events) == leave_after:
                    return
    check_order(events, order)
    check_calls(events)
    said_in(events)
    user.seen["streams"] += 1


def _running(user: User) -> KnownRun | None:
    runs = [run for run in user.known.active_runs if run.status == RUNNING]
    return user.random.choice(runs) if runs else None


def _any_run(user: User, status: str = "") -> KnownRun | None:
    """A run that is active (in this status) if there is one; now and then any that can be asked for."""
    runs = [run for run in user.known.active_runs if status in ("", run.status)]
    if user.chance(0.2):
        runs = [run for thread in user.known.threads.there for run in user.known.all_threads[thread].runs]
    return user.random.choice(runs) if runs else None


async def say(user: User) -> None:
    if (run := _running(user)) is None:
        await new_runs(user)
        return
    for text in user.random.choices(TEXTS, k=user.random.randint(1, 4)):
        if user.chance(0.1):
            run.refused += text
            user.stage.provider.say(run.model, Refusal(text))
        else:
            run.said += text
            user.stage.provider.say(run.model, Text(text))
    async with asyncio.timeout(PATIENCE):
        await _heard(user, run)


async def _heard(user: User, run: KnownRun) -> None:
    """Follow the run's events until all that was said has come; then hang up."""
    user.seen["calls"] += 1
    events: list[Event] = []
    async with user.stage.wire.stream("GET", f"{run.path}/events") as answer:
        assert isinstance(answer, EventStream), answer
        async with aclosing(answer.events()) as stream:
            async for event in stream:
                events.append(event)
                if said_in(events) == (run.said, run.refused):
                    return
    raise AssertionError(f"{run} ended: {events}")


async def call_tools(user: User) -> None:
    """The engine's own tools are used at once; the run waits for functions among them, or asks the model again."""
    if (run := _running(user)) is None:
        await new_thread_and_run(user)
        return
    names = user.random.choices(["look", "look", "file_search", "code_interpreter"], k=user.random.randint(1, 3))
    known = {tool["type"] for tool in (await user.get(run.path))["tools"]}
    names = [name if name in known else "look" for name in names]
    ids = [f"call_{user.new_name()}" for _ in names]
    provider = user.stage.provider
    await until(lambda: provider.asked[run.model], timeout=PATIENCE)
    asked = provider.asked[run.model]
    for index, (name, call) in enumerate(zip(names, ids, strict=True)):
        provider.say(run.model, CallBegun(index, call, name), CallArguments(index, ARGUMENTS[name]))
    provider.say(run.model, Finished("tool_calls", USAGE))
    run.calls = [call for name, call in zip(names, ids, strict=True) if name == "look"]
    if not run.calls:
        await until(lambda: provider.asked[run.model] > asked, timeout=PATIENCE)
        return
    run.status = WAITING
    await rested(user, run)
    await replayed(user, run)
    wrong = user.random.choice([run.calls[1:], [*run.calls, "call_none"], [*run.calls, run.calls[0]]])
    await user.send("POST", f"{run.path}/submit_tool_outputs", 400, body=_outputs(wrong))


def _outputs(calls: list[str]) -> dict[str, Any]:
    return {"tool_outputs": [{"tool_call_id": call, "output": "x"} for call in calls]}


async def submit(user: User) -> None:
    """A run that waits goes on, in whatever order the outputs come; of submits at once one succeeds."""
    if (run := _any_run(user, WAITING)) is None:
        await call_tools(user)
        return
    path, body = f"{run.path}/submit_tool_outputs", _outputs(run.calls[::-1])
    asked = [_asked(user, path, RESUMED, body) for _ in range(user.random.choice([1, 1, 2]))]
    if _made(await asyncio.gather(*asked), run.status == WAITING, 400):
        run.status = RUNNING
        user.seen["rounds of outputs"] += 1


async def cancel(user: User) -> None:
    if (run := _any_run(user)) is None:
        await new_runs(user)
        return
    times, active = user.random.choice([1, 1, 2]), run.active
    answers = await asyncio.gather(*(user.send("POST", f"{run.path}/cancel", 200, 400) for _ in range(times)))
    assert [answer.status for answer in answers].count(200) == active, (answers, run)
    if active:
        run.status = "cancelled"
        await rested(user, run)


async def end(user: User) -> None:
    if (run := _running(user)) is None:
        await new_runs(user)
        return
    run.status = user.random.choice(list(ENDS))
    user.stage.provider.say(run.model, FILTERED if run.status == "failed" and user.chance(0.3) else ENDS[run.status])
    await rested(user, run)
    await thread_of(user, run.thread)


async def end_and_cancel(user: User) -> None:
    """Whichever comes first is what the run says."""
    if (run := _running(user)) is None:
        await new_thread_and_run(user)
        return
    user.stage.provider.say(run.model, Text("!"), ENDS["completed"])
    if user.chance(0.7):
        await asyncio.sleep(user.random.random() / 200)
    answer = await user.send("POST", f"{run.path}/cancel", 200, 400)
    run.status = "cancelled" if answer.status == 200 else "completed"
    await rested(user, run)
    found = (await user.get(f"/threads/{run.thread}/messages?run_id={run.id}&order=asc&limit=100"))["data"]
    said, _ = kept_in(found)
    assert said in (run.said, run.said + "!") and (answer.status == 200 or said == run.said + "!"), (said, run)
    run.said = said


async def run_and_delete(user: User) -> None:
    """A run that comes while its thread is being deleted is not left behind in it."""
    thread, assistant = user.known.threads.pick(user.random), user.known.assistants.pick(user.random)
    known = await thread_of(user, thread)
    if known is None or assistant not in user.known.assistants.there:
        return
    model = user.new_name()
    body = {"assistant_id": assistant, "model": f"rehearsal/{model}"}
    user.seen["calls"] += 2
    create = user.stage.wire.call("POST", f"/threads/{thread}/runs", body=body)
    delete = user.stage.wire.call("DELETE", f"/threads/{thread}")
    order = [create, delete] if user.chance(0.5) else [delete, create]
    answers = await asyncio.gather(*order)
    created, deleted = answers if order[0] is create else answers[::-1]
    check_answer(created, 200, 404, *([400] if known.active else []))
    check_answer(deleted, 200)
    if created.status == 200:
        _have_run(user, created.json(), model)
    for run in known.runs:
        run.status = "cancelled" if run.active else run.status
    user.known.threads.remove(thread)
    if user.chance(0.5):
        await user.send("POST", f"/threads/{thread}/restore", 200)
        user.known.threads.restore(thread)
        await thread_of(user, thread)


async def read_run(user: User) -> None:
    if (run := _any_run(user)) is None:
        await user.send("GET", f"/threads/{user.known.threads.pick(user.random)}/runs/run_none", 404)
        return
    await user.post(run.path, 200, metadata={"read": "yes"})
    if run.status != RUNNING:
        await rested(user, run)
        await replayed(user, run)
    for step in await user.ids(f"{run.path}/steps"):
        await user.get(f"{run.path}/steps/{step}")
    await user.send("GET", f"{run.path}/steps/step_none", 404)


async def end_all(user: User) -> None:
    """No run is left to itself, and no stream either."""
    for run in user.known.active_runs:
        await user.send("POST", f"{run.path}/cancel", 200)
        run.status = "cancelled"
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*user.listeners)


DEEDS = (
    new_runs,
    new_runs,
    new_thread_and_run,
    new_run_beyond_its_prompt,
    say,
    say,
    say,
    call_tools,
    call_tools,
    submit,
    submit,
    submit,
    cancel,
    end,
    end,
    end_and_cancel,
    run_and_delete,
    read_run,
)
