"""An image as the library has it: its manifest and its records, opened as far as the key goes."""

from __future__ import annotations

from collections.abc import Iterator

from diskwright._values import Secretive, Struct, replace
from diskwright.envelope import record as sealed_records
from diskwright.errors import DataTampered, KeyRefused, ObjectMissing
from diskwright.model import canonical
from diskwright.model import record as records
from diskwright.model.commit import Commit, commit_of
from diskwright.model.manifest import Manifest, ManifestBody
from diskwright.model.names import manifest_key
from diskwright.model.recipient import Recipient
from diskwright.model.record import Body, NotARecord, Recipients, Record, record_key, records_prefix
from diskwright.ops.manifests import manifest_bytes, manifest_of, opened_bound, unwrapped
from diskwright.ports import KeyWrapper, ObjectStore

OTHERS_BYTES = 4 << 20  # of all records of an image that is another's: whoever wrote it, it is read


class Link(Struct, frozen=True):
    """A record of the chain, whose own body is kept no longer. `body` is None where it is not
    opened, or of a kind not known here."""

    record: Record
    digest: str
    body: Body | None


class Chain(Secretive, frozen=True):
    """`body` and `data_key` are None where a sealed image was not opened. `head`: the SHA-256 that
    the next record follows. `manifest` is that of `commit` where only that was read."""

    manifest: Manifest
    body: ManifestBody | None
    links: tuple[Link, ...]
    recipients: tuple[Recipient, ...]
    seq: int
    head: str
    commit: Commit
    data_key: bytes | None = None
    warnings: tuple[str, ...] = ()

    def digest_at(self, seq: int) -> str:
        """SHA-256 of the record of that number, of the manifest at 0; `seq` at most `self.seq`."""
        if seq == self.seq:
            return self.head
        return self.links[0].record.prev if seq == 0 else self.links[seq - 1].digest


def read_chain(
    store: ObjectStore,
    image_id: str,
    wrapper: KeyWrapper | None,
    *,
    last: int | None = None,
    before: Commit | None = None,
    limit: int | None = None,
) -> Chain | None:
    """None where no such image is there. `last`: the number of the newest record, where a listing
    told it already. `before`: what is known of the manifest, which is not read again where it has
    that size still: of a large image it is larger than all the rest. What does not hold together
    is in `warnings`, and nothing after it counts.

    A key that does not open the image leaves it unopened. Raises DataTampered for the manifest, and
    for records of more than `limit` bytes together.
    """
    read = _known(store, image_id, before) or _whole(store, image_id)
    if read is None:
        return None
    manifest, commit = read
    warnings: list[str] = []
    found = list(_follow(store, image_id, commit.digest, manifest.seal, last, limit, warnings))
    recipients, data_key = _key(commit, found, wrapper, warnings)
    body = manifest.body
    if manifest.sealed and data_key is not None:
        body = _opened(commit, data_key)
    links = [
        Link(replace(record, body=""), digest, _body(record, data_key, warnings))
        for record, digest in found
    ]
    seq, head = (found[-1][0].seq, found[-1][1]) if found else (0, commit.digest)
    whole = replace(manifest, body=body)
    told = tuple(warnings)
    return Chain(whole, body, tuple(links), recipients, seq, head, commit, data_key, told)


def _known(
    store: ObjectStore, image_id: str, before: Commit | None
) -> tuple[Manifest, Commit] | None:
    info = None if before is None else store.head(manifest_key(image_id))
    if before is None or info is None or info.size != before.size:
        return None
    return before.manifest, before


def _whole(store: ObjectStore, image_id: str) -> tuple[Manifest, Commit] | None:
    data = manifest_bytes(store, image_id)
    manifest = None if data is None else manifest_of(data, image_id)
    if data is None or manifest is None:
        return None
    return manifest, commit_of(manifest, data)


def _opened(commit: Commit, data_key: bytes) -> ManifestBody:
    return opened_bound(commit.manifest, data_key, bytes.fromhex(commit.bound))


def _follow(
    store: ObjectStore,
    image_id: str,
    before: str,
    seal: str | None,
    last: int | None,
    limit: int | None,
    warnings: list[str],
) -> Iterator[tuple[Record, str]]:
    """The records from 1 on, as far as each follows the one before."""
    size = 0
    there = newest_number(store, records_prefix(image_id)) if last is None else last
    for seq in range(1, there + 1):
        key = record_key(image_id, seq)
        try:
            data = store.get(key, 0, records.LIMIT_BYTES + 1)
            if len(data) > records.LIMIT_BYTES:
                raise NotARecord("it is larger than any record")
            record = records.decode(data)
            if (record.image, record.seal, record.seq) != (image_id, seal, seq):
                raise NotARecord("it is of another image or place")
            if record.prev != before:
                raise NotARecord("it does not follow the one before")
        except ObjectMissing:
            warnings.append(f"{key} is missing: {there - seq + 1} later records do not count")
            return
        except NotARecord as error:
            warnings.append(f"{key}: {error}: it and what follows do not count")
            return
        size += len(data)
        if limit is not None and size > limit:
            raise DataTampered(f"image {image_id}", f"its records have more than {limit} bytes")
        before = records.digest(data)
        if record.kind not in records.KINDS and isinstance(record.body, dict):
            record = replace(record, body={})  # nothing reads it
        yield record, before


