"""Long runs of random use: commands, with a short version of each in the suite."""
