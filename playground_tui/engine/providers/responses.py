"""OpenAI's Responses API: `POST {base_url}/responses`, streamed and not stored there.

A server that has no such address is asked by Chat Completions instead, from then on.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from playground_tui.engine.providers.base import (
    AssistantTurn,
    CallArguments,
    CallBegun,
    Cited,
    Finished,
    FunctionCall,
    ImagePart,
    ModelRequest,
    ProviderError,
    ProviderEvent,
    ProviderSettings,
    Refusal,
    Text,
    ToolOutput,
    Turn,
    Usage,
    UserTurn,
)
from playground_tui.engine.providers.chat import ChatProvider
from playground_tui.engine.providers.hosted import INCLUDE, cited, done
from playground_tui.engine.providers.http import drain
from playground_tui.engine.providers.refusals import Refused, cut, event_of, reported
from playground_tui.engine.providers.shapes import mapping, mappings, whole
from playground_tui.engine.providers.streaming import HttpProvider

ENDS = frozenset({"response.completed", "response.incomplete", "response.failed", "response.cancelled"})


class ResponsesProvider(HttpProvider):
    """A provider of kind `responses`."""

    extras = frozenset({"parallel_tool_calls"})

    def __init__(self, settings: ProviderSettings):
        super().__init__(settings)
        self._chat = ChatProvider(settings)
        self._by_chat = False

    @property
    def hosts_tools(self) -> bool:
        """Whether its own file_search and code_interpreter are to be used."""
        return self.settings.tools == "provider"

    async def _attempt(self, request: ModelRequest, refused: frozenset[str]) -> AsyncGenerator[ProviderEvent, None]:
        if not self._by_chat:
            try:
                async with aclosing(self._respond(request, refused)) as events:
                    async for event in events:
                        yield event
                return
            except Refused as refusal:
                if not no_such_address(refusal):
                    raise
        if request.hosted:
            raise ProviderError(
                f'{self.name} has no Responses API, so it brings no tools: take tools = "provider" out of'
                f" [providers.{self.name}]."
            )
        async with aclosing(self._chat.stream(request)) as events:
            async for event in events:
                self._by_chat = True
                yield event

    async def close(self) -> None:
        await super().close()
        await self._chat.close()

    async def _respond(self, request: ModelRequest, refused: frozenset[str]) -> AsyncGenerator[ProviderEvent, None]:
        answer = ResponsesAnswer(self.settings)
        async with aclosing(self._http.events("/responses", responses_body(request, refused))) as received:
            async for kind, data in received:
                if data.strip() == "[DONE]":
                    break
                for event in answer.take(kind, event_of(self.settings, data, begun=answer.begun)):
                    yield await self._with_content(event) if isinstance(event, Cited) else event
                if answer.ended:
                    await drain(received)
                    return
        raise cut(self.settings)

    async def _with_content(self, event: Cited) -> Cited:
        """With the file that code made. One that cannot be had is no reason to lose the answer."""
        if not event.container:
            return event
        try:
            content = await self._http.content(f"/containers/{event.container}/files/{event.file_id}/content")
        except ProviderError:
            return event
        return replace(event, content=content)


def no_such_address(refusal: Refused) -> bool:
    """Whether a server has no /responses, rather than not knowing the model."""
    return refusal.status in {404, 405, 501} and refusal.kind != "model_not_found"


class ResponsesAnswer:
    """One answer being read, event by event."""

    def __init__(self, settings: ProviderSettings):
        self._settings = settings
        self._calls: dict[object, CallSoFar] = {}
        self._said = False
        self._numbers: set[int] = set()
        self.begun = False
        self.ended = False

    def take(self, kind: str, data: Mapping[str, Any]) -> Iterator[ProviderEvent]:
        """The events of one event. Raises ProviderError for a failure told in the stream."""
        self.begun = True
        kind = str(data.get("type") or kind)
        if self._came_before(data.get("sequence_number")):
            return
        if data.get("error") and not kind:
            raise reported(self._settings, data)
        if data.get("object") == "response":
            kind, data = f"response.{data.get('status')}", {"response": data}
        match kind:
            case "response.output_text.delta":
                yield from self._told(Text, data.get("delta"))
            case "response.refusal.delta":
                yield from self._told(Refusal, data.get("delta"))
            case "response.output_item.added" | "response.output_item.done":
                yield from self._item(mapping(data.get("item")), data.get("output_index"))
                yield from self._hosted(mapping(data.get("item"))) if kind.endswith(".done") else ()
            case "response.output_text.annotation.added":
                yield from cited(mapping(data.get("annotation")))
            case "response.function_call_arguments.delta":
                yield from self._arguments(data.get("output_index"), str(data.get("delta") or ""))
            case "response.function_call_arguments.done":
                yield from self._rest(data.get("output_index"), str(data.get("arguments") or ""))
            case "error":
                raise reported(self._settings, data)
            case _ if kind in ENDS:
                yield from self._end(kind, mapping(data.get("response")))

    def _came_before(self, number: object) -> bool:
        """Whether the event with this number came already; a server that numbers all alike does not number."""
        if not isinstance(number, int):
            return False
        again = number in self._numbers and len(self._numbers) > 1
        self._numbers.add(number)
        return again

    def _told(self, kind: type[Text | Refusal], text: object) -> Iterator[ProviderEvent]:
        if text and isinstance(text, str):
            self._said = True
            yield kind(text)

    def _hosted(self, item: Mapping[str, Any]) -> Iterator[ProviderEvent]:
        """What a tool of the provider has done."""
        for event in done(item):
            self._said = True
            yield event

    def _item(self, item: Mapping[str, Any], index: object) -> Iterator[ProviderEvent]:
        """A function call begins, or is whole (servers that stream no arguments send it only then)."""
        if item.get("type") != "function_call":
            return
        if index not in self._calls:
            self._calls[index] = CallSoFar(len(self._calls))
            call_id = str(item.get("call_id") or item.get("id") or f"call_{index}")
            yield CallBegun(self._calls[index].place, call_id, str(item.get("name") or ""))
        yield from self._rest(index, str(item.get("arguments") or ""))

    def _arguments(self, index: object, text: str) -> Iterator[ProviderEvent]:
        if text and (call := self._calls.get(index)):
            call.length += len(text)
            yield CallArguments(call.place, text)

    def _rest(self, index: object, whole: str) -> Iterator[ProviderEvent]:
        """What is still missing of arguments that are now whole."""
        if call := self._calls.get(index):
            yield from self._arguments(index, whole[call.length :])

    def _end(self, kind: str, response: Mapping[str, Any]) -> Iterator[ProviderEvent]:
        if kind in {"response.failed", "response.cancelled"}:
            raise reported(self._settings, response.get("error") or {"message": "the response failed"})
        if not self._said and not self._calls:
            yield from self._unstreamed(response)
        self.ended = True
        yield self._finished(kind, response)

    def _unstreamed(self, response: Mapping[str, Any]) -> Iterator[ProviderEvent]:
        """The output of a response of which nothing was streamed."""
        for index, item in enumerate(mappings(response.get("output"))):
            yield from self._item(item, index)
            yield from self._hosted(item)
            for part in mappings(item.get("content")):
                yield from self._told(Text, part.get("text"))
                yield from self._told(Refusal, part.get("refusal"))

    def _finished(self, kind: str, response: Mapping[str, Any]) -> Finished:
        usage = mapping(response.get("usage"))
        told = Usage(whole(usage.get("input_tokens")), whole(usage.get("output_tokens"))) if usage else None
        if kind == "response.incomplete":
            reason = mapping(response.get("incomplete_details")).get("reason")
            return Finished("content_filter" if reason == "content_filter" else "length", told)
        return Finished("tool_calls" if self._calls else "stop", told)


class CallSoFar:
    """A function call on its way: its place among the calls and how many characters of arguments have come."""

    __slots__ = ("length", "place")

    def __init__(self, place: int):
        self.place = place
        self.length = 0


def responses_body(request: ModelRequest, refused: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The request's body, without what the server is known to refuse."""
    items = [item for turn in request.turns for item in input_items(turn)]
    body: dict[str, Any] = {"model": request.model, "input": items, "stream": True, "store": False}
    optional = {
        "instructions": request.instructions or None,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "reasoning": None if request.reasoning_effort is None else {"effort": request.reasoning_effort},
        "max_output_tokens": request.max_completion_tokens,
        "text": text_settings(request.response_format),
    }
    body |= {name: value for name, value in optional.items() if value is not None}
    if request.hosted:
        body["include"] = list(INCLUDE)
    return body | responses_tools(request, refused)


