"""``python -m cli``: the ``footfall`` command."""

from cli import main

main(prog_name="footfall")
