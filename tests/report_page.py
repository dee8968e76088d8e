"""A report read back as a browser reads it."""

from html.parser import HTMLParser
from pathlib import Path

VOID = {"meta", "img", "input", "br"}
LINKS = {"src", "href", "xlink:href", "srcset", "action", "data", "poster"}


class Page(HTMLParser):
    """Text, tags and links of a document; raises where a tag is not closed or crosses another."""

    def __init__(self, path: Path) -> None:
        super().__init__(convert_charrefs=True)
        self.source = path.read_text("utf-8")
        self.tags: list[str] = []
        self.links: list[str] = []
        self.attributes: list[str] = []
        self.alts: list[str] = []
        self.outlines: list[str] = []
        self.cells: list[str] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(self.source)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        values = dict(attrs)
        self.attributes += values
        self.links += [value or "" for name, value in attrs if name in LINKS]
        if tag == "img":
            self.alts.append(values["alt"] or "")
        if tag == "path" and self._open[-2:] == ["div", "svg"] and "class" not in values:
            self.outlines.append(values["d"] or "")
        if tag in ("td", "th", "dd", "h2"):
            self.cells.append("")
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" in self._open:
            return
        self.words.append(data)
        if {"td", "th", "dd", "h2"} & set(self._open):
            self.cells[-1] += data

    @property
    def text(self) -> str:
        """Every word shown, one space between any two."""
        return " ".join(" ".join(self.words).split())

    def counts(self) -> dict[str, int]:
        """The tiles: planned and each state."""
        return {
            name: int(self.cells[index].split()[0].replace(",", ""))
            for index, name in enumerate(("planned", "done", "rejected", "failed", "pending"))
        }
