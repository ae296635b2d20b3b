"""What the handlers and the runs share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.requests import HTTPConnection

if TYPE_CHECKING:
    from playground_tui.engine.changes import ChangeFeed
    from playground_tui.engine.files import Files
    from playground_tui.engine.providers.registry import ProviderRegistry
    from playground_tui.engine.runs.service import RunService
    from playground_tui.engine.store.database import Database
    from playground_tui.engine.tools.code_interpreter.service import Interpreter
    from playground_tui.engine.tools.file_search.service import SearchService


@dataclass(slots=True)
class Engine:
    """One engine. It stands in `app.state.engine`."""

    database: Database
    changes: ChangeFeed
    providers: ProviderRegistry
    runs: RunService
    files: Files
    search: SearchService
    interpreter: Interpreter
    clock: Callable[[], float] = time.time
    run_expires_after: int = 600
    """Seconds after its creation in which a run expires."""
    pending: dict[tuple[str, str], tuple[str, asyncio.Task[dict[str, Any]]]] = field(default_factory=dict)
    """The requests with an Idempotency-Key that are under way, by key and path: the body's digest, and the reply."""

    def now(self) -> int:
        """The time in whole Unix seconds."""
        return int(self.clock())


def engine_of(request: HTTPConnection) -> Engine:
    """The engine that this request came to."""
    engine: Engine = request.app.state.engine
    return engine
