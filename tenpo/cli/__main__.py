"""`python -m tenpo.cli`: the same as `tenpo`, where only an interpreter is at hand."""

from tenpo.cli.main import main

main()
