"""The HTML report in a real browser: light and dark, narrow and wide, seen, and nothing loaded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from diskwright._values import replace
from diskwright.errors import ImageBroken
from diskwright.model.finding import Accepted
from diskwright.model.partitions import Partition, PartitionRole
from diskwright.model.units import MIB
from diskwright.report.html import html
from support.browser import TEXTS, Page, browser, installed
from support.good_facts import UEFI
from support.judgements import MANY, STATIC_ADDRESS, UNREAD, hostile, judgement, validated

pytestmark = pytest.mark.skipif(installed() is None, reason="no Chromium is installed")

LEAST_CONTRAST = 4.5  # WCAG 2.1, success criterion 1.4.3
WAIVER = Accepted("network.net-static-address", "lab network")
GROWING = tuple(  # from a fiftieth of the disk to a fifth
    Partition(n, MIB * 10 * n * (n - 1), MIB * 20 * n, PartitionRole.LINUX, "83", "WWWW@mm")
    for n in range(1, 11)
)
PAGES = {
    "one": judgement(validated(MANY)),
    "many": judgement(
        validated(STATIC_ADDRESS),
        validated(UEFI),
        validated(STATIC_ADDRESS, WAIVER),
        validated(UNREAD),
        ImageBroken("disk-5.qcow2", "too-short", "3 bytes"),
    ),
    "hostile": hostile(),
    "map": judgement(validated(replace(UEFI, table=replace(UEFI.table, partitions=GROWING)))),
}


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    paths = {name: folder / f"{name}.html" for name in PAGES}
    for name, path in paths.items():
        path.write_text(html(PAGES[name]))
    return paths


@pytest.mark.parametrize("width", [1000, 360])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_it_is_seen_and_nothing_is_loaded(page, files, name, dark, width):
    page.open(files[name], dark=dark, width=width)
    assert page.requests == [files[name].as_uri()]
    assert page.complaints == []
    assert page.value("document.documentElement.scrollWidth") <= width
    texts = json.loads(page.value(TEXTS))
    assert len(texts) > 20
    for text in texts:
        assert text["width"] > 0, text
        assert text["height"] > 0, text
        assert text["contrast"] >= LEAST_CONTRAST, text
        assert text["left"] >= 0, text
        assert text["right"] <= width + 1 or text["scrolls"], text


def test_light_and_dark_differ(page, files):
    grounds = []
    for dark in (False, True):
        page.open(files["one"], dark=dark)
        grounds.append(page.value("getComputedStyle(document.body).backgroundColor"))
    assert grounds == ["rgb(246, 247, 249)", "rgb(18, 22, 29)"]


@pytest.mark.parametrize("width", [1000, 360])
def test_the_map_is_drawn_to_scale(page, files, width):
    page.open(files["one"], width=width)
    measured = """
      JSON.stringify([...document.querySelectorAll(".map .part, .map .disk")].map((shape) => {
        const box = shape.getBoundingClientRect();
        return [shape.getAttribute("class"), box.left, box.width];
      }))
    """
    shapes = json.loads(page.value(measured))
    disk = next(shape for shape in shapes if shape[0] == "disk")
    part = next(shape for shape in shapes if "linux" in shape[0])
    drawn = MANY.table.partitions[0]
    assert disk[2] > 0.8 * (width - 100)
    assert part[2] / disk[2] == pytest.approx(drawn.length / (1 << 30), abs=0.01)


@pytest.mark.parametrize("width", [1000, 577, 576, 360])
def test_labels_on_the_map_are_whole(page, files, width):
    page.open(files["map"], width=width)
    measured = """
      JSON.stringify([...document.querySelectorAll(".map g text")].map((label) => {
        const part = label.closest("g").querySelector(".part");
        const [text, room] = [label, part].map((shape) => shape.getBoundingClientRect());
        return [label.textContent, text.width, room.right - text.right];
      }).filter((seen) => seen[1] > 0))
    """
    labels = json.loads(page.value(measured))
    assert len(labels) > 4
    assert all(left >= 0 for _, _, left in labels), labels


def test_the_first_finding_is_seen_without_scrolling(page, files):
    page.open(files["one"], width=360, height=740)
    top = page.value("document.querySelector('.finding h4').getBoundingClientRect().top")
    assert 0 < top < 740


def test_a_click_selects_a_whole_remedy(page, files):
    page.open(files["one"])
    assert page.value("getComputedStyle(document.querySelector('pre.copy')).userSelect") == "all"


def test_no_script_runs_of_a_page_that_has_one(page, files, tmp_path):
    """The policy holds even if an escape were missed: only then a complaint is right."""
    broken = tmp_path / "broken.html"
    text = files["one"].read_text()
    inserted = "<script>document.title = 'run'</script><img src='http://127.0.0.1:9/x'>"
    broken.write_text(text.replace("<main>", f"<main>{inserted}", 1))
    page.open(broken)
    assert page.value("document.title") != "run"
    assert page.complaints


def test_it_can_be_printed(page, files):
    page.open(files["many"])
    paper = page.paper()
    assert paper.startswith(b"%PDF-")
    assert paper.count(b"/Type /Page\n") >= 4
