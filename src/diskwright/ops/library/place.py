"""A library at hand: its store, its catalog, and one image of it to work on."""

from __future__ import annotations

import glob
import json
import uuid
from collections.abc import Callable

from diskwright._values import Struct, replace
from diskwright.errors import (
    ChangedMeanwhile,
    DataTampered,
    IllegalState,
    ImageAmbiguous,
    ImageNotFound,
    NotALibrary,
    NotShared,
    ObjectMissing,
    ReadOnlyImage,
    RemoteUnable,
    TargetExists,
)
from diskwright.model import canonical, codec
from diskwright.model import record as records
from diskwright.model.commit import Commit
from diskwright.model.library import (
    Change,
    Entry,
    LibraryInfo,
    Query,
    Status,
    Visibility,
)
from diskwright.model.record import Body, record_key
from diskwright.model.text import printable
from diskwright.model.times import time_text
from diskwright.ops.library import changes, commits
from diskwright.ops.library.chain import Chain, next_record, read_chain
from diskwright.ops.library.faults import remembered
from diskwright.ops.library.fold import entry_of, history_of
from diskwright.ops.library.names import Names
from diskwright.ops.manifests import needs_key, unwrapped
from diskwright.ports import KeyWrapper, ObjectStore
from diskwright.ports_library import Catalog, ImageLocks

INFO = "library.json"
WITHDRAWN = "withdrawn"  # note: id, name, origin of images that were shared with us
_INFO_LIMIT = 4096
_LISTED = 20
_STATES = {Status.PENDING_DELETE: "in the trash", Status.ERROR: "damaged"}


class Place(Struct, frozen=True):
    """The outside world of the library's verbs, as `app` hands it over.

    `who` is written into records. `single_writer`: the user vouches that nobody else writes there,
    for a store that keeps no conditions.
    """

    info: LibraryInfo
    store: ObjectStore
    catalog: Catalog
    locks: ImageLocks
    wrapper: KeyWrapper | None
    who: str
    now: Callable[[], float]
    entropy: Callable[[int], bytes]
    single_writer: bool = False

    def names(self, *, sealed: bool) -> Names:
        wrapper = self.wrapper if sealed else None
        return Names(self.store, wrapper, self.entropy, single_writer=self.single_writer)

    def time(self) -> str:
        return time_text(int(self.now()))


def make_library(
    store: ObjectStore,
    *,
    public: bool,
    now: float,
    entropy: Callable[[int], bytes],
    single_writer: bool = False,
) -> LibraryInfo:
    """Raises TargetExists where one is there already. `single_writer` as of `Place`."""
    info = LibraryInfo(
        str(uuid.UUID(bytes=entropy(16), version=4)), time_text(int(now)), public=public
    )
    data = canonical.encode(codec.encode(info))
    try:
        if single_writer and store.head(INFO) is not None:
            raise TargetExists(store.url)
        store.put(INFO, data, if_absent=not single_writer)
    except TargetExists as error:
        hint = "it is a library already: diskwright library add NAME URL"
        raise TargetExists(store.url, hint) from error
    return info


def read_library(store: ObjectStore) -> LibraryInfo:
    """Raises NotALibrary."""
    try:
        data = store.get(INFO, 0, _INFO_LIMIT)
    except ObjectMissing as error:
        raise NotALibrary(store.url) from error
    try:
        return codec.decode(LibraryInfo, canonical.decode(data))
    except (canonical.NotCanonical, codec.DecodeError) as error:
        raise DataTampered(f"{store.url}: {INFO}", f"it can't be read ({error})") from error


def find_entry(catalog: Catalog, wanted: str, url: str) -> Entry:
    """By id, unique prefix of one, or name; `url` of the library, for messages.

    Raises ImageNotFound, ImageAmbiguous, NotShared for one that was taken back.
    """
    found = catalog.matching(wanted)
    if not found:
        _tell_withdrawn(catalog, wanted)
        _tell_in_trash(catalog, wanted)
        hint = "see what there is: diskwright image list (a sealed image's name needs its key)"
        raise ImageNotFound(url, printable(wanted), hint)
    if len(found) > 1:
        listed = ", ".join(
            f"{one.id} ({printable(one.name or 'sealed')}, {one.created})"
            for one in found[:_LISTED]
        )
        raise ImageAmbiguous(url, listed, "name one by its id, or by a longer part of it")
    return found[0]


def in_trash(catalog: Catalog, name: str) -> tuple[Entry, ...]:
    """Images that had this name; at most 21 are told."""
    query = Query(name=glob.escape(name), statuses=(Status.PENDING_DELETE,), limit=_LISTED + 1)
    return tuple(catalog.query(query))


def _tell_in_trash(catalog: Catalog, wanted: str) -> None:
    for entry in in_trash(catalog, wanted):
        hint = f"take it out: diskwright image undelete {entry.id}"
        raise IllegalState(f"image {printable(wanted)}", "in the trash", "used", hint)


def _tell_withdrawn(catalog: Catalog, wanted: str) -> None:
    for image, name, origin in json.loads(catalog.note(WITHDRAWN) or "[]"):
        if wanted in (image, name):
            raise NotShared(f"image {image}", f"its owner took it back ({printable(origin)})")


def to_change(place: Place, wanted: str, *, parts: bool = False) -> Chain:
    """The image as the library has it now, for a record to be put on it; with `parts` for its data
    to be read too: only then its parts' digests are there for certain.

    Raises what `find_entry` raises; ReadOnlyImage for another's, KeyMissing for a sealed one that
    is not opened, RemoteUnable where the store keeps no conditions, DataTampered where it was
    rolled back.
    """
    entry = find_entry(place.catalog, wanted, place.store.url)
    check_own(place, entry)
    return newest(place, entry, None if parts else commits.kept(place.catalog, entry.id))


