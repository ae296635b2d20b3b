"""What the store says of an id that it does not have."""

from __future__ import annotations


class Unknown(LookupError):
    """There is no such object, or it was deleted. `kind` is the word for people: assistant, thread, message, run..."""

    def __init__(self, kind: str, object_id: str):
        super().__init__(f"No {kind} found with id '{object_id}'.")
