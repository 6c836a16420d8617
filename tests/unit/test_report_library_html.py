"""The page of a library: whole, well formed, and nothing in a library is more than text in it."""

from __future__ import annotations

import base64
import hashlib
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diskwright._values import replace
from diskwright.model.library import Entry, Status
from diskwright.report.library_html import SCRIPT, library_html
from diskwright.report.library_rows import MOST_IN_FULL, MOST_ROWS
from diskwright.report.lineage import MOST_IN_A_LANE, MOST_LANES, lineage, lineage_svg
from support.html_pages import PageChecker
from support.judgements import EVIL
from support.library_entries import NOW, entry, hostile_entry, image_id, many, team

# fmt: off
ELEMENTS = {
    "html", "head", "meta", "title", "style", "script", "body", "main", "header", "footer",
    "section", "div", "p", "h1", "h2", "a", "ul", "li", "dl", "dt", "dd", "code", "strong", "span",
    "details", "summary", "table", "thead", "tbody", "tr", "th", "td", "br", "label", "input",
    "svg", "g", "circle", "line", "path", "text",
}
ATTRIBUTES = {
    "lang", "charset", "http-equiv", "content", "name", "id", "class", "href", "scope", "role",
    "aria-label", "aria-labelledby", "aria-hidden", "tabindex", "hidden", "for", "type",
    "autocomplete", "placeholder", "colspan", "data-label", "x", "y", "x1", "x2", "y1", "y2",
    "cx", "cy", "r", "d", "width", "height",
}
# fmt: on


def checked(page: str) -> PageChecker:
    return PageChecker(page, ELEMENTS, ATTRIBUTES)


def page(*entries: Entry) -> str:
    return library_html("team-images", entries, NOW)


def shown(text: str) -> str:
    return " ".join(part for tag, part in checked(text).texts if tag not in ("style", "script"))


@pytest.mark.parametrize(
    "entries", [(), team(), (hostile_entry(),), tuple(many(600))], ids=["0", "team", "evil", "600"]
)
def test_it_is_well_formed_and_of_our_elements_only(entries):
    found = checked(page(*entries))
    ids = [attributes["id"] for _, attributes in found.seen if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = [attributes["href"] for tag, attributes in found.seen if tag == "a"]
    assert {link.removeprefix("#") for link in links} <= set(ids)


def test_it_needs_nothing_else_and_runs_its_own_script_only():
    text = page(*team(), hostile_entry())
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    digest = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'" in policy
    assert text.count("<script") == text.count(f"<script>{SCRIPT}</script>") == 1
    markup = text.replace(SCRIPT, "")
    assert not re.search(r"<link|<img|<iframe|@import|url\(|\sstyle=|\son\w+=|https?:", markup)


def test_a_hostile_library_is_text():
    text = library_html(EVIL, [hostile_entry(1), hostile_entry(2)], EVIL)
    assert not set(text) & set("\x1b\x00\u202e\ufffe\udc80")
    assert "<script>alert" not in text
    assert text.count("<script") == 1
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;]]&gt;\\x1b[2J\\n\\u202e" in text
    checked(text)


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=1), st.text(), st.dictionaries(st.text(), st.text(), max_size=3))
def test_whatever_is_written_stays_text(name, channel, tags):
    one = entry(1, id=name, name=name, channel=channel, tags=tags, description=name)
    checked(page(one, replace(one, id=channel, from_image=name)))


def test_every_image_is_told_with_what_sets_it_apart():
    text = shown(page(*team()))
    # fmt: off
    for said in (
        "18 images", "15 active", "1 pending-delete", "1 error", "1 saving", "16", "4", "sealed",
        "1.3 TiB", "164.4 GiB", "windows-2022-golden-12", "drivers.virtio-net", "2 findings",
        "not opened", "not accepted yet", "shared with 2", "quick", "full-server image",
        "240 GiB", "32.3 GiB", "release=12.6", "team=platform", "(sealed, not opened)",
        "東京-データベース-2026", "Quarterly figures", "channel", "made of", "all facts",
        "the library has fewer records than were seen here",
    ):
        assert said in text, said
    # fmt: on
    assert all(one.id in text for one in team())


def test_an_image_links_to_what_it_was_made_of():
    text = page(*team())
    (link,) = re.findall(r'made of <a href="#([^"]*)">debian-12-base-6</a>', text)
    assert re.search(rf'<tbody [^>]*id="{link}"><tr role="row">.*?debian-12-base-6<', text)
    assert "which is not here" in page(entry(1, from_image="gone"))


