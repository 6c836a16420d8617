"""The catalog's file: whose it is, who else uses it, and what it is when something has failed."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing

import pytest

from diskwright import errors
from diskwright._values import required_names
from diskwright.adapters.catalog import SqliteCatalog, discard, rows, schema
from diskwright.adapters.catalog.connection import translated
from diskwright.model.library import SORTS, Entry, Query, Status
from support import catalog_writer
from support.entries import change, entry, full, image_id


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "state" / "catalog.db")


def opened(path, **options):
    return closing(SqliteCatalog.open(path, **options))


def raw(path):
    return closing(sqlite3.connect(path, isolation_level=None))


def filled(path, many=3):
    with opened(path) as catalog:
        for number in range(many):
            catalog.save(entry(number, tags={"n": str(number)}), (change(number),))


def mode(path):
    return os.stat(path).st_mode & 0o777


class TestItsFile:
    def test_it_is_its_owners_alone_and_so_is_what_lies_beside_it(self, path):
        before = os.umask(0)
        try:
            with opened(path) as catalog:
                catalog.save(full(), ())
                folder = os.path.dirname(path)
                assert sorted(os.listdir(folder)) == [
                    "catalog.db",
                    "catalog.db-shm",
                    "catalog.db-wal",
                ]
                assert {mode(os.path.join(folder, name)) for name in os.listdir(folder)} == {0o600}
                assert mode(folder) == 0o700
        finally:
            os.umask(before)
        assert os.listdir(folder) == ["catalog.db"]

    def test_it_is_wal_with_strict_tables_and_keys_that_hold(self, path):
        filled(path)
        with opened(path) as catalog, raw(path) as database:
            assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            assert database.execute("PRAGMA application_id").fetchone() == (schema.APPLICATION,)
            tables = database.execute("PRAGMA table_list").fetchall()
            assert all(row[5] for row in tables if not row[1].startswith("sqlite_"))
            catalog.forget(image_id(1))
            for table in ("entries", "bodies", "lines", "tags", "history"):
                assert database.execute(f"SELECT count(*) FROM {table}").fetchone() == (2,)
            assert database.execute("PRAGMA foreign_key_check").fetchall() == []

    @pytest.mark.parametrize("name", ["a b?c#d%41.db", "naïve.db", "q=1&mode=ro.db", "x\udcff.db"])
    def test_a_file_may_have_any_name(self, tmp_path, name):
        filled(str(tmp_path / name))
        assert os.listdir(tmp_path) == [name]

    def test_a_page_is_read_off_an_index_and_not_sorted(self, path):
        from diskwright.adapters.catalog import filters

        filled(path)
        tagged = Query(tags={"n": "1"})
        with raw(path) as database:
            for query in (Query(), Query(statuses=(Status.ACTIVE, Status.ERROR)), tagged):
                for sort in SORTS:
                    for descending in (False, True):
                        asked = Query(
                            statuses=query.statuses,
                            tags=query.tags,
                            sort=sort,
                            descending=descending,
                        )
                        where = filters.where(asked)
                        sql = (
                            f"EXPLAIN QUERY PLAN SELECT n FROM entries WHERE {where.sql}"
                            f" ORDER BY {filters.order(asked, where)} LIMIT 50"
                        )
                        plan = " ".join(row[3] for row in database.execute(sql, where.values))
                        assert f"entries USING COVERING INDEX entries_by_{sort} (gone=?)" in plan
                        # None comes last by a second walk, in which same names are sorted
                        allowed = 1 if (sort, descending) == ("name", False) else 0
                        assert plan.count("TEMP B-TREE") <= allowed
                        assert "TEMP B-TREE FOR ORDER BY" not in plan

    def test_entries_are_made_as_their_constructor_makes_them(self, path):
        assert set(required_names(Entry)) <= rows._ALWAYS
        one, other = rows.entries_of([rows.body(entry())] * 2, path)
        assert one == other == entry()
        assert one.tags is not other.tags
        with pytest.raises(AttributeError, match="immutable"):
            one.name = "other"


class TestWhatIsNoCatalog:
    def test_one_of_a_newer_version_is_refused_and_left_as_it_is(self, path):
        filled(path)
        with raw(path) as database:
            database.execute("PRAGMA user_version = 99")
        with pytest.raises(errors.UsageError) as caught:
            SqliteCatalog.open(path)
        assert "version 99" in caught.value.message
        assert "library rebuild" in caught.value.hint
        with raw(path) as database:
            assert database.execute("PRAGMA user_version").fetchone() == (99,)
            assert database.execute("SELECT count(*) FROM entries").fetchone() == (3,)

    def test_another_programs_database_is_not_written_to(self, tmp_path):
        path = str(tmp_path / "theirs.db")
        with raw(path) as database:
            database.execute("CREATE TABLE theirs (x)")
        before = (tmp_path / "theirs.db").read_bytes()
        with pytest.raises(errors.CatalogDamaged):
            SqliteCatalog.open(path)
        assert (tmp_path / "theirs.db").read_bytes() == before
        assert os.listdir(tmp_path) == ["theirs.db"]

    def test_a_file_of_something_else_says_how_to_make_it_anew(self, tmp_path):
        path = str(tmp_path / "catalog.db")
        (tmp_path / "catalog.db").write_bytes(b"no database at all, not by far\n" * 400)
        with pytest.raises(errors.CatalogDamaged) as caught:
            SqliteCatalog.open(path)
        assert "diskwright library rebuild" in caught.value.hint
        discard(path)
        filled(path)

    def test_damage_anywhere_is_told_in_our_words_and_discarding_mends_it(self, path):
        filled(path, many=200)
        with open(path, "rb") as file:
            sound = file.read()
        draw, told = random.Random(1), 0
        for _ in range(40):
            damaged = bytearray(sound)
            start = draw.randrange(100, len(sound) - 5000)
            damaged[start : start + 4000] = draw.randbytes(4000)
            with open(path, "wb") as file:
                file.write(damaged[: draw.choice((len(sound), start + 2000))])
            try:
                with opened(path) as catalog:
                    list(catalog.query(Query(sort="name")))
                    catalog.tag_values()
                    catalog.history(image_id(1))
                    catalog.save(entry(1, seq=2), ())
            except errors.CatalogDamaged:
                told += 1
        assert told > 20
        discard(path)
        assert os.listdir(os.path.dirname(path)) == []
        discard(path)
        filled(path)

    @pytest.mark.parametrize("body", ["{", "[]", "null", '{"id": 1}', '{"id":"a","new":1}'])
    def test_a_row_that_is_no_entry_is_damage(self, path, body):
        filled(path)
        with raw(path) as database:
            database.execute("UPDATE bodies SET body = ? WHERE n = 2", (body,))
        with opened(path) as catalog:
            with pytest.raises(errors.CatalogDamaged):
                catalog.entry(image_id(1))
            with pytest.raises(errors.CatalogDamaged):
                list(catalog.query(Query()))

    def test_a_body_that_is_not_there_is_damage(self, path):
        filled(path)
        with raw(path) as database:
            database.execute("DELETE FROM bodies WHERE n = 2")
        with opened(path) as catalog, pytest.raises(errors.CatalogDamaged):
            list(catalog.query(Query()))


class TestMigrations:
    STEPS = (*schema.MIGRATIONS, ("ALTER TABLE notes ADD COLUMN more TEXT", "DELETE FROM history"))

    @pytest.mark.parametrize("version", range(len(schema.MIGRATIONS) + 1))
    def test_a_file_of_each_older_version_is_brought_to_the_newest(self, path, version):
        os.mkdir(os.path.dirname(path))
        with raw(path) as database:
            schema.migrate(database, schema.MIGRATIONS[:version])
        filled(path)
        with raw(path) as database:
            assert schema.is_ready(database, path, newest=len(schema.MIGRATIONS))

    def test_sizes_of_disks_come_from_what_is_there(self, path):
        given = rows.columns(full())
        size = given.pop("virtual_size")
        names, places = ", ".join(given), ", ".join("?" * len(given))
        os.mkdir(os.path.dirname(path))
        with raw(path) as database:
            schema.migrate(database, schema.MIGRATIONS[:3])
            database.execute(
                f"INSERT INTO entries ({names}) VALUES ({places})", tuple(given.values())
            )
            database.execute("INSERT INTO lines VALUES (1, ?)", (rows.line(full()),))
            schema.migrate(database, schema.MIGRATIONS)
            ((made,),) = database.execute("SELECT virtual_size FROM entries").fetchall()
        assert made == size == full().virtual_size > 0

    def test_a_new_step_is_done_once_and_keeps_what_is_there(self, path, monkeypatch):
        filled(path)
        monkeypatch.setattr(schema, "MIGRATIONS", self.STEPS)
        for _ in range(2):
            with opened(path) as catalog:
                assert catalog.entry(image_id(1)).tags == {"n": "1"}
                assert catalog.history(image_id(1)) == ()
                catalog.save(entry(1, tags={"n": "1"}), ())
        with raw(path) as database:
            assert database.execute("PRAGMA user_version").fetchone() == (len(self.STEPS),)

    def test_a_step_that_fails_halfway_leaves_the_older_version_whole(self, path, monkeypatch):
        filled(path)
        broken = (*self.STEPS[:-1], (*self.STEPS[-1], "DROP TABLE nowhere"))
        monkeypatch.setattr(schema, "MIGRATIONS", broken)
        with pytest.raises(errors.CatalogDamaged):
            SqliteCatalog.open(path)
        monkeypatch.undo()
        with opened(path) as catalog:
            assert catalog.history(image_id(1)) == (change(1),)


class TestFailures:
    def test_a_writer_that_waits_in_vain_is_told_that_it_is_locked(self, path):
        filled(path)
        with opened(path, wait_s=0.05) as catalog, raw(path) as other:
            other.execute("BEGIN IMMEDIATE")
            for write in (
                lambda: catalog.save(entry(7), ()),
                lambda: catalog.forget(image_id(1)),
                lambda: catalog.set_note("a", "b"),
                catalog.clear,
            ):
                with pytest.raises(errors.Locked):
                    write()
            assert catalog.count(Query()) == len(list(catalog.query(Query()))) == 3
            other.execute("ROLLBACK")
            catalog.save(entry(7), ())

    def test_a_full_disk_is_told_and_nothing_of_that_save_stays(self, path):
        filled(path)
        with opened(path) as catalog:
            pages = catalog._connection.execute("PRAGMA page_count").fetchone()[0]
            catalog._connection.execute(f"PRAGMA max_page_count = {pages}")
            with pytest.raises(errors.DiskFull):
                catalog.save(entry(1, seq=9, description="x" * 100_000), ())
            assert catalog.entry(image_id(1)).seq == 1
            catalog._connection.execute("PRAGMA max_page_count = 100000")
            catalog.save(entry(1, seq=9, description="x" * 100_000), ())

    def test_a_place_that_cant_be_written_is_told(self, tmp_path):
        (tmp_path / "file").write_bytes(b"")
        for path in (tmp_path / "file" / "catalog.db", tmp_path):
            with pytest.raises(errors.OutputNotWritable):
                SqliteCatalog.open(str(path))

    def test_whatever_sqlite_says_is_said_in_our_words(self):
        codes = {
            name: value
            for name, value in vars(sqlite3).items()
            if name.startswith("SQLITE_") and isinstance(value, int)
        }
        wanted = {
            "SQLITE_FULL": errors.DiskFull,
            "SQLITE_BUSY": errors.Locked,
            "SQLITE_BUSY_SNAPSHOT": errors.Locked,
            "SQLITE_CORRUPT_INDEX": errors.CatalogDamaged,
            "SQLITE_NOTADB": errors.CatalogDamaged,
            "SQLITE_IOERR_WRITE": errors.OutputNotWritable,
            "SQLITE_READONLY": errors.OutputNotWritable,
            "SQLITE_CANTOPEN": errors.OutputNotWritable,
        }
        for name, code in codes.items():
            error = sqlite3.OperationalError(name)
            error.sqlite_errorcode = code
            told = translated("catalog.db", error)
            assert isinstance(told, wanted.get(name, errors.DiskwrightError))
        assert isinstance(translated("c", sqlite3.OperationalError("x")), errors.CatalogDamaged)

    def test_a_closed_one_is_a_value_error(self, path):
        catalog = SqliteCatalog.open(path)
        catalog.close()
        catalog.close()
        with pytest.raises(ValueError, match="closed"):
            catalog.entry(image_id(1))

    def test_a_query_that_is_left_early_holds_nothing(self, path):
        filled(path)
        with opened(path) as catalog:
            iterator = catalog.query(Query())
            next(iterator)
            before = len(os.listdir("/proc/self/fd"))
            iterator.close()
            assert len(os.listdir("/proc/self/fd")) < before


def writer(*arguments, **pipes):
    return subprocess.Popen(
        [sys.executable, catalog_writer.__file__, *map(str, arguments)], text=True, **pipes
    )


class TestSeveralAtOnce:
    def test_processes_that_begin_together_make_one_file_and_lose_nothing(self, path):
        many, each = 5, 20
        running = [
            writer("add", path, number * each, each, stdin=subprocess.PIPE)
            for number in range(many)
        ]
        for one in running:
            one.stdin.write("go\n")
            one.stdin.flush()
        for one in running:
            one.stdin.close()
            assert one.wait(60) == 0
        with opened(path) as catalog:
            assert catalog.count(Query()) == many * each
            for number in range(many * each):
                assert catalog.history(image_id(number)) == (change(number),)
            assert len(catalog.tag_values()["by"]) == many

    def test_of_two_steps_that_rule_each_other_out_one_is_done(self, path):
        with opened(path) as one, opened(path) as other:
            for number in range(10):
                one.save(entry(number, status=Status.PENDING_DELETE), ())
                barrier, told = threading.Barrier(2), []

                def step(catalog, status, *, number=number, barrier=barrier, told=told):
                    barrier.wait()
                    try:
                        catalog.save(entry(number, status=status), ())
                    except errors.IllegalState:
                        told.append("refused")
                    else:
                        told.append(status)

                threads = [
                    threading.Thread(target=step, args=(one, Status.DELETED)),
                    threading.Thread(target=step, args=(other, Status.ACTIVE)),
                ]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
                assert told.count("refused") == 1
                assert one.entry(image_id(number)).status in told

    def test_threads_may_share_one(self, path):
        with opened(path) as catalog:
            failed = []

            def work(first):
                try:
                    for number in range(first, first + 20):
                        catalog.save(entry(number), (change(number),))
                        catalog.matching(f"image-{number}")
                        catalog.count(Query(name="[i]*"))
                        next(catalog.query(Query(limit=1)))
                except (errors.DiskwrightError, ValueError) as error:
                    failed.append(error)

            threads = [threading.Thread(target=work, args=(n * 20,)) for n in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert failed == []
            assert catalog.count(Query()) == 80

    def test_killed_in_a_save_it_holds_the_entry_of_before_or_after_whole(self, path):
        draw, seen = random.Random(7), set()
        for _ in range(12):
            running = writer("turn", path, stdout=subprocess.PIPE)
            assert running.stdout.readline() == "ready\n"
            with opened(path) as catalog:
                begun = catalog.heads()
                while catalog.heads() == begun:  # until it is in the midst of saving
                    pass
                for _ in range(draw.randrange(300)):
                    catalog.count(Query())
                running.send_signal(signal.SIGKILL)
                running.wait()
                running.stdout.close()
                whole, history = catalog.entry(image_id(1)), catalog.history(image_id(1))
                assert (whole, history) == catalog_writer.state(whole.seq)
                assert catalog.tag_values() == {key: (value,) for key, value in whole.tags.items()}
                seen.add(whole.seq)
            with raw(path) as database:
                assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        assert len(seen) > 3
