"""A library's page in a real browser: seen in every look, narrowed by its script, whole without."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from diskwright.report.library_html import library_html
from support.browser import TEXTS, Page, browser, installed
from support.library_entries import NOW, hostile_entry, many, team

pytestmark = pytest.mark.skipif(installed() is None, reason="no Chromium is installed")

LEAST_CONTRAST = 4.5  # WCAG 2.1, success criterion 1.4.3
PAGES = {
    "team": team(),
    "hostile": (hostile_entry(1), hostile_entry(2)),
    "many": tuple(many(1200)),
}
SEEN = "[...document.querySelectorAll('tbody.image')].filter((r) => r.checkVisibility()).length"


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("libraries")
    paths = {name: folder / f"{name}.html" for name in PAGES}
    for name, path in paths.items():
        path.write_text(library_html("team-images", PAGES[name], NOW))
    return paths


def typed(page: Page, words: str) -> None:
    page.value(f"""(() => {{
      const find = document.getElementById("find");
      find.value = {json.dumps(words)}; find.dispatchEvent(new Event("input"));
    }})()""")


@pytest.mark.parametrize("width", [1100, 360])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["team", "hostile"])
def test_it_is_seen_and_nothing_is_loaded(page, files, name, dark, width):
    page.open(files[name], dark=dark, width=width)
    page.value("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert page.requests == [files[name].as_uri()]
    assert page.complaints == []
    assert page.value("document.documentElement.scrollWidth") <= width
    texts = json.loads(page.value(TEXTS))
    assert len(texts) > 20
    for text in texts:
        if text["text"] in ("image", "state", "system", "size", "stored", "created"):
            continue  # titles give way to labels on a narrow screen
        assert text["width"] > 0, text
        assert text["height"] > 0, text
        assert text["contrast"] >= LEAST_CONTRAST, text
        assert text["left"] >= 0, text
        assert text["right"] <= width + 1, text


def test_the_filter_narrows_the_table_and_says_how_far(page, files):
    page.open(files["team"])
    assert page.value(SEEN) == 18
    typed(page, "WINDOWS sealed")
    assert page.value(SEEN) == 3
    assert page.value("document.getElementById('found').textContent") == "3 of 18 images"
    typed(page, "nothing of the kind")
    assert page.value(SEEN) == 0
    typed(page, "")
    assert page.value(SEEN) == 18


def test_the_filter_opens_what_is_folded(page, files):
    page.open(files["many"])
    assert page.value(SEEN) == 500
    typed(page, PAGES["many"][1111].id)
    assert page.value(SEEN) == 1
    assert page.value("document.querySelectorAll('details.more:not([hidden])').length") == 1


def test_without_a_script_it_is_whole(page, files):
    page.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        page.open(files["team"])
    finally:
        page.call("Emulation.setScriptExecutionDisabled", value=False)
    assert page.value(SEEN) == 18
    assert page.value("document.getElementById('filter').offsetHeight") == 0


def test_no_other_script_runs_than_its_own(page, files, tmp_path):
    """The policy holds even if an escape were missed: only then a complaint is right."""
    broken = tmp_path / "broken.html"
    inserted = "<script>document.title = 'run'</script><img src='http://127.0.0.1:9/x'>"
    broken.write_text(files["team"].read_text().replace("<main>", f"<main>{inserted}", 1))
    page.open(broken)
    assert page.value("document.title") != "run"
    assert page.complaints


def test_the_newest_versions_are_seen_first(page, files):
    """A long lineage scrolls by itself, and begins at its right end; the rows' names stay."""
    page.open(files["many"], width=600)
    measured = """(() => {
      const box = document.querySelector(".drawn"), svg = box.querySelector("svg");
      const [a, b] = [box, svg].map((one) => one.getBoundingClientRect());
      const names = document.querySelector(".lanes").getBoundingClientRect();
      return [b.right - a.right, b.width - a.width, names.left];
    })()"""
    right, hidden, names = page.value(measured)
    assert abs(right) <= 1
    assert hidden > 100
    assert names > 0


def test_a_narrow_screen_keeps_the_roles_of_a_table(page, files):
    page.open(files["team"], width=360)
    page.call("Accessibility.enable")
    nodes = page.call("Accessibility.getFullAXTree")["nodes"]
    roles = [node["role"]["value"] for node in nodes if not node["ignored"]]
    assert roles.count("table") == 1
    assert roles.count("rowheader") == 18
    assert roles.count("cell") >= 18 * 4
    named = {node["name"]["value"] for node in nodes if "name" in node}
    assert "Show images with" in named
    assert any(name.startswith("Lineage of 13 images in 4 rows") for name in named)


def test_it_can_be_printed(page, files):
    page.open(files["team"])
    assert page.paper().startswith(b"%PDF-")
