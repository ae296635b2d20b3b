"""What a run does, in words."""

from __future__ import annotations

from typing import Final

from playground_tui.assistants.objects import Run

INCOMPLETE: Final = {
    "max_completion_tokens": "the limit of completion tokens was reached",
    "max_prompt_tokens": "the limit of prompt tokens was reached",
}


def duration(seconds: float) -> str:
    """`5 s`, `2 min 5 s`, `1 h 2 min`."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def state_words(run: Run) -> str:
    """The run's state, and why it ended where it ended badly."""
    status = run.status
    if status == "failed":
        return "failed: " + (run.error_message or run.error_code or "the server gave no reason")
    if status == "incomplete":
        reason = run.incomplete_reason
        return f"incomplete: {INCOMPLETE.get(reason, reason.replace('_', ' ') or 'the server gave no reason')}"
    if status == "expired":
        return "expired: " + (run.error_message or "the run took longer than the server allows")
    if status == "requires_action":
        count = len(run.waiting_for)
        return f"requires action: {count} function output{'s' if count != 1 else ''} to give"
    return status.replace("_", " ")
