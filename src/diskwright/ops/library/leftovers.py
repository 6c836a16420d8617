"""What lies in a library and belongs to no image: found by listing, removed once it is old.

A run that was killed leaves data without a manifest; a purge that was, records or data without
one. An image's id tells when it was drawn, so of what is younger nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterable

from diskwright._values import Struct, field, replace
from diskwright.model import record as records
from diskwright.model.care import Removed
from diskwright.model.library import Entry, Query, Status
from diskwright.model.manifest import ABORTED
from diskwright.model.names import image_prefix, is_uuid, manifest_key, uuid7_time
from diskwright.model.record import RECORDS, Deleted, NotARecord
from diskwright.model.sharing import RECEIVED, SHARES
from diskwright.ops.cleanup import end_uploads, mark_aborted
from diskwright.ops.library import changes
from diskwright.ops.library.chain import number_of
from diskwright.ops.library.place import Place
from diskwright.ops.library.references import DATA, References
from diskwright.ops.library.uses import all_uses, read_use, said, users
from diskwright.ops.manifests import committed

UNPROVEN = "its manifest is lost, or its run died before it came"


class Left(Struct):
    """What lies there of an image. `extra`: its manifest is there and does not name this data."""

    image: str
    data: dict[str, int] = field(default_factory=dict)  # sizes by key
    records: list[str] = field(default_factory=list)
    offers: list[str] = field(default_factory=list)
    uses: list[str] = field(default_factory=list)  # that say that it stands on others
    extra: bool = False

    def removed(self, name: str = "") -> Removed:
        count = len(self.data) + len(self.records) + len(self.offers) + len(self.uses)
        return Removed(self.image, name, count, sum(self.data.values()))


class Survey(Struct, frozen=True):
    """`there`: keys of all data, with sizes. `marks`: images of runs that were aborted.
    `announced`: images whose manifests somebody was about to remove; `begun`: to put, or changed.
    """

    there: dict[str, int]
    left: tuple[Left, ...]
    marks: tuple[str, ...]
    announced: frozenset[str]
    begun: frozenset[str]
    offers: dict[str, list[str]]  # keys, by image
    uses: dict[str, list[str]]  # keys, by who stands on another


def image_of(key: str) -> str:
    """Whose data lies at that key."""
    return key.removeprefix(DATA).partition("/")[0]


def survey(place: Place) -> Survey:
    """By listing all of it. The catalog was synced whole before."""
    store = place.store
    manifests = committed(store)
    short = (image for image, size in manifests.items() if size == len(ABORTED))
    marks = {image for image in short if _is_mark(place, image)}
    images = manifests.keys() - marks
    named = {disk.key for entry in _all(place) for disk in entry.disks}
    found: dict[str, Left] = {}
    there: dict[str, int] = {}
    for info in store.list(DATA):
        image = image_of(info.key)
        there[info.key] = info.size
        if is_uuid(image) and info.key not in named:
            left = found.setdefault(image, Left(image, extra=image in images))
            left.data[info.key] = info.size
    for info in store.list(RECORDS):
        image = info.key.removeprefix(RECORDS).partition("/")[0]
        if is_uuid(image) and image not in images:
            found.setdefault(image, Left(image)).records.append(info.key)
    offered, uses = offers(place), all_uses(store)
    for image, keys in offered.items():
        if image not in images:
            found.setdefault(image, Left(image)).offers += keys
    for image, keys in uses.items():
        if is_uuid(image) and image not in images and (image in found or _of_image(place, keys[0])):
            found.setdefault(image, Left(image)).uses += keys
    hints = tuple(changes.everything(store))
    gone = frozenset(hint.image for hint in hints if hint.seq is None)
    begun = frozenset(hint.image for hint in hints if hint.seq is not None)
    sorted_left = tuple(found[image] for image in sorted(found))
    return Survey(there, sorted_left, tuple(sorted(marks)), gone, begun, offered, uses)


def _of_image(place: Place, key: str) -> bool:
    """Whether an image stands there, no server: that has a host (`resting`)."""
    use = read_use(place.store, key)
    return use is not None and bool(use.time) and not use.host


def _all(place: Place) -> Iterable[Entry]:
    return place.catalog.query(Query(statuses=tuple(Status)))


def _is_mark(place: Place, image: str) -> bool:
    return place.store.get(manifest_key(image), 0, len(ABORTED) + 1) == ABORTED


def offers(place: Place) -> dict[str, list[str]]:
    """Keys of what was offered to accounts, and of their answers, by image."""
    found: dict[str, list[str]] = {}
    for info in place.store.list(SHARES):
        name = info.key.rsplit("/", 1)[-1]
        image = name.removesuffix(".json").removesuffix(".answer")
        if is_uuid(image):
            found.setdefault(image, []).append(info.key)
    return found


def manifest_lost(place: Place, left: Left, announced: frozenset[str]) -> bool:
    """Whether nobody removed it: a purge says so in a hint, which is kept for 30 days, and by its
    own deletion, which follows the one that put the image into the trash. One alone may be of an
    image that can still be taken out."""
    if left.extra or not left.records or left.image in announced:
        return False
    last = sorted(left.records, key=number_of)[-2:]
    return len(last) < 2 or not all(_is_deletion(place, key) for key in last)


def _is_deletion(place: Place, key: str) -> bool:
    """Of a sealed image that can't be told."""
    try:
        record = records.decode(place.store.get(key, 0, records.LIMIT_BYTES))
        body = None if record.seal else records.body_of(record.kind, record.body)
    except NotARecord:
        return False
    return isinstance(body, Deleted) and body.deleted


