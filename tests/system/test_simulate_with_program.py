"""`footfall simulate --program`: the firmware's core as processes, a real ingest, and the client's file."""

from pathlib import Path

from harness.installation import install
from simulator.truth_file import read_truth
from tests.support.firmware import program

DAY = "2026-05-04"


def test_day_counted_by_the_firmware_gives_the_right_file(tmp_path: Path) -> None:
    here = install(tmp_path / "here")
    with here.serving():
        truth = here.folder / "truth.csv"
        here.run(
            "simulate", "--day", DAY, "--people", "60", "--program", str(program("counter")), "--truth", str(truth)
        )
        rows = here.run("export", "--day", DAY, "--output", "-").stdout.decode().splitlines()
        counters = here.get("/api/v1/counters")["counters"]
    crossings = read_truth(truth)
    assert len(crossings) >= 120
    in_file = sum(int(row.split(",")[2]) for row in rows), sum(int(row.split(",")[3]) for row in rows)
    opening, closing = 1_777_874_400_000, 1_777_874_400_000 + 11 * 3_600_000  # 08:00 to 19:00 in Paris
    inside = [one for one in crossings if opening <= one.time_epoch_ms < closing]
    assert in_file == (sum(one.direction > 0 for one in inside), sum(one.direction < 0 for one in inside))
    assert {one["lost"] for one in counters} == {0}
    assert {one["undated"] for one in counters} == {0}


def test_missing_program_is_reported_with_the_command_that_builds_it(tmp_path: Path) -> None:
    here = install(tmp_path / "here")
    done = here.run("simulate", "--day", DAY, "--program", "nowhere", check=False)
    assert done.returncode == 2
    assert b"make firmware" in done.stderr
