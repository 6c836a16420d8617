"""What others did is seen, at a cost of what they did; what does not hold together is told."""

from __future__ import annotations

import pytest

from diskwright._values import replace
from diskwright.errors import ChangedMeanwhile, DataTampered, NameTaken
from diskwright.model.library import Query, Status
from diskwright.model.manifest import ABORTED
from diskwright.model.names import manifest_key
from diskwright.model.record import Attributes, record_key
from diskwright.ops.library import changes, modify
from diskwright.ops.library.claims import take_name
from diskwright.ops.library.sync import rebuild, sync
from support.library_images import KEY, put_image
from support.library_places import Clock, workstation
from support.memory_store import MemoryStore


class Team:
    """Two workstations on one library, whose clocks go together."""

    def __init__(self, folder, key=None) -> None:
        self.store, self.clock = MemoryStore(), Clock()
        self.ann, self.ben = (
            workstation(self.store, folder, who=who, key=key, clock=self.clock)
            for who in ("ann", "ben")
        )

    def put(self, name, **options):
        put = put_image(self.store, name, **options)
        changes.announce(self.store, put.id, 0, self.clock())
        return put

    def counted(self, work):
        before = len(self.store.calls)
        work()
        return self.store.calls[before:]


@pytest.fixture
def team(tmp_path):
    return Team(tmp_path)


def another(image):
    return image[:-1] + ("1" if image.endswith("0") else "0")


def rename(place, image, name):
    return modify.run(place, modify.plan_set(place, image, Attributes("", name=name)))


def names(place):
    return sorted(entry.name or "sealed" for entry in place.catalog.query(Query()))


class TestOthers:
    def test_a_new_image_is_seen(self, team):
        sync(team.ben)
        team.put("web")
        found = sync(team.ben)
        assert names(team.ben) == ["web"]
        assert (len(found.changed), found.whole, found.damaged) == (1, False, ())

    def test_a_change_is_seen(self, team):
        put = team.put("web")
        sync(team.ann)
        sync(team.ben)
        team.clock.now += 3600
        rename(team.ann, "web", "shop")
        team.clock.now += 5
        assert sync(team.ben).changed == (put.id,)
        assert names(team.ben) == ["shop"]
        assert [c.who for c in team.ben.catalog.history(put.id)] == ["maker@host", "ann"]

    def test_a_clock_that_is_a_quarter_of_an_hour_behind_hides_nothing(self, team):
        team.put("web")
        sync(team.ann)
        sync(team.ben)
        team.clock.now -= 14 * 60  # ann's clock
        rename(team.ann, "web", "shop")
        team.clock.now += 14 * 60 + 1
        sync(team.ben)
        assert names(team.ben) == ["shop"]

    def test_over_midnight(self, team):
        team.clock.now = team.clock.now // 86400 * 86400 - 2  # 23:59:58
        team.put("web")
        sync(team.ann)
        sync(team.ben)
        rename(team.ann, "web", "shop")
        team.clock.now += 60
        sync(team.ben)
        assert names(team.ben) == ["shop"]

    def test_after_weeks_everything_is_listed(self, team):
        sync(team.ben)
        team.put("web")
        team.clock.now += 25 * 86400
        assert sync(team.ben).whole
        assert names(team.ben) == ["web"]

    def test_what_no_hint_tells_is_found_by_a_whole_sync(self, team):
        sync(team.ben)
        put_image(team.store, "web")
        assert sync(team.ben).changed == ()
        assert len(sync(team.ben, whole=True).changed) == 1

    def test_a_sealed_image_opens_once_there_is_a_key(self, team):
        team.put("secret", key=KEY)
        sync(team.ben)
        assert names(team.ben) == ["sealed"]
        sync(replace(team.ben, wrapper=KEY))
        assert names(team.ben) == ["secret"]


class TestCost:
    def test_nothing_new_costs_one_request_for_each_day_that_it_may_be_of(self, team):
        for number in range(30):
            team.put(f"web-{number}")
        sync(team.ben)
        calls = team.counted(lambda: sync(team.ben))
        assert {name for name, _ in calls} == {"list"}
        assert all(key.startswith("changes/") for _, key in calls)
        assert len(calls) <= 3

    def test_our_own_changes_cost_nothing_more(self, team):
        put = team.put("web")
        sync(team.ann)
        for number in range(5):
            rename(team.ann, put.id, f"web{number}")
        calls = team.counted(lambda: sync(team.ann))
        assert all(key.startswith("changes/") for _, key in calls)

    def test_one_change_costs_a_few_requests(self, team):
        for number in range(40):
            team.put(f"web-{number}")
        sync(team.ann)
        sync(team.ben)
        team.clock.now += 3600
        rename(team.ann, "web-7", "shop")
        calls = team.counted(lambda: sync(team.ben))
        assert len(calls) <= 6

    def test_of_very_many_all_are_listed_rather_than_each_asked_for(self, team):
        sync(team.ben)
        for number in range(60):
            team.put(f"web-{number}")
        assert sync(team.ben).whole


