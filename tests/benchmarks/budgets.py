"""The budgets and the table they are held against."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.benchmarks.measure import Figures

FLOOR, OURS = "floor", "playground"


@dataclass(frozen=True)
class Budget:
    """The most a figure may be (with `least`: the least it must be). `of`: times another figure of ours, or the same
    figure of the floor's (`FLOOR`)."""

    figure: str
    limit: float | None = None
    of: str = ""
    least: bool = False

    def base(self, found: Mapping[str, Figures]) -> float | None:
        """What the limit is a multiple of."""
        if not self.of:
            return 1.0
        return found.get(FLOOR, {}).get(self.figure) if self.of == FLOOR else found.get(OURS, {}).get(self.of)

    def met(self, found: Mapping[str, Figures]) -> str:
        """ "ok", "OVER", or "" when there is nothing to compare."""
        ours, base = found.get(OURS, {}).get(self.figure), self.base(found)
        if self.limit is None or ours is None or not base:
            return ""
        value = ours / base
        return "ok" if (value >= self.limit if self.least else value <= self.limit) else "OVER"

    @property
    def words(self) -> str:
        if self.limit is None:
            return ""
        if self.of:
            return f"{self.limit:g}x" if self.of == FLOOR else f"{self.limit:g}x of “{self.of}”"
        return f"{'at least ' if self.least else ''}{self.limit:,g}"


TYPING = "key to echo while streaming, p95, ms"
BUDGETS = (
    Budget("start to first text, s", 1.15, FLOOR),
    Budget("start to usable, engine not running, s", 3),
    Budget("start to usable, engine running, s", 1.5),
    Budget("--version over python -c pass, s", 0.1),
    Budget("RSS, MiB", 110),
    Budget("bytes per token", 40),
    Budget("CPU s per 1,000 tokens", 0.12, FLOOR),
    Budget("engine CPU s per 1,000 tokens", 0.4),
    Budget("last token shown after, s", 0.1),
    Budget("last token shown after, s, unlimited", 0.1),
    Budget(TYPING, 30),
    Budget("key to echo idle, p95, ms", 10),
    Budget("idle bytes per s", 0),
    Budget("idle CPU, %", 0.5),
    Budget("opening a thread of 1,000 messages, s", 0.3),
    *(
        Budget(f"{figure}, thread of {length}", limit, of)
        for length, limit in (("100", 1.1), ("10,000", 1.2))
        for figure, of in (
            ("bytes per token", "bytes per token, thread of 10"),
            ("CPU s per 1,000 tokens", "CPU s per 1,000 tokens, thread of 10"),
            ("key to echo while streaming, p95, ms", "key to echo while streaming, p95, ms, thread of 10"),
        )
    ),
    Budget("RSS, MiB, thread of 10", 110),
    Budget("RSS, MiB, thread of 10,000", 1.2, "RSS, MiB, thread of 100"),
    Budget("RSS after scrolling, MiB, thread of 10,000", 1.2, "RSS after scrolling, MiB, thread of 100"),
    *(
        Budget(f"CPU s per 1,000 tokens, answer of {tokens}", 1.2, "CPU s per 1,000 tokens, answer of 2,000")
        for tokens in ("20,000", "250,000")
    ),
    *(
        Budget(f"key to echo beyond the round trip, p95, ms, line of {line} at 200 tokens/s", 50)
        for line in ("100 ms", "300 ms", "100 ms, 10 kB/s", "300 ms, 10 kB/s")
    ),
    Budget("engine: added time to first text, ms", 10),
    Budget("engine: events per s, 1 run", 5_000, least=True),
    Budget("engine: events per s, 50 runs", 5_000, least=True),
    Budget("crowd: runs"),
    Budget("crowd: all answers, called directly, s"),
    Budget("crowd: all answers, s"),
    Budget("crowd: first event, called directly, p50, s"),
    Budget("crowd: first event, p50, s"),
    Budget("crowd: first event, p95, s"),
    Budget("crowd: events per s", 1_500, least=True),
    Budget("crowd: tokens per s"),
    Budget("crowd: engine's CPU s per 1,000 tokens", 0.4),
    Budget("crowd: engine's RSS before, MiB"),
    Budget("crowd: engine's RSS after, MiB", 200),
    Budget("crowd: engine's RSS after a pause, MiB", 120),
    Budget("crowd: engine's RSS after 10 more, MiB", 200),
    Budget("crowd: growth of RSS by 10 more and a pause, MiB", 10),
    *(
        Budget(f"thread of {count}: {figure}, ms")
        for figure in (
            "newest page",
            "page in the middle",
            "run accepted",
            "first event",
            "first text, last 10 messages told",
            "provider asked, all messages told",
            "first text, all messages told",
        )
        for count in ("10", "10,000")
    ),
)


def table(found: Mapping[str, Figures]) -> str:
    """Every figure in the order it was measured: the floors', ours, the ratio to the floor, and the budget."""
    columns = ["printer", FLOOR, OURS]
    rows = [["", *columns, "ratio", "budget", ""], *rows_of(found, columns)]
    widths = [max(len(line[column]) for line in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.rjust(width) if place else cell.ljust(width) for place, (cell, width) in enumerate(pairs))
        for pairs in (list(zip(line, widths, strict=True)) for line in rows)
    )


def rows_of(found: Mapping[str, Figures], columns: list[str]) -> Iterator[list[str]]:
    budgets = {budget.figure: budget for budget in BUDGETS}
    for figure in dict.fromkeys(figure for figures in found.values() for figure in figures):
        budget = budgets.get(figure, Budget(figure))
        values = [found.get(column, {}).get(figure) for column in columns]
        ratio = f"{values[2] / values[1]:.2f}x" if values[1] and values[2] is not None else ""
        yield [figure, *map(shown, values), ratio, budget.words, budget.met(found)]


def shown(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
