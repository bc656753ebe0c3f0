"""The documentation as tests read it: headings, tables, fenced blocks and links of a Markdown page."""

import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)$")
_MARKER = re.compile(r"^ *<!-- (?P<text>.*) -->$")
_HEADING = re.compile(r"^(?P<level>#{1,6}) (?P<title>.+)$")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A fenced block. ``marker`` is the comment on the line before it, which says what a test does with it."""

    language: str
    marker: str
    text: str
    line: int


@dataclass(frozen=True)
class Page:
    """One Markdown file."""

    path: Path

    @property
    def name(self) -> str:
        """Its path inside the repository."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def text(self) -> str:
        """All of it."""
        return self.path.read_text(encoding="utf-8")

    def prose(self) -> list[str]:
        """Return the lines outside fenced blocks."""
        return self._parts()[0]

    def blocks(self, language: str = "", marker: str = "") -> list[Block]:
        """Return the fenced blocks of *language* whose marker begins with *marker*; empty: any."""
        return [
            block
            for block in self._parts()[1]
            if (not language or block.language == language) and block.marker.startswith(marker)
        ]

    def anchors(self) -> set[str]:
        """Return what a link may point to, as GitHub makes it of headings."""
        seen: Counter[str] = Counter()
        found = set()
        for line in self.prose():
            heading = _HEADING.match(line)
            if heading is None:
                continue
            anchor = re.sub(r"[^\w\- ]", "", heading["title"].lower()).replace(" ", "-")
            found.add(f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
            seen[anchor] += 1
        return found

    def headings(self) -> list[str]:
        """Return the titles of all headings, as written."""
        return [heading["title"] for line in self.prose() if (heading := _HEADING.match(line))]

    def section(self, title: str) -> list[str]:
        """Return the lines outside fenced blocks from the heading *title* to the next one of its level or above."""
        lines, level = [], 0
        for line in self.prose():
            heading = _HEADING.match(line)
            if heading and level and len(heading["level"]) <= level:
                break
            if level:
                lines.append(line)
            elif heading and heading["title"] == title:
                level = len(heading["level"])
        if not level:
            raise AssertionError(f"{self.name} has no heading {title!r}")
        return lines

    def rows(self, title: str, *columns: str) -> list[list[str]]:
        """Return the rows of all tables in the section *title* whose first columns are *columns*."""
        found: list[list[str]] = []
        inside = False
        for line in self.section(title):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]
            if not cells:
                inside = False
            elif cells[: len(columns)] == list(columns):
                inside = True
            elif inside and not set(cells[0]) <= set("- "):
                found.append([cell.replace("\\|", "|") for cell in cells])
        return found

    def links(self) -> list[str]:
        """Return the targets of all links and pictures."""
        return _LINK.findall(re.sub(r"`[^`\n]*`", "code", "\n".join(self.prose())))

    def _parts(self) -> tuple[list[str], list[Block]]:
        prose: list[str] = []
        blocks: list[Block] = []
        opened: re.Match[str] | None = None
        held: list[str] = []
        start = 0
        for number, line in enumerate(self.text.splitlines(), start=1):
            fence = _FENCE.match(line)
            if opened is None and fence is not None:
                opened, held, start = fence, [], number
            elif opened is not None and line == opened["indent"] + "```":
                marker = next((one for one in reversed(prose) if one.strip()), "")
                match = _MARKER.match(marker) if prose and prose[-1] == marker else None
                text = "\n".join(one.removeprefix(opened["indent"]) for one in held) + "\n"
                blocks.append(Block(opened["language"], match["text"] if match else "", text, start))
                prose.append("")
                opened = None
            elif opened is not None:
                held.append(line)
            else:
                prose.append(line)
        if opened is not None:
            raise AssertionError(f"{self.name}: the block that starts at line {start} does not end")
        return prose, blocks


@cache
def page(name: str) -> Page:
    """Return the page *name*, ``docs/operate.md``."""
    return Page(ROOT / name)


def pages() -> list[Page]:
    """Return every page for people: those beside the README and those of docs/."""
    return [
        page(path.relative_to(ROOT).as_posix()) for path in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
    ]


def plain(cell: str) -> str:
    """Return *cell* without the marks of code."""
    return cell.replace("`", "")


def code(cell: str) -> str:
    """Return the first thing *cell* marks as code. Raises AssertionError when there is none."""
    found = re.search(r"`([^`]+)`", cell)
    assert found, f"{cell!r} marks nothing as code"
    return found[1]
