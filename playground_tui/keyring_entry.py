"""`python keyring_entry.py USER`: print the key that the system's keyring holds for the service `playground-tui`.

A process of its own: a keyring may wait for its owner to unlock it, print warnings, and take long to load. Only real
keyrings are used. Others that the package `keyring` may fall back to keep keys in plain files, or fail at each call.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

SERVICE = "playground-tui"
REAL = ("SecretService", "libsecret", "kwallet", "macOS", "Windows")
"""The keyrings of desktops and systems, by the modules of the package."""


def main(user: str) -> int:
    """Print the key. What stands in the way is a sentence on stderr."""
    try:
        package = import_module("keyring")
    except ImportError:
        return _no("the package is not installed: pip install keyring")
    backends = real_backends(package.get_keyring())
    if not backends:
        return _no("no real keyring works here (Secret Service, KWallet or macOS Keychain): use another source")
    for backend in backends:
        try:
            key = backend.get_password(SERVICE, user)
        except package.errors.KeyringError as error:
            return _no(f"it cannot be read: {error}")
        if key:
            sys.stdout.write(key)
            return 0
    return _no(f"it holds nothing for {user}: keyring set {SERVICE} {user}")


def real_backends(backend: Any) -> list[Any]:
    """The keyrings among the chosen one, or among those it stands for, that are real."""
    return [one for one in getattr(backend, "backends", [backend]) if _is_real(type(one).__module__)]


def _is_real(module: str) -> bool:
    return module.startswith("keyring.backends.") and module.split(".")[2] in REAL


def _no(sentence: str) -> int:
    sys.stderr.write(f"{sentence}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
