"""Install media by the osinfo database: every expression has to match, and nothing is guessed."""

from __future__ import annotations

from pathlib import Path

import pytest

from diskwright._values import replace
from diskwright.adapters.osinfo import OsinfoDatabase
from diskwright.model.iso import IsoFacts, IsoSystem, IsoTree
from diskwright.model.units import GIB

DISC = IsoFacts(1 << 20, 1 << 20, IsoTree.ISO9660, (IsoTree.ISO9660,), 0, 0, 0, 0)

SYSTEM = """<libosinfo><os id="http://v.org/{name}"><short-id>{name}</short-id>
<name>The {name}</name><version>1</version>{more}
<resources arch="all"><minimum><ram>1073741824</ram><storage>2147483648</storage></minimum>
<recommended><ram>4294967296</ram></recommended></resources>
<media arch="{arch}"{live}><iso>{iso}</iso></media></os></libosinfo>"""


def write(
    folder: Path, name: str, iso: str, *, more: str = "", arch: str = "x86_64", live: str = ""
) -> OsinfoDatabase:
    path = folder / "os" / "v.org" / f"{name}.xml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(SYSTEM.format(name=name, iso=iso, more=more, arch=arch, live=live))
    return OsinfoDatabase(str(folder))


def installs(database: OsinfoDatabase, volume_id: str = "Linux 1", **ids: object) -> str | None:
    found = database.installs(replace(DISC, volume_id=volume_id, **ids))
    return found.id if found is not None else None


def test_the_volume_id_is_searched_for(tmp_path: Path) -> None:
    database = write(tmp_path, "linux", r"<volume-id>Linux \d</volume-id>", live=' live="true"')
    assert database.installs(replace(DISC, volume_id="My Linux 1 disc")) == IsoSystem(
        "linux", "The linux", "1", "x86_64", GIB, 2 * GIB, 4 * GIB, None, live=True
    )
    assert installs(database, "Linux") is None
    assert installs(database, "") is None


@pytest.mark.parametrize(
    ("element", "field", "good"),
    [
        ("system-id", "system_id", "LINUX"),
        ("publisher-id", "publisher_id", "The Maker"),
        ("application-id", "application_id", "The Tool"),
    ],
)
def test_every_expression_has_to_match(tmp_path: Path, element: str, field: str, good: str) -> None:
    iso = f"<volume-id>Linux</volume-id><{element}>^{good}$</{element}>"
    database = write(tmp_path, "linux", iso)
    assert installs(database) is None
    assert installs(database, **{field: good + "s"}) is None
    assert installs(database, **{field: good}) == "linux"


def test_a_size_of_the_volume_has_to_be_equal(tmp_path: Path) -> None:
    iso = "<volume-id>Linux</volume-id><volume-size>1048576</volume-size>"
    database = write(tmp_path, "linux", iso)
    assert installs(database) == "linux"
    assert installs(database, volume_size=5) is None


def test_a_system_id_alone_names_no_system(tmp_path: Path) -> None:
    assert installs(
        write(tmp_path, "linux", "<system-id>LINUX</system-id>"), system_id="LINUX"
    ) is (None)


def test_the_most_exact_description_wins(tmp_path: Path) -> None:
    write(tmp_path, "general", "<volume-id>Linux</volume-id>")
    write(tmp_path, "longer", "<volume-id>Linux 1</volume-id>")
    database = OsinfoDatabase(str(tmp_path))
    assert installs(database) == "longer"
    write(tmp_path, "more", "<volume-id>L</volume-id><system-id>LINUX</system-id>")
    assert installs(database, system_id="LINUX") == "more"


def test_of_equal_ones_the_newest_is_named_with_the_others(tmp_path: Path) -> None:
    for name, date in (("new", "2021-10-05"), ("old", "2018-11-13")):
        more = f"<release-date>{date}</release-date>"
        write(tmp_path, name, "<volume-id>Linux</volume-id>", more=more)
    found = OsinfoDatabase(str(tmp_path)).installs(replace(DISC, volume_id="Linux"))
    assert found is not None
    assert (found.id, found.also) == ("new", ("The old",))


def test_figures_are_inherited_where_the_database_says_so(tmp_path: Path) -> None:
    database = write(tmp_path, "parent", "<volume-id>Parent</volume-id>")
    path = tmp_path / "os/v.org/child.xml"
    path.write_text(
        '<libosinfo><os id="http://v.org/child"><short-id>child</short-id>'
        '<derives-from id="http://v.org/parent"/><resources arch="all" inherit="true"/>'
        '<media arch="x86_64"><iso><volume-id>Child</volume-id></iso></media></os></libosinfo>'
    )
    found = database.installs(replace(DISC, volume_id="Child"))
    assert found is not None
    assert (found.id, found.minimum_memory) == ("child", GIB)


def test_media_that_are_added_beside_belong_to_their_system(tmp_path: Path) -> None:
    database = write(tmp_path, "linux", "<volume-id>First</volume-id>")
    added = tmp_path / "os/v.org/linux.d/more.xml"
    added.parent.mkdir()
    added.write_text(
        '<libosinfo><os id="http://v.org/linux"><media arch="aarch64"><iso>'
        "<volume-id>Second</volume-id></iso></media></os></libosinfo>"
    )
    found = database.installs(replace(DISC, volume_id="Second"))
    assert found is not None
    assert (found.id, found.architecture, found.minimum_memory) == ("linux", "aarch64", GIB)


@pytest.mark.parametrize(
    "iso",
    ["<volume-id>(Linux</volume-id>", "<volume-id/>", "<volume-id>Linux", "", "<!-- Linux -->"],
)
def test_a_damaged_description_names_nothing(tmp_path: Path, iso: str) -> None:
    assert installs(write(tmp_path, "linux", iso)) is None


def test_without_a_database_nothing_is_named(tmp_path: Path) -> None:
    assert installs(OsinfoDatabase(str(tmp_path / "none"))) is None
