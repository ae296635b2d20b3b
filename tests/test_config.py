"""Settings: what wins over what, what is refused in which words, and how keys are handed over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from playground_tui.config import ConfigError, Settings, load_settings, provider_handover, server_credentials
from playground_tui.paths import Paths

KEY = "sk-canary-4711"


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(config=tmp_path, data=tmp_path, state=tmp_path, runtime=tmp_path)


@pytest.fixture
def load(paths: Paths) -> Callable[..., Settings]:
    """Settings of a `config.toml`, an environment and a command line."""

    def load_with(toml: str = "", environ: Mapping[str, str] | None = None, **argv: object) -> Settings:
        paths.config_file.write_text(toml)
        return load_settings(paths, environ or {}, argv)

    return load_with


Load = Callable[..., Settings]


def test_without_anything_the_defaults_hold(paths: Paths) -> None:
    assert load_settings(paths, {}, {}) == Settings()


def test_everything_that_can_be_set(load: Load) -> None:
    settings = load(
        """
        server = "http://there:1/v1"
        autosave_delay = 1
        idle_exit = 60.5
        run_expires_after = 1200
        default_provider = "local"
        [display]
        theme = "nord"
        scroll = "line"
        frame_rate = 20
        colours = "256"
        letters = "ascii"
        [keys]
        send = "f3,ctrl+j"
        [providers.local]
        kind = "chat"
        base_url = "http://localhost:9/v1/"
        api_key_env = "LOCAL_KEY"
        """
    )
    assert (settings.server, settings.autosave_delay, settings.idle_exit) == ("http://there:1/v1", 1, 60.5)
    assert (settings.run_expires_after, settings.default_provider) == (1200, "local")
    assert (settings.frame_rate, settings.colours, settings.letters) == (20, "256", "ascii")
    assert (settings.theme, settings.scroll, settings.keys) == ("nord", "line", {"send": "f3,ctrl+j"})
    assert settings.providers["local"]["api_key_env"] == "LOCAL_KEY"


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(load: Load) -> None:
    toml, environ = 'server = "http://file"', {"PLAYGROUND_TUI_SERVER": "http://environment"}
    assert load(toml).server == "http://file"
    assert load(toml, environ).server == "http://environment"
    assert load(toml, environ, server="http://argv").server == "http://argv"
    assert load(toml, {"PLAYGROUND_TUI_SERVER": " "}, server=None).server == "http://file"


def test_what_the_command_line_names(load: Load) -> None:
    settings = load(assistant="Helper", thread="thread_1", provider="openai", other=3)
    assert (settings.assistant, settings.thread, settings.provider) == ("Helper", "thread_1", "openai")


@pytest.mark.parametrize(
    ("toml", "named"),
    [
        ('colour = "red"', "colour is not a setting"),
        ('[display]\nfont = "x"', "display.font is not a setting"),
        ('[providers.x]\nbase_url = "http://x"\napi_key = "sk-canary-4711"', "providers.x.api_key is not a setting"),
        ('server = "there"', "server must be a URL"),
        ('server = "http://host:99999"', "server must be a URL"),
        ("server = 3", "server must be a URL"),
        ("autosave_delay = true", "autosave_delay must be a number of seconds"),
        ("autosave_delay = -1", "autosave_delay must be a number of seconds"),
        ("idle_exit = nan", "idle_exit must be a number of seconds"),
        ("idle_exit = 0", "idle_exit must be a number of seconds, at least 10"),
        ("run_expires_after = 1.5", "run_expires_after must be a whole number of seconds"),
        ('default_provider = "Open AI"', "default_provider must be a provider's name"),
        ("display = 1", "display must be a table"),
        ('[display]\nscroll = "fast"', 'display.scroll must be "calm" or "line"'),
        ("[display]\nscroll = ['calm']", "display.scroll must be"),
        ("[display]\ntheme = ''", "display.theme must be text"),
        ("[display]\nframe_rate = 0", "display.frame_rate must be a whole number of frames a second, 1 to 60"),
        ("[display]\nframe_rate = true", "display.frame_rate must be"),
        ("[display]\ncolours = 256", 'display.colours must be "auto", "truecolor", "256", "16" or "none"'),
        ("[display]\nletters = 'utf-8'", 'display.letters must be "auto", "unicode" or "ascii"'),
        ("[keys]\nsend = 3", "keys must be a table"),
        ('[keys]\nsnd = "f3"', "keys has no binding called snd. Known: attach, back, composer, "),
        ('[keys]\nsend = "f3,F4"', 'keys gives send "F4", which is no key: keys are written as in "f4", "alt+e"'),
        ("[keys]\nsend = ''", 'keys gives send "", which is no key'),
        ("providers = 3", "providers must be a table"),
        ("[providers]\nx = 3", "providers.x must be a table"),
        ('[providers."Open AI"]\nbase_url = "http://x"', "providers.Open AI: a provider's name"),
        ('[providers.rehearsal]\nbase_url = "http://x"', "providers.rehearsal: this name is taken"),
        ("[providers.x]\nkind = 'chat'", "providers.x.base_url is missing"),
        ("[providers.openai]\nkind = 'completions'", "providers.openai.kind must be"),
        ("[providers.openai]\nkind = []", "providers.openai.kind must be"),
        ("[providers.openai]\ntools = 'mine'", "providers.openai.tools must be"),
        ("[providers.openai]\nkind = 'chat'\ntools = 'provider'", "needs kind"),
        ("[providers.openai]\nbase_url = 'api.openai.com'", "providers.openai.base_url must be a URL"),
        ("[providers.openai]\napi_key_env = 'sk-canary-4711'", "providers.openai.api_key_env must be the name"),
        ("[providers.openai]\napi_key_file = 'key'", "providers.openai.api_key_file must be the path"),
        ("[providers.openai]\napi_key_keyring = 'openai'", "providers.openai.api_key_keyring must be true or false"),
        ("server_key_file = 'sk-canary-4711'", "server_key_file must be the path"),
        ('"a\\u001b" = 1', "a␛ is not a setting"),
        ("a = ", "is not valid TOML"),
        ("a = " + "[" * 5000, "config.toml"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_file(load: Load, paths: Paths, toml: str, named: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load(toml)
    sentence = str(refused.value)
    assert named in sentence
    assert str(paths.config_file) in sentence
    assert KEY not in sentence


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_any_file_is_read_or_refused_in_words(paths: Paths, content: bytes) -> None:
    paths.config_file.write_bytes(content)
    try:
        load_settings(paths, {}, {})
    except ConfigError as refused:
        assert str(paths.config_file) in str(refused)


def test_a_file_that_cannot_be_read_is_named(paths: Paths) -> None:
    paths.config_file.mkdir()
    with pytest.raises(ConfigError, match=r"config\.toml cannot be read"):
        load_settings(paths, {}, {})


@pytest.mark.parametrize(
    ("environ", "argv", "named"),
    [
        ({"PLAYGROUND_TUI_SERVER": "there"}, {}, "PLAYGROUND_TUI_SERVER must be a URL"),
        ({"PLAYGROUND_TUI_SERVER_KEY": f"{KEY}\n{KEY}"}, {}, "PLAYGROUND_TUI_SERVER_KEY is not a key"),
        ({}, {"server": "there"}, "--server must be a URL"),
    ],
)
def test_the_environment_and_the_command_line_are_checked_too(
    paths: Paths, environ: dict[str, str], argv: dict[str, object], named: str
) -> None:
    with pytest.raises(ConfigError, match=named) as refused:
        load_settings(paths, environ, argv)
    assert KEY not in str(refused.value)


def test_the_servers_key_is_not_in_a_repr(load: Load) -> None:
    settings = load(environ={"PLAYGROUND_TUI_SERVER_KEY": KEY})
    assert settings.server_key == KEY
    assert KEY not in repr(settings)
    assert KEY not in repr([settings.server_key])


# --- handing providers over


def only(handover: dict[str, Any]) -> dict[str, Any]:
    assert len(handover["providers"]) == 1
    entry: dict[str, Any] = handover["providers"][0]
    return entry


def test_without_providers_only_the_times_are_handed_over() -> None:
    assert provider_handover(Settings(idle_exit=5, default_provider="x"), {}) == {
        "providers": [],
        "default_provider": "x",
        "idle_exit": 5,
        "run_expires_after": 600,
        "allow_code": True,
    }


def test_what_runs_may_do_is_handed_over(load: Load) -> None:
    assert provider_handover(load("[allow]\ncode = false"), {})["allow_code"] is False
    for wrong in ("[allow]\ncode = 'no'", "[allow]\ncommands = true", "allow = false"):
        with pytest.raises(ConfigError, match=r"config\.toml: allow"):
            load(wrong)


def test_openai_comes_from_the_environment() -> None:
    assert only(provider_handover(Settings(), {"OPENAI_API_KEY": f" {KEY}\n"})) == {
        "name": "openai",
        "kind": "responses",
        "base_url": "https://api.openai.com/v1",
        "api_key": KEY,
        "key_from": "OPENAI_API_KEY",
        "origin": "environment",
    }
    elsewhere = only(provider_handover(Settings(), {"OPENAI_BASE_URL": "http://localhost:8000/v1/"}))
    assert (elsewhere["base_url"], elsewhere["api_key"]) == ("http://localhost:8000/v1", None)
    assert "problem" not in elsewhere


def test_a_wrong_base_url_in_the_environment_is_said_and_gets_no_key() -> None:
    entry = only(provider_handover(Settings(), {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": "localhost"}))
    assert entry["problem"].startswith("OPENAI_BASE_URL is not a URL")
    assert entry["api_key"] is None


def test_the_configured_openai_stands_in_place_of_the_environments(load: Load) -> None:
    settings = load("[providers.openai]\nkind = 'chat'")
    entry = only(provider_handover(settings, {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": "http://elsewhere"}))
    assert (entry["kind"], entry["base_url"]) == ("chat", "https://api.openai.com/v1")
    assert (entry["api_key"], entry["origin"]) == (KEY, "config")


def test_the_key_of_openai_goes_to_no_other_server(load: Load) -> None:
    settings = load("[providers.openai]\nbase_url = 'http://elsewhere/v1'")
    assert only(provider_handover(settings, {"OPENAI_API_KEY": KEY}))["api_key"] is None


@pytest.mark.parametrize("setting", [{}, {"tools": "provider"}, {"tools": "engine", "embedding_model": "e"}])
def test_what_a_provider_is_used_for_is_handed_over_as_it_is_set(load: Load, setting: dict[str, str]) -> None:
    lines = [f"{key} = '{value}'" for key, value in setting.items()]
    entry = only(provider_handover(load("\n".join(["[providers.openai]", *lines])), {"OPENAI_API_KEY": KEY}))
    assert {key: entry[key] for key in ("tools", "embedding_model") if key in entry} == setting


def test_a_variable_names_the_key(load: Load) -> None:
    settings = load("[providers.x]\nbase_url = 'http://x/v1/'\napi_key_env = 'X_KEY'")
    entry = only(provider_handover(settings, {"X_KEY": KEY}))
    assert (entry["kind"], entry["base_url"], entry["api_key"]) == ("responses", "http://x/v1", KEY)
    assert only(provider_handover(settings, {}))["problem"] == "X_KEY is not set."
    assert only(provider_handover(settings, {"X_KEY": "ö"}))["problem"].startswith("X_KEY holds no key")


def test_the_sources_of_a_provider_are_tried_in_their_order(load: Load, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("from-the-file")
    file.chmod(0o600)
    lines = (f"api_key_file = '{file}'", "api_key_command = 'echo $SAID'", "api_key_env = 'X_KEY'")
    settings = load("\n".join(["[providers.x]", "base_url = 'http://x'", *lines]))
    environ = {"PATH": "/usr/bin:/bin", "SAID": "from-the-command", "X_KEY": "from-the-variable"}
    for origin in ("X_KEY", "providers.x.api_key_command", "providers.x.api_key_file"):
        entry = only(provider_handover(settings, environ))
        assert (entry["key_from"], "problem" in entry) == (origin, False)
        environ.popitem()
    file.unlink()
    problem = only(provider_handover(settings, {}))["problem"]
    assert all(word in problem for word in ("X_KEY is not set.", "api_key_command printed nothing.", "cannot be read"))


def test_the_servers_key_comes_from_its_own_sources(load: Load, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    file.chmod(0o600)
    settings = load(f"server_key_file = '{file}'\nserver_key_command = 'exit 4'", server="http://there/v1")
    assert server_credentials(settings, {}).key == KEY
    given = load(f"server_key_file = '{file}'", {"PLAYGROUND_TUI_SERVER_KEY": "given"}, server="http://there/v1")
    assert server_credentials(given, {}).key == "given"
    assert server_credentials(load(server="http://there/v1"), {}).problem == ""


def test_the_configured_servers_key_goes_to_no_other_server(load: Load, tmp_path: Path) -> None:
    toml = f"server = 'http://there/v1'\nserver_key_file = '{tmp_path}/none'\nserver_key_keyring = true"
    assert load(toml, server="http://elsewhere/v1").server_key_file == ""
    assert load(toml, {"PLAYGROUND_TUI_SERVER": "http://elsewhere/v1"}).server_key_keyring is False
    assert load(toml, server="http://there/v1").server_key_file
    assert load(toml).server_key_keyring is True