def newest(place: Place, entry: Entry, before: Commit | None = None) -> Chain:
    """One of our own, opened, as the library has it now: for reading alone. `before` as of
    `read_chain`. Raises as `to_change` does."""
    chain = read_chain(place.store, entry.id, place.wrapper, before=before)
    if chain is None:
        raise ImageNotFound(place.store.url, entry.id)
    _check_changeable(entry, chain, place.wrapper)
    return chain


def check_own(place: Place, entry: Entry) -> None:
    what = f"image {entry.id}"
    if entry.visibility is Visibility.SHARED:
        raise ReadOnlyImage(what, f"it is shared with us from {entry.origin}")
    check_conditions(place)


def check_state(entry: Entry, status: Status, wanted: str) -> None:
    """Raises IllegalState where it is in another one."""
    if entry.status is not status:
        state = _STATES.get(entry.status, entry.status.value)
        verb = "undelete" if entry.status is Status.PENDING_DELETE else "show"
        hint = f"diskwright image {verb} {entry.id}"
        raise IllegalState(f"image {entry.id}", state, wanted, hint)


def check_undamaged(known: Entry, wanted: str) -> None:
    """`known` as the catalog has it, which checks tell what they find. Raises IllegalState."""
    if known.status is Status.ERROR:
        check_state(known, Status.ACTIVE, wanted)


def check_conditions(place: Place) -> None:
    """That the store puts only if absent. Tried once for each catalog. Raises RemoteUnable."""
    if place.single_writer or place.catalog.note("conditions") == "kept":
        return
    if place.store.probe().conditional_put is not True:
        raise RemoteUnable(
            place.store.url, "put only what is absent (if you alone write there: --single-writer)"
        )
    place.catalog.set_note("conditions", "kept")


def check_opened(chain: Chain, wrapper: KeyWrapper | None) -> None:
    """Raises KeyMissing where it is sealed and there was no key, KeyRefused where there was one."""
    manifest = chain.manifest
    if manifest.seal is None or chain.data_key is not None:
        return
    if wrapper is not None:
        unwrapped(chain.recipients, manifest.seal, wrapper)
    raise needs_key(manifest.image, chain.recipients)


def _check_changeable(entry: Entry, chain: Chain, wrapper: KeyWrapper | None) -> None:
    check_opened(chain, wrapper)
    check_known(entry, chain)
    if chain.warnings:
        raise DataTampered(f"image {entry.id}", chain.warnings[0])


def check_known(entry: Entry, chain: Chain) -> None:
    """Raises DataTampered where what the catalog knows is not, or no longer, in the library."""
    check_holds(chain, entry.seq, entry.head)


def check_holds(chain: Chain, seq: int, head: str) -> None:
    """Raises DataTampered where its record `seq` (0: the manifest) has not the SHA-256 `head`."""
    what = f"image {chain.manifest.image}"
    if chain.seq < seq:
        raise DataTampered(
            what, f"the library has {chain.seq} records of it, and had {seq}: it was rolled back"
        )
    if head and chain.digest_at(seq) != head:
        raise DataTampered(what, "what the library has of it is another than it was: rolled back")


def append(place: Place, chain: Chain, body: Body) -> Chain:
    """`chain` with one record more. Raises ChangedMeanwhile where somebody else put one,
    DataTampered where it does not count: the image is not what was read before."""
    image = chain.manifest.image
    record = next_record(chain, body, place.time())
    changes.announce(place.store, image, record.seq, place.now())
    data = records.encode(record)
    try:
        place.store.put(record_key(image, record.seq), data, if_absent=not place.single_writer)
    except TargetExists as error:
        if place.store.get(record_key(image, record.seq), 0, records.LIMIT_BYTES) != data:
            raise ChangedMeanwhile(f"image {image}", _winner(place, image, chain)) from error
    return reread(place, image, chain.commit, seq=record.seq, head=records.digest(data))


def _winner(place: Place, image: str, before: Chain) -> str:
    chain = reread(place, image, seq=before.seq, head=before.head)
    change = next((one for one in history_of(chain) if one.seq > before.seq), None)
    return "by whom can't be told" if change is None else by_whom(change)


def by_whom(change: Change) -> str:
    """For ChangedMeanwhile."""
    return f"{change.kind} by {change.who or 'somebody'} at {change.time}"


def reread(
    place: Place, image: str, before: Commit | None = None, *, seq: int = 0, head: str = ""
) -> Chain:
    """As the library has it; the catalog is told. `before` as of `read_chain`. It has the record
    `seq` whose SHA-256 is `head`, and what the catalog knew of it.

    Raises ImageNotFound, DataTampered.
    """
    known = place.catalog.entry(image)  # before it is read: another process may tell it of more
    chain = read_chain(place.store, image, place.wrapper, before=before)
    if chain is None:
        raise ImageNotFound(place.store.url, image)
    check_holds(chain, seq, head)
    if known is not None and not known.origin:
        check_known(known, chain)
    place.catalog.save(remembered(place.catalog, seen(place, chain)), history_of(chain))
    if chain.commit is not before:
        commits.keep(place.catalog, chain)
    return chain


def seen(place: Place, chain: Chain) -> Entry:
    """The entry of an image of this library, with what its library says of all its images."""
    entry = entry_of(chain)
    if place.info.public:
        entry = replace(entry, visibility=Visibility.PUBLIC)
    return entry
