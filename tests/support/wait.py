"""Waiting in tests: on a predicate, never for a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def until(predicate: Callable[[], object], *, timeout: float = 30.0) -> None:
    """Return as soon as `predicate()` is true; AssertionError after `timeout` seconds."""
    loop = asyncio.get_running_loop()
    end = loop.time() + timeout
    while not predicate():
        assert loop.time() < end, f"not within {timeout} s: {predicate}"
        await asyncio.sleep(0.005)
