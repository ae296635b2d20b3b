"""The program's settings: command line before environment before `config.toml` before defaults.

Keys and other secrets are never part of a `repr`, a message or a log.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from playground_tui import key_names
from playground_tui.credentials import Found, Secret, Sources, find_key, is_key
from playground_tui.paths import Paths, opened
from playground_tui.text import shorten

OPENAI_URL = "https://api.openai.com/v1"
SERVER_KEY = "PLAYGROUND_TUI_SERVER_KEY"
"""Environment variable with the key of the server that is used in place of the engine."""

LEAST_IDLE = 10
"""Seconds: between the requests of one command nobody is connected."""
_PROVIDER_NAME = re.compile(r"[a-z0-9_-]+")
_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

_OFF = ("0", "false", "no", "off")

Json = Mapping[str, Any]
Check = Callable[[object], str | None]
"""Answers what a value must be, as the rest of a sentence, or None when it is that."""


class ConfigError(Exception):
    """A setting cannot be used. `str(error)` is a sentence that names the file (or variable) and the key."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user chose. Times are seconds."""

    server: str | None = None
    """URL of an Assistants v2 server in place of the engine."""
    server_key: str | None = field(default=None, repr=False)
    """From the environment."""
    server_key_command: str = ""
    server_key_keyring: bool = False
    server_key_file: str = ""
    assistant: str | None = None
    """Id or name of the assistant to open."""
    thread: str | None = None
    provider: str | None = None
    """The default provider of this screen alone."""
    autosave_delay: float = 3.0
    idle_exit: float = 1800.0
    """How long the engine lives with nobody connected and no run active."""
    run_expires_after: int = 600
    allow_code: bool = True
    """Whether runs may run code, in the sandbox, where an assistant has the code interpreter ticked."""
    default_provider: str | None = None
    providers: Mapping[str, Json] = field(default_factory=dict)
    """The `[providers.NAME]` tables as they are written. They name where a key is, never the key."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Binding id -> keys, separated by commas."""
    theme: str | None = None
    """A theme's name, `dark` or `light`; None and `auto`: as the terminal says."""
    scroll: Literal["calm", "line"] = "calm"
    frame_rate: int | None = None
    """Frames a second at most while text streams in; None: fewer over SSH."""
    colours: Literal["auto", "truecolor", "256", "16", "none"] = "auto"
    letters: Literal["auto", "unicode", "ascii"] = "auto"
    plain: bool = False
    """Lines in place of the screen, for screen readers."""
    problem: str = ""
    """Why `config.toml` is not used, in a sentence."""


def load_settings(paths: Paths, environ: Mapping[str, str], argv: Mapping[str, object]) -> Settings:
    """The settings of this start. `argv` holds server, assistant, thread and provider where they were given.

    Raises ConfigError for a file that cannot be read or parsed, an unknown key, or a value of the wrong type.
    """
    return _chosen(_from_file(paths.config_file), environ, argv)


def settings_of_a_screen(paths: Paths, environ: Mapping[str, str], argv: Mapping[str, object]) -> Settings:
    """As `load_settings`, but a broken file keeps nobody out: the defaults are used, and `problem` says why.

    Raises ConfigError for what the environment or the command line has.
    """
    try:
        table = _from_file(paths.config_file)
    except ConfigError as error:
        table = {"problem": f"{error} It is left as it is; until it is mended the defaults are used."}
    return _chosen(table, environ, argv)


def _chosen(table: Json, environ: Mapping[str, str], argv: Mapping[str, object]) -> Settings:
    chosen: dict[str, Any] = {**table, **_from_environment(environ), **_from_argv(argv)}
    if chosen.get("server") != table.get("server", chosen.get("server")):
        for name in _SERVER_KEY.intersection(chosen):
            del chosen[name]  # They lead to the key of the configured server, which no other one is to see.
    return Settings(**chosen)


def provider_handover(settings: Settings, environ: Mapping[str, str]) -> dict[str, Any]:
    """What a start hands to the engine: the providers with their keys, and the times the user chose.

    `{"providers": [{name, kind, base_url, api_key, origin}], "default_provider", "idle_exit", "run_expires_after",
    "allow_code"}`.
    One with a configured `embedding_model` or `tools` also has that, one whose key cannot be had `problem`, a sentence,
    and one with a key `key_from`, its source. Runs the configured commands (each at most KEY_TIMEOUT seconds): call it
    off the event loop.
    """
    providers = [_configured(name, table, environ) for name, table in settings.providers.items()]
    if "openai" not in settings.providers and (environ.get("OPENAI_API_KEY") or environ.get("OPENAI_BASE_URL")):
        providers.append(_openai_of(environ))
    return {
        "providers": providers,
        "default_provider": settings.default_provider,
        "idle_exit": settings.idle_exit,
        "run_expires_after": settings.run_expires_after,
        "allow_code": settings.allow_code,
    }


