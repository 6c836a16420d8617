"""An owner and a receiver, each with a library of their own."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass, field

from diskwright.envelope.receiver import ReceiverKey
from diskwright.model.library import MemberState, Query, Synced
from diskwright.ops.library import answers, sharing
from diskwright.ops.library.offered import Origin
from diskwright.ops.library.place import Place
from diskwright.ops.library.received import receive
from diskwright.ops.library.sync import rebuild, sync
from support.library_images import KEY, put_image
from support.library_places import Clock, workstation
from support.memory_store import MemoryStore

URL = "dir:/owner"


def account(name: str = "Ada") -> ReceiverKey:
    return ReceiverKey.of("receiver:me.json", str(uuid.uuid4()), name, os.urandom(32))


@dataclass
class Pair:
    """`owner` opens with KEY; `ada` receives with `key`."""

    owner: Place
    ada: Place
    key: ReceiverKey
    origin: Origin
    told: list[Synced] = field(default_factory=list)

    @property
    def store(self) -> MemoryStore:
        return self.owner.store

    def put(self, name: str, *, sealed: bool = False):
        put = put_image(self.store, name, size=1 << 16, key=KEY if sealed else None)
        sync(self.owner, whole=True)
        return put

    def share(self, image: str):
        plan = sharing.plan_share(self.owner, image, self.key.public, name="ada")
        return sharing.run(self.owner, plan)

    def unshare(self, image: str):
        return sharing.run(self.owner, sharing.plan_unshare(self.owner, image, self.key.public.id))

    def sync(self, *, whole: bool = True) -> Synced:
        synced = sync(self.ada, whole=whole)
        return receive(self.ada, (self.origin,), synced, whole=whole)

    def rebuild(self) -> Synced:
        return receive(self.ada, (self.origin,), rebuild(self.ada), whole=True)

    def answer(self, image: str, state: MemberState = MemberState.ACCEPTED):
        plan = answers.plan_answer(self.ada, (self.origin,), image, state)
        return answers.answer(self.ada, plan, dry_run=False)

    def source(self, image: str):
        entry = self.ada.catalog.entry(image)
        return answers.source(self.ada, (self.origin,), entry)

    def shown(self) -> dict[str, MemberState | None]:
        return {one.id: one.received for one in self.ada.catalog.query(Query())}

    def given(self) -> list[tuple[str, MemberState, bool]]:
        sync(self.owner)
        return [(one.image, one.state, one.offered) for one in sharing.given(self.owner)]


def pair(folder) -> Pair:
    clock = Clock()
    theirs, ours, key = MemoryStore(), MemoryStore(), account()
    owner = workstation(theirs, folder, who="owner", key=KEY, clock=clock)
    ada = workstation(ours, folder, who="ada", clock=clock)
    origin = Origin(URL, owner.info.id, key.public.id, lambda: theirs, key)
    return Pair(owner, ada, key, origin)
