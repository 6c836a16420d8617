"""share and unshare: who may use an image; its data never moves.

To share: the data key wrapped for the account's public key, the record, the offer. To take back:
the same in that order undone. A run that was cut short is completed by the next one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from diskwright._values import Struct
from diskwright.envelope.header import check_room, context_bytes
from diskwright.envelope.receiver import PROVIDER, ReceiverPublicKey
from diskwright.envelope.recipients import recipient_of
from diskwright.errors import (
    ChangedMeanwhile,
    DataTampered,
    IllegalState,
    ImageNotFound,
    KeyMissing,
    KeyRefused,
    ObjectMissing,
    UsageError,
)
from diskwright.model.library import Changed, Entry, MemberState, Query, Status
from diskwright.model.recipient import Recipient
from diskwright.model.record import Body, Recipients, Sharing
from diskwright.model.sharing import (
    LIMIT_BYTES,
    SHARES,
    Answer,
    Given,
    NotASharing,
    Offer,
    answer_key,
    decode,
    encode,
    offer_key,
)
from diskwright.model.text import printable
from diskwright.ops.library.chain import Chain
from diskwright.ops.library.fold import history_of, words_of
from diskwright.ops.library.place import (
    Place,
    append,
    by_whom,
    check_state,
    find_entry,
    newest,
    seen,
    to_change,
)
from diskwright.ops.library.trash import is_going


class SharePlan(Struct, frozen=True):
    """Records that are going to be put, one after the other, on what was there when it was planned;
    then the offer is put or (`offered` false) deleted, where it is not yet as it should be."""

    before: Entry
    chain: Chain
    account: str
    name: str
    offered: bool
    bodies: tuple[Body, ...]
    finish: bool  # the offer is to be put, or deleted


def plan_share(place: Place, wanted: str, account: ReceiverPublicKey, *, name: str) -> SharePlan:
    """Raises IllegalState for one that is not active or rests on another image, UsageError for an
    account that it was sealed for, TooManyRecipients, and what `to_change` raises."""
    chain = to_change(place, wanted)
    entry = seen(place, chain)
    check_state(entry, Status.ACTIVE, "shared")
    _check_whole(chain)
    member = any(one.account == account.id for one in entry.members)
    if _is_for(chain.manifest.recipients, account.id):
        raise UsageError(
            f"image {entry.id} was sealed for account {account.id}: that key opens it already",
            "its owners' keys are not accounts to share it with",
        )
    bodies: list[Body] = []
    if chain.manifest.seal is not None and not _is_for(chain.recipients, account.id):
        assert chain.data_key is not None
        wrapped = account.wrap(chain.data_key, context_bytes(chain.manifest.seal))
        recipients = (*chain.recipients, recipient_of(wrapped))
        check_room(recipients)
        bodies.append(Recipients(recipients))
    if not member:
        bodies.append(Sharing(place.who, account.id, name, True))
    finish = not member or _get(place, offer_key(account.id, entry.id)) != _offer(
        place, chain, account.id
    )
    return SharePlan(entry, chain, account.id, name, True, tuple(bodies), finish)


def plan_unshare(place: Place, wanted: str, account: str) -> SharePlan:
    """`account` is the id of one, or the name that it was shared under. Also of an image in the
    trash. Raises UsageError where it was not shared with that one, and what `to_change` raises."""
    chain = to_change(place, wanted)
    entry = seen(place, chain)
    found, name = _once_shared(chain, account)
    bodies: list[Body] = []
    if _is_for(chain.recipients, found):
        kept = tuple(one for one in chain.recipients if not _is_for((one,), found))
        bodies.append(Recipients(kept))
    if any(one.account == found for one in entry.members):
        bodies.append(Sharing(place.who, found, name, False))
    lies = [key for key in _keys(found, entry.id) if place.store.head(key) is not None]
    return SharePlan(entry, chain, found, name, False, tuple(bodies), bool(lies))


def made(place: Place, plan: SharePlan, *, dry_run: bool) -> Changed:
    """As `run`, told. With `dry_run` nothing is done."""
    what = next((words_of(body) for body in plan.bodies if isinstance(body, Sharing)), "")
    if not what and (plan.bodies or plan.finish):
        words = "sharing with" if plan.offered else "taking back from"
        what = f"{words} {plan.name or plan.account} completed"
    return Changed(plan.before if dry_run else run(place, plan), what, dry_run)


def run(place: Place, plan: SharePlan) -> Entry:
    """The image after the change. Raises ChangedMeanwhile where another change came first: then
    nobody new can open it."""
    try:
        chain = _with_records(place, plan)
    except ChangedMeanwhile:
        if plan.offered:
            _take_key_out(place, plan)
        raise
    if plan.offered and plan.finish:
        offer = _offer(place, chain, plan.account)
        if offer is not None:  # else it was taken back a moment ago
            place.store.put(offer_key(plan.account, plan.before.id), offer)
    if not plan.offered:
        for key in _keys(plan.account, plan.before.id) if plan.finish else ():
            place.store.delete(key)
    return seen(place, chain)


def _with_records(place: Place, plan: SharePlan) -> Chain:
    chain = plan.chain
    for number, body in enumerate(plan.bodies):
        if chain.seq != plan.chain.seq + number:
            raise ChangedMeanwhile(f"image {plan.before.id}", by_whom(history_of(chain)[-1]))
        chain = append(place, chain, body)
    return chain


def _take_key_out(place: Place, plan: SharePlan) -> None:
    """Where a share lost between its two records. Nothing, where somebody else completed it or gc
    is about to remove the image; where that can't be done now, `unshare` does it."""
    with suppress(ChangedMeanwhile, DataTampered, ImageNotFound, KeyMissing, KeyRefused):
        chain = newest(place, plan.before)
        if is_going(chain) or shared_by(chain, plan.account) is not None:
            return
        kept = tuple(one for one in chain.recipients if not _is_for((one,), plan.account))
        if kept != chain.recipients:
            append(place, chain, Recipients(kept))


