"""What a query takes of a library, told as plainly as can be, and libraries and queries drawn."""

from __future__ import annotations

import fnmatch

from hypothesis import strategies as st

from diskwright.model.library import SORTS, Entry, ImageKind, Query, Status, Visibility
from support.entries import disk, entry

GONE = {Status.PENDING_DELETE, Status.DELETED}


def expected(entries: list[Entry], query: Query) -> list[Entry]:
    found = [it for it in entries if takes(query, it)]
    found.sort(key=lambda it: it.id, reverse=query.descending)
    found.sort(key=lambda it: sort_key(query.sort, it), reverse=query.descending)
    if query.sort == "name":
        found.sort(key=lambda it: it.name is None)
    end = query.offset + query.limit if query.limit else None
    return found[query.offset : end]


def takes(query: Query, it: Entry) -> bool:
    return all(
        (
            it.status in query.statuses if query.statuses else it.status not in GONE,
            not query.name or (it.name is not None and fnmatch.fnmatchcase(it.name, query.name)),
            not query.kinds or it.kind in query.kinds,
            not query.visibilities or it.visibility in query.visibilities,
            any(query.os.casefold() in text.casefold() for text in (it.os, it.os_type)),
            all(
                key in it.tags and value in (None, it.tags[key])
                for key, value in query.tags.items()
            ),
            query.memory_mib is None
            or (
                it.kind is not ImageKind.DATA
                and it.min_memory_mib <= query.memory_mib
                and (it.max_memory_mib == 0 or query.memory_mib <= it.max_memory_mib)
            ),
            not query.created_since or it.created >= query.created_since,
            not query.created_until or it.created <= query.created_until,
            not query.channel or it.channel == query.channel,
        )
    )


def sort_key(sort: str, it: Entry) -> str | int:
    if sort == "name":
        return (it.name or "").casefold()
    if sort == "os":
        return it.os.casefold()
    if sort in ("size", "stored"):
        return it.virtual_size if sort == "size" else it.object_size
    return str(getattr(it, sort))


# --- drawn ------------------------------------------------------------------------------------

# Few of each, so that queries meet entries; what SQLite and fnmatch tell apart otherwise is here
_NAMES = st.text("aAbß[]!^-*?\\\0é\U0001f600\uff21", max_size=4)
_PATTERNS = st.text("aAbß[]!^-*?\\é\U0001f600\uff21", max_size=7)
_TAGS = st.dictionaries(st.sampled_from("kK"), st.sampled_from(["", "v", "V"]), max_size=2)
_ASKED_TAGS = st.dictionaries(
    st.sampled_from("kK"), st.sampled_from([None, "", "v", "V"]), max_size=2
)
_SYSTEMS = st.sampled_from(["", "debian 12", "Debian 13", "ubuntu 24.04", "straße"])
_TIMES = st.sampled_from([f"2026-01-0{day}T00:00:00Z" for day in range(1, 5)])
_MEMORY = st.sampled_from([0, 512, 1024, 2048])


@st.composite
def libraries(draw: st.DrawFn) -> list[Entry]:
    fields = st.fixed_dictionaries(
        {
            "name": st.none() | _NAMES,
            "status": st.sampled_from(Status),
            "kind": st.sampled_from(ImageKind),
            "visibility": st.sampled_from(Visibility),
            "created": _TIMES,
            "updated": _TIMES,
            "os": _SYSTEMS,
            "os_type": st.sampled_from(["", "Linux", "Windows"]),
            "min_memory_mib": _MEMORY,
            "max_memory_mib": _MEMORY,
            "tags": _TAGS,
            "channel": st.sampled_from(["", "web"]),
            "disks": st.lists(st.builds(disk, st.integers(0, 3)), max_size=2).map(tuple),
        }
    )
    made = draw(st.lists(fields, max_size=12))
    return [entry(number, **one) for number, one in enumerate(made)]


def _some(of: type) -> st.SearchStrategy[tuple]:
    return st.just(()) | st.lists(st.sampled_from(of), max_size=3, unique=True).map(tuple)


def queries() -> st.SearchStrategy[Query]:
    """Most ask for one thing or two: who asks for all gets nothing."""
    return st.builds(
        lambda fields, how: Query(**fields, **how),
        st.fixed_dictionaries(
            {},
            optional={
                "name": _PATTERNS,
                "statuses": _some(Status),
                "kinds": _some(ImageKind),
                "visibilities": _some(Visibility),
                "os": st.sampled_from(["deb", "LINUX", "4.0", "STRASSE", "12\nlin", "x"]),
                "tags": _ASKED_TAGS,
                "memory_mib": _MEMORY,
                "created_since": _TIMES,
                "created_until": _TIMES,
                "channel": st.just("web"),
            },
        ),
        st.fixed_dictionaries(
            {"sort": st.sampled_from(SORTS), "descending": st.booleans()},
            optional={"limit": st.integers(0, 5), "offset": st.integers(0, 5)},
        ),
    )
