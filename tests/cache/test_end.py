"""The program ends by a kill or a signal, or a write hangs: what was typed is on disk."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from playground_tui.cache import writer as writer_module
from playground_tui.cache.cache import Cache
from playground_tui.cache.state import ComposerState, DraftState
from playground_tui.cache.store import JsonStore
from tests.cache.conftest import Machine, wait_for

PROGRAM = """
import sys, time
from pathlib import Path
from playground_tui.cache.cache import Cache
from playground_tui.cache.state import ComposerState, DraftState

cache = Cache.open(Path(sys.argv[1]), "engine", on_problem=print)
cache.update_session(thread_id="thread_1")
cache.save_composer("thread_1", ComposerState("half a sent"))
number = 0
while True:
    number += 1
    cache.save_draft(DraftState("asst_1", {}, {"instructions": "x" * number}))
    print(number, flush=True)
    time.sleep(0.003)
"""


def test_what_was_typed_before_a_kill_is_there_after_it(machine: Machine) -> None:
    child = subprocess.Popen([sys.executable, "-c", PROGRAM, str(machine.directory)], stdout=subprocess.PIPE, text=True)
    assert child.stdout
    last = [child.stdout.readline() for _ in range(200)][-1]
    reader = JsonStore(machine.directory, machine.told.notices.append)

    def on_disk() -> int:
        drafts = [reader.read(name) for name in reader.names() if "--draft-" in name]
        return max((len(draft["edits"]["instructions"]) for draft in drafts if draft), default=0)

    wait_for(lambda: on_disk() >= int(last))
    child.send_signal(signal.SIGKILL)
    child.stdout.close()
    child.wait()
    cache = machine.start()
    assert cache.session.thread_id == "thread_1"
    assert cache.load_composer("thread_1").text == "half a sent"
    saved = cache.load_draft("asst_1")
    assert saved
    assert len(saved.edits["instructions"]) >= int(last)
    assert machine.files(".broken-") == []


def test_a_signal_handler_may_save_and_flush_whatever_it_interrupts(machine: Machine) -> None:
    cache = machine.start()
    handled = 0

    def handler(_number: int, _frame: object) -> None:
        nonlocal handled
        handled += 1
        cache.save_draft(DraftState("asst_1", {}, {"by": "handler", "number": handled}))
        cache.flush(sync=True)
        # Armed anew each time with another delay, so that the next one strikes somewhere else.
        signal.setitimer(signal.ITIMER_REAL, 0.0003 + handled * 0.000_09)

    former = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.002)
    number = 0
    try:
        while handled < 80:
            number += 1
            cache.save_composer(None, ComposerState(f"text {number}"))
            cache.update_server(lambda state, n=number: replace(state, models=(f"m{n}",)))
            cache.update_session(thread_id=f"t{number}")
            cache.load_draft("asst_1")
            cache.flush()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, former)
    assert machine.told.problems == []
    cache.close()
    again = machine.start()
    assert again.session == cache.session
    assert again.load_composer(None).text == f"text {number}"
    assert again.server.models == (f"m{number}",)
    kept = again.load_draft("asst_1")
    assert kept
    assert kept.edits["number"] == handled


def test_a_flush_does_not_wait_for_ever_for_a_write_that_hangs(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "_PATIENCE", 0.1)
    cache = machine.start()
    hanging, go_on = threading.Event(), threading.Event()
    replace_file = Path.replace

    def hang(self: Path, target: Path) -> Path:
        if threading.current_thread() is not threading.main_thread():
            hanging.set()
            go_on.wait(10)
        return replace_file(self, target)

    monkeypatch.setattr(Path, "replace", hang)
    cache.save_draft(DraftState("asst_1", {}, {"name": "first"}, 5.0))
    assert hanging.wait(10)
    cache.save_draft(DraftState("asst_1", {}, {"name": "second"}, 6.0))
    cache.flush(sync=True)
    saved = json.loads((machine.directory / machine.files("--draft-")[0]).read_text())
    assert saved["edits"] == {"name": "second"}
    go_on.set()
    cache.close()
    assert machine.start().load_draft("asst_1") == DraftState("asst_1", {}, {"name": "second"}, 6.0)


def move(cache: Cache, *more: str) -> None:
    """The text of the new thread goes with it, and more is typed."""
    cache.save_composer("thread_1", ComposerState("half a sentence"))
    cache.save_composer(None, ComposerState("", (), 5.0))
    for text in more:
        cache.save_composer("thread_1", ComposerState(text))


@pytest.mark.parametrize("more", [(), ("half a sentence, and",)])
@pytest.mark.parametrize("in_a_write", [False, True])
def test_what_moves_to_another_file_is_in_one_of_them_at_any_moment(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, in_a_write: bool, more: tuple[str, ...]
) -> None:
    cache = machine.start()
    cache.save_composer(None, ComposerState("half a sentence"))
    cache.flush()
    moments: list[bool] = []
    moves = [move] if in_a_write else []

    def watch(method: str) -> None:
        done = getattr(Path, method)

        def act(self: Path, *given: Path) -> object:
            if moves and "composer-new" in self.name:
                moves.pop()(cache, *more)
            answer = done(self, *given)
            moments.append(any("half a sentence" in file.read_text() for file in machine.directory.glob("*.json")))
            return answer

        monkeypatch.setattr(Path, method, act)

    watch("replace")
    watch("unlink")
    if in_a_write:
        cache.save_composer(None, ComposerState("half a sentence."))
        cache.flush()
    else:
        move(cache, *more)
    cache.flush()
    assert machine.files("composer-new") == []
    assert moments and all(moments)


def test_nothing_is_removed_while_what_it_became_cannot_be_written(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = machine.start()
    cache.save_composer(None, ComposerState("half a sentence"))
    cache.flush()
    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", lambda _self, _target: (_ for _ in ()).throw(OSError(28, "No space left")))
        cache.save_composer("thread_1", ComposerState("half a sentence"))
        cache.save_composer(None, ComposerState("", (), 5.0))
        assert not cache.flush()
        assert len(machine.files("composer-new")) == 1
    assert cache.flush()
    assert machine.files("composer-new") == []