def unproven(place: Place, left: Left, found: Survey) -> bool:
    """Whether it may be an image whose manifest is lost: a run puts a hint right before that, and
    hints are kept for 30 days. The mark of an abort, a purge's hint or records tell that it is
    none."""
    if left.extra or not left.data or left.records:
        return False
    if left.image in found.marks or left.image in found.announced:
        return False
    drawn = uuid7_time(left.image)
    old = drawn is not None and drawn < place.now() - changes.KEPT_S
    return old or left.image in found.begun


def why_kept(
    place: Place,
    left: Left,
    refs: References,
    running: set[str],
    found: Survey,
    *,
    grace_s: float,
    doubtful: bool = False,
) -> str:
    """Why what is left of an image is not removed; else empty. `doubtful`: what may be an image
    whose manifest is lost goes too."""
    drawn, limit = uuid7_time(left.image), place.now() - grace_s
    if drawn is None:
        return "its id does not tell how old it is"
    if left.image in running:
        return "a run here is at it"
    entry = place.catalog.entry(left.image)
    if entry is not None and not left.extra:
        return "the catalog here knows it: its manifest is lost, or on its way"
    if drawn > limit:
        return "it is not old enough"
    if manifest_lost(place, left, found.announced):
        return "nobody removed it: its manifest is lost"
    if not doubtful and unproven(place, left, found):
        return f"it may be an image: {UNPROVEN}; --unproven removes it"
    for upload in place.store.list_uploads(image_prefix(left.image)):
        if upload.begun is None or upload.begun > limit:
            return "an upload to it is open"
    if used_by := users(place.store, left.image):
        return f"in use by {said(used_by)}"
    return refs.why_needed(left.image)


def remove(place: Place, left: Left, refs: References) -> str:
    """Empty; else why it was not removed: the image has come to be."""
    # A run that goes on somewhere can't put its manifest any more
    aborted = left.extra or mark_aborted(place.store, left.image, single_writer=place.single_writer)
    if not aborted:
        return "it is there now"
    end_uploads(place.store, image_prefix(left.image))
    data = {key: size for key, size in left.data.items() if key not in refs.keys}
    remove_rest(place, replace(left, data=data))
    return ""


def remove_rest(place: Place, left: Left) -> None:
    """What is found by records or data goes before them, and the newest record, which says that
    the image was deleted, behind the others."""
    for key in (*left.offers, *left.uses):
        place.store.delete(key)
    for key in sorted(left.records, key=number_of):
        place.store.delete(key)
    for key in left.data:
        place.store.delete(key)


def rest_of(place: Place, image: str, found: Survey) -> Left:
    """All that lies beside the manifest of an image that goes."""
    store = place.store
    data = {info.key: info.size for info in store.list(image_prefix(image))}
    numbered = [info.key for info in store.list(f"{RECORDS}{image}/")]
    answers = [info.key for info in store.list(f"{RECEIVED}{image}/")]
    offered = [*found.offers.get(image, ()), *answers]
    return Left(image, data, numbered, offered, list(found.uses.get(image, ())))
