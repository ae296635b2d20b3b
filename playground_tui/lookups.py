"""The event loop of the program: a resolver that does not answer holds up nothing but who asked it.

asyncio looks addresses up in the few threads that files are read in, and waits for them all at its end: half a minute
and more where the name server is silent, since a look-up cannot be ended.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")
Stray = Callable[[asyncio.AbstractEventLoop, dict[str, Any]], object]
"""An exception handler of asyncio."""


class Loop(asyncio.SelectorEventLoop):
    """Each look-up has a thread of its own, which ends with the program at the latest."""

    async def getaddrinfo(
        self,
        host: bytes | str | None,
        port: bytes | str | int | None,
        *,
        family: int = 0,
        type: int = 0,  # noqa: A002 - the name it has in asyncio
        proto: int = 0,
        flags: int = 0,
    ) -> list[Any]:
        """What `socket.getaddrinfo` answers, or raises."""
        answer: Future[list[Any]] = Future()
        asked = (answer, host, port, family, type, proto, flags)
        threading.Thread(target=_look_up, args=asked, name="look-up", daemon=True).start()
        return await asyncio.wrap_future(answer, loop=self)


def _look_up(answer: Future[list[Any]], *asked: Any) -> None:
    if not answer.set_running_or_notify_cancel():
        return
    try:
        answer.set_result(socket.getaddrinfo(*asked))
    except BaseException as error:  # noqa: BLE001 - raised again where the answer is waited for
        answer.set_exception(error)


def run(job: Coroutine[Any, Any, T], stray: Stray | None = None) -> T:
    """Run a coroutine in a loop of its own, as `asyncio.run` does. `stray` gets what callbacks fail with."""
    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.get_loop().set_exception_handler(stray)
        return runner.run(job)
