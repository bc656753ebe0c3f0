"""`firmware/build/trace`: a beam trace in, crossings out."""

import subprocess

import pytest

from tests.support.firmware import program

LITTLE_MEMORY = 4 * 1024 * 1024
ENTRY = "0,0,0\n1000,1,0\n1100,1,1\n1300,0,1\n1400,0,0\n"


def run(text: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program("trace"), *options], input=text, capture_output=True, text=True, check=False)


def test_crossings_on_stdout_aborted_on_stderr() -> None:
    """A crossing is `t_ms,entry` or `t_ms,exit`; the number of aborted passes goes to stderr at the end."""
    ended = run(ENTRY + "3000,1,0\n3300,0,0\n5000,0,1\n5100,1,1\n5300,1,0\n5400,0,0\n")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "1200,entry\n5200,exit\n", "aborted: 1\n")


@pytest.mark.parametrize(
    "text",
    [
        "t_ms,outer,inner\n" + ENTRY,
        ENTRY.replace("\n", "\r\n"),
        ENTRY.replace("\n", "\n\n"),
        "# drawn by hand\n" + ENTRY,
        "\ufeff" + ENTRY,
        ENTRY.replace("1100,", "1100.000,"),
        ENTRY.replace(",", " , "),
        ENTRY.removeprefix("0,0,0\n"),
        ENTRY.removesuffix("\n"),
    ],
)
def test_accepts_common_variants(text: str) -> None:
    """Headers, comments, empty lines, Windows line ends, decimals and blanks are accepted."""
    ended = run(text)
    assert (ended.returncode, ended.stdout) == (0, "1200,entry\n")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("0,0,0\n5,2,0\n", "line 2: expected t_ms,outer,inner"),
        ("0,0,0\nfive,1,0\n", "line 2: expected t_ms,outer,inner"),
        ("0,0,0\n5,1\n", "line 2: expected t_ms,outer,inner"),
        ("0,0,0\n5,1,0,1\n", "line 2: expected t_ms,outer,inner"),
        ("0,0,0\n9,1,0\n8,0,0\n", "line 3: time goes back"),
        ("0,0,0\n" + "9" * 30 + ",1,0\n", "line 2: expected t_ms,outer,inner"),
        ("0,0,0\n" + "9" * 300 + "\n", "line 2: too long"),
    ],
)
def test_invalid_line_is_reported_with_its_number(text: str, complaint: str) -> None:
    """Exit status 2, and the number of the line."""
    ended = run(text)
    assert ended.returncode == 2
    assert complaint in ended.stderr


def test_beam_interrupted_in_the_first_line_is_unknown() -> None:
    """A beam interrupted at time 0 is like one at power-up: it does not count."""
    assert run("0,1,0\n100,1,1\n300,0,1\n400,0,0\n").stdout == ""


def test_end_of_input_decides_everything() -> None:
    """The last crossing needs no further line."""
    assert run("1000,1,0\n1100,1,1\n1300,0,1\n1400,0,0\n").stdout == "1200,entry\n"


def test_a_crossing_is_printed_while_the_trace_continues() -> None:
    """Each crossing is flushed as soon as a later line settles it."""
    with subprocess.Popen([program("trace")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(ENTRY + "9000,1,0\n")
        process.stdin.flush()
        assert process.stdout.readline() == "1200,entry\n"
        process.stdin.close()


def test_swap_and_invert() -> None:
    """`--swap` exchanges the columns, `--invert` reads 0 as interrupted."""
    assert run(ENTRY, "--swap").stdout == "1200,exit\n"
    inverted = "0,1,1\n1000,0,1\n1100,0,0\n1300,1,0\n1400,1,1\n"
    assert run(inverted, "--invert").stdout == "1200,entry\n"


def test_spacing_decides_what_is_long_enough() -> None:
    """The same edges are a body at 15 cm, and too short for one at 4 cm."""
    text = "1000,1,0\n1100,1,1\n1200,0,1\n1300,0,0\n"
    assert run(text, "--spacing-mm", "150").stdout == "1150,entry\n"
    assert run(text, "--spacing-mm=40").stdout == ""


@pytest.mark.parametrize("options", [["--spacing-mm", "5"], ["--spacing-mm"], ["--spacing-mm", "1e2"], ["--what"]])
def test_usage_error_is_reported(options: list[str]) -> None:
    ended = run("", *options)
    assert ended.returncode == 2
    assert ended.stderr.startswith("trace: ")


def test_help_names_every_option() -> None:
    ended = run("", "--help")
    assert ended.returncode == 0
    for option in ("--spacing-mm", "--swap", "--invert", "--help"):
        assert option in ended.stdout


def test_times_since_1970_and_days_apart() -> None:
    """Milliseconds since 1970, with days between two people, across many wraps of the firmware's 32-bit clock."""
    start, day = 1_777_874_400_000, 86_400_000
    text = "".join(
        f"{start + number * 3 * day + at},{levels}\n"
        for number in range(3)
        for at, levels in ((0, "1,0"), (100, "1,1"), (300, "0,1"), (400, "0,0"))
    )
    assert run(text).stdout == "".join(f"{start + number * 3 * day + 200},entry\n" for number in range(3))


def test_a_million_lines_are_read_to_the_last() -> None:
    """A month's trace takes no more memory than a minute's, because lines are read one by one."""
    one = ((0, "1,0"), (100, "1,1"), (300, "0,1"), (400, "0,0"))
    text = "".join(f"{number * 2000 + 1000 + at},{levels}\n" for number in range(250_000) for at, levels in one)
    limited = ["prlimit", f"--data={LITTLE_MEMORY}", str(program("trace"))]
    ended = subprocess.run(limited, input=text, capture_output=True, text=True, check=True)
    assert ended.stdout.count("entry") == 250_000
