"""The SDK with types that load when asked for is the SDK, only lighter."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from playground_tui.assistants.light_sdk import exports

EVERY_NAME = """
import importlib, json, pkgutil, sys
if "light" in sys.argv:
    from playground_tui.assistants.light_sdk import load_types_when_asked
    load_types_when_asked()
    load_types_when_asked()
import openai
loaded = sorted(name for name in sys.modules if name.startswith("openai."))
packages = ["openai.types", "openai.types.beta", "openai.types.beta.threads", "openai.types.beta.threads.runs",
    "openai.types.responses", "openai.types.chat", "openai.types.shared", "openai.types.vector_stores"]
names = {}
for package in packages:
    module = importlib.import_module(package)
    for name in sorted(set(module.__all__ if hasattr(module, "__all__") else vars(module))):
        value = getattr(module, name)
        if not name.startswith("_") and name != "annotations" and not hasattr(value, "__path__"):
            names[f"{package}.{name}"] = str(value)
print(json.dumps({"loaded": len(loaded), "names": names}))
"""


def _in_a_process(*argv: str) -> Any:
    done = subprocess.run([sys.executable, "-c", EVERY_NAME, *argv], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def test_every_name_is_what_the_sdk_has_and_most_are_loaded_only_when_asked_for() -> None:
    light, whole = _in_a_process("light"), _in_a_process()
    kept = {name: value for name, value in whole["names"].items() if not value.startswith("<module")}
    assert len(kept) > 500
    assert {name: light["names"][name] for name in kept} == kept
    assert light["loaded"] < whole["loaded"] / 2


def test_a_name_that_a_package_does_not_have_is_an_attribute_error() -> None:
    program = """
from playground_tui.assistants.light_sdk import load_types_when_asked
load_types_when_asked()
import openai.types.beta
try:
    openai.types.beta.Nonsense
except AttributeError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout == "module 'openai.types.beta' has no attribute 'Nonsense'\n"


@pytest.mark.parametrize(
    "source",
    [
        "import os",
        "from os import path",
        "from . import beta",
        "from .batch import Batch\nprint(Batch)",
        "from .model import model",
        "",
    ],
)
def test_a_package_that_does_more_than_take_names_from_its_modules_is_loaded_as_ever(source: str) -> None:
    assert exports(source) == {}


def test_names_are_found_with_where_they_come_from() -> None:
    source = "from __future__ import annotations\nfrom .batch import Batch as Batch, Error as BatchError\n"
    assert exports(source) == {"Batch": ("batch", "Batch"), "BatchError": ("batch", "Error")}