def test_an_empty_library_is_a_page_too():
    text = page()
    assert "There are none." in shown(text)
    assert "<script" not in text
    assert "<svg" not in text


@pytest.mark.parametrize("count", [MOST_IN_FULL, MOST_IN_FULL + 1, MOST_ROWS + 1])
def test_a_large_library_is_folded_and_says_so(count):
    text = page(*many(count))
    assert text.count('<tbody role="rowgroup" class="image"') == min(count, MOST_ROWS)
    assert text.count("<summary>all facts") == MOST_IN_FULL
    assert ('<details class="more">' in text) == (count > MOST_IN_FULL)
    assert ("all facts are told of the first 500" in text) == (count > MOST_IN_FULL)
    assert (f"first 5000 of {count} images" in text) == (count > MOST_ROWS)


def test_ten_thousand_images_make_a_page_of_a_few_megabytes():
    entries = list(many(10_000))
    begun = time.process_time()
    text = page(*entries)
    assert time.process_time() - begun < 20
    assert len(text.encode()) < 10 << 20
    assert "10000 images" in text


# --- the lineage -------------------------------------------------------------------------------


def places(*entries: Entry) -> dict[str, tuple[str, int]]:
    """The row and the step of each image."""
    found = lineage(entries)
    return {node.entry.id: (found.lanes[node.lane], node.step) for node in found.nodes}


def test_channels_are_rows_in_the_order_of_time():
    newest_first = reversed(team())
    found = places(*newest_first)
    assert [found[image_id(n)] for n in (1, 2, 6)] == [
        ("debian-12", 0),
        ("debian-12", 1),
        ("debian-12", 5),
    ]
    assert lineage(team()).lanes == ("debian-12", "shop", "windows-2022", "")


def test_what_was_made_of_an_image_stands_right_of_it():
    found = lineage(team())
    assert len(found.edges) == 4
    for source, target in found.edges:
        assert target.entry.from_image == source.entry.id
        assert target.step > source.step


def test_no_two_images_stand_in_one_place():
    found = lineage(many(3000))
    assert len({(node.lane, node.step) for node in found.nodes}) == len(found.nodes)


def test_who_is_of_no_channel_and_no_kin_is_not_drawn():
    assert lineage_svg([entry(1), entry(2)], {}) == ""
    assert set(places(entry(1), entry(2, from_image=image_id(1)), entry(3))) == {
        image_id(1),
        image_id(2),
    }


@pytest.mark.parametrize("length", [1, 2, 3, 50])
def test_a_circle_of_claims_is_drawn_and_ends(length):
    circle = [entry(n, from_image=image_id((n + 1) % length)) for n in range(length)]
    found = lineage(circle)
    assert len(found.nodes) == min(length, MOST_IN_A_LANE)
    drawn = lineage_svg(circle, {})
    assert drawn.count('class="tip"') == len(found.edges)
    checked(page(*circle))


def test_one_id_twice_is_drawn_once():
    twin = entry(1, channel="c")
    assert len(lineage([twin, replace(twin, channel="d")]).nodes) == 1
    checked(page(twin, twin))


def test_what_is_too_much_is_left_out_and_counted():
    entries = [entry(n, channel=f"c-{n % 40}") for n in range(40 * 50)]
    found = lineage(entries)
    assert len(found.lanes) == MOST_LANES
    assert len(found.nodes) == MOST_LANES * MOST_IN_A_LANE
    assert found.left_out == 2000 - len(found.nodes)
    assert f"{found.left_out} images not drawn" in lineage_svg(entries, {})


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(0, 2)), max_size=12))
def test_any_graph_is_placed(claims):
    entries = [
        entry(n, from_image=image_id(source), channel=f"c{lane}" if lane else "", created=f"{n}")
        for n, source, lane in claims
    ]
    found = lineage(entries)
    assert len({node.entry.id for node in found.nodes}) == len(found.nodes)
    assert len({(node.lane, node.step) for node in found.nodes}) == len(found.nodes)
    for source, target in found.edges:
        assert target.entry.from_image == source.entry.id


def test_a_node_tells_its_state_by_a_sign_too():
    drawn = lineage_svg([entry(1, channel="c", status=Status.ERROR)], {})
    assert '<circle class="bad"' in drawn
    assert ">×</text>" in drawn
