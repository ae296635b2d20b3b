"""Runs whose model takes no tools: the files are searched for what the user said, and the model is asked without."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from playground_tui.engine.runs.answer import Answer
from playground_tui.engine.runs.called import carry_out
from playground_tui.engine.runs.ground import Ground, read_ground
from playground_tui.engine.runs.live import LiveRun
from playground_tui.engine.runs.states import Ending
from playground_tui.engine.runs.tools.perform import OwnTools

QUERY_CHARACTERS = 2_000
"""So much of what the user said is searched for."""

_SEARCHED = "This model takes no tools: the files were searched for the newest message."
_WITHOUT = "This model takes no tools: the run went on without code_interpreter."


def can_do_without(run: Mapping[str, Any]) -> bool:
    """Whether the run's sense is kept without tools: it has no functions, and demands no code."""
    kinds = {tool["type"] for tool in run["tools"]}
    choice = run["tool_choice"]
    demanded = choice.get("type") if isinstance(choice, Mapping) else None
    return "function" not in kinds and demanded != "code_interpreter"


async def look_up(live: LiveRun, tools: OwnTools) -> Ending | Literal["waits", "again"]:
    """Search the files for the newest message of the user, as a step, if the run has file_search; what comes next."""
    ground = await read_ground(live, tools)
    if isinstance(ground, Ending):
        return ground
    if "code_interpreter" in ground.offer.names:
        live.note(_WITHOUT)
    if "file_search" not in ground.offer.names or not ground.resources.vector_store_ids:
        return "again"
    live.note(_SEARCHED)
    answer = Answer(live, ground.offer, ground.brings)
    calls = await answer.open_calls()
    calls.begin(0, "", ground.offer.names["file_search"])
    calls.add(0, json.dumps({"queries": [_newest_text(ground)]}))
    return await carry_out(live, answer, None, ground, tools)


def _newest_text(ground: Ground) -> str:
    """What the user said last."""
    said = next((message for message in reversed(ground.messages) if message.role == "user"), None)
    if said is None:
        return ""
    texts = [part["text"]["value"] for part in said.parts or () if part["type"] == "text"]
    return (said.text or " ".join(texts))[:QUERY_CHARACTERS]
