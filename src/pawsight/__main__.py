"""``python -m pawsight`` is the command ``pawsight``."""

from pawsight.cli import main

main()
