"""Where matplotlib draws in the sandbox: figures become pictures when they are shown, and at the end of the code."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from typing import Any

from matplotlib import pyplot
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

FigureCanvas = FigureCanvasAgg


@dataclass(frozen=True, slots=True)
class Shown:
    """A figure as something that has a picture."""

    figure: Figure

    def _repr_png_(self) -> bytes:
        picture = io.BytesIO()
        self.figure.savefig(picture, format="png", bbox_inches="tight")
        return picture.getvalue()


def show(*_arguments: Any, **_options: Any) -> None:
    """Show all open figures and close them."""
    for number in pyplot.get_fignums():
        figure = pyplot.figure(number)
        sys.displayhook(Shown(figure))
        pyplot.close(figure)
