"""Whether the store holds together: every rule over everything in it, in one snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Connection, Integer, func, literal_column, select, text
from sqlalchemy.exc import DatabaseError

from playground_tui.engine.check import conversations
from playground_tui.engine.check import files as contents
from playground_tui.engine.check.rule import Finding
from playground_tui.engine.store import runs
from playground_tui.engine.store.purge import KEPT
from playground_tui.engine.store.tables import metadata

_COUNTED = ("assistants", "threads", "messages", "runs", "steps", "files", "vector_stores", "chunks")


@dataclass(frozen=True, slots=True)
class Report:
    """What was looked at (rows by table), what is wrong, and which runs are active."""

    counts: dict[str, int]
    findings: list[Finding]
    active_runs: list[str]

    def with_lost(self, run_ids: Iterable[str]) -> Report:
        """The report of an engine that has these runs in its store and does not work on them: they hold their threads
        for good."""
        lost = [Finding("run", run_id, "is active, and nobody works on it") for run_id in run_ids]
        return replace(self, findings=[*self.findings, *lost])

    def plain(self) -> dict[str, Any]:
        """As values of JSON."""
        return {
            "sound": not self.findings,
            "counts": self.counts,
            "active_runs": len(self.active_runs),
            "findings": [finding.plain() for finding in self.findings],
        }


def check_store(c: Connection, directory: Path, *, now: int) -> Report:
    """Look at everything. `directory` has the files' contents, `now` is in Unix seconds.

    Reads alone. What a run that is active has left open is in order: the engine is working on it, or the next one
    ends it.
    """
    findings = list(_database(c))
    if findings:  # what rules would say of a damaged file means nothing
        return Report({}, findings, [])
    parameters = {"purged": now - KEPT}
    for rule in (*conversations.RULES, *contents.RULES):
        findings += rule.findings(c, parameters)
    findings += conversations.unsearchable_messages(c)
    findings += conversations.misnamed_threads(c)
    findings += contents.missing_contents(c, directory)
    return Report(_counts(c), findings, [run["id"] for run in runs.all_active(c)])


def check_words(c: Connection) -> list[Finding]:
    """Whether the full-text table is whole. It counts as a write: waits for others, and holds them up meanwhile."""
    try:
        c.execute(text("INSERT INTO chunk_words(chunk_words) VALUES ('integrity-check')"))
    except DatabaseError as error:
        return [Finding("table", "chunk_words", f"is damaged: {error.orig}")]
    return []


def _database(c: Connection) -> Iterator[Finding]:
    """What SQLite itself finds wrong with the file, rows that refer to rows which are not there, and broken JSON."""
    for (words,) in c.execute(text("PRAGMA integrity_check")):
        if words != "ok":
            yield Finding("database", "file", f"is damaged: {words}")
    for row in c.execute(text("PRAGMA foreign_key_check")):
        yield Finding("row", f"{row[1]} of {row[0]}", f"refers to one of {row[2]} that is not there")
    for column in (column for table in metadata.sorted_tables for column in table.c if isinstance(column.type, JSON)):
        broken = select(literal_column("rowid", Integer)).select_from(column.table).where(~func.json_valid(column))
        for (row_id,) in c.execute(broken):
            yield Finding("row", f"{row_id} of {column.table.name}", f"is damaged: its {column.name} cannot be read")


def _counts(c: Connection) -> dict[str, int]:
    tables = (metadata.tables[name] for name in _COUNTED)
    return {table.name: c.execute(select(func.count()).select_from(table)).scalar_one() for table in tables}
