"""What the screen shows itself with: colours, letters, frames. Chosen from the settings and the terminal's variables.

Standard library only: the screen asks before it paints, and `doctor` says the same without a screen.
"""

from __future__ import annotations

import codecs
import locale
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from playground_tui.config import Settings

Colours = Literal["truecolor", "256", "16", "none"]
Scroll = Literal["calm", "line"]

CONFIGURED: Final = "set in the configuration"
FRAMES: Final = 15
"""Frames a second while text streams in."""
FRAMES_OVER_SSH: Final = 10
DARK: Final = "playground-dark"
LIGHT: Final = "playground-light"
THEMES: Final = (
    *(DARK, LIGHT, "ansi-dark", "ansi-light", "atom-one-dark", "atom-one-light", "catppuccin-frappe"),
    *("catppuccin-latte", "catppuccin-macchiato", "catppuccin-mocha", "dracula", "flexoki", "gruvbox", "monokai"),
    *("nord", "rose-pine", "rose-pine-dawn", "rose-pine-moon", "solarized-dark", "solarized-light"),
    *("textual-dark", "textual-light", "tokyo-night"),
)
"""Every theme there is: the program's two, and those that come with Textual."""
_THEMES: Final = {"dark": DARK, "light": LIGHT}
_WHITES: Final = ("7", "15")
"""What terminals that set COLORFGBG call a light background."""
_MILLIONS: Final = ("-direct", "-truecolor", "kitty", "alacritty", "ghostty", "foot", "wezterm")
"""Ends and names in TERM of terminals that show all colours."""
_CONSOLE: Final = ("linux", "cons25", "vt220", "vt102", "vt100")
"""Terminals with a font of 256 or 512 signs: Latin letters and simple lines, no more."""
CONSOLE_SIGNS: Final = ("cp437", "latin-1")


@dataclass(frozen=True, slots=True)
class Display:
    """What was chosen, and why in words under the same name."""

    colours: Colours = "truecolor"
    frame_rate: int = FRAMES
    """Frames a second at most while text streams in."""
    scroll: Scroll = "calm"
    theme: str = DARK
    encoding: str = "utf-8"
    """How characters are written to the terminal and read from it."""
    signs: tuple[str, ...] = ()
    """Character sets that together hold what the terminal can show; empty: all of Unicode."""
    queries: bool = True
    """Whether the terminal may be asked for modern abilities. The consoles of systems print such questions."""
    why: Mapping[str, str] = field(default_factory=dict)

    @property
    def letters(self) -> str:
        """The signs in words."""
        if not self.signs:
            return "Unicode"
        return "ASCII" if self.signs == ("ascii",) else "the letters and lines of " + " and ".join(self.signs)


def choose(settings: Settings, environ: Mapping[str, str], *, begun_with: Mapping[str, str] | None = None) -> Display:
    """The display for these settings in this environment.

    `begun_with` is the environment the process began with, before Python changed the locale in it.
    """
    begun = variables_at_start() if begun_with is None else begun_with
    colours, why_colours = _colours(settings, environ)
    rate, why_rate = _frame_rate(settings, environ)
    theme, why_theme = _theme(settings, environ)
    encoding, signs, why_letters = _letters(settings, environ, begun)
    why_scroll = CONFIGURED if settings.scroll == "line" else "the default"
    return Display(
        colours=colours,
        frame_rate=rate,
        scroll=settings.scroll,
        theme=theme,
        encoding=encoding,
        signs=signs,
        queries=not _is_console(environ),
        why={
            "colours": why_colours,
            "frame_rate": why_rate,
            "scroll": why_scroll,
            "theme": why_theme,
            "letters": why_letters,
        },
    )


