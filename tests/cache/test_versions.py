"""Every state seen of an assistant is kept, once."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from playground_tui.cache import versions as module
from playground_tui.cache.versions import KEPT, Versions


def names(versions: Versions, assistant_id: str = "asst_1") -> list[Any]:
    return [state.assistant.get("name") for state in versions.of(assistant_id)]


def state(name: str, assistant_id: str = "asst_1") -> dict[str, Any]:
    return {"id": assistant_id, "name": name}


def test_each_new_state_is_a_line_and_a_known_one_is_none(tmp_path: Path) -> None:
    times = iter(range(100))
    versions = Versions(tmp_path, "server", now=lambda: next(times))
    first, second = {"id": "asst_1", "name": "ä [b]\n", "x": 1}, {"id": "asst_1", "name": "B"}
    for one in (first, first, second, second, first):
        versions.note(one, action="modified", client="me")
    Versions(tmp_path, "server").note(first)
    found = versions.of("asst_1")
    assert [one.assistant for one in found] == [first, second, first]
    assert [(one.at, one.number, one.action, one.client) for one in found] == [
        (0, 1, "modified", "me"),
        (1, 2, "modified", "me"),
        (2, 3, "modified", "me"),
    ]
    assert [one.changed for one in found] == [(), ("name", "x"), ("name", "x")]


def test_two_programs_note_a_state_once(tmp_path: Path) -> None:
    one, other = Versions(tmp_path, "server"), Versions(tmp_path, "server")
    for name in ("A", "B", "A"):
        one.note(state(name), action="modified", client="one")
        other.note(state(name))
    assert names(one) == ["A", "B", "A"]
    assert {found.client for found in other.of("asst_1")} == {"one"}


def test_lines_of_earlier_programs_are_numbered_and_compared(tmp_path: Path) -> None:
    (tmp_path / "server").mkdir()
    lines = [{"at": 1, "assistant": state("A")}, {"at": 2, "assistant": state("B")}]
    (tmp_path / "server" / "asst_1.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    versions = Versions(tmp_path, "server")
    versions.note(state("C"))
    found = versions.of("asst_1")
    assert [(one.number, one.action, one.changed) for one in found] == [
        (1, "seen", ()),
        (2, "seen", ("name",)),
        (3, "seen", ("name",)),
    ]


def test_files_are_private_and_named_harmlessly(tmp_path: Path) -> None:
    versions = Versions(tmp_path / "versions", "server")
    versions.note({"id": "../../etc/passwd"})
    versions.note({"name": "without an id"})
    (file,) = (tmp_path / "versions" / "server").glob("*.jsonl")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert versions.of("../../etc/passwd")


def test_what_was_half_written_is_left_out_and_nothing_after_it_is_lost(tmp_path: Path) -> None:
    versions = Versions(tmp_path, "server")
    versions.note(state("A"))
    file = tmp_path / "server" / "asst_1.jsonl"
    file.write_bytes(file.read_bytes() + b'[]\n{"at": 1, "assis')
    assert names(versions) == ["A"]
    Versions(tmp_path, "server").note(state("B"))
    assert names(versions) == ["A", "B"]
    assert [one.number for one in versions.of("asst_1")] == [1, 2]


def test_a_disk_that_refuses_is_no_failure_and_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "versions").write_text("not a directory")
    versions = Versions(tmp_path / "versions", "server")
    versions.note(state("A"))
    versions.note_deleted("asst_1")
    assert versions.of("asst_1") == []
    assert versions.deleted() == []
    (tmp_path / "versions").unlink()
    versions.note(state("A"))
    assert names(versions) == ["A"]


def test_a_file_that_grows_too_large_loses_its_older_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 10_000)
    versions = Versions(tmp_path, "server")
    for number in range(1, 13):
        versions.note(state(f"{number} " + "n" * 1_000))
    kept = [one.number for one in versions.of("asst_1")]
    assert kept == list(range(kept[0], 13)) and 4 <= len(kept) <= 8
    versions.note(state("long " * 5_000))
    versions.note(state("longer " * 5_000))
    assert [one.number for one in versions.of("asst_1")] == [14]
    assert {path.name for path in (tmp_path / "server").iterdir()} == {"asst_1.jsonl", ".lock"}


def test_a_long_last_line_is_read_from_the_end(tmp_path: Path) -> None:
    versions = Versions(tmp_path, "server")
    for text in ("a" * 200_000, "b" * 300_000):
        versions.note(state(text))
    newest = Versions(tmp_path, "server").newest("asst_1")
    assert newest is not None
    assert (newest.number, newest.assistant["name"], newest.changed) == (2, "b" * 300_000, ("name",))


def test_the_deleted_are_listed_for_as_long_as_they_are_kept(tmp_path: Path) -> None:
    now = 1_000_000.0
    versions = Versions(tmp_path, "server", now=lambda: now)
    versions.note_deleted("never seen")
    for name in ("one", "two", "three"):
        versions.note(state(name, name))
    for name in ("two", "one"):
        now += 1
        versions.note_deleted(name, client="me")
        versions.note_deleted(name)
    assert [(one.assistant["id"], one.action, one.client) for one in versions.deleted()] == [
        ("one", "deleted", "me"),
        ("two", "deleted", "me"),
    ]
    now += KEPT
    assert [one.assistant["id"] for one in versions.deleted()] == ["one"]
    assert versions.of("two") == []
    versions.note(state("one", "one"))
    assert versions.deleted() == []
    assert [one.action for one in versions.of("one")] == ["seen", "deleted", "seen"]


def test_a_copy_takes_the_history_along(tmp_path: Path) -> None:
    versions = Versions(tmp_path, "server")
    versions.note(state("A"))
    versions.note_deleted("asst_1")
    versions.note(state("A", "asst_2"), action="created")
    versions.note_copy("asst_1", state("A", "asst_2"), client="me")
    assert versions.of("asst_1") == []
    assert [(one.number, one.action) for one in versions.of("asst_2")] == [(1, "seen"), (2, "deleted"), (3, "restored")]
    versions.note(state("A", "asst_2"))
    assert len(versions.of("asst_2")) == 3
