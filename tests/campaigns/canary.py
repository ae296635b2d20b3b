"""A key that is looked for: in which forms it is found, and where."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random
from urllib.parse import quote

_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789"
_SIGNS = "~^+/=.!"
_SEQUENCE = re.compile(rb"\x1b\[[0-9;?<>]*[ -/]*[@-~]|\s")
_PIECE = 10


class Canary:
    """One key, as providers make them, with a beginning and an end that stand nowhere else."""

    def __init__(self, random: Random) -> None:
        body = "".join(random.choice(_LETTERS) for _ in range(random.choice((20, 32, 48))))
        tail = "".join(random.choice(_SIGNS) + random.choice(_LETTERS) for _ in range(2))
        self._kind = random.choice(("", "sk-", "sk-proj-", "gsk_", "hf_"))
        self.key = self._kind + body + tail

    @property
    def tail(self) -> str:
        return self.key[-4:]

    def told(self, form: int) -> str:
        """The key as a careless server repeats it."""
        key = self.key
        forms = (
            key,
            f"Bearer {key}",
            f"{key[:7]}{'*' * 20}{key[-4:]}",
            f"...{key[-4:]}",
            f"{key[:20]}...",
            base64.b64encode(f"Bearer {key}".encode()).decode(),
            base64.b64encode(key.encode()).decode(),
            quote(key, safe=""),
            f"{key[:11]}\n  {key[11:]}",
            key.encode().hex(),
            f"'{key}'",
        )
        return forms[form % len(forms)]

    def needles(self) -> Iterator[tuple[str, bytes]]:
        """What must stand nowhere: what it is, and its bytes."""
        raw = self.key.encode()
        yield "the key", raw
        yield "its end", self.tail.encode()
        yield "it for a URL", quote(self.key, safe="").encode()
        yield "it in hex", raw.hex().encode()
        for before in range(3):
            text = base64.b64encode(b"\0" * before + raw).rstrip(b"=")
            yield "it in base64", text[4:-4]
        for at in range(len(self._kind), len(raw) - _PIECE):
            yield "a piece of it", raw[at : at + _PIECE]

    def found_in(self, data: bytes) -> str:
        """In which form the key stands there, "" in none. Broken over lines, or painted in pieces, it is found too."""
        joined = _SEQUENCE.sub(b"", data)
        return next((what for what, needle in self.needles() if needle in data or needle in joined), "")


def files_below(directory: Path) -> Iterator[Path]:
    """Every file there."""
    yield from (path for path in sorted(directory.rglob("*")) if path.is_file() and not path.is_symlink())
