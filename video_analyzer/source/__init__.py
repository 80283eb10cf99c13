"""From bytes of somebody else to pictures with times, in a child process with limits.

`wire` is what parent and child say to each other, `reader` runs in the child, `frames` in the
parent. Everything in `reader` imports little, so that a child starts at once.
"""
