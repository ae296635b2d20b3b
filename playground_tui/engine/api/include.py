"""The query parameter `include[]` of runs and steps."""

from __future__ import annotations

from starlette.requests import Request

from playground_tui.engine.errors import ApiError

CONTENT = "step_details.tool_calls[*].file_search.results[*].content"
"""The text of what file searches found: all there is to include."""


def wants_content(request: Request) -> bool:
    """Whether steps are to have the text of what their searches found. Raises ApiError for anything else included."""
    query = request.query_params
    wanted = [*query.getlist("include[]"), *query.getlist("include")]
    for name in wanted:
        if name != CONTENT:
            raise ApiError(f"Invalid 'include[]': it is {CONTENT}.", param="include[]")
    return bool(wanted)
