"""Long threads: opening, scrolling, streaming into them, and what they take in memory."""

from __future__ import annotations

import statistics

import httpx2

from tests.benchmarks.answer import Wanted
from tests.benchmarks.measure import Figures, connected, named, percentile, rss_mib, streaming, typing_while_streaming
from tests.benchmarks.pty_session import PtySession
from tests.benchmarks.subjects import PlaygroundSubject

LENGTHS = {10: "alpha", 100: "beta", 1_000: "gamma", 10_000: "delta"}
"""Threads by their number of messages, each with a name that finds it."""
OPENINGS = 5
END = "ZVXQ"
"""With a thread's name, its last words."""
PAGES = 40
TO_THREADS, PAGE_UP, TO_END = "\x07", "\x1b[5~", "\x1b[1;5F"

TEXT = """Message {number} says what it has to say in **a few words** and `some code`, and there is more to render:

- one thing, and
- another
"""


def last_words(name: str) -> str:
    return f"The end: {END}{name}"


def make_threads(api: httpx2.Client) -> dict[int, str]:
    """A thread of each length; their ids."""
    made = {}
    for length, name in LENGTHS.items():
        texts = [TEXT.format(number=number) for number in range(1, length - 1)]
        texts = [f"Thread {name}", *texts, last_words(name)]
        roles = ["user", "assistant"]
        messages = [{"role": roles[place % 2], "content": text} for place, text in enumerate(texts)]
        response = api.post("/threads", json={"messages": messages})
        response.raise_for_status()
        made[length] = str(response.json()["id"])
    return made


def open_thread(session: PtySession, name: str) -> float:
    """Choose a thread from the list; seconds from enter to its last message on the screen."""
    mark = session.mark()
    session.send(TO_THREADS)
    session.find_bytes("ype to search", since=mark, timeout=10)
    session.quiet(0.3, timeout=5)
    session.send(name)
    session.quiet(0.3, timeout=5)
    mark = session.mark()
    chosen = session.send("\r")
    shown = session.find_bytes(END + name, since=mark, timeout=20)
    session.quiet(0.3, timeout=5)
    return shown - chosen


def opening_figures(session: PtySession) -> Figures:
    """Going from one thread to the other, all within one screen."""
    figures = {}
    for length, name in LENGTHS.items():
        other = "beta" if name == "alpha" else "alpha"
        taken = []
        for _ in range(OPENINGS):
            open_thread(session, other)
            taken.append(open_thread(session, name))
        figures[f"opening a thread of {length:,} messages, s"] = statistics.median(taken)
    return figures


def pages(session: PtySession) -> Figures:
    """Scrolling up page by page: until something comes, and bytes until nothing does."""
    session.quiet(0.5, timeout=5)
    taken, before = [], session.total
    for _ in range(PAGES):
        mark = session.mark()
        pressed = session.send(PAGE_UP)
        try:
            taken.append((session.find(bool, since=mark, timeout=0.5) - pressed) * 1000)
        except TimeoutError:
            break  # the thread's beginning
        session.quiet(0.05, timeout=1)
    if not taken:
        return {}
    return {"page up, p95, ms": percentile(taken, 0.95), "bytes per page up": (session.total - before) / len(taken)}


def thread_figures(subject: PlaygroundSubject, length: int, thread: str, pace: float) -> Figures:
    """One screen on one thread."""
    what = Wanted(pace)
    with subject.start("--thread", thread) as session:
        shown = session.find_bytes(END + LENGTHS[length], timeout=30) - session.started
        figures = {"start to the thread's end shown, s": shown}
        figures |= streaming(subject, session, subject.answers + 1, what)
        figures |= typing_while_streaming(subject, session, subject.answers + 1, what)
        session.quiet(1.0, timeout=5)
        figures |= pages(session)
        session.send(TO_END)
        session.quiet(0.5, timeout=5)
        figures["RSS after scrolling, MiB"] = rss_mib(session.pid)
    return named(figures, f"thread of {length:,}")


def all_threads(subject: PlaygroundSubject, pace: float) -> Figures:
    with subject.api() as api:
        made = make_threads(api)
    figures: Figures = {}
    for length, thread in made.items():
        figures |= thread_figures(subject, length, thread, pace)
        with subject.api() as api:  # now that the assistant has run in it, it is listed
            said = {"role": "user", "content": last_words(LENGTHS[length])}
            api.post(f"/threads/{thread}/messages", json=said).raise_for_status()
    with subject.start() as session:
        connected(session)
        session.quiet(1.0, timeout=10)
        figures |= opening_figures(session)
    return figures
