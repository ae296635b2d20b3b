"""The engine dies under an open program, over and over: it is said, started again, and nothing typed is lost.

    python -m tests.campaigns.deaths [--count 300] [--seed 1] [--only NUMBER] [--at-once N]

It is killed (SIGKILL) at random moments while others use it too. The store is sound each time, a run that was under way
ends as failed with its text kept, and a message that was on its way is there once.
"""

from __future__ import annotations

import sys

from tests.campaigns.deaths.campaign import CAMPAIGN

if __name__ == "__main__":
    sys.exit(CAMPAIGN.main(__doc__, count=300))
