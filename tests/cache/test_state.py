"""What is kept is read whatever a file holds."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from playground_tui.cache.names import server_key
from playground_tui.cache.state import ComposerState, DraftState, ServerState, Session, ThreadEntry, WaitingMessage

KINDS: list[Any] = [Session, DraftState, WaitingMessage, ComposerState, ThreadEntry, ServerState]
FIELDS = ["instance", "key", "base", "edits", "edited_at", "text", "waiting", "updated_at", "threads", "models"]
FIELDS += ["history", "pane", "form_visible", "message_count", "id", "state", "draft_key"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=12,
)


@given(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_any_object_is_read_and_comes_back_the_same(kind: Any, raw: dict[str, Any]) -> None:
    state = kind.from_json(raw)
    again = kind.from_json(json.loads(json.dumps(state.to_json())))
    assert repr(again) == repr(state)


def test_a_number_beyond_all_measure_is_none() -> None:
    assert DraftState.from_json({"edited_at": 10**400}).edited_at == 0.0


def test_one_server_has_one_key_however_it_is_written() -> None:
    same = ["http://Host:80/v1", "HTTP://host/v1/", " http://user:pw@host/v1", "http://host", "http://host/"]
    assert len({server_key(url) for url in same}) == 1
    others = [None, "https://host/v1", "http://host:81/v1", "http://host/v2", "http://host/v1?x=1"]
    assert len({server_key(url) for url in [*others, same[0]]}) == len(others) + 1
    assert server_key(None) == "engine"
