"""What the left pane tells the screen."""

from __future__ import annotations

from collections.abc import Mapping

from textual.message import Message


class Submitted(Message):
    """The composer's text is to be sent. The composer is empty by now, and the text is in its history."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class ComposerChanged(Message):
    """The composer holds another text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class OlderWanted(Message):
    """The reader is near the top: the messages before the first one are wanted."""


class OutputTyped(Message):
    """What is typed as the output of a function call is another text."""


class OutputsSubmitted(Message):
    """Every output that the run waits for is given, by the calls' ids."""

    def __init__(self, outputs: Mapping[str, str]) -> None:
        super().__init__()
        self.outputs = dict(outputs)


class SendWaiting(Message):
    """A message that was not sent is to be sent now."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key


class EditWaiting(Message):
    """A waiting message is to go back into the composer."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key


class MoreBelow(Message):
    """Text that was not seen yet stands below the window, or no longer does."""

    def __init__(self, below: bool) -> None:
        super().__init__()
        self.below = below


class AttachmentAction(Message):
    """Something is to be done with a file that goes with the next message: `remove`, `use` or `upload`."""

    def __init__(self, key: str, action: str) -> None:
        super().__init__()
        self.key = key
        self.action = action


class NamesWanted(Message):
    """Files are shown whose names are not known."""
