"""The manifest: the JSON document that is put last and makes an image exist.

Both forms are canonical JSON. Of a sealed image the clear part names only ids, keys, sizes, part
digests and recipients; `private` (base64 of nonce, ciphertext and tag) holds `ManifestBody`.
"""

from __future__ import annotations

from diskwright._values import Struct, field
from diskwright.model import canonical, codec
from diskwright.model.attributes import ImportAttributes
from diskwright.model.finding import Accepted, Finding
from diskwright.model.guest import GuestFacts
from diskwright.model.image import ImageFacts
from diskwright.model.recipient import Recipient
from diskwright.model.stored import StoredObject
from diskwright.model.times import is_time

VERSION = 1
LIMIT_BYTES = 64 << 20  # no manifest is read past this


class DiskAbout(Struct, frozen=True):
    """What a manifest says of a disk behind the first; of that one it is said in the body."""

    image: ImageFacts
    guest: GuestFacts | None
    findings: tuple[Finding, ...]
    accepted: tuple[Accepted, ...]
    attributes: ImportAttributes | None


class DiskBase(Struct, frozen=True):
    """The disk that a delta rests on: `disk` (from 0) of an image of the same library."""

    image: str
    disk: int
    key: str  # of its object
    digest: str  # dw1 of the whole disk, hex


class ManifestDisk(Struct, frozen=True):
    """What one disk's object holds, once opened. `name` and `about` came with sets of disks.

    With a `base` the object is a qcow2 of what differs from that disk; sizes and digest are those
    of the whole disk all the same, `stored_size` is the delta's.
    """

    key: str
    format: str
    compressed: bool
    virtual_size: int
    exact_size: int  # of the source; differs from virtual_size for an odd raw file
    digest: str  # dw1, hex
    stored_size: int  # bytes of the plain object (the payload's plaintext, where sealed)
    name: str = ""  # of the disk in the package that it is from
    about: DiskAbout | None = None
    base: DiskBase | None = None


class LibraryEntry(Struct, frozen=True):
    """What a library's image is created with; what changes later stands in its records.

    `kind` is of `model.library.ImageKind`, `from_image` the id that it was replicated from, `quick`
    says that a server starts from it by an overlay.
    """

    kind: str
    who: str
    description: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    os_version: str | None = None
    min_memory_mib: int | None = None
    max_memory_mib: int = 0
    nic_multiqueue: bool | None = None
    sriov: bool | None = None
    channel: str = ""
    from_image: str = ""
    quick: bool = False


class ManifestBody(Struct, frozen=True):
    """All that is said of an image. In clear for an import-ready one, in `private` when sealed.

    From `image` on it is said of the first disk, `profile`, `tools` and `entry` of all. `entry` is
    None for what `prepare` made outside a library.
    """

    name: str
    disks: tuple[ManifestDisk, ...]
    source_name: str
    source_format: str
    image: ImageFacts
    guest: GuestFacts | None
    profile: str
    findings: tuple[Finding, ...]
    accepted: tuple[Accepted, ...]
    attributes: ImportAttributes | None
    tools: dict[str, str]
    entry: LibraryEntry | None = None


class Manifest(Struct, frozen=True):
    """`seal` and `private` are None for an import-ready image, `body` for a sealed one unopened."""

    image: str  # UUID version 7
    time: str  # YYYY-MM-DDTHH:MM:SSZ
    objects: tuple[StoredObject, ...]
    body: ManifestBody | None = None
    seal: str | None = None
    recipients: tuple[Recipient, ...] = ()
    private: str | None = None

    @property
    def sealed(self) -> bool:
        return self.seal is not None


class NotAManifest(ValueError):
    """The bytes are no manifest of a version that is read here."""


class _Plain(Struct, frozen=True):
    v: int
    image: str
    time: str
    objects: tuple[StoredObject, ...]
    body: ManifestBody


class _Sealed(Struct, frozen=True):
    v: int
    image: str
    time: str
    objects: tuple[StoredObject, ...]
    seal: str
    recipients: tuple[Recipient, ...]
    private: str


def encode(manifest: Manifest) -> bytes:
    """Canonical bytes. A sealed manifest needs its `private`; its body is never written."""
    if manifest.seal is None:
        if manifest.body is None:
            raise ValueError("an import-ready image's manifest has a body")
        return canonical.encode(
            codec.encode(
                _Plain(VERSION, manifest.image, manifest.time, manifest.objects, manifest.body)
            )
        )
    if manifest.private is None:
        raise ValueError("a sealed image's manifest has a private part")
    document = codec.encode(_clear(manifest, manifest.private))
    return canonical.encode(document)


def clear_part(manifest: Manifest) -> bytes:
    """Canonical bytes of a sealed manifest without `private`: what its encryption is bound to."""
    document = codec.encode(_clear(manifest, ""))
    del document["private"]
    return canonical.encode(document)


def _clear(manifest: Manifest, private: str) -> _Sealed:
    assert manifest.seal is not None
    return _Sealed(
        VERSION,
        manifest.image,
        manifest.time,
        manifest.objects,
        manifest.seal,
        manifest.recipients,
        private,
    )


def decode(data: bytes) -> Manifest | None:
    """The manifest, or None for the mark of an aborted one. Raises NotAManifest."""
    try:
        value = canonical.decode(data)
        if not isinstance(value, dict):
            raise NotAManifest("not an object")
        if value == {"aborted": True}:
            return None
        if value.get("v") != VERSION:
            raise NotAManifest(f"version {value.get('v')!r} is not read here")
        if not is_time(str(value.get("time"))):
            raise NotAManifest("its time is none")
        if "seal" in value:
            sealed = codec.decode(_Sealed, value)
            return Manifest(
                sealed.image,
                sealed.time,
                sealed.objects,
                seal=sealed.seal,
                recipients=sealed.recipients,
                private=sealed.private,
            )
        plain = codec.decode(_Plain, value)
    except (canonical.NotCanonical, codec.DecodeError) as error:
        raise NotAManifest(str(error)) from error
    return Manifest(plain.image, plain.time, plain.objects, body=plain.body)


ABORTED = canonical.encode({"aborted": True})


def encode_body(body: ManifestBody) -> bytes:
    return canonical.encode(codec.encode(body))


def decode_body(data: bytes) -> ManifestBody:
    """Raises NotAManifest."""
    try:
        return codec.decode(ManifestBody, canonical.decode(data))
    except (canonical.NotCanonical, codec.DecodeError) as error:
        raise NotAManifest(str(error)) from error