# --- reading and checking


def _from_file(file: Path) -> dict[str, Any]:
    table = _read(file)
    _check_table(table, _TOP, file, "")
    display = table.pop("display", {})
    _check_table(display, _DISPLAY, file, "display.")
    allowed = table.pop("allow", {})
    _check_table(allowed, _ALLOW, file, "allow.")
    if "code" in allowed:
        table["allow_code"] = allowed["code"]
    for name, provider in table.get("providers", {}).items():
        _check_provider(name, provider, file)
    return {**table, **display}


def _read(file: Path) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415 -- most starts have no configuration

    try:
        with opened(file, os.O_RDONLY) as descriptor, os.fdopen(descriptor, "rb", closefd=False) as source:
            return tomllib.loads(source.read().decode())
    except FileNotFoundError as error:
        if file.is_symlink():
            raise ConfigError(f"{file} is a link to a file that is not there.") from error
        return {}
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file} is not UTF-8 text.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file} is not valid TOML: {shorten(str(error), 200)}.") from error
    except RecursionError as error:
        raise ConfigError(f"{file} is nested too deeply.") from error


def _text(value: object) -> str | None:
    return None if isinstance(value, str) and value.strip() else "must be text in quotes, not empty"


def _seconds(value: object) -> str | None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return None if number and math.isfinite(value) and value >= 0 else "must be a number of seconds"  # type: ignore[arg-type,operator]


def _idle(value: object) -> str | None:
    good = _seconds(value) is None and value >= LEAST_IDLE  # type: ignore[operator]
    return None if good else f"must be a number of seconds, at least {LEAST_IDLE}"


def _whole_seconds(value: object) -> str | None:
    return None if type(value) is int and value >= 1 else "must be a whole number of seconds, at least 1"


def _url(value: object) -> str | None:
    return None if isinstance(value, str) and _is_url(value) else "must be a URL that begins with http:// or https://"


def _table(value: object) -> str | None:
    return None if isinstance(value, Mapping) else "must be a table"


def _provider_name(value: object) -> str | None:
    good = isinstance(value, str) and _PROVIDER_NAME.fullmatch(value)
    return None if good else "must be a provider's name: small letters, digits, - and _"


def _one_of(*words: str) -> Check:
    *most, last = (f'"{word}"' for word in words)
    wrong = f"must be {', '.join(most)} or {last}"
    return lambda value: None if value in words else wrong


def _frames(value: object) -> str | None:
    good = type(value) is int and 1 <= value <= 60
    return None if good else "must be a whole number of frames a second, 1 to 60"


def _path(value: object) -> str | None:
    good = isinstance(value, str) and value.startswith(("/", "~/"))
    return None if good else "must be the path of a file, from / or ~/ on (not the key itself)"


def _yes_or_no(value: object) -> str | None:
    return None if isinstance(value, bool) else "must be true or false"


def _variable(value: object) -> str | None:
    good = isinstance(value, str) and _VARIABLE_NAME.fullmatch(value)
    return None if good else "must be the name of an environment variable (not the key itself)"


_TOP: Mapping[str, Check] = {
    "server": _url,
    "server_key_command": _text,
    "server_key_keyring": _yes_or_no,
    "server_key_file": _path,
    "autosave_delay": _seconds,
    "idle_exit": _idle,
    "run_expires_after": _whole_seconds,
    "default_provider": _provider_name,
    "providers": _table,
    "keys": key_names.problem_of,
    "display": _table,
    "allow": _table,
}
_ALLOW: Mapping[str, Check] = {"code": _yes_or_no}
"""What a run may do on this machine."""
_SERVER_KEY = {"server_key_command", "server_key_keyring", "server_key_file"}
_DISPLAY: Mapping[str, Check] = {
    "theme": _text,
    "scroll": _one_of("calm", "line"),
    "frame_rate": _frames,
    "colours": _one_of("auto", "truecolor", "256", "16", "none"),
    "letters": _one_of("auto", "unicode", "ascii"),
    "plain": _yes_or_no,
}
_PROVIDER_KEY = {"api_key_env", "api_key_command", "api_key_keyring", "api_key_file"}
_PROVIDER: Mapping[str, Check] = {
    "kind": _one_of("responses", "chat"),
    "base_url": _url,
    "api_key_env": _variable,
    "api_key_command": _text,
    "api_key_keyring": _yes_or_no,
    "api_key_file": _path,
    "embedding_model": _text,
    "tools": _one_of("engine", "provider"),
}