def given(place: Place, wanted: str | None = None) -> Iterator[Given]:
    """Images of ours that are shared, or one of them, and what the accounts said.

    Raises ImageNotFound, ImageAmbiguous.
    """
    if wanted is None:
        entries = place.catalog.query(Query())
    else:
        entries = iter((find_entry(place.catalog, wanted, place.store.url),))
    there: set[str] | None = None
    for entry in entries:
        if entry.origin:
            continue
        for member in entry.members:
            if there is None:
                there = {info.key for info in place.store.list(SHARES)}
            offered = offer_key(member.account, entry.id) in there
            answered = offered and answer_key(member.account, entry.id) in there
            state = _answer(place, member.account, entry.id) if answered else MemberState.PENDING
            yield Given(entry.id, entry.name, member.account, member.name, state, offered)


def shared_by(chain: Chain, account: str) -> tuple[int, Sharing, str] | None:
    """Of the record that shares it with `account`: number, body, time; None where it is not."""
    for link in reversed(chain.links):
        if isinstance(link.body, Sharing) and link.body.account == account:
            shared = (link.record.seq, link.body, link.record.time)
            return shared if link.body.offered else None
    return None


def _offer(place: Place, chain: Chain, account: str) -> bytes | None:
    """The same bytes, whoever makes them."""
    found = shared_by(chain, account)
    if found is None:
        return None
    seq, body, time = found
    return encode(Offer(chain.manifest.image, place.info.id, body.who, time, seq))


def _answer(place: Place, account: str, image: str) -> MemberState:
    """Whoever can write there may have put it: it is shown, and decides nothing."""
    try:
        offer = decode(Offer, _get(place, offer_key(account, image)) or b"", image)
        answer = decode(Answer, _get(place, answer_key(account, image)) or b"", image)
    except NotASharing:
        return MemberState.PENDING
    return answer.state if answer.offer == offer.seq else MemberState.PENDING


def _get(place: Place, key: str) -> bytes | None:
    try:
        return place.store.get(key, 0, LIMIT_BYTES + 1)
    except ObjectMissing:
        return None


def _keys(account: str, image: str) -> tuple[str, str]:
    """The offer goes first: without it an answer is nothing."""
    return offer_key(account, image), answer_key(account, image)


def _is_for(recipients: tuple[Recipient, ...], account: str) -> bool:
    return any((one.provider, one.key_id) == (PROVIDER, account) for one in recipients)


def _once_shared(chain: Chain, account: str) -> tuple[str, str]:
    """Id and name of an account that it is or was shared with. One that was cut short before its
    record is known by its wrapped key alone."""
    newest = {
        link.body.account: link.body for link in chain.links if isinstance(link.body, Sharing)
    }
    named = [one for one in newest.values() if account in (one.account, one.name)]
    found = {one.account: one.name for one in named if one.offered}
    found = found or {one.account: one.name for one in named}
    own = _is_for(chain.manifest.recipients, account)
    if not found and _is_for(chain.recipients, account) and not own:
        found = {account: ""}
    what = f"image {chain.manifest.image}"
    hint = f"see with whom: diskwright image shares {chain.manifest.image}"
    if not found:
        raise UsageError(f"{what} was never shared with {printable(account)}", hint)
    if len(found) > 1:
        listed = ", ".join(sorted(found))
        raise UsageError(f"{what} was shared with several accounts of that name: {listed}", hint)
    return next(iter(found.items()))


def _check_whole(chain: Chain) -> None:
    """Whoever gets it needs all of it, and gets no other image."""
    assert chain.body is not None
    base = next((disk.base for disk in chain.body.disks if disk.base is not None), None)
    if base is not None:
        image = chain.manifest.image
        state = f"stored as what differs from image {base.image}"
        hint = f"share a whole one: diskwright image replicate {image} --whole --name NAME"
        raise IllegalState(f"image {image}", state, "shared", hint)