class TestRaces:
    def test_of_two_who_change_one_image_the_second_is_told_who_won(self, team):
        team.put("web")
        sync(team.ann)
        sync(team.ben)
        mine = modify.plan_set(team.ann, "web", Attributes("", description="mine"))
        theirs = modify.plan_set(team.ben, "web", Attributes("", description="theirs"))
        modify.run(team.ben, theirs)
        with pytest.raises(ChangedMeanwhile, match="attributes by ben"):
            modify.run(team.ann, mine)
        for place in (team.ann, team.ben):
            sync(place)
            (entry,) = place.catalog.query(Query())
            assert (entry.description, entry.seq) == ("theirs", 1)

    def test_of_two_names_one_wins_and_the_other_is_given_back(self, team):
        one, two = team.put("one"), team.put("two")
        sync(team.ann)
        sync(team.ben)
        mine = modify.plan_set(team.ann, one.id, Attributes("", name="golden"))
        theirs = modify.plan_set(team.ben, two.id, Attributes("", name="golden"))
        modify.run(team.ben, theirs)
        with pytest.raises((ChangedMeanwhile, NameTaken), match="golden"):
            modify.run(team.ann, mine)
        sync(team.ann, whole=True)
        assert names(team.ann) == ["golden", "one"]

    def test_our_own_record_whose_answer_was_lost_is_no_race(self, team):
        put = team.put("web")
        sync(team.ann)
        plan = modify.plan_set(team.ann, "web", Attributes("", description="mine"))
        original = team.store.put

        def lossy(key, data, *, if_absent=False):
            original(key, data, if_absent=if_absent)
            if key.startswith("records/"):
                original(key, data, if_absent=if_absent)  # the client sent it again

        team.store.put = lossy
        assert modify.run(team.ann, plan).description == "mine"
        assert team.ann.catalog.entry(put.id).seq == 1


class TestWhatDoesNotHoldTogether:
    def changed_twice(self, team):
        put = team.put("web")
        sync(team.ann)
        rename(team.ann, put.id, "web-1")
        rename(team.ann, put.id, "web-2")
        return put

    def test_a_library_that_was_rolled_back_is_told_and_nothing_is_put_on_it(self, team):
        put = self.changed_twice(team)
        del team.store.objects[record_key(put.id, 2)]
        found = sync(team.ann, whole=True)
        assert "has 1 records of it, and had 2" in found.damaged[0]
        entry = team.ann.catalog.entry(put.id)
        assert entry.name == "web-2"
        assert entry.warnings
        with pytest.raises(DataTampered, match="rolled back"):
            rename(team.ann, put.id, "web-3")

    def test_a_record_in_the_midst_that_was_taken_away_is_told(self, team):
        put = self.changed_twice(team)
        del team.store.objects[record_key(put.id, 1)]
        assert sync(team.ann, whole=True).damaged

    def test_another_record_in_the_place_of_one_that_was_seen(self, team, tmp_path):
        put = self.changed_twice(team)
        other = workstation(team.store, tmp_path, who="eve", clock=team.clock)
        del team.store.objects[record_key(put.id, 2)]
        sync(other)
        rename(other, put.id, "evil")
        with pytest.raises(DataTampered, match="rolled back"):
            rename(team.ann, put.id, "web-3")

    def test_a_manifest_that_is_gone_is_an_error_that_is_kept(self, team):
        put = self.changed_twice(team)
        del team.store.objects[manifest_key(put.id)]
        found = sync(team.ann, whole=True)
        assert "its manifest is gone" in found.damaged[0]
        assert team.ann.catalog.entry(put.id).status is Status.ERROR

    def test_one_that_was_said_to_go_is_forgotten(self, team):
        put = self.changed_twice(team)
        changes.announce(team.store, put.id, None, team.clock())
        del team.store.objects[manifest_key(put.id)]
        assert sync(team.ann).gone == (put.id,)
        assert team.ann.catalog.entry(put.id) is None

    def test_a_manifest_that_can_t_be_read_hides_no_other(self, team):
        team.put("web")
        bad = team.put("bad")
        team.store.objects[manifest_key(bad.id)] = b"{}"
        found = sync(team.ann)
        assert names(team.ann) == ["web"]
        assert bad.id in found.damaged[0]


class TestRebuild:
    def test_the_catalog_is_the_same_again(self, team):
        for number in range(5):
            team.put(f"web-{number}", tags={"n": str(number)})
        sync(team.ann)
        rename(team.ann, "web-3", "shop")
        before = list(team.ann.catalog.query(Query()))
        told = rebuild(team.ann)
        assert len(told.changed) == 5
        assert list(team.ann.catalog.query(Query())) == before

    def test_a_run_that_goes_on_here_is_not_forgotten_and_one_that_is_dead_is(self, team):
        put = team.put("web")
        sync(team.ann)
        made = team.ann.catalog.entry(put.id)
        underway = replace(made, id=another(put.id), status=Status.SAVING, name="new")
        team.ann.catalog.save(underway, ())
        with team.ann.locks.held(underway.id):
            rebuild(team.ann)
            assert team.ann.catalog.entry(underway.id) is not None
        sync(team.ann)
        assert team.ann.catalog.entry(underway.id) is None

    def test_the_name_of_a_run_that_is_dead_is_free_again(self, team):
        put = team.put("web")
        sync(team.ann)
        dead = replace(
            team.ann.catalog.entry(put.id), id=another(put.id), status=Status.SAVING, name="new"
        )
        take_name(team.ann, "new", dead.id, sealed=False, duplicate=False)
        with pytest.raises(NameTaken):
            rename(team.ann, put.id, "new")
        team.ann.catalog.save(dead, ())
        sync(team.ann)
        assert rename(team.ann, put.id, "new").name == "new"

    def test_nor_does_the_mark_that_gc_put_in_its_place_keep_it(self, team):
        put = team.put("web")
        sync(team.ann)
        dead = replace(
            team.ann.catalog.entry(put.id), id=another(put.id), status=Status.SAVING, name="new"
        )
        take_name(team.ann, "new", dead.id, sealed=False, duplicate=False)
        team.ann.catalog.save(dead, ())
        team.store.objects[manifest_key(dead.id)] = ABORTED
        assert sync(team.ann, whole=True).damaged == ()
        assert team.ann.catalog.entry(dead.id) is None
        assert rename(team.ann, put.id, "new").name == "new"
