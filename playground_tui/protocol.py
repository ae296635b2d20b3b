"""What the program and its engine must agree on. Imports nothing."""

PROTOCOL = 1
"""Number of the engine's control protocol: same number, they understand each other."""

SCHEMA = "0003"
"""Revision of the engine's tables that this program knows; revisions sort as text."""

CLIENT_HEADER = "X-Playground-Tui-Client"
"""Who asks, in words for a person: kept with the versions of an assistant."""

PROVIDER_HEADER = "X-Playground-Tui-Provider"
"""Name of the provider that a bare model id means to this visitor."""

HOPS_HEADER = "X-Playground-Tui-Hops"
"""On every request to a provider: an engine that is asked with it is its own provider."""
