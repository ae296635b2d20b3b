"""A rule of the store as a query for what breaks it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in the store that must not be: `kind` and `id` of the object, and what is wrong with it."""

    kind: str
    id: str
    words: str

    @property
    def sentence(self) -> str:
        return f"{self.kind} {self.id} {self.words}."

    def plain(self) -> dict[str, str]:
        """As values of JSON."""
        return {**asdict(self), "sentence": self.sentence}


@dataclass(frozen=True, slots=True)
class Rule:
    """`sql` finds the rows that break the rule. It names their `id`, and what else `words` asks for in braces."""

    kind: str
    words: str
    sql: str

    def findings(self, c: Connection, parameters: Mapping[str, Any]) -> Iterator[Finding]:
        """What breaks the rule, with these parameters of its query."""
        for row in c.execute(text(self.sql), parameters).mappings():
            yield Finding(self.kind, str(row["id"]), self.words.format_map(row))
