"""The registry of runs: what they were made from, how they did, who is champion, what was told."""
