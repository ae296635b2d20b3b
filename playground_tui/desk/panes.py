"""What a front shows of the open thread and the open assistant, and what its user is told to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from playground_tui.assistants.draft import AssistantDraft
from playground_tui.assistants.editor import Elsewhere
from playground_tui.assistants.events import Event
from playground_tui.assistants.fields import Value
from playground_tui.assistants.objects import Message, Run, Step
from playground_tui.assistants.save_state import SaveState
from playground_tui.cache.state import WaitingMessage


@dataclass(frozen=True, slots=True)
class Ways:
    """How things are done in a front, as words of a sentence: the key, or what is typed."""

    save: str
    again: str
    cancel: str
    assistants: str
    try_it: str


class ComposerPane(Protocol):
    """Where a message is written."""

    sent: list[str]
    """The texts sent before, oldest first."""

    @property
    def text(self) -> str: ...
    @property
    def draft(self) -> str:
        """What is being written: not the sent text that is looked at in its place."""
        ...

    @property
    def written(self) -> str:
        """The draft, with what was sent and is kept nowhere else."""
        ...

    def load(self, text: str) -> None: ...
    def take(self) -> str:
        """The text, which goes out now."""
        ...

    def give_back(self, text: str) -> None:
        """Show a text again that did not go out, above the draft."""
        ...

    def send(self) -> None:
        """Send what is written, as its key would."""
        ...


@dataclass(frozen=True, slots=True)
class AttachmentLine:
    """One file of the next message. `state` says where its upload stands, `problem` what keeps it from being of use."""

    key: str
    name: str
    use: str = ""
    state: str = ""
    problem: str = ""


class AttachmentsFront(Protocol):
    """Shows the files that go with the next message."""

    def show(self, lines: Sequence[AttachmentLine]) -> None: ...


def output_key(run_id: str, call_id: str) -> str:
    """Under what the output of a function call is kept: some servers count the calls of each run anew."""
    return f"{run_id} {call_id}"


class OutputsFront(Protocol):
    """Where the outputs are typed that a run waits for."""

    @property
    def typed(self) -> Mapping[str, str]:
        """What is typed so far, by `output_key`. Reading it changes nothing: a signal handler may."""
        ...

    def load(self, typed: Mapping[str, str]) -> None:
        """Take over what an earlier start left."""
        ...


class ChatFront(Protocol):
    """Shows one thread and what its run does."""

    @property
    def composer(self) -> ComposerPane: ...
    @property
    def outputs(self) -> OutputsFront: ...
    @property
    def attachments(self) -> AttachmentsFront: ...
    @property
    def wanted_names(self) -> Mapping[str, object]:
        """The ids of files that are shown without a name; empty once all have been told."""
        ...

    def show_name(self, file_id: str, name: str) -> None: ...
    def to_composer(self) -> None: ...
    def show_thread(
        self, thread_id: str | None, messages: Sequence[Message], *, more: bool, read: bool = True
    ) -> None: ...
    def prepend(self, messages: Sequence[Message], *, more: bool) -> None: ...
    def apply(self, event: Event) -> None: ...
    def show_run(self, run: Run | None) -> None: ...
    def show_runs(self, runs: Sequence[Run]) -> None: ...
    def show_steps(self, steps: Sequence[Step]) -> None: ...
    def show_waiting(self, waiting: Sequence[WaitingMessage]) -> None: ...
    def show_problem(self, sentence: str) -> None: ...
    def show_sending(self, what: str) -> None:
        """Say what is under way, once it takes long; "" when nothing is, or the run says so itself."""
        ...

    def messages(self) -> list[Message]: ...


class FormFront(Protocol):
    """Shows a draft and tells each edit of it. `show` begins with one, `update_draft` brings the same one in again."""

    @property
    def draft(self) -> AssistantDraft: ...
    @property
    def held(self) -> dict[str, Value]:
        """What the fields hold at this moment. Reading it changes nothing: a signal handler may."""
        ...

    def show(self, draft: AssistantDraft, *, models: Sequence[str] | None = None) -> None: ...
    def update_draft(self, draft: AssistantDraft) -> None: ...
    def heard(self, draft: AssistantDraft) -> None: ...
    def settle(self) -> AssistantDraft: ...
    def set_value(self, field: str, value: Value) -> None: ...
    def set_models(self, models: Sequence[str]) -> None: ...
    def show_state(self, state: SaveState) -> None: ...
    def show_elsewhere(self, elsewhere: Mapping[str, Elsewhere]) -> None: ...
    def show_notes(self, notes: Mapping[str, str]) -> None: ...
    def show_tool_problems(self, problems: Mapping[str, str]) -> None: ...
