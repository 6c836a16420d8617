"""The HTML page: whole, well formed, and nothing of an image is more than text in it."""

from __future__ import annotations

import re

import pytest

from diskwright._values import replace
from diskwright.errors import ImageBroken
from diskwright.model.finding import Accepted
from diskwright.model.guest import FileSystem, GuestFacts
from diskwright.model.partitions import Partition, PartitionRole
from diskwright.model.units import GIB
from diskwright.model.volumes import Volume
from diskwright.report.disk_map import MOST_DRAWN, disk_map
from diskwright.report.html import html
from diskwright.report.html_findings import findings
from diskwright.report.text import verdict_text
from support.good_facts import BIOS, IMAGE, ROOT, TABLE, UEFI
from support.html_pages import PageChecker
from support.judgements import (
    ALL,
    EVIL,
    MANY,
    STATIC_ADDRESS,
    UNREAD,
    hostile,
    judgement,
    validated,
)

# fmt: off
ELEMENTS = {
    "html", "head", "meta", "title", "style", "body", "main", "header", "footer", "section",
    "article", "div", "p", "h1", "h2", "h3", "h4", "a", "ul", "li", "dl", "dt", "dd", "pre",
    "code", "strong", "span", "details", "summary", "table", "thead", "tbody", "tr", "th", "td",
    "br", "svg", "g", "rect", "line", "text",
}
ATTRIBUTES = {
    "lang", "charset", "http-equiv", "content", "name", "id", "class", "href", "scope", "role",
    "aria-label", "aria-hidden", "x", "y", "x1", "x2", "y1", "y2", "width", "height",
    "text-anchor",
}
# fmt: on


def checked(page: str) -> PageChecker:
    return PageChecker(page, ELEMENTS, ATTRIBUTES)


def shown(page: str) -> str:
    return " ".join(text for tag, text in checked(page).texts if tag != "style")


@pytest.mark.parametrize("judged", ALL)
def test_it_is_well_formed_and_of_our_elements_only(judged):
    page = html(judged)
    assert page.startswith("<!DOCTYPE html>\n")
    found = checked(page)
    ids = [attributes["id"] for _, attributes in found.seen if "id" in attributes]
    assert len(ids) == len(set(ids)) == len(judged.judged)
    links = [attributes["href"] for tag, attributes in found.seen if tag == "a"]
    assert {link.removeprefix("#") for link in links} <= set(ids)


def test_it_needs_nothing_else_and_forbids_it():
    page = html(judgement(validated(BIOS)))
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert not re.search(r"<script|<link|<img|<iframe|@import|url\(|\sstyle=|\son\w+=", page)


