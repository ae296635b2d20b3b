"""What a round that is over means for its run."""

from __future__ import annotations

import asyncio
import logging

from playground_tui.engine.providers.base import ProviderError
from playground_tui.engine.providers.registry import UnknownProvider
from playground_tui.engine.runs.live import Interrupted
from playground_tui.engine.runs.states import Ending, failed
from playground_tui.engine.store.failures import StoreFailed

_log = logging.getLogger(__name__)


def outcome(round_: asyncio.Task[Ending | None]) -> Ending | None:
    """How the run ends unless it was interrupted, or None: it waits for tool outputs.

    A failure that nobody foresaw fails the run too, so that no stream is just dropped and no thread stays taken.
    """
    if round_.cancelled():
        return failed("server_error", "The request to the provider was broken off.")
    match round_.exception():
        case None:
            return round_.result()
        case Interrupted():
            return None
        case ProviderError(code=code) as error:
            return failed(code, str(error))
        case UnknownProvider() | StoreFailed() as error:
            return failed("server_error", str(error))
        case error:
            _log.error("A run failed for a reason nobody foresaw", exc_info=error)
            return failed("server_error", f"The engine failed on this run ({type(error).__name__}). Its log says more.")
