"""What the parts of a front share: settings, the cache, the server once it is there, and ways to work and to speak."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from playground_tui.cache.cache import Cache
from playground_tui.config import Settings
from playground_tui.desk.panes import Ways
from playground_tui.desk.trouble import Trouble
from playground_tui.paths import Paths

if TYPE_CHECKING:
    from playground_tui.assistants.client import AssistantsClient

OpenClient = Callable[["AssistantsClient | None"], Awaitable["AssistantsClient"]]
"""Finds or starts the server and hands over the providers' keys. Raises AssistantsError.

It is given the client so far, and goes on with it where it can.
"""


class Work(Protocol):
    """Starts a job beside the front. A job of the same exclusive group is cancelled first."""

    def __call__(self, job: Coroutine[Any, Any, object], *, group: str, exclusive: bool = False) -> None: ...


@dataclass(slots=True)
class Desk:
    """The program's things, one of each. `client` is None until the server has answered."""

    settings: Settings
    paths: Paths
    environ: Mapping[str, str]
    cache: Cache
    work: Work
    say: Callable[[str], None]
    """Show a sentence for a few seconds. It never takes the focus."""
    stop: Callable[[str], None]
    """Cancel the workers of a group."""
    trouble: Trouble
    ways: Ways
    client: AssistantsClient | None = None
    live: bool = False
    """Whether the server reports changes to this program at this moment."""
    default_model: str = ""
    """The model a new assistant begins with."""
    tool_problems: Mapping[str, str] = field(default_factory=dict)
    """Why tools of the server's own do not work there, in sentences, by their types."""