def _check_table(table: Json, known: Mapping[str, Check], file: Path, prefix: str) -> None:
    for key, value in table.items():
        name = shorten(prefix + key, 80)
        if key not in known:
            raise ConfigError(f"{file}: {name} is not a setting. Known: {', '.join(sorted(known))}.")
        wrong = known[key](value)
        if wrong is not None:
            raise ConfigError(f"{file}: {name} {wrong}.")


def _check_provider(name: str, table: object, file: Path) -> None:
    shown = shorten(f"providers.{name}", 80)
    if not isinstance(table, Mapping):
        raise ConfigError(f"{file}: {shown} must be a table, written [providers.NAME].")
    if not _PROVIDER_NAME.fullmatch(name):
        raise ConfigError(f"{file}: {shown}: a provider's name has small letters, digits, - and _ only.")
    if name == "rehearsal":
        raise ConfigError(f"{file}: {shown}: this name is taken by the built-in stand-in.")
    _check_table(table, _PROVIDER, file, f"providers.{name}.")
    if "base_url" not in table and name != "openai":
        raise ConfigError(f"{file}: {shown}.base_url is missing: where does this provider answer?")
    if table.get("tools") == "provider" and table.get("kind", "responses") != "responses":
        raise ConfigError(f'{file}: {shown}.tools = "provider" needs kind = "responses": no other API has tools.')


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    chosen: dict[str, Any] = {}
    plain = environ.get("PLAYGROUND_TUI_PLAIN", "").strip()
    if plain:
        chosen["plain"] = plain.lower() not in _OFF
    server = environ.get("PLAYGROUND_TUI_SERVER", "").strip()
    if server:
        if not _is_url(server):
            raise ConfigError("PLAYGROUND_TUI_SERVER must be a URL that begins with http:// or https://.")
        chosen["server"] = server
    key = environ.get(SERVER_KEY, "").strip()
    if key:
        if not is_key(key):
            raise ConfigError("PLAYGROUND_TUI_SERVER_KEY is not a key: it has spaces or characters outside ASCII.")
        chosen["server_key"] = Secret(key)
    return chosen


def _from_argv(argv: Mapping[str, object]) -> dict[str, Any]:
    chosen: dict[str, Any] = {"plain": True} if argv.get("plain") else {}
    for name in ("server", "assistant", "thread", "provider"):
        value = argv.get(name)
        if isinstance(value, str) and value.strip():
            chosen[name] = value.strip()
    if "server" in chosen and not _is_url(chosen["server"]):
        raise ConfigError("--server must be a URL that begins with http:// or https://.")
    return chosen


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text.strip())
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False


# --- handing over


def _configured(name: str, table: Json, environ: Mapping[str, str]) -> dict[str, Any]:
    base_url = str(table.get("base_url", OPENAI_URL)).strip().rstrip("/")
    usual = "OPENAI_API_KEY" if base_url == OPENAI_URL and not _PROVIDER_KEY.intersection(table) else ""
    sources = Sources(
        f"providers.{name}.api_key",
        variable=str(table.get("api_key_env", usual)),
        command=str(table.get("api_key_command", "")),
        keyring=name if table.get("api_key_keyring") else "",
        file=str(table.get("api_key_file", "")),
    )
    provider = {"name": name, "kind": str(table.get("kind", "responses")), "base_url": base_url, "origin": "config"}
    provider |= {key: str(table[key]) for key in ("embedding_model", "tools") if key in table}
    return _entry(find_key(sources, environ), **provider)


def _openai_of(environ: Mapping[str, str]) -> dict[str, Any]:
    base_url = environ.get("OPENAI_BASE_URL", "").strip().rstrip("/") or OPENAI_URL
    sources = Sources("OPENAI_API_KEY", variable="OPENAI_API_KEY" if environ.get("OPENAI_API_KEY") else "")
    found = find_key(sources, environ)
    if not _is_url(base_url):
        base_url = OPENAI_URL
        found = Found(problem="OPENAI_BASE_URL is not a URL that begins with http:// or https://.")
    return _entry(found, name="openai", kind="responses", base_url=base_url, origin="environment")


def _entry(found: Found, **provider: str) -> dict[str, Any]:
    entry: dict[str, Any] = {**provider, "api_key": found.key}
    if found.origin:
        entry["key_from"] = found.origin
    return {**entry, "problem": found.problem} if found.problem else entry


def server_credentials(settings: Settings, environ: Mapping[str, str]) -> Found:
    """The key of the server that is used in place of the engine. May run a command: call it off the event loop."""
    if settings.server_key:
        return Found(Secret(settings.server_key), SERVER_KEY)
    sources = Sources(
        "server_key",
        command=settings.server_key_command,
        keyring=(settings.server or "") if settings.server_key_keyring else "",
        file=settings.server_key_file,
    )
    return find_key(sources, environ)
