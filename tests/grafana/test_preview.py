"""The picture in grafana/README.md."""

from pathlib import Path

from tests.support.grafana_preview import main

PICTURE = Path(__file__).parents[2] / "docs" / "pictures" / "dashboard.svg"


def test_picture_shows_what_the_queries_answer(tmp_path: Path) -> None:
    """It is drawn from the dashboard's JSON and real answers; whoever changes a panel draws it anew."""
    main(tmp_path / "dashboard.svg")
    drawn = (tmp_path / "dashboard.svg").read_text(encoding="utf-8")
    assert drawn == PICTURE.read_text(encoding="utf-8"), f"python -m tests.support.grafana_preview {PICTURE}"
