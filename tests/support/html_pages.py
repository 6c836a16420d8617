"""Reads a page as a browser would, and holds it to what we write."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "br", "input"}


class PageChecker(HTMLParser):
    """Elements are closed in order, and are those that are given; text is gathered by element."""

    def __init__(self, page: str, elements: set[str], attributes: set[str]) -> None:
        self.elements, self.attributes = elements, attributes
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        assert tag in self.elements, tag
        assert {name for name, _ in attrs} <= self.attributes, attrs
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        assert tag in self.elements, tag
        assert {name for name, _ in attrs} <= self.attributes, attrs
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data))
