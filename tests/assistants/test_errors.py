"""Each failure of a server in a sentence that says what happened and what to do."""

from __future__ import annotations

import pytest

from playground_tui.assistants.errors import NotFound, NotReachable, SwitchedOff, rejected


@pytest.mark.parametrize(
    ("status", "parts", "retry"),
    [
        (302, ["points to another address (302)", "as --server"], False),
        (400, ["refused the request (400): words"], False),
        (401, ["did not accept the key (401)", "PLAYGROUND_TUI_SERVER_KEY"], False),
        (402, ["refused the request (402)"], False),
        (403, ["does not allow this with the key given (403)"], False),
        (409, ["conflicting request (409)", "Try again"], True),
        (413, ["too large (413)", "Shorten"], False),
        (422, ["refused the request (422): words"], False),
        (429, ["slow down (429)", "in a moment"], True),
        (500, ["a problem of its own (500): words", "Try again"], True),
        (529, ["a problem of its own (529)"], True),
        (700, ["answered (700): words"], True),
    ],
)
def test_a_status_says_what_happened_and_what_to_do(status: int, parts: list[str], retry: bool) -> None:
    error = rejected(status, "words", where="host:8000")
    assert str(error).startswith("host:8000 ")
    assert all(part in str(error) for part in parts), str(error)
    assert (error.status, error.retry) == (status, retry)


def test_the_time_a_server_asks_for_is_told_and_kept() -> None:
    error = rejected(429, "", where="host", retry_after=7.0)
    assert str(error) == "host asks to slow down (429). Try again in 7 s."
    assert error.retry_after == 7.0


def test_an_unknown_object_is_told_in_the_servers_words() -> None:
    error = rejected(404, "No thread found with id 'x'.", where="host")
    assert isinstance(error, NotFound)
    assert str(error) == "No thread found with id 'x'."


def test_an_unknown_path_asks_about_the_address() -> None:
    assert "its /v1?" in str(rejected(404, "", where="host"))


@pytest.mark.parametrize("where", ["api.openai.com", "eu.api.openai.com:443", "mine.openai.azure.com"])
def test_the_hosted_service_says_that_it_was_switched_off(where: str) -> None:
    error = rejected(404, "Not found", where=where)
    assert isinstance(error, SwitchedOff)
    assert "switched off on 2026-08-26" in str(error)
    assert "Start without --server" in str(error)


def test_a_server_that_only_sounds_hosted_is_another() -> None:
    assert not isinstance(rejected(404, "", where="notapi.openai.com"), SwitchedOff)


def test_whether_a_request_left_is_told_apart() -> None:
    assert NotReachable("broke").sent
    assert not NotReachable("refused", sent=False).sent
