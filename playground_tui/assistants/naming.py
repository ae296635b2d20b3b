"""Which assistant a person means."""

from __future__ import annotations

from collections.abc import Sequence

from playground_tui.assistants.objects import Assistant


def named(everyone: Sequence[Assistant], wanted: str) -> list[Assistant]:
    """Those with this id, or else with this name, or else with this name in other case."""
    return (
        [one for one in everyone if one.id == wanted]
        or [one for one in everyone if one.name == wanted]
        or [one for one in everyone if one.name.casefold() == wanted.casefold()]
    )
