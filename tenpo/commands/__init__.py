"""Commands of the kernel itself. Not for work: they read arguments and print."""
