"""What a person says of an image that is going to be created in a library."""

from __future__ import annotations

from diskwright._values import Struct, field
from diskwright.model.library import ImageKind
from diskwright.model.manifest import LibraryEntry


class CreateRequest(Struct, frozen=True):
    """What the entry is going to say; what is None is as the guest was judged."""

    name: str
    kind: ImageKind = ImageKind.SYSTEM
    description: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    os_version: str | None = None
    max_memory_mib: int = 0
    nic_multiqueue: bool | None = None
    sriov: bool | None = None
    channel: str = ""
    reason: str = ""
    allow_duplicate: bool = False

    def entry(self, who: str) -> LibraryEntry:
        return LibraryEntry(
            kind=self.kind.value,
            who=who,
            description=self.description,
            tags=dict(self.tags),
            os_version=self.os_version,
            max_memory_mib=self.max_memory_mib,
            nic_multiqueue=self.nic_multiqueue,
            sriov=self.sriov,
            channel=self.channel,
        )
