"""Closing the program by any means and opening it again brings everything back."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from pathlib import Path

from playground_tui.cache.cache import KEPT_SESSIONS
from playground_tui.cache.former import bring_over
from playground_tui.cache.known import KnownServer
from playground_tui.cache.names import former_key, server_key
from playground_tui.cache.state import ComposerState, DraftState, ThreadEntry, WaitingMessage
from tests.cache.conftest import Machine, wait_for


def draft(key: str = "asst_1", edited_at: float = 0.0, **edits: object) -> DraftState:
    return DraftState(key, {"name": "Base"}, edits, edited_at)


# --- the session


def test_a_start_takes_up_where_the_last_one_ended(machine: Machine) -> None:
    first = machine.start()
    first.update_session(assistant_id="asst_1", thread_id="thread_1", pane="form", form_visible=False, config_open=True)
    first.close()
    assert machine.start().session == first.session


def test_a_first_start_begins_on_the_last_assistant_of_the_server(machine: Machine) -> None:
    living = machine.start()
    living.update_server(lambda state: replace(state, last_assistant="asst_1", last_thread="thread_1"))
    living.flush()
    session = machine.start().session
    assert (session.assistant_id, session.thread_id) == ("asst_1", "thread_1")


def test_two_at_once_have_a_session_each_and_find_each_their_own_again(machine: Machine) -> None:
    first, second = machine.start(), machine.start()
    assert first.session.instance != second.session.instance
    first.update_session(thread_id="thread_1")
    second.update_session(thread_id="thread_2")
    second.update_session(pane="form")
    first.close()
    second.close()
    assert [machine.start().session.thread_id for _ in range(2)] == ["thread_2", "thread_1"]


def test_the_session_of_another_server_is_left_to_it(machine: Machine) -> None:
    there = machine.start("f00")
    there.close()
    assert machine.start().session.instance != there.session.instance
    assert machine.start("f00").session.instance == there.session.instance


def test_ended_sessions_do_not_pile_up(machine: Machine) -> None:
    caches = [machine.start() for _ in range(KEPT_SESSIONS + 5)]
    for cache in caches:
        cache.close()
    machine.start()
    assert len(machine.files("session-")) == KEPT_SESSIONS


def test_a_living_session_is_never_removed(machine: Machine) -> None:
    living = [machine.start() for _ in range(KEPT_SESSIONS + 3)]
    machine.start().close()
    assert {f"session-{cache.session.instance}.json" for cache in living} <= set(machine.files("session-"))


def test_everything_is_for_the_user_alone(machine: Machine) -> None:
    cache = machine.start()
    cache.save_draft(draft(name="x"))
    cache.update_server(lambda state: replace(state, models=("a",)))
    cache.flush()
    assert stat.S_IMODE(machine.directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in machine.directory.iterdir()} == {0o600}


# --- drafts


def test_a_draft_is_on_disk_without_being_asked_for(machine: Machine) -> None:
    cache = machine.start()
    cache.save_draft(draft(name="typed"))
    wait_for(lambda: machine.files("--draft-asst_1--"))
    body = json.loads((machine.directory / machine.files("--draft-asst_1--")[0]).read_text())
    assert body == {"schema": 1, "key": "asst_1", "base": {"name": "Base"}, "edits": {"name": "typed"}} | {
        "edited_at": body["edited_at"]
    }
    assert body["edited_at"] > 1_000


def test_a_draft_is_there_at_the_next_start_and_gone_when_dropped(machine: Machine) -> None:
    first = machine.start()
    first.save_draft(draft(edited_at=5.0, name="typed"))
    first.close()
    second = machine.start()
    assert second.load_draft("asst_1") == draft(edited_at=5.0, name="typed")
    second.drop_draft("asst_1")
    assert second.load_draft("asst_1") is None
    second.close()
    assert machine.start().load_draft("asst_1") is None
    assert machine.files("--draft-") == []


def test_a_living_instances_draft_is_not_touched(machine: Machine) -> None:
    first, second = machine.start(), machine.start()
    first.save_draft(draft(name="mine"))
    first.flush()
    assert second.load_draft("asst_1") is None
    assert second.new_drafts() == []
    assert len(machine.files("--draft-asst_1--")) == 1


def test_drafts_without_an_owner_are_joined_newest_per_field(machine: Machine) -> None:
    first, second, third = machine.start(), machine.start(), machine.start()
    first.save_draft(DraftState("asst_1", {"name": "A", "model": "A"}, {"name": "old", "model": "kept"}, 10.0))
    second.save_draft(DraftState("asst_1", {"name": "B", "model": "B"}, {"name": "new"}, 20.0))
    first.close()
    second.close()
    joined = third.load_draft("asst_1")
    assert joined == DraftState("asst_1", {"name": "B", "model": "A"}, {"name": "new", "model": "kept"}, 20.0)
    third.flush()
    assert machine.files("--draft-") == [f"engine--draft-asst_1--{third.session.instance}.json"]
    assert third.load_draft("asst_1") == joined


def test_a_field_that_is_a_part_keeps_the_base_its_edit_was_made_on(machine: Machine) -> None:
    first, second = machine.start(), machine.start()
    tools, form = [{"type": "file_search"}], {"type": "json_object"}
    first.save_draft(DraftState("asst_1", {"response_format": form}, {"file_search": True, "schema": "{}"}, 10.0))
    second.save_draft(DraftState("asst_1", {"tools": tools, "response_format": "auto"}, {"name": "new"}, 20.0))
    first.close()
    joined = second.load_draft("asst_1")
    assert joined and joined.base == {"tools": tools, "response_format": form}


def test_ones_own_newer_edit_wins_over_what_was_left(machine: Machine) -> None:
    first, second = machine.start(), machine.start()
    first.save_draft(draft(edited_at=10.0, name="left", model="left"))
    first.close()
    second.save_draft(draft(edited_at=20.0, name="mine"))
    joined = second.load_draft("asst_1")
    assert joined
    assert joined.edits == {"name": "mine", "model": "left"}


def test_new_assistants_drafts_are_found_again(machine: Machine) -> None:
    first, second = machine.start(), machine.start()
    first.save_draft(draft("new-b", 20.0, name="b"))
    first.save_draft(draft("asst_1", name="not new"))
    first.close()
    second.save_draft(draft("new-a", 10.0, name="a"))
    second.save_draft(draft("new-c", 30.0, name="c"))
    second.drop_draft("new-c")
    assert [found.key for found in second.new_drafts()] == ["new-a", "new-b"]


def test_a_new_assistants_draft_is_not_another_servers(machine: Machine) -> None:
    there = machine.start("f00")
    there.save_draft(draft("new-a", name="a"))
    there.close()
    assert machine.start().new_drafts() == []


def test_what_was_kept_of_a_bare_host_is_found_again(machine: Machine, tmp_path: Path) -> None:
    before = machine.start(former_key("http://host"))
    before.save_draft(draft(edited_at=5.0, name="typed"))
    before.update_server(lambda state: replace(state, last_assistant="asst_1"))
    before.close()
    versions = tmp_path / "versions"
    (versions / former_key("http://host")).mkdir(parents=True)
    for _ in range(2):
        bring_over((machine.directory, versions, tmp_path / "none"), "http://host")
    again = machine.start(server_key("http://host/v1"))
    assert again.session.assistant_id == "asst_1"
    assert again.load_draft("asst_1") == draft(edited_at=5.0, name="typed")
    assert [path.name for path in versions.iterdir()] == [server_key("http://host/v1")]


def test_an_id_may_hold_anything(machine: Machine) -> None:
    cache = machine.start()
    keys = ["../../etc/passwd", "a--b", "x" * 500, "ünï", "a/b", "\ud800", ""]
    for key in keys:
        cache.save_draft(draft(key, 5.0, name=key))
        cache.save_composer(key, ComposerState(key + "!", updated_at=5.0))
    cache.close()
    again = machine.start()
    assert [again.load_draft(key) for key in keys] == [draft(key, 5.0, name=key) for key in keys]
    assert [again.load_composer(key).text for key in keys] == [key + "!" for key in keys]
    assert {path.parent for path in machine.directory.rglob("*")} == {machine.directory}


# --- composers


def test_the_composer_is_there_again_and_what_waited_is_not_sent(machine: Machine) -> None:
    first = machine.start()
    first.save_composer("thread_1", ComposerState("typed", (WaitingMessage("k", "waits", "waiting"),)))
    first.save_composer(None, ComposerState("for a new thread"))
    assert first.load_composer("thread_1").waiting[0].state == "waiting"
    first.close()
    second = machine.start()
    state = second.load_composer("thread_1")
    assert (state.text, state.waiting) == ("typed", (WaitingMessage("k", "waits", "not sent"),))
    assert second.load_composer(None).text == "for a new thread"
    assert second.load_composer("thread_2") == ComposerState()


def test_an_empty_composer_leaves_no_file(machine: Machine) -> None:
    cache = machine.start()
    cache.save_composer("thread_1", ComposerState("typed"))
    cache.flush()
    cache.save_composer("thread_1", ComposerState(""))
    cache.flush()
    assert machine.files("--composer-") == []


def test_every_text_that_was_left_is_kept(machine: Machine) -> None:
    first, second, third = machine.start(), machine.start(), machine.start()
    first.save_composer("t", ComposerState("older", (WaitingMessage("k1", "waits", "waiting"),), 10.0))
    second.save_composer("t", ComposerState("newer", (WaitingMessage("k2", "failed", "not sent"),), 20.0))
    first.close()
    second.close()
    state = third.load_composer("t")
    assert state.text == "newer"
    assert {(message.text, message.state) for message in state.waiting} == {
        ("older", "not sent"),
        ("waits", "not sent"),
        ("failed", "not sent"),
    }
    third.flush()
    assert machine.files("--composer-") == [f"engine--composer-t--{third.session.instance}.json"]
    assert third.load_composer("t") == state


def test_ones_own_newer_text_stays_in_the_composer(machine: Machine) -> None:
    first, second = machine.start(), machine.start()
    first.save_composer("t", ComposerState("left", updated_at=10.0))
    second.save_composer("t", ComposerState("mine", updated_at=20.0))
    first.close()
    state = second.load_composer("t")
    assert (state.text, [message.text for message in state.waiting]) == ("mine", ["left"])


# --- the server


def test_two_instances_changes_of_the_server_are_both_kept(machine: Machine) -> None:
    first, second = machine.start(), machine.start()
    first.update_server(lambda state: replace(state, history=(*state.history, "one")))
    second.update_server(lambda state: replace(state, history=(*state.history, "two"), models=("m",)))
    assert (first.server.history, second.server.history) == (("one",), ("two",))
    first.flush()
    second.flush()
    assert second.server.history == ("one", "two")
    assert machine.start().server == second.server


def test_the_history_keeps_the_newest_200(machine: Machine) -> None:
    cache = machine.start()
    cache.update_server(lambda state: replace(state, history=tuple(map(str, range(300)))))
    cache.close()
    history = machine.start().server.history
    assert (len(history), history[-1]) == (200, "299")


def test_commands_share_the_thread_index_without_a_session(machine: Machine) -> None:
    cache = machine.start()
    known = KnownServer(machine.directory, None, on_problem=machine.told.problems.append)
    known.add_thread(ThreadEntry("t1", "a", "first", 2, 1.0))
    known.add_thread(ThreadEntry("t2", "a", "second", 2, 2.0))
    known.add_thread(ThreadEntry("t1", "a", "first", 4, 3.0))
    known.forget_threads(["t2"])
    assert len(machine.files("session-")) == 1
    cache.update_server(lambda state: replace(state, models=("m",)))
    cache.flush()
    assert [(entry.id, entry.message_count) for entry in cache.server.threads] == [("t1", 4)]


def test_nothing_was_said_when_nothing_was_wrong(machine: Machine, tmp_path: Path) -> None:
    cache = machine.start()
    cache.save_draft(draft(name="x"))
    cache.close()
    cache.close()
    assert (machine.told.problems, machine.told.notices) == ([], [])
