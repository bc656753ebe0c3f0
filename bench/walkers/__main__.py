"""``python -m bench.walkers SCENARIO``: prints a trace for `firmware/build/trace`, and writes the truth to a file."""

from pathlib import Path

import click

from bench.walkers.scenarios import BY_NAME
from bench.walkers.trials import joined, lines


@click.command()
@click.argument("scenario", type=click.Choice(tuple(BY_NAME)))
@click.option("--people", default=100, show_default=True, help="People who take part, at least.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same people.")
@click.option(
    "--truth",
    type=click.Path(path_type=Path),
    help="Write a line `t_ms,entry|exit,from_ms,to_ms` per crossing to this file.",
)
def main(scenario: str, people: int, seed: int, truth: Path | None) -> None:
    """Print SCENARIO as the beams see it: a line `t_ms,outer,inner` per change."""
    trial = joined(BY_NAME[scenario].trials(people, seed))
    click.echo(lines(trial), nl=False)
    if truth is not None:
        rows = (
            f"{each.at_ms:.0f},{'entry' if each.direction > 0 else 'exit'},{each.from_ms:.0f},{each.to_ms:.0f}\n"
            for each in trial.truth
        )
        truth.write_text("".join(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
