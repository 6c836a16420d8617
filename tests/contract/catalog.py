"""What every Catalog promises. An adapter passes by giving the fixture `catalog`, empty."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from diskwright._values import field_names, replace
from diskwright.errors import IllegalState
from diskwright.model.library import (
    STEPS,
    Entry,
    ImageKind,
    MemberState,
    Query,
    Status,
    Visibility,
)
from support.entries import change, disk, entry, full, image_id
from support.library_queries import expected, libraries, queries

EVERY = tuple(Status)


def names(entries) -> list[str | None]:
    return [it.name for it in entries]


class CatalogContract:
    def test_what_was_saved_is_there_in_every_field(self, catalog):
        empty = entry(2)
        for name in field_names(Entry)[8:]:
            assert getattr(full(), name) != getattr(empty, name), name
        for saved in (full(), empty, entry(3, name=None), entry(4, name="", tags={"": ""})):
            catalog.save(saved, ())
            assert catalog.entry(saved.id) == saved
        assert next(catalog.query(Query(sort="id"))) == full()
        assert catalog.entry(image_id(99)) is None

    def test_a_save_takes_the_place_of_all_that_was_there(self, catalog):
        catalog.save(full(), (change(1), change(2)))
        catalog.save(entry(), (change(1, "other"),))
        assert catalog.entry(image_id(1)) == entry()
        assert catalog.history(image_id(1)) == (change(1, "other"),)
        assert catalog.tag_values() == {}
        assert catalog.count(Query(tags={"env": None})) == 0
        assert catalog.count(Query(name="image-1")) == 1

    def test_a_history_is_told_as_it_was_given(self, catalog):
        given_history = (change(1), change(3, "naïve \0 text"), change(2))
        catalog.save(entry(1), given_history)
        catalog.save(entry(2), (change(9),))
        assert catalog.history(image_id(1)) == given_history
        assert catalog.history(image_id(3)) == ()

    @pytest.mark.parametrize("before", Status)
    @pytest.mark.parametrize("after", Status)
    def test_a_status_is_followed_by_one_of_its_steps_or_nothing_changes(
        self, catalog, before, after
    ):
        old, new = entry(status=before, seq=1), entry(status=after, seq=1, tags={"new": ""})
        catalog.save(old, (change(1),))
        if after is before or after in STEPS[before]:
            catalog.save(new, (change(2),))
            assert (catalog.entry(old.id), catalog.history(old.id)) == (new, (change(2),))
        else:
            with pytest.raises(IllegalState) as caught:
                catalog.save(new, (change(2),))
            assert (caught.value.state, caught.value.wanted) == (before.value, after.value)
            assert (catalog.entry(old.id), catalog.history(old.id)) == (old, (change(1),))
            assert catalog.tag_values() == {}

    def test_where_others_put_records_they_may_have_taken_several_steps(self, catalog):
        catalog.save(entry(status=Status.SAVING, seq=0), ())
        catalog.save(entry(status=Status.PENDING_DELETE, seq=1), ())
        with pytest.raises(IllegalState):
            catalog.save(entry(status=Status.SAVING, seq=2), ())

    def test_an_entry_begins_with_any_status(self, catalog):
        for number, status in enumerate(EVERY):
            catalog.save(entry(number, status=status), ())
        assert catalog.count(Query(statuses=EVERY)) == len(EVERY)

    @pytest.mark.parametrize("offers", [1, 5, 30])
    @pytest.mark.parametrize("state", [MemberState.PENDING, MemberState.REJECTED])
    def test_what_others_offer_is_matched_where_nothing_of_ours_is(self, catalog, state, offers):
        ours = entry(500, name="web")
        about = {"visibility": Visibility.SHARED, "received": state, "origin": "dir:/evil"}
        for number in range(offers):
            catalog.save(entry(number, name="web", **about), ())
        assert len(catalog.matching("web")) == min(offers, 21)
        assert len(catalog.matching(image_id(0)[:6])) == min(offers, 21)
        catalog.save(ours, ())
        for number, name in enumerate((ours.id[:12], ours.id[:4])):
            catalog.save(entry(100 + number, name=name, **about), ())
        for wanted in ("web", ours.id, ours.id[:12], ours.id[:4]):
            assert catalog.matching(wanted) == (ours,)
        assert catalog.matching(image_id(0))[0].received is state
        accepted = entry(0, name="web", **about | {"received": MemberState.ACCEPTED})
        catalog.save(accepted, ())
        assert catalog.matching("web") == (ours, accepted)

    def test_an_id_comes_before_a_name_and_a_name_before_a_prefix(self, catalog):
        first, second = image_id(1), image_id(2)
        catalog.save(entry(1), ())
        catalog.save(entry(2, name=first), ())
        catalog.save(entry(3, name=second[:6]), ())
        assert catalog.matching(first) == (entry(1),)
        assert names(catalog.matching(second[:6])) == [second[:6]]
        assert len(catalog.matching(second[:7])) == 3
        assert catalog.matching(second[:4]) == tuple(catalog.query(Query(sort="id")))
        assert catalog.matching(second[:3]) == ()
        assert catalog.matching(second[:4] + "\U0010ffff") == ()
        assert catalog.matching("\udcff") == catalog.matching("") == ()
        assert catalog.matching("%") == catalog.matching("____") == catalog.matching("*") == ()

    def test_a_name_is_told_of_all_that_have_it_but_what_is_gone(self, catalog):
        catalog.save(entry(2, name="twin"), ())
        catalog.save(entry(1, name="twin"), ())
        catalog.save(entry(3, name="twin", status=Status.PENDING_DELETE), ())
        catalog.save(entry(4, name="twin", status=Status.DELETED), ())
        catalog.save(entry(5, name="Twin"), ())
        assert catalog.matching("twin") == (entry(1, name="twin"), entry(2, name="twin"))
        assert len(catalog.matching(image_id(3))) == len(catalog.matching(image_id(4))) == 1
        assert len(catalog.matching(image_id(1)[:8])) == 5

    def test_at_most_21_are_told(self, catalog):
        for number in range(30):
            catalog.save(entry(number, name="same"), ())
        assert len(catalog.matching("same")) == len(catalog.matching(image_id(1)[:8])) == 21

    @settings(
        max_examples=150,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(entries=libraries(), query=queries())
    def test_a_query_takes_what_its_filters_say(self, catalog, entries, query):
        catalog.clear()
        for it in entries:
            catalog.save(it, ())
        wanted = expected(entries, query)
        assert list(catalog.query(query)) == wanted
        assert [it.id for it in catalog.listed(query)] == [it.id for it in wanted]
        assert catalog.count(query) == len(expected(entries, replace(query, limit=0, offset=0)))

    def test_names_are_sorted_by_code_points_and_none_comes_last(self, catalog):
        given_names = ["b", "A", "\U0001f600", None, "ß", "\uff41", "a", "B", "Z", "_"]
        for number, name in enumerate(given_names):
            catalog.save(entry(number, name=name), ())
        up = ["_", "A", "a", "b", "B", "ß", "Z", "\uff41", "\U0001f600", None]
        assert names(catalog.query(Query(sort="name"))) == up
        down = ["\U0001f600", "\uff41", "Z", "ß", "B", "b", "a", "A", "_", None]
        assert names(catalog.query(Query(sort="name", descending=True))) == down

    def test_sizes_of_disks_and_stored_ones_are_sorted_by(self, catalog):
        catalog.save(entry(1, disks=(disk(4), disk(4))), ())
        catalog.save(entry(2, disks=(disk(9),)), ())
        assert names(catalog.query(Query(sort="size"))) == ["image-2", "image-1"]
        assert names(catalog.query(Query(sort="stored"))) == ["image-1", "image-2"]

    def test_no_server_is_made_of_a_data_disk(self, catalog):
        catalog.save(entry(1, kind=ImageKind.DATA), ())
        catalog.save(entry(2), ())
        assert names(catalog.query(Query(memory_mib=1024))) == ["image-2"]

    def test_numbers_and_texts_beyond_all_bounds_are_no_failure(self, catalog):
        catalog.save(entry(disks=(disk((1 << 62) + 7),) * 3, min_memory_mib=1 << 70), ())
        odd = Query(
            name="*\udcff" + "*a" * 50 + "[x" * 2000,
            os="\udcff",
            tags={"\udcff": "\udcff"},
            channel="\udcff",
            created_since="\udcff",
            limit=1 << 70,
            offset=1 << 70,
            memory_mib=1 << 70,
        )
        assert list(catalog.query(odd)) == []
        assert catalog.count(odd) == 0
        assert catalog.entry("\udcff") is None
        assert catalog.count(Query(limit=1 << 70, memory_mib=-(1 << 70))) == 0
        with pytest.raises(ValueError, match="sorted"):
            catalog.query(Query(sort="name; DROP TABLE entries"))

    def test_a_query_shows_one_moment_whatever_is_saved_meanwhile(self, catalog):
        for number in range(300):
            catalog.save(entry(number), ())
        seen = []
        for number, it in enumerate(catalog.query(Query(sort="created", descending=True))):
            seen.append(it)
            catalog.save(replace(it, updated="2027", created=f"{2027 + number}"), ())
            catalog.forget(image_id(number + 1))
        assert seen == [entry(number) for number in reversed(range(300))]

    def test_what_was_forgotten_leaves_nothing(self, catalog):
        catalog.save(full(1), (change(1),))
        catalog.save(entry(2), ())
        catalog.forget(image_id(1))
        catalog.forget(image_id(99))
        assert names(catalog.query(Query(statuses=EVERY))) == ["image-2"]
        assert (catalog.history(image_id(1)), catalog.tag_values()) == ((), {})
        assert set(catalog.heads()) == {image_id(2)}
        catalog.save(entry(1, status=Status.QUEUED), ())  # it begins anew

    def test_heads_are_of_every_image(self, catalog):
        catalog.save(entry(1, seq=0, head="00"), ())
        catalog.save(entry(2, seq=7, head="77", status=Status.DELETED), ())
        assert catalog.heads() == {image_id(1): (0, "00"), image_id(2): (7, "77")}

    def test_tags_are_told_with_their_values(self, catalog):
        catalog.save(entry(1, tags={"env": "prod", "a": ""}), ())
        catalog.save(entry(2, tags={"env": "dev"}), ())
        catalog.save(entry(3, tags={"env": "prod"}), ())
        assert catalog.tag_values() == {"a": ("",), "env": ("dev", "prod")}

    def test_notes_are_kept_until_all_is_cleared(self, catalog):
        assert catalog.note("synced") is None
        catalog.set_note("synced", "one")
        catalog.set_note("synced", "two")
        catalog.set_note("other", "")
        assert (catalog.note("synced"), catalog.note("other")) == ("two", "")
        catalog.save(full(), (change(1),))
        catalog.clear()
        assert catalog.note("synced") is None
        assert catalog.count(Query(statuses=EVERY)) == 0
        assert (catalog.history(image_id(1)), catalog.tag_values()) == ((), {})
