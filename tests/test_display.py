"""What the screen shows itself with is chosen from settings and the terminal's variables, and the reason said."""

from __future__ import annotations

from typing import Any

import pytest

from playground_tui.config import Settings
from playground_tui.display import DARK, LIGHT, Display, choose, variables_at_start


def chosen(environ: dict[str, str], begun_with: dict[str, str] | None = None, **settings: Any) -> Display:
    return choose(Settings(**settings), environ, begun_with=environ if begun_with is None else begun_with)


@pytest.mark.parametrize(
    ("environ", "colours", "why"),
    [
        ({"TERM": "xterm"}, "16", "TERM=xterm"),
        ({"TERM": "xterm-256color"}, "256", "TERM=xterm-256color"),
        ({"TERM": "tmux-256color", "TMUX": "x"}, "256", "TERM=tmux-256color"),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, "truecolor", "COLORTERM=truecolor"),
        ({"TERM": "xterm-kitty"}, "truecolor", "TERM=xterm-kitty"),
        ({"TERM": "screen", "STY": "1", "COLORTERM": "truecolor"}, "16", "TERM=screen in GNU screen"),
        ({"TERM": "screen.xterm-256color", "STY": "1", "COLORTERM": "24bit"}, "256", None),
        ({"TERM": "linux", "COLORTERM": "truecolor"}, "16", "TERM=linux"),
        ({"TERM": "linux-16color"}, "16", None),
        ({"TERM": "dumb"}, "none", "TERM=dumb"),
        ({"TERM": "xterm", "COLORTERM": "truecolor", "NO_COLOR": "1"}, "none", "NO_COLOR is set"),
        ({"TERM": "xterm", "NO_COLOR": ""}, "16", None),
        ({}, "16", "TERM is not set"),
    ],
)
def test_colours_are_what_the_terminal_shows(environ: dict[str, str], colours: str, why: str | None) -> None:
    display = chosen(environ)
    assert display.colours == colours
    assert why is None or display.why["colours"] == why


def test_the_configuration_has_the_last_word_on_colours() -> None:
    display = chosen({"TERM": "xterm", "NO_COLOR": "1"}, colours="256")
    assert (display.colours, display.why["colours"]) == ("256", "set in the configuration")


@pytest.mark.parametrize("variable", ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"])
def test_ssh_gets_fewer_frames_unless_they_are_set(variable: str) -> None:
    assert chosen({}).frame_rate == 15
    over_ssh = chosen({variable: "x"})
    assert (over_ssh.frame_rate, over_ssh.why["frame_rate"]) == (10, "over SSH")
    assert chosen({variable: "x"}, frame_rate=30).frame_rate == 30


@pytest.mark.parametrize(
    ("settings", "environ", "theme"),
    [
        ({}, {}, DARK),
        ({"theme": "light"}, {}, LIGHT),
        ({"theme": "dark"}, {"COLORFGBG": "0;15"}, DARK),
        ({"theme": "nord"}, {}, "nord"),
        ({}, {"COLORFGBG": "0;15"}, LIGHT),
        ({"theme": "auto"}, {"COLORFGBG": "0;default;15"}, LIGHT),
        ({}, {"COLORFGBG": "15;0"}, DARK),
    ],
)
def test_the_theme_is_the_one_set_or_fits_the_terminal(
    settings: dict[str, Any], environ: dict[str, str], theme: str
) -> None:
    assert chosen(environ, **settings).theme == theme


@pytest.mark.parametrize(
    ("environ", "encoding", "signs"),
    [
        ({"LANG": "de_DE.UTF-8"}, "utf-8", ()),
        ({"LANG": "de_DE.utf8@euro"}, "utf-8", ()),
        ({"LC_CTYPE": "UTF-8"}, "utf-8", ()),
        ({}, "utf-8", ()),
        ({"LANG": "C"}, "utf-8", ("ascii",)),
        ({"LANG": "POSIX"}, "utf-8", ("ascii",)),
        ({"LANG": "C.UTF-8", "LC_ALL": "C"}, "utf-8", ("ascii",)),
        ({"LC_ALL": "", "LANG": "C"}, "utf-8", ("ascii",)),
        ({"LANG": "de_DE"}, "iso8859-1", ("iso8859-1",)),
        ({"LANG": "ru_RU.KOI8-R"}, "koi8-r", ("koi8-r",)),
        ({"LANG": "xx_XX.nonsense"}, "utf-8", ()),
        ({"LANG": "C.UTF-8", "TERM": "linux"}, "utf-8", ("cp437", "latin-1")),
    ],
)
def test_letters_are_those_of_the_locale(environ: dict[str, str], encoding: str, signs: tuple[str, ...]) -> None:
    display = chosen(environ)
    assert (display.encoding, display.signs) == (encoding, signs)


def test_the_locale_that_python_puts_in_place_of_c_is_not_the_users() -> None:
    coerced = {"LANG": "C", "LC_CTYPE": "C.UTF-8"}
    assert chosen(coerced, {"LANG": "C"}).letters == "ASCII"
    assert chosen(coerced, {"LANG": "C", "LC_CTYPE": "POSIX"}).why["letters"] == "LC_CTYPE=POSIX"
    assert chosen(coerced, coerced).letters == "Unicode"
    assert chosen(coerced, {}).letters == "Unicode"  # where the system does not tell


def test_letters_can_be_set() -> None:
    assert chosen({"LANG": "C"}, letters="unicode").signs == ()
    assert chosen({"LANG": "C.UTF-8"}, letters="ascii").letters == "ASCII"
    assert chosen({"LANG": "de_DE"}, letters="unicode").encoding == "iso8859-1"
    assert chosen({"TERM": "linux"}).letters == "the letters and lines of cp437 and latin-1"


def test_consoles_are_not_asked_for_what_they_would_print() -> None:
    assert not chosen({"TERM": "linux"}).queries
    assert chosen({"TERM": "xterm"}).queries


def test_the_environment_at_the_start_is_this_process_own() -> None:
    assert "PATH" in variables_at_start()
