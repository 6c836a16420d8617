"""delete, undelete, gc, check, prune, prove: methods of `Library`."""

from __future__ import annotations

from diskwright.app.library.opening import OpenLibrary
from diskwright.model.care import ORPHAN_GRACE_S, TRASH_GRACE_S, Checked, Collected, Pruned
from diskwright.model.library import Changed, Entry
from diskwright.model.nulls import NeverCancelled, NullProgress
from diskwright.ports import CancelToken, Progress


class CareVerbs(OpenLibrary):
    """Methods of `Library`."""

    def delete(
        self,
        image: str,
        *,
        reason: str = "",
        dry_run: bool = False,
        cancel: CancelToken | None = None,
    ) -> Changed:
        """Into the trash; servers and volumes that were made of it live on.

        Raises ImageInUse while a server stands on its data, ReadOnlyImage for another's,
        IllegalState, ChangedMeanwhile, KeyMissing for a sealed one.
        """
        from diskwright.ops.library import trash

        place = self.synced(cancel, image=image)
        plan = trash.plan_delete(place, image, reason=reason)
        return trash.made(place, plan, dry_run=dry_run)

    def undelete(
        self,
        image: str,
        *,
        allow_duplicate: bool = False,
        dry_run: bool = False,
        cancel: CancelToken | None = None,
    ) -> Changed:
        """Out of the trash, by id or by the name that it had.

        Raises NameTaken, IllegalState where it is not there or is being removed, ChangedMeanwhile.
        """
        from diskwright.ops.library import trash

        place = self.synced_alone(cancel)
        plan = trash.plan_undelete(place, image, allow_duplicate=allow_duplicate)
        return trash.made(place, plan, dry_run=dry_run)

    def gc(
        self,
        *,
        grace_s: float = TRASH_GRACE_S,
        orphan_grace_s: float = ORPHAN_GRACE_S,
        unproven: bool = False,
        dry_run: bool = False,
        progress: Progress | None = None,
        cancel: CancelToken | None = None,
    ) -> Collected:
        """Remove for ever what is in the trash for `grace_s`, what killed runs left that is older
        than `orphan_grace_s`, and old hints. What others need stays, and is told; so does what may
        be an image whose manifest is lost, but for `unproven`.

        Raises RemoteUnable where the store keeps no conditions.
        """
        from diskwright.ops.library.collect import CollectRequest, collect

        if not dry_run:
            with self.app.adapters.local_tools(cancel).scratch():
                pass  # a killed run may have left a disk of a sealed image here: it goes first
        return collect(
            self.place(cancel),
            self.app.adapters.journal(),
            CollectRequest(grace_s, orphan_grace_s, unproven),
            dry_run=dry_run,
            progress=progress or NullProgress(),
            cancel=cancel or NeverCancelled(),
        )

    def check(
        self,
        *,
        sample_percent: float = 1.0,
        read_data: bool = False,
        progress: Progress | None = None,
        cancel: CancelToken | None = None,
    ) -> Checked:
        """Every object against its manifest, and the bytes of `sample_percent` of the parts, one of
        each image at least; with `read_data` of all.

        The catalog has the status `error` for what is damaged, until a check finds it mended.
        """
        from diskwright.ops.library.check import check

        return check(
            self.place(cancel),
            percent=100.0 if read_data else sample_percent,
            progress=progress or NullProgress(),
            cancel=cancel or NeverCancelled(),
        )

    def prune(
        self,
        channel: str,
        *,
        keep: int,
        dry_run: bool = False,
        cancel: CancelToken | None = None,
    ) -> Pruned:
        """All versions but the `keep` newest into the trash, where one of these is proven. What is
        shared, in use, damaged or tagged `keep` stays.

        Raises UsageError for a channel without images.
        """
        from diskwright.ops.library import prune

        place = self.synced_alone(cancel)
        planned = prune.plan(place, channel, keep=keep)
        return planned if dry_run else prune.run(place, planned, cancel or NeverCancelled())

    def prove(
        self,
        image: str,
        *,
        progress: Progress | None = None,
        cancel: CancelToken | None = None,
    ) -> Entry:
        """Read the whole image back, compare every disk's digest, and put a record that says so. A
        disk is kept as a file for so long, in the state folder.

        Raises DataTampered where it is not what it was made of.
        """
        from diskwright.ops.library import prove
        from diskwright.ops.stored_file import RestoreTools

        place = self.synced(cancel, image=image)
        planned = prove.plan(place, image)
        return prove.run(
            place,
            planned,
            tools=RestoreTools(place.store, place.wrapper, self.app.adapters.local_tools(cancel)),
            progress=progress or NullProgress(),
            cancel=cancel or NeverCancelled(),
        )
