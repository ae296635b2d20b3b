"""Every state seen of an assistant is kept, once."""

from __future__ import annotations

import stat
from pathlib import Path

from playground_tui.cache.versions import Versions


def test_each_new_state_is_a_line_and_a_known_one_is_none(tmp_path: Path) -> None:
    times = iter(range(100))
    versions = Versions(tmp_path, "server", now=lambda: next(times))
    first, second = {"id": "asst_1", "name": "ä [b]\n"}, {"id": "asst_1", "name": "B"}
    for state in (first, first, second, second, first):
        versions.note(state)
    Versions(tmp_path, "server").note(first)
    assert [entry["assistant"] for entry in versions.of("asst_1")] == [first, second, first]
    assert [entry["at"] for entry in versions.of("asst_1")] == [0, 1, 2]


def test_files_are_private_and_named_harmlessly(tmp_path: Path) -> None:
    versions = Versions(tmp_path / "versions", "server")
    versions.note({"id": "../../etc/passwd"})
    versions.note({"name": "without an id"})
    (file,) = (tmp_path / "versions" / "server").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert versions.of("../../etc/passwd")


def test_what_was_half_written_is_left_out_and_a_disk_that_refuses_is_no_failure(tmp_path: Path) -> None:
    versions = Versions(tmp_path, "server")
    versions.note({"id": "asst_1", "name": "A"})
    file = tmp_path / "server" / "asst_1.jsonl"
    file.write_bytes(file.read_bytes() + b'[]\n{"at": 1, "assis')
    assert [entry["assistant"]["name"] for entry in versions.of("asst_1")] == ["A"]
    (tmp_path / "file").write_text("not a directory")
    Versions(tmp_path / "file", "server").note({"id": "asst_1"})
    assert versions.of("asst_2") == []
