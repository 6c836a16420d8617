"""share, unshare, shares, accept, reject: methods of `Library`."""

from __future__ import annotations

from diskwright.app.library.opening import OpenLibrary
from diskwright.errors import KeyUnreadable
from diskwright.model.library import Changed, MemberState, Query, Visibility
from diskwright.model.sharing import Shares
from diskwright.ports import CancelToken


class SharingVerbs(OpenLibrary):
    """Methods of `Library`."""

    def share(
        self,
        image: str,
        account: str,
        *,
        dry_run: bool = False,
        cancel: CancelToken | None = None,
    ) -> Changed:
        """Offer an image to an account: a name of the address book, or the file of a receiver's
        public document. Of a sealed image the data key is wrapped for it. Its data never moves.

        Repeating it completes what was cut short. Raises UsageError for an account that is not
        known, KeyUnreadable, IllegalState, TooManyRecipients, ReadOnlyImage, KeyMissing,
        ChangedMeanwhile.
        """
        from diskwright.ops.library import sharing

        name, public = self.app.account(account)
        place = self.synced(cancel, image=image)
        plan = sharing.plan_share(place, image, public, name=name)
        return sharing.made(place, plan, dry_run=dry_run)

    def unshare(
        self,
        image: str,
        account: str,
        *,
        dry_run: bool = False,
        cancel: CancelToken | None = None,
    ) -> Changed:
        """Take an image back; `account` may also be an id, or the name it was shared under.

        Whoever has opened it may have kept the data key, or the disk. Raises UsageError where it
        was never shared with that account, ReadOnlyImage, KeyMissing, ChangedMeanwhile.
        """
        from diskwright.ops.library import sharing

        place = self.synced(cancel, image=image)
        plan = sharing.plan_unshare(place, image, self._account_id(account))
        return sharing.made(place, plan, dry_run=dry_run)

    def _account_id(self, account: str) -> str:
        known = next((one for one in self.app.accounts() if one.name == account), None)
        if known is not None:
            return known.id
        try:
            return self.app.public_document(account).id
        except KeyUnreadable:
            return account  # an id, or a name that is in the address book no more

    def shares(self, image: str | None = None, *, cancel: CancelToken | None = None) -> Shares:
        """Who our images are shared with, and what they said; and what others share with us.

        Raises ImageNotFound, ImageAmbiguous.
        """
        from diskwright.ops.library.place import find_entry
        from diskwright.ops.library.sharing import given

        place = self.synced(cancel, image=image)
        if image is None:
            received = tuple(place.catalog.query(Query(visibilities=(Visibility.SHARED,))))
            return Shares(tuple(given(place)), received)
        entry = find_entry(place.catalog, image, place.store.url)
        return Shares(tuple(given(place, image)), (entry,) if entry.origin else ())

    def accept(
        self, image: str, *, dry_run: bool = False, cancel: CancelToken | None = None
    ) -> Changed:
        """Use an image that another shares with us, as it is now: read-only, from where it lies.

        Raises UsageError for one of our own, NotShared, KeyRefused, DataTampered, ChangedMeanwhile.
        """
        return self._answer(image, MemberState.ACCEPTED, cancel, dry_run=dry_run)

    def reject(
        self, image: str, *, dry_run: bool = False, cancel: CancelToken | None = None
    ) -> Changed:
        """Don't. It can be accepted later. Raises as `accept` does."""
        return self._answer(image, MemberState.REJECTED, cancel, dry_run=dry_run)

    def _answer(
        self, image: str, state: MemberState, cancel: CancelToken | None, *, dry_run: bool
    ) -> Changed:
        from diskwright.ops.library import answers

        place = self.synced(cancel)
        plan = answers.plan_answer(place, self._origins(cancel), image, state)
        return answers.answer(place, plan, dry_run=dry_run)
