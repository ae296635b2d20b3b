"""Asking a provider in tests."""

from __future__ import annotations

from typing import Any

from playground_tui.engine.providers.base import (
    AssistantTurn,
    FunctionCall,
    ImagePart,
    ModelRequest,
    Provider,
    ProviderEvent,
    Text,
    ToolOutput,
    UserTurn,
)

HELLO = (UserTurn(("Hello",)),)
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a town.",
        "parameters": {"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"]},
    },
}
IMAGE = ImagePart("https://example.com/cat.png", "low")
LONG_THREAD = (
    UserTurn(("Look", IMAGE)),
    AssistantTurn("A cat."),
    UserTurn(("And the weather?", "In Oslo.")),
    AssistantTurn("", (FunctionCall("call_1", "get_weather", '{"town": "Oslo"}'),)),
    ToolOutput("call_1", "rain"),
)
"""Text, an image, a call and its output."""


def request(**fields: Any) -> ModelRequest:
    return ModelRequest(**{"model": "scripted", "turns": HELLO, **fields})


async def events_of(provider: Provider, **fields: Any) -> list[ProviderEvent]:
    """All events of one request."""
    return [event async for event in provider.stream(request(**fields))]


async def text_of(provider: Provider, **fields: Any) -> str:
    return "".join(event.text for event in await events_of(provider, **fields) if isinstance(event, Text))
