"""Frames of streaming text wait for the terminal, and are no longer than the link carries at once."""

from __future__ import annotations

from playground_tui.ui.pace import LEAST, LONGEST, MUCH, Pace


class Link:
    """A terminal at the end of a line; `pace` is what the program uses."""

    def __init__(self, frame_rate: int = 10) -> None:
        self.now = 0.0
        self.written = 0
        self.asked = 0
        self.pace = Pace(frame_rate, ask=self._ask, written=lambda: self.written, clock=lambda: self.now)
        self.released = 0
        self.pace.on_answer = self._release

    def _ask(self) -> None:
        self.asked += 1

    def _release(self) -> None:
        self.released += 1

    def begin(self, way: float | None) -> None:
        """The session begins; the terminal answers after `way` seconds, or never."""
        self.pace.begin()
        if way is not None:
            self.now += way
            self.pace.answered()

    def frame(self, size: int) -> None:
        self.pace.frame_begins()
        self.written += size
        self.pace.frame_ends()

    def answer(self, after: float) -> None:
        self.now += after
        self.pace.answered()


def test_a_frame_waits_for_the_answer_to_the_one_before() -> None:
    link = Link()
    link.begin(0.3)
    assert link.pace.wait() == 0
    link.frame(200)
    link.now += 0.25
    assert link.pace.wait() > 0.7  # the frame rate alone would have let it go
    link.answer(0.05)
    assert link.pace.wait() == 0
    assert link.released == 2


def test_it_waits_a_second_at_most() -> None:
    link = Link()
    link.begin(0.3)
    link.frame(200)
    link.now += LONGEST
    assert link.pace.wait() == 0


def test_a_fast_terminal_gets_no_more_frames_than_the_rate() -> None:
    link = Link(frame_rate=10)
    link.begin(0.001)
    link.frame(200)
    link.answer(0.001)
    assert 0.09 < link.pace.wait() < 0.1


def test_without_any_answer_the_frame_rate_alone_counts_and_nothing_more_is_asked() -> None:
    link = Link(frame_rate=10)
    link.begin(None)
    for _ in range(5):
        assert link.pace.wait() == 0
        link.frame(2000)
        link.now += 0.1
    assert link.asked == 1
    assert link.pace.allowed == MUCH


def test_a_terminal_that_answers_late_is_waited_for_from_then_on() -> None:
    link = Link()
    link.begin(None)
    link.now += 5
    link.answer(0)
    link.frame(100)
    assert link.pace.wait() > 0.5


def slow(link: Link, size: int, *, way: float, speed: float) -> None:
    link.frame(size)
    link.answer(way + size / speed)
    link.now += 0.1


def test_on_a_slow_link_a_frame_is_what_it_carries_at_once() -> None:
    link = Link()
    link.begin(0.3)
    for _ in range(12):
        slow(link, min(4000, link.pace.allowed), way=0.3, speed=10_000)
    assert LEAST <= link.pace.allowed <= 300


def test_on_a_slow_link_the_last_frame_may_be_long() -> None:
    link = Link()
    link.begin(0.3)
    for _ in range(12):
        slow(link, min(4000, link.pace.allowed), way=0.3, speed=10_000)
    link.pace.hurry()
    assert 2000 <= link.pace.allowed <= 3000
    slow(link, 2000, way=0.3, speed=10_000)
    assert link.pace.allowed <= 300


def test_one_late_answer_on_a_fast_link_changes_nothing() -> None:
    link = Link()
    link.begin(0.01)
    for late in (0.0, 0.0, 0.5, 0.0):
        link.frame(3000)
        link.answer(0.01 + late)
        link.now += 0.1
    assert link.pace.allowed >= 3000


def test_a_link_that_becomes_fast_again_is_noticed() -> None:
    link = Link()
    link.begin(0.3)
    for _ in range(10):
        slow(link, min(4000, link.pace.allowed), way=0.3, speed=5_000)
    assert link.pace.allowed < 400
    for _ in range(13):  # a quarter more with each frame, as what may be noise is left out
        slow(link, min(4000, link.pace.allowed), way=0.3, speed=10_000_000)
    assert link.pace.allowed >= 4000


def test_an_answer_nobody_waits_for_is_taken_in_silence() -> None:
    link = Link()
    link.pace.answered()
    assert link.pace.answers and link.released == 0


def test_on_a_link_that_is_full_no_frame_follows_before_all_are_answered() -> None:
    link = Link()
    link.begin(0.3)
    for _ in range(3):
        link.frame(3000)
        link.now += LONGEST
    for _ in range(2):
        link.frame(100) if link.pace.wait() == 0 else None
        link.answer(0.1)
        assert link.pace.wait() > 0
    link.answer(0.1)
    link.answer(0.1)
    assert link.pace.wait() == 0


def test_an_answer_that_never_comes_is_forgotten() -> None:
    link = Link()
    link.begin(0.3)
    link.frame(100)  # Its answer is lost: another terminal took the place of this one.
    for _ in range(6):
        link.now += LONGEST
        assert link.pace.wait() == 0
        link.frame(100)
        link.answer(0.01)
    link.now += 0.1
    assert link.pace.wait() == 0


def test_a_frame_under_way_holds_the_next_and_one_without_bytes_asks_nothing() -> None:
    link = Link()
    link.begin(0.3)
    link.pace.frame_begins()
    link.now += 0.5
    assert link.pace.wait() > 0
    link.pace.frame_ends(painted=False)
    assert link.pace.wait() == 0
    assert link.asked == 1


def test_the_last_frame_need_not_keep_to_the_rate_but_waits_for_the_answer() -> None:
    link = Link()
    link.begin(0.001)
    link.frame(200)
    link.pace.hurry()
    assert link.pace.wait() > 0.5
    link.answer(0.001)
    assert link.pace.wait() == 0
