"""Times on screen: the host's local zone, with the date when it is not today."""

from __future__ import annotations

from datetime import datetime


def clock_time(at: float, now: float) -> str:
    """`14:02`, or `Nov 20 14:02`, or `2025-11-20 14:02`. Both times are Unix seconds."""
    then, today = datetime.fromtimestamp(at), datetime.fromtimestamp(now)
    if then.date() == today.date():
        return then.strftime("%H:%M")
    return then.strftime("%b %d %H:%M" if then.year == today.year else "%Y-%m-%d %H:%M")
