"""Chat Completions: any server with `POST {base_url}/chat/completions` that streams."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from typing import Any

from playground_tui.engine.providers.base import (
    AssistantTurn,
    Finished,
    FinishReason,
    FunctionCall,
    ImagePart,
    ModelRequest,
    ProviderError,
    ProviderEvent,
    Refusal,
    Text,
    ToolOutput,
    Turn,
    Usage,
    UserTurn,
)
from playground_tui.engine.providers.chat_calls import Calls
from playground_tui.engine.providers.http import drain
from playground_tui.engine.providers.refusals import cut, event_of, reported
from playground_tui.engine.providers.shapes import mapping, mappings, whole
from playground_tui.engine.providers.streaming import HttpProvider

FINISHES: Mapping[str, FinishReason] = {
    "length": "length",
    "max_tokens": "length",
    "content_filter": "content_filter",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
}
"""Finish reasons by the word a server uses; any other one means stop."""


class ChatProvider(HttpProvider):
    """A provider of kind `chat`."""

    extras = frozenset({"stream_options", "max_completion_tokens", "parallel_tool_calls"})

    async def _attempt(self, request: ModelRequest, refused: frozenset[str]) -> AsyncGenerator[ProviderEvent, None]:
        answer = ChatAnswer(self)
        async with aclosing(self._http.events("/chat/completions", chat_body(request, refused))) as received:
            try:
                async for _, data in received:
                    if data.strip() == "[DONE]":
                        answer.finish = answer.finish or "stop"
                        await drain(received)
                        break
                    for event in answer.take(event_of(self.settings, data, begun=answer.begun)):
                        yield event
            except ProviderError:
                if not answer.finish:
                    raise
        yield answer.finished()


class ChatAnswer:
    """One answer being read, chunk by chunk."""

    def __init__(self, provider: HttpProvider):
        self._settings = provider.settings
        self._calls = Calls()
        self._usage: Usage | None = None
        self.begun = False
        self.finish = ""

    def take(self, chunk: Mapping[str, Any]) -> Iterator[ProviderEvent]:
        """The events of one chunk. Raises ProviderError for an error told in the stream."""
        self.begun = True
        if chunk.get("error"):
            raise reported(self._settings, chunk)
        self._usage = usage_of(chunk.get("usage")) or self._usage
        for choice in mappings(chunk.get("choices")):
            delta = mapping(choice.get("delta") or choice.get("message"))
            if text := text_of(delta.get("content")):
                yield Text(text)
            if refusal := text_of(delta.get("refusal")):
                yield Refusal(refusal)
            yield from self._calls.take(mappings(delta.get("tool_calls")))
            self.finish = str(choice.get("finish_reason") or self.finish)

    def finished(self) -> Finished:
        """The end. Raises ProviderError when the server never said that it had finished."""
        if not self.finish and not self._usage:
            raise cut(self._settings)
        reason = FINISHES.get(self.finish, "stop")
        if self._calls and reason == "stop":
            reason = "tool_calls"
        return Finished(reason, self._usage)


def usage_of(usage: object) -> Usage | None:
    told = mapping(usage)
    prompt, completion = whole(told.get("prompt_tokens")), whole(told.get("completion_tokens"))
    return Usage(prompt, completion) if prompt or completion else None


def text_of(content: object) -> str:
    """Text of a delta: a string, or the text parts some servers send."""
    if isinstance(content, list):
        return "".join(text_of(part.get("text")) for part in mappings(content))
    return content if isinstance(content, str) else ""


def chat_body(request: ModelRequest, refused: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The request's body, without what the server is known to refuse."""
    body: dict[str, Any] = {"model": request.model, "messages": chat_messages(request), "stream": True}
    if "stream_options" not in refused:
        body["stream_options"] = {"include_usage": True}
    for name in ("temperature", "top_p", "reasoning_effort"):
        if (value := getattr(request, name)) is not None:
            body[name] = value
    if request.max_completion_tokens is not None:
        name = "max_tokens" if "max_completion_tokens" in refused else "max_completion_tokens"
        body[name] = request.max_completion_tokens
    if isinstance(request.response_format, Mapping):
        body["response_format"] = dict(request.response_format)
    return body | chat_tools(request, refused)


def chat_tools(request: ModelRequest, refused: frozenset[str]) -> dict[str, Any]:
    """The tools and how they may be chosen; nothing when there are none."""
    if not request.tools:
        return {}
    found: dict[str, Any] = {"tools": [dict(tool) for tool in request.tools]}
    choice = request.tool_choice
    if choice is not None and (isinstance(choice, str) or choice.get("type") == "function"):
        found["tool_choice"] = choice if isinstance(choice, str) else dict(choice)
    if request.parallel_tool_calls is not None and "parallel_tool_calls" not in refused:
        found["parallel_tool_calls"] = request.parallel_tool_calls
    return found


def chat_messages(request: ModelRequest) -> list[dict[str, Any]]:
    """The instructions and the thread as messages."""
    system = [{"role": "system", "content": request.instructions}] if request.instructions else []
    return [*system, *(chat_message(turn) for turn in request.turns if turn != AssistantTurn())]


def chat_message(turn: Turn) -> dict[str, Any]:
    match turn:
        case UserTurn(parts):
            return {"role": "user", "content": user_content(parts)}
        case ToolOutput(call_id, output):
            return {"role": "tool", "tool_call_id": call_id, "content": output}
        case AssistantTurn(text, calls):
            message: dict[str, Any] = {"role": "assistant", "content": text or None}
            return message | ({"tool_calls": [chat_call(call) for call in calls]} if calls else {})


def chat_call(call: FunctionCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments or "{}"}
    return {"id": call.call_id, "type": "function", "function": function}


def user_content(parts: tuple[str | ImagePart, ...]) -> str | list[dict[str, Any]]:
    """One string when there is only text (many servers take nothing else), parts when there are images."""
    if not any(isinstance(part, ImagePart) for part in parts):
        return "\n\n".join(part for part in parts if isinstance(part, str))
    return [
        {"type": "image_url", "image_url": {"url": part.url, "detail": part.detail}}
        if isinstance(part, ImagePart)
        else {"type": "text", "text": part}
        for part in parts
    ]
