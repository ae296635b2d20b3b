"""Why a file cannot be indexed."""

from __future__ import annotations

from typing import Literal

Code = Literal["server_error", "unsupported_file", "invalid_file"]


class Unreadable(Exception):
    """A file cannot be indexed. `code` is the contract's word for it, `str(error)` a sentence."""

    def __init__(self, code: Code, sentence: str):
        super().__init__(sentence)
        self.code: Code = code
