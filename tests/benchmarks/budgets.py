"""The budgets and the table they are held against."""

from __future__ import annotations

from dataclasses import dataclass

from tests.benchmarks.measure import Figures


@dataclass(frozen=True)
class Budget:
    """The most a figure may be (with `least`: the least it must be). `times`: of the floor's figure."""

    figure: str
    limit: float | None = None
    times: bool = False
    least: bool = False

    def met(self, floor: float | None, ours: float | None) -> str:
        if self.limit is None or ours is None or (self.times and not floor):
            return ""
        value = ours / floor if self.times and floor else ours
        return "ok" if (value >= self.limit if self.least else value <= self.limit) else "OVER"

    @property
    def words(self) -> str:
        if self.limit is None:
            return ""
        return f"{self.limit:g}x" if self.times else f"{'at least ' if self.least else ''}{self.limit:,g}"


BUDGETS = (
    Budget("start to first text, s", 1.3, times=True),
    Budget("start to usable, engine not running, s", 5),
    Budget("start to usable, engine running, s", 2.5),
    Budget("RSS, MiB", 130),
    Budget("bytes per token", 120),
    Budget("CPU s per 1,000 tokens", 0.30, times=True),
    Budget("engine CPU s per 1,000 tokens", 1),
    Budget("last token shown after, s", 0.2),
    Budget("key to echo while streaming, p50, ms"),
    Budget("key to echo while streaming, p95, ms", 80),
    Budget("key to echo idle, p50, ms"),
    Budget("key to echo idle, p95, ms", 15),
    Budget("idle bytes per s", 50),
    Budget("idle CPU, %", 1),
    Budget("--version over python -c pass, s", 0.15),
    Budget("engine: added time to first text, ms", 30),
    Budget("engine: events per s, 1 run", 1_500, least=True),
    Budget("engine: events per s, 50 runs", 1_500, least=True),
    Budget("engine: tokens per s, 1 run"),
    Budget("engine: tokens per s, 50 runs"),
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
    Budget("crowd: growth of RSS with each further crowd, MiB", 15),
    *(
        Budget(f"thread of {count}: {figure}, ms")
        for figure in (
            "newest page",
            "page in the middle",
            "run accepted",
            "first event",
            "first text, last 10 messages told",
            "first text, all messages told",
        )
        for count in ("10", "10,000")
    ),
)


def table(floor: Figures, ours: Figures) -> str:
    """Every figure beside the floor's, the ratio of the two and the budget."""
    rows = [("", "floor", "playground", "ratio", "budget", "")]
    for budget in BUDGETS:
        if budget.figure in floor or budget.figure in ours:
            rows.append(row(budget, floor.get(budget.figure), ours.get(budget.figure)))
    widths = [max(len(line[column]) for line in rows) for column in range(6)]
    return "\n".join(
        "  ".join(cell.ljust(width) if not place else cell.rjust(width) for place, (cell, width) in enumerate(pairs))
        for pairs in (list(zip(line, widths, strict=True)) for line in rows)
    )


def row(budget: Budget, floor: float | None, ours: float | None) -> tuple[str, str, str, str, str, str]:
    ratio = f"{ours / floor:.2f}x" if ours is not None and floor else ""
    return budget.figure, shown(floor), shown(ours), ratio, budget.words, budget.met(floor, ours)


def shown(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
