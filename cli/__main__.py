"""``python -m footfall``: the same as the ``footfall`` command."""

from cli import main

main(prog_name="footfall")
