"""A playground in the terminal to build, edit and test AI assistants."""

__version__ = "0.1.0"
