"""How long is waited before a further try."""

from __future__ import annotations

import pytest

from playground_tui.assistants.backoff import LONGEST_WISH, pause, retry_after

NOW = 1_790_000_000.0
"""Mon, 21 Sep 2026 14:13:20 GMT."""


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("0", 0.0),
        ("Mon, 21 Sep 2026 14:14:20 GMT", 60.0),
        ("Mon, 21 Sep 2026 14:14:20 -0000", 60.0),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0.0),
        ("1e308", LONGEST_WISH),
        ("9" * 400, None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_WISH),
        ("soon", None),
        ("-1", None),
        ("nan", None),
        ("inf", None),
        ("Mon, 99 Sep 2026 14:14:20 GMT", None),
        ("", None),
    ],
)
def test_a_server_asks_for_a_wait(header: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": header}, lambda: NOW) == seconds


def test_a_date_is_taken_from_the_servers_clock_where_it_tells_it() -> None:
    headers = {"retry-after": "Mon, 21 Sep 2026 14:14:20 GMT", "date": "Mon, 21 Sep 2026 14:14:10 GMT"}
    assert retry_after(headers, lambda: NOW) == 10.0


def test_no_header_asks_for_nothing() -> None:
    assert retry_after({}) is None


def test_each_wait_is_twice_the_one_before_up_to_the_longest() -> None:
    waits = [pause(attempt, None, first=1.0, longest=30.0) for attempt in (1, 2, 3, 4, 5, 6, 5000)]
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


def test_a_wish_makes_a_wait_longer_and_never_shorter() -> None:
    assert pause(1, 90.0, first=1.0, longest=30.0) == 90.0
    assert pause(3, 1.0, first=1.0, longest=30.0) == 4.0
