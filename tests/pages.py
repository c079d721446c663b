"""The pages for people: where they are, and what can be read off them."""

from pathlib import Path
import re
from typing import Final

ROOT: Final = Path(__file__).parent.parent
# The README leads to these.
DOCS: Final = sorted((ROOT / "docs").glob("*.md"))


def parts(path: Path) -> set[str]:
    """Return the addresses of the headings of a page, as GitHub makes them."""
    headings = re.findall(
        r"^#+ +(.+?) *$", path.read_text(encoding="utf-8"), re.MULTILINE
    )
    return {
        re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        for heading in headings
    }


def links(path: Path) -> list[str]:
    """Return where the links and the pictures of a page lead to."""
    text = path.read_text(encoding="utf-8")
    found = re.findall(r"\]\(([^)\s]+)\)|src(?:set)?=\"([^\"]+)\"", text)
    return [link or source for link, source in found]
