"""Memory that is given back to the system: what many runs at once took is not needed by the few that come after."""

from __future__ import annotations

import gc


def settle() -> None:
    """Leave what the start has made out of later collections: a hundred thousand objects that stay anyway.

    Each collection of all would look at them for 40 ms and more, while every stream waits; a thread of thousands of
    messages sets off several.
    """
    gc.freeze()


def give_back() -> bool:
    """Collect what nobody refers to and let the C library return its free pages; whether it can (glibc alone does).

    Takes some hundredths of a second, in which nothing else is done.
    """
    import ctypes  # noqa: PLC0415 - most engines are started and ended without it

    gc.collect()
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError):
        return False
    return bool(trim(0))
