"""The picture in grafana/README.md is up to date."""

from pathlib import Path

from tests.support.grafana_preview import main

PICTURE = Path(__file__).parents[2] / "docs" / "pictures" / "dashboard.svg"


def test_picture_is_up_to_date(tmp_path: Path) -> None:
    """Redraw it after a change to a panel."""
    main(tmp_path / "dashboard.svg")
    drawn = (tmp_path / "dashboard.svg").read_text(encoding="utf-8")
    assert drawn == PICTURE.read_text(encoding="utf-8"), f"python -m tests.support.grafana_preview {PICTURE}"