def text_settings(response_format: str | Mapping[str, Any] | None) -> dict[str, Any] | None:
    """`text.format` for the contract's response_format: the JSON schema stands one level higher here."""
    if not isinstance(response_format, Mapping):
        return None
    return {"format": {"type": response_format.get("type"), **mapping(response_format.get("json_schema"))}}


def responses_tools(request: ModelRequest, refused: frozenset[str]) -> dict[str, Any]:
    """The tools and how they may be chosen; nothing when there are none."""
    tools = [*map(flat_tool, request.tools), *map(dict, request.hosted)]
    if not tools:
        return {}
    found: dict[str, Any] = {"tools": tools}
    choice = request.tool_choice
    if isinstance(choice, str):
        found["tool_choice"] = choice
    elif choice is not None and choice.get("type") == "function":
        found["tool_choice"] = {"type": "function", "name": mapping(choice.get("function")).get("name")}
    elif choice is not None and any(choice.get("type") == tool["type"] for tool in request.hosted):
        found["tool_choice"] = {"type": choice["type"]}
    if request.parallel_tool_calls is not None and "parallel_tool_calls" not in refused:
        found["parallel_tool_calls"] = request.parallel_tool_calls
    return found


def flat_tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    """A function tool with its function's fields beside the type. `strict` is said: here it would default to true."""
    function = mapping(tool.get("function"))
    empty = {"type": "object", "properties": {}}
    flat = {"type": "function", "parameters": empty, "strict": False}
    return flat | {name: value for name, value in function.items() if value is not None}


def input_items(turn: Turn) -> Iterator[dict[str, Any]]:
    """One turn as the items of `input`."""
    match turn:
        case UserTurn(parts):
            yield {"type": "message", "role": "user", "content": [input_part(part) for part in parts]}
        case ToolOutput(call_id, output):
            yield {"type": "function_call_output", "call_id": call_id, "output": output}
        case AssistantTurn(text, calls):
            if text:
                content = [{"type": "output_text", "text": text, "annotations": []}]
                yield {"type": "message", "role": "assistant", "content": content}
            yield from map(call_item, calls)


def input_part(part: str | ImagePart) -> dict[str, Any]:
    if isinstance(part, ImagePart):
        return {"type": "input_image", "image_url": part.url, "detail": part.detail}
    return {"type": "input_text", "text": part}


def call_item(call: FunctionCall) -> dict[str, Any]:
    return {
        "type": "function_call",
        "call_id": call.call_id,
        "name": call.name,
        "arguments": call.arguments or "{}",
    }