def over_ssh(environ: Mapping[str, str]) -> bool:
    """Whether the terminal is at the other end of an SSH connection."""
    return any(environ.get(name) for name in ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"))


def variables_at_start() -> dict[str, str]:
    """The environment as this process got it; empty where the system does not tell."""
    try:
        raw = Path("/proc/self/environ").read_bytes()
    except OSError:
        return {}
    pairs = (entry.partition(b"=") for entry in raw.split(b"\0") if entry)
    return {name.decode(errors="replace"): value.decode(errors="replace") for name, _, value in pairs}


def language(environ: Mapping[str, str], begun_with: Mapping[str, str]) -> tuple[str, str]:
    """The locale of characters and the variable that names it; two empty strings when none does.

    Python replaces the C locale by one of UTF-8 at its start and says so in LC_CTYPE (PEP 538): that is not the user's.
    """
    given = {**environ, "LC_CTYPE": begun_with.get("LC_CTYPE", "")} if begun_with else environ
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        if given.get(name):
            return given[name], name
    return "", ""


def _frame_rate(settings: Settings, environ: Mapping[str, str]) -> tuple[int, str]:
    if settings.frame_rate is not None:
        return settings.frame_rate, CONFIGURED
    if over_ssh(environ):
        return FRAMES_OVER_SSH, "over SSH"
    return FRAMES, "not over SSH"


def _theme(settings: Settings, environ: Mapping[str, str]) -> tuple[str, str]:
    if settings.theme is not None and settings.theme != "auto":
        return _THEMES.get(settings.theme, settings.theme), CONFIGURED
    pair = environ.get("COLORFGBG", "")
    if pair:
        return (LIGHT if pair.rpartition(";")[2] in _WHITES else DARK), f"COLORFGBG={pair}"
    return DARK, "the default"


# --- colours


def _colours(settings: Settings, environ: Mapping[str, str]) -> tuple[Colours, str]:
    if settings.colours != "auto":
        return settings.colours, CONFIGURED
    if environ.get("NO_COLOR"):
        return "none", "NO_COLOR is set"
    return _able(environ)


def _able(environ: Mapping[str, str]) -> tuple[Colours, str]:
    """What the terminal says of itself. Inside GNU screen COLORTERM is that of the terminal around it."""
    term, claimed = environ.get("TERM", ""), environ.get("COLORTERM", "").lower()
    if term == "dumb":
        return "none", "TERM=dumb"
    if _is_console(environ):
        return "16", f"TERM={term}"
    if claimed in ("truecolor", "24bit") and not environ.get("STY"):
        return "truecolor", f"COLORTERM={claimed}"
    if any(name in term for name in _MILLIONS):
        return "truecolor", f"TERM={term}"
    within = " in GNU screen" if environ.get("STY") else ""
    return ("256" if "256" in term else "16"), f"TERM={term}{within}" if term else "TERM is not set"


def _is_console(environ: Mapping[str, str]) -> bool:
    return environ.get("TERM", "").partition("-")[0] in _CONSOLE


# --- letters


def _letters(
    settings: Settings, environ: Mapping[str, str], begun: Mapping[str, str]
) -> tuple[str, tuple[str, ...], str]:
    """Encoding, signs, and why."""
    name, variable = language(environ, begun)
    encoding = _encoding_of(name)
    if settings.letters != "auto":
        signs = ("ascii",) if settings.letters == "ascii" else ()
        return ("utf-8" if encoding == "ascii" else encoding), signs, CONFIGURED
    if encoding == "ascii":  # What is typed may still come as UTF-8: ASCII is a part of it.
        return "utf-8", ("ascii",), f"{variable}={name}"
    if encoding != "utf-8":
        return encoding, (encoding,), f"{variable}={name}"
    if _is_console(environ):
        return "utf-8", CONSOLE_SIGNS, f"TERM={environ['TERM']}"
    return "utf-8", (), f"{variable}={name}" if name else "no locale is set"


def _encoding_of(name: str) -> str:
    """The encoding of a locale by its name. Terminals of our time are UTF-8 unless something says otherwise."""
    plain = name.partition("@")[0]
    if plain in ("C", "POSIX"):
        return "ascii"
    if name and "." not in name and plain != "UTF-8":
        name = locale.normalize(name)
    wanted = name.partition(".")[2].partition("@")[0]
    try:
        return codecs.lookup(wanted).name if wanted else "utf-8"
    except LookupError:
        return "utf-8"
