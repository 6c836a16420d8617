"""What another's library offers to our account. All of it is anybody's bytes: bounded, strict."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from diskwright._values import Struct, replace
from diskwright.errors import DataTampered, NotShared, ObjectMissing
from diskwright.model.library import Entry, MemberState, Status, Visibility
from diskwright.model.record import records_prefix
from diskwright.model.sharing import (
    LIMIT_BYTES,
    NotASharing,
    Offer,
    account_prefix,
    decode,
    offer_key,
    offered_image,
)
from diskwright.ops.library.chain import OTHERS_BYTES, Chain, number_of, read_chain
from diskwright.ops.library.fold import entry_of, history_of
from diskwright.ops.library.place import read_library
from diskwright.ops.library.sharing import shared_by
from diskwright.ports import KeyWrapper, ObjectStore

_OFFERS = 10_000  # of one library; two objects each
_RECORDS = 10_000  # of one image


class Origin(Struct, frozen=True):
    """A library that we receive from. `account` is the id of our key, which is asked for only where
    a sealed image is to be opened."""

    url: str
    library: str  # id
    account: str
    open: Callable[[], ObjectStore]
    key: KeyWrapper


class Offered(Struct, frozen=True):
    """An image that is offered to us, read. `manifest` is the SHA-256 of its manifest."""

    offer: Offer
    chain: Chain
    manifest: str

    def entry(self, origin: Origin, state: MemberState) -> Entry:
        """Who else may use it is none of our business."""
        return replace(
            entry_of(self.chain),
            visibility=Visibility.SHARED,
            received=state,
            origin=origin.url,
            members=(),
        )


def opened(origin: Origin) -> ObjectStore:
    """Raises NotALibrary, DataTampered where another library is there by now, and what the store
    raises."""
    store = origin.open()
    if read_library(store).id != origin.library:
        raise DataTampered(f"library {origin.url}", "it is another one than we receive from")
    return store


def offers(origin: Origin, store: ObjectStore) -> tuple[str, ...]:
    """Ids of images. Raises DataTampered for more than anybody would offer."""
    listed = list(islice(store.list(account_prefix(origin.account)), 2 * _OFFERS + 1))
    if len(listed) > 2 * _OFFERS:
        raise DataTampered(f"library {origin.url}", f"it offers more than {_OFFERS} images")
    found = (offered_image(origin.account, info.key) for info in listed)
    return tuple(image for image in found if image)


def is_offered(origin: Origin, store: ObjectStore, image: str) -> bool:
    """By listing: a key that is not there may look forbidden to us."""
    key = offer_key(origin.account, image)
    return any(info.key == key for info in islice(store.list(key), 1))


def read_offered(origin: Origin, store: ObjectStore, image: str) -> Offered:
    """Raises NotShared where its records do not say that it is shared with us, DataTampered for
    what does not hold together, and KeyUnreadable where our key can't be asked."""
    what = f"image {image}"
    try:
        data = store.get(offer_key(origin.account, image), 0, LIMIT_BYTES + 1)
        offer = decode(Offer, data, image)
    except ObjectMissing as error:
        raise NotShared(what, "it is not offered any more") from error
    except NotASharing as error:
        raise DataTampered(f"the offer of {what}", f"it can't be read ({error})") from error
    if offer.library != origin.library:
        raise DataTampered(f"the offer of {what}", "it is of another library")
    last = _last(store, image)
    chain = read_chain(store, image, origin.key, last=last, limit=OTHERS_BYTES)
    if chain is None:
        raise NotShared(what, "it is not there any more")
    if chain.body is not None:
        _check_shared(chain, origin.account, offer)
    return Offered(offer, chain, history_of(chain)[0].digest)


def _check_shared(chain: Chain, account: str, offer: Offer) -> None:
    """The records decide: an offer that was left behind is none."""
    assert chain.body is not None
    what = f"image {chain.manifest.image}"
    shared = shared_by(chain, account)
    if shared is None or shared[0] != offer.seq:
        raise NotShared(what, "its owner took it back")
    if entry_of(chain).status is not Status.ACTIVE:
        raise NotShared(what, "its owner deleted it")
    if any(disk.base is not None for disk in chain.body.disks):
        raise DataTampered(what, "it rests on another image, which is not offered")


def _last(store: ObjectStore, image: str) -> int:
    listed = list(islice(store.list(records_prefix(image)), _RECORDS + 1))
    if len(listed) > _RECORDS:
        raise DataTampered(f"image {image}", f"it has more than {_RECORDS} records")
    return max((number_of(info.key) for info in listed), default=0)