def newest_number(store: ObjectStore, prefix: str) -> int:
    """Of what is numbered beneath `prefix`; 0 where there is nothing."""
    return max((number_of(info.key) for info in store.list(prefix)), default=0)


def number_of(key: str) -> int:
    """Of a record's key; 0 for what is none."""
    name = key.rsplit("/", 1)[-1].removesuffix(".json")
    if len(name) != 8 or not (name.isascii() and name.isdigit()):
        return 0
    return int(name)


def _key(
    commit: Commit,
    found: list[tuple[Record, str]],
    wrapper: KeyWrapper | None,
    warnings: list[str],
) -> tuple[tuple[Recipient, ...], bytes | None]:
    """Recipients that count, and the data key where `wrapper` is one of them: the newest list that
    is authentic (docs/layout.md). Of one that does not name our key, which may have been taken
    from us, an older one that does tells whether it is; without any it counts."""
    manifest = commit.manifest
    if manifest.seal is None:
        return (), None
    without_us: list[tuple[Record, tuple[Recipient, ...]]] = []
    for record, recipients in _lists(found, warnings):
        data_key = _unwrapped(recipients, manifest.seal, wrapper)
        if data_key is None:
            without_us.append((record, recipients))
        elif _holds(commit, record, data_key):
            return _latest(commit, without_us, recipients, data_key, warnings)
        else:
            _pass_over(record, warnings)
    data_key = _unwrapped(manifest.recipients, manifest.seal, wrapper)
    if data_key is not None:
        return _latest(commit, without_us, manifest.recipients, data_key, warnings)
    return (without_us[0][1] if without_us else manifest.recipients), None


def _lists(
    found: list[tuple[Record, str]], warnings: list[str]
) -> Iterator[tuple[Record, tuple[Recipient, ...]]]:
    """The newest first."""
    for record, _ in reversed(found):
        if record.kind != "recipients":
            continue
        try:
            body = records.body_of(record.kind, record.body)
        except NotARecord as error:
            warnings.append(f"{record_key(record.image, record.seq)}: {error}: passed over")
            continue
        assert isinstance(body, Recipients)
        yield record, body.recipients


def _latest(
    commit: Commit,
    without_us: list[tuple[Record, tuple[Recipient, ...]]],
    recipients: tuple[Recipient, ...],
    data_key: bytes,
    warnings: list[str],
) -> tuple[tuple[Recipient, ...], bytes | None]:
    """`recipients` and the key, but where a newer list took it from us: then nothing is opened."""
    for record, others in without_us:
        if _holds(commit, record, data_key):
            return others, None
        _pass_over(record, warnings)
    return recipients, data_key


def _pass_over(record: Record, warnings: list[str]) -> None:
    key = record_key(record.image, record.seq)
    warnings.append(f"{key}: its recipients are not authentic: passed over")


def _holds(commit: Commit, record: Record, data_key: bytes) -> bool:
    try:
        _opened(commit, data_key)
    except DataTampered:
        return False
    mac = record.mac or ""
    return sealed_records.is_mac(data_key, records.without_mac(record), mac)


def _unwrapped(
    recipients: tuple[Recipient, ...], seal: str, wrapper: KeyWrapper | None
) -> bytes | None:
    if wrapper is None:
        return None
    try:
        return unwrapped(recipients, seal, wrapper)
    except KeyRefused:
        return None


def _body(record: Record, data_key: bytes | None, warnings: list[str]) -> Body | None:
    key = record_key(record.image, record.seq)
    body: object = record.body
    try:
        if isinstance(record.body, str):
            if data_key is None:
                return None
            rest = records.without_body(record)
            body = canonical.decode(sealed_records.open_body(data_key, record.body, rest, what=key))
        elif record.seal is not None and record.kind != "recipients":
            raise NotARecord("it is in clear, of a sealed image")
        return records.body_of(record.kind, body)
    except (NotARecord, canonical.NotCanonical, DataTampered) as error:
        warnings.append(f"{key}: {error}: passed over")
        return None


def next_record(chain: Chain, body: Body, time: str) -> Record:
    """What is put at `chain.seq + 1`. Of a sealed image its data key is needed."""
    kind = records.kind_of(body)
    bare = Record(
        chain.manifest.image,
        chain.manifest.seal,
        chain.seq + 1,
        chain.head,
        time,
        kind,
        records.encoded_body(body),
    )
    if chain.manifest.seal is None:
        return bare
    assert chain.data_key is not None
    if isinstance(body, Recipients):
        code = sealed_records.mac(chain.data_key, records.without_mac(bare))
        return replace(bare, mac=code)
    rest = records.without_body(bare)
    plain = canonical.encode(bare.body)
    return replace(bare, body=sealed_records.seal_body(chain.data_key, plain, rest))
