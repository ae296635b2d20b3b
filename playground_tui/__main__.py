"""`python -m playground_tui` is `playground-tui`."""

import sys

from playground_tui.cli import main

if __name__ == "__main__":
    sys.exit(main())