def test_a_hostile_image_is_text():
    page = html(hostile())
    assert not set(page) & set("\x1b\x00\u202e\ufffe\udc80")
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;]]&gt;\\x1b[2J\\n\\u202e" in page
    assert "\\x1b[2J" in shown(page)
    assert "alert(1)" in EVIL  # what was looked for was there


def test_what_fails_comes_before_what_is_known_of_the_disk():
    page = html(judgement(validated(MANY)))
    heads = ("What stands against an import", "Warnings", "Could not be read")
    order = [*(f">{head}<" for head in heads), "<details>", ">Disk<", ">Facts<"]
    places = [page.index(word) for word in order]
    assert places == sorted(places)


def test_a_finding_has_its_place_its_remedy_and_why():
    text = shown(html(judgement(validated(STATIC_ADDRESS))))
    for said in (
        "an interface has a fixed address",
        "/etc/network/interfaces:6: eth0 static 192.168.10.20/24 (ifupdown)",
        "do in the guest",
        "sed -i",
        "The old network's address does not work in the cloud's network.",
        "Optimizing a Linux Private Image",
        "not ready",
    ):
        assert said in text, said


def test_what_was_accepted_says_why():
    waiver = Accepted("network.net-static-address", "lab network")
    text = shown(html(judgement(validated(STATIC_ADDRESS, waiver))))
    assert "lab network" in text
    assert "not ready" not in text


def test_what_was_not_read_for_one_reason_is_told_once():
    text = shown(html(judgement(validated(UNREAD))))
    assert "rules could not be judged" in text
    assert text.count("xfs is torn") < 12


def test_several_have_an_overview():
    refused = ImageBroken("disk-3.qcow2", "too-short", "3 bytes")
    text = shown(html(judgement(validated(BIOS), validated(STATIC_ADDRESS), refused)))
    for said in ("3 images", "1 not judged", "1 not ready", "1 ready", "broken [too-short]"):
        assert said in text, said


def test_it_says_where_each_line_of_a_remedy_is_for():
    there = "sed -i x /etc/fstab\nupdate-grub"
    here = "diskwright convert A B\n# for a disk of data: diskwright validate --data A"
    verdict = validated(STATIC_ADDRESS).verdict
    (failed,) = verdict.standing(strict=False)
    changed = replace(verdict, findings=(replace(failed, remedy=f"{there}\n{here}"),))
    told = r"<dt[^>]*>(do [^<]*)</dt><dd><pre[^>]*>([^<]*)</pre>"
    assert re.findall(told, "".join(findings(changed, ()))) == [
        ("do in the guest", there),
        ("do here", here),
    ]
    assert f"do here: {here.splitlines()[1]}" in verdict_text("x", changed)


# --- the map -----------------------------------------------------------------------------------


def rects(guest: GuestFacts, size: int) -> list[tuple[str, float, float]]:
    """(class, x, width) in percent, of what is drawn."""
    drawn = re.findall(
        r'<rect class="([^"]*)" x="([\d.]+)%?" y="\d+" width="([\d.]+)%"', disk_map(guest, size)
    )
    return [(kind, float(x), float(width)) for kind, x, width in drawn if kind != "disk"]


def test_partitions_are_drawn_to_scale():
    (found,) = [part for part in rects(BIOS, GIB) if "linux" in part[0]]
    part = TABLE.partitions[0]
    assert found[1] == pytest.approx(100 * part.start / GIB, abs=0.001)
    assert found[2] == pytest.approx(100 * part.length / GIB, abs=0.001)


def test_use_is_a_share_of_the_file_system():
    guest = replace(BIOS, filesystems=(replace(ROOT, size=1000, free=250),))
    whole, used = (part for part in rects(guest, GIB) if part[0] in ("part fs", "used"))
    assert used[2] == pytest.approx(0.75 * whole[2], abs=0.001)


@pytest.mark.parametrize("free", [None, -1, 2000])
def test_a_use_that_can_not_be_is_not_drawn(free):
    guest = replace(BIOS, filesystems=(replace(ROOT, size=1000, free=free),))
    assert "used" not in {kind for kind, _, _ in rects(guest, GIB)}


def test_volumes_are_drawn_in_what_holds_them():
    names = ("/dev/mapper/vg-a", "/dev/mapper/vg-b")
    volumes = tuple(Volume(name, "u", GIB // 8, (1,), True) for name in names)
    pool = FileSystem("LVM2_member", 1, True)
    on = tuple(FileSystem("xfs", None, True, size=1, volume=name) for name in names)
    guest = replace(BIOS, filesystems=(pool, *on), volumes=volumes)
    first, second = (part for part in rects(guest, GIB) if part[0].startswith("part fs"))
    assert first[2] == second[2] == pytest.approx(12.5)
    assert second[1] == pytest.approx(first[1] + 12.5, abs=0.001)


def test_a_file_system_without_partitions_fills_the_disk():
    guest = GuestFacts(filesystems=(FileSystem("ext4", None, True, size=GIB, free=0),))
    assert ("part fs", 0.0, 100.0) in rects(guest, GIB)


@pytest.mark.parametrize(
    ("start", "length"), [(-5, 10), (2 * GIB, 5), (0, 9 * GIB), (5, -5), (1 << 60, 1 << 60)]
)
def test_a_table_that_lies_stays_on_the_map(start, length):
    part = Partition(1, start, length, PartitionRole.OTHER, "00")
    guest = replace(BIOS, table=replace(TABLE, partitions=(part,)))
    for _, x, width in rects(guest, GIB):
        assert 0 <= x <= 100
        assert 0 <= x + width <= 100.001


def test_a_map_is_bounded():
    parts = tuple(Partition(n, n << 20, 1 << 20, PartitionRole.LINUX, "83") for n in range(5000))
    systems = tuple(replace(ROOT, partition=n) for n in range(5000))
    guest = replace(BIOS, table=replace(TABLE, partitions=parts), filesystems=systems)
    assert len(rects(guest, 5000 << 20)) <= 3 * MOST_DRAWN
    assert len(html(judgement(validated(guest)))) < 2_000_000


@pytest.mark.parametrize(("guest", "size"), [(GuestFacts(), GIB), (UEFI, 0)])
def test_there_is_no_map_of_nothing(guest, size):
    assert disk_map(guest, size) == ""
    image = replace(IMAGE, virtual_size=size)
    checked(html(judgement(validated(guest, image=image))))
