"""How long to wait before a request that failed is made again."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_WISH = 86_400.0
"""Seconds. A server that asks for more, by mistake or not, is taken to have asked for a day."""


def pause(attempt: int, wish: float | None, *, first: float, longest: float) -> float:
    """Seconds before the next try after `attempt` failed ones: twice as long each time, and what the server wishes."""
    return max(min(longest, first * 2.0 ** min(attempt - 1, 10)), wish or 0.0)


def retry_after(headers: Mapping[str, str], now: Callable[[], float] = time.time) -> float | None:
    """The seconds that a Retry-After header asks for, as a number or as a date; None where it asks for nothing.

    A date is compared with the answer's own Date where there is one: clocks may be apart. `now` is in Unix seconds.
    """
    wish = headers.get("retry-after", "").strip()
    seconds = _number(wish)
    if seconds is None and (until := _date(wish)) is not None:
        told = _date(headers.get("date", ""))
        seconds = max(0.0, until - (now() if told is None else told))
    return None if seconds is None else min(seconds, LONGEST_WISH)


def _number(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _date(text: str) -> float | None:
    """An HTTP date in Unix seconds."""
    try:
        moment = parsedate_to_datetime(text)
        return _in_utc(moment).timestamp()
    except (ValueError, OverflowError, TypeError):
        return None


def _in_utc(moment: datetime) -> datetime:
    """A date without a zone is in UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
