"""A model answers a chat completion itself: by its provider's own Chat Completions, or translated where it has none."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import cast

from playground_tui.engine.completion_schemas import CreateCompletion
from playground_tui.engine.completions.conversation import conversation
from playground_tui.engine.completions.failures import provider_failed
from playground_tui.engine.completions.wire import Events
from playground_tui.engine.providers.base import ModelRequest, Provider, ProviderError, ProviderEvent


def model_request(body: CreateCompletion, model: str) -> ModelRequest:
    """The request in the terms of every provider. Raises ApiError."""
    said = conversation(body.messages)
    settings = body.settings()
    return ModelRequest(
        model=model,
        turns=said.turns,
        instructions=said.instructions,
        tools=[tool.given() for tool in body.tools or ()],
        **settings,
    )


async def translated(provider: Provider, request: ModelRequest) -> Events:
    """What the model says. Raises ApiError."""
    stream = cast("AsyncGenerator[ProviderEvent, None]", provider.stream(request))
    try:
        async with aclosing(stream) as events:
            async for event in events:
                yield [event]
    except ProviderError as error:
        raise provider_failed(error) from error
