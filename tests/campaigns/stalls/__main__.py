"""The terminal stops reading, for seconds or for ever: the program goes on, and ends when it is told to.

    python -m tests.campaigns.stalls [--count 100] [--seed 1] [--only NUMBER] [--at-once N]

While nobody reads, what is typed reaches the disk and the engine, runs end, and the program does not spin. When the
terminal reads again, it shows what a repaint shows. With SIGTERM or SIGHUP the process is gone in time.
"""

from __future__ import annotations

import sys

from tests.campaigns.stalls.campaign import CAMPAIGN

if __name__ == "__main__":
    sys.exit(CAMPAIGN.main(__doc__, count=100))
