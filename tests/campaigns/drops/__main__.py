"""The line drops at random moments while somebody types, over and over: nothing is lost, and nothing is left behind.

    python -m tests.campaigns.drops [--count 500] [--seed 1] [--only NUMBER] [--at-once N]

By SIGHUP, SIGTERM, SIGKILL, or as the terminal is closed; in every field, while a save, a run, a stream, a dialog or
$EDITOR is open. At the next start everything typed up to 300 ms before is there.
"""

from __future__ import annotations

import os
import sys

from tests.campaigns.drops.campaign import CAMPAIGN

if __name__ == "__main__":
    sys.exit(CAMPAIGN.main(__doc__, count=500, at_once=(os.cpu_count() or 1) + 1))
