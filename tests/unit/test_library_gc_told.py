"""What gc says of what it removes, and of what stays."""

from __future__ import annotations

from diskwright.errors import OutputNotWritable
from diskwright.report.library_care import collected_text
from support import unprivileged
from support.care import DAY, Care, care, template, where

__all__ = ["care", "template", "where"]


class ReadOnly:
    """A store that can be read."""

    def __init__(self, store) -> None:
        self._store = store

    def __getattr__(self, name):
        return getattr(self._store, name)

    def put(self, key, *_given, **_named):
        raise OutputNotWritable(key, "Read-only file system")

    def delete(self, key):
        raise OutputNotWritable(key, "Read-only file system")


def test_a_dry_run_counts_as_the_run_does(care):
    care.delete("web-1")
    care.delete("web-2")
    planned = care.gc(grace_s=0, dry_run=True)
    assert len(planned.purged) == 2
    assert care.gc(grace_s=0).purged == planned.purged


def test_what_stays_is_named_and_when_it_goes(care):
    entry = care.delete("web-1").entry
    made = care.gc(dry_run=True)
    (kept,) = made.kept
    assert (kept.name, kept.image, kept.failed) == ("web-1", entry.id, False)
    day = int(entry.updated[8:10])
    assert f"kept image web-1 ({entry.id}): in the trash since {entry.updated}" in (
        collected_text(made)
    )
    said = kept.why.partition("may go from ")[2]
    assert int(said[8:10]) != day
    assert said[10:20] == entry.updated[10:]


def test_what_cant_be_removed_is_told(care, where, tmp_path):
    care.delete("web-1")
    with Care(where, tmp_path / "here", wrap=ReadOnly, later_s=8 * DAY) as library:
        made = library.gc()
    assert [(one.name, one.failed) for one in made.kept] == [("web-1", True)]
    text = collected_text(made)
    assert text.startswith("nothing was removed\nkept image web-1 (")
    assert "Read-only file system" in text


def test_the_command_ends_with_its_exit_code(where, tmp_path):
    """As a user that may read the library, and not write it: root writes everything."""
    with Care(where, tmp_path / "here") as library:
        library.delete("web-1")
    (tmp_path / "home").mkdir()
    unprivileged.let_through(tmp_path)
    (tmp_path / "home").chmod(0o777)
    words = ["library", "gc", "--grace", "0m", "--yes", "--library", where]
    ended = unprivileged.run(
        "os.environ['HOME'] = sys.argv[1]\n"
        "for one in ('STATE', 'DATA', 'CONFIG'):\n"
        "    os.environ[f'XDG_{one}_HOME'] = f'{sys.argv[1]}/{one}'\n"
        "sys.argv = ['diskwright', *sys.argv[2:]]\n"
        "diskwright.cli.start.main()\n",
        tmp_path / "home",
        *words,
    )
    assert ended.code == 15, ended.err
    assert "can't be written" in ended.out + ended.err
