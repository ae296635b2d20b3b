"""The names of the cache's files."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import urlsplit

ENGINE = "engine"
"""The server key of the program's own engine."""
_SESSION = re.compile(r"session-([a-z0-9]+)\.json")
_INSTANCE_FILE = re.compile(r"([a-z0-9]+)\.json")
_PLAIN = re.compile(r"[A-Za-z0-9]+(?:[_-][A-Za-z0-9]+)*")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def server_key(url: str | None) -> str:
    """What stands for a server in file names: `engine`, or a hash of the normalised URL.

    Case of scheme and host, the default port, user info and a slash at the end make no difference; a bare host is its
    `/v1`, as for requests.
    """
    return ENGINE if url is None else _key(url, bare="/v1")


def former_key(url: str) -> str:
    """The key of a server from before a bare host was its `/v1`."""
    return _key(url, bare="")


def _key(url: str, *, bare: str) -> str:
    parts = urlsplit(url.strip())
    scheme = parts.scheme.lower()
    port = parts.port or _DEFAULT_PORTS.get(scheme, 0)
    normal = f"{scheme}://{(parts.hostname or '').lower()}:{port}{parts.path.rstrip('/') or bare}"
    return hashlib.sha256(f"{normal}?{parts.query}".encode("utf-8", "surrogatepass")).hexdigest()[:16]


def session_name(instance: str) -> str:
    return f"session-{instance}.json"


def session_instance(name: str) -> str | None:
    """The instance whose session `name` is, or None when it is another file."""
    match = _SESSION.fullmatch(name)
    return match[1] if match else None


def server_name(server: str) -> str:
    return f"{server}--server.json"


def draft_stem(server: str, key: str) -> str:
    """What the names of all instances' drafts of `key` begin with."""
    return f"{server}--draft-{plain(key)}--"


def composer_stem(server: str, thread_id: str | None) -> str:
    """What the names of all instances' composers of a thread begin with."""
    return f"{server}--composer-{'new' if thread_id is None else plain(thread_id)}--"


def new_draft_key(server: str, name: str) -> str | None:
    """The key of the not yet created assistant whose draft `name` is, or None."""
    prefix = f"{server}--draft-"
    key, _, rest = name.removeprefix(prefix).rpartition("--")
    good = name.startswith(f"{prefix}new-") and _INSTANCE_FILE.fullmatch(rest) and _PLAIN.fullmatch(key)
    return key if good else None


def instance_of(stem: str, name: str) -> str | None:
    """The instance whose file of `stem` this is, or None when it is another file."""
    match = _INSTANCE_FILE.fullmatch(name.removeprefix(stem)) if name.startswith(stem) else None
    return match[1] if match else None


def plain(key: str) -> str:
    """`key` where it is harmless in a file name, else its hash: ids of other servers may be anything."""
    if len(key) <= 80 and _PLAIN.fullmatch(key):
        return key
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]
