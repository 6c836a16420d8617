"""Prepared images in a folder that somebody changed, for the real command to refuse.

Every case is a copy of a good folder with one change. `restore` has to end with code 12 (13 where
the object is gone), one line and a hint, and no file under OUT's name or beside it.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from diskwright.envelope.header import HEADER_SIZE
from diskwright.envelope.stream import PAYLOAD_HEADER_SIZE, SEGMENT_SIZE
from support.command import Command, files_below, one_line_and_a_hint

_MIB = 1 << 20
Change = Callable[["Place"], None]


@dataclass(frozen=True)
class Place:
    """A target folder with one image."""

    folder: Path

    @property
    def object(self) -> Path:
        return next((self.folder / "images").glob("*/*"))

    @property
    def manifest(self) -> Path:
        return next((self.folder / "manifests").glob("*.json"))


@dataclass(frozen=True)
class Case:
    name: str
    sealed: bool
    change: Change
    code: int = 12
    key: str | None = "right"  # or "wrong", or None


@dataclass(frozen=True)
class Places:
    """A sealed and a plain image of the same disk, another sealed one, and the keys."""

    command: Command
    folder: Path
    keys: dict[str, str] = field(default_factory=dict)

    @classmethod
    def make(cls, command: Command, folder: Path) -> Places:
        made = cls(command, folder)
        draw = random.Random(3)
        for name in ("one", "other"):
            (folder / f"{name}.raw").write_bytes(draw.randbytes(5 * _MIB // 2))
        for name in ("right", "wrong"):
            path = folder / f"{name}.json"
            assert command("key", "new", path).code == 0
            made.keys[name] = f"local:{path}"
        sealing = ["--key", made.keys["right"]]
        for disk, place, options in (
            ("one", "sealed", sealing),
            ("other", "other", sealing),
            ("one", "plain", []),
        ):
            ended = command(
                "prepare", folder / f"{disk}.raw", "--data", "-O", "raw",
                "--to", f"dir:{folder / place}", *options,
            )  # fmt: skip
            assert ended.code == 0, ended.err
            made.restored(folder / place, "right" if options else None, 0)
        return made

    def restored(self, place: Path, key: str | None, code: int) -> None:
        out = self.folder / "out"
        out.mkdir()
        try:
            options = ["--key", self.keys[key]] if key else []
            ended = self.command("restore", f"dir:{place}", out / "disk.raw", *options)
            assert ended.code == code, ended
            if code:
                one_line_and_a_hint(ended)
                assert files_below(out) == []
                assert ended.out == ""
            else:
                one = (self.folder / "one.raw").read_bytes()
                other = (self.folder / "other.raw").read_bytes()
                assert (out / "disk.raw").read_bytes() in (one, other)
        finally:
            shutil.rmtree(out)

    def refuses(self, case: Case) -> None:
        """AssertionError, which names the case, unless the command refuses it as it should."""
        copy = self.folder / "copy"
        shutil.copytree(self.folder / ("sealed" if case.sealed else "plain"), copy)
        try:
            case.change(Place(copy))
            self.restored(copy, case.key if case.sealed else None, case.code)
        except AssertionError as error:
            raise AssertionError(f"{case.name}: {error}") from error
        finally:
            shutil.rmtree(copy)

    def cases(self, *, random_flips: int, seed: int) -> Iterator[Case]:
        """All the fixed ones, then flips of random bits."""
        other = Place(self.folder / "other")
        yield from _key_cases()
        yield from _sealed_object_cases(other)
        yield from _sealed_manifest_cases(other)
        yield from _swapped_cases(Place(self.folder / "plain"))
        yield from _plain_cases()
        draw = random.Random(seed)
        sizes = {
            (sealed, name): getattr(
                Place(self.folder / ("sealed" if sealed else "plain")), name
            ).stat().st_size
            for sealed in (True, False)
            for name in ("object", "manifest")
        }  # fmt: skip
        for number in range(random_flips):
            sealed, name = ((True, "object"), (True, "manifest"), (False, "object"))[number % 3]
            place, bit = draw.randrange(sizes[sealed, name]), draw.randrange(8)
            what = f"{'sealed' if sealed else 'plain'} {name}: bit {bit} of byte {place}"
            yield Case(what, sealed, _flip(name, place, bit))


def _key_cases() -> Iterator[Case]:
    yield Case("no key", True, lambda place: None, key=None)
    yield Case("the wrong key", True, lambda place: None, key="wrong")


def _sealed_object_cases(other: Place) -> Iterator[Case]:
    payload = HEADER_SIZE + PAYLOAD_HEADER_SIZE
    second, third = HEADER_SIZE + SEGMENT_SIZE, HEADER_SIZE + 2 * SEGMENT_SIZE
    flips = {
        "the magic": 0, "the length of J1": 11, "J1": 40, "J2": 400, "the padding": 9000,
        "the MAC": HEADER_SIZE - 1, "the salt": HEADER_SIZE + 5, "the nonce": payload - 2,
        "the first segment": payload, "the first segment's end": second - 1,
        "the second segment": second, "the second segment's end": third - 1,
        "the third segment": third, "the object's end": -1,
    }  # fmt: skip
    for name, at in flips.items():
        yield Case(f"{name} flipped", True, _flip("object", at, 3))
    for cut in (0, 1, HEADER_SIZE, payload, payload + 20, second, second + 9, third, -1):
        yield Case(f"cut at {cut}", True, _cut("object", cut))
    yield Case("one byte longer", True, _edited("object", lambda data: data + b"\0"))

    def pieces(data: bytes) -> tuple[bytes, bytes, bytes]:
        return data[:second], data[second:third], data[third:]

    def again(data: bytes) -> bytes:
        a, b, c = pieces(data)
        return a + b + b + c

    def dropped(data: bytes) -> bytes:
        a, _, c = pieces(data)
        return a + c

    def swapped(data: bytes) -> bytes:
        head, a = data[:payload], data[payload:second]
        return head + data[second : second + len(a)] + a + data[second + len(a) :]

    yield Case("segments swapped", True, _edited("object", swapped))
    yield Case("a segment repeated", True, _edited("object", again))
    yield Case("a segment dropped", True, _edited("object", dropped))
    yield Case(
        "another image's object", True, lambda place: shutil.copyfile(other.object, place.object)
    )
    head = other.object.read_bytes()[:HEADER_SIZE]
    yield Case("another's header", True, _edited("object", lambda data: head + data[len(head) :]))
    yield Case("no object", True, lambda place: place.object.unlink(), code=13)


def _sealed_manifest_cases(other: Place) -> Iterator[Case]:
    yield from _json_cases(sealed=True)

    def foreign(place: Place) -> None:
        shutil.copyfile(other.manifest, place.manifest)

    yield Case("another image's manifest", True, foreign)
    theirs = json.loads(other.manifest.read_bytes())
    for name in ("private", "seal", "recipients", "time"):
        changed = theirs[name] if name != "time" else "2020-01-01T00:00:00Z"
        yield Case(
            f"its {name} that of another", True, _field(lambda m, n=name, c=changed: m | {n: c})
        )
    yield Case("no recipients", True, _field(lambda m: m | {"recipients": []}))
    yield Case("no private part", True, _field(lambda m: m | {"private": ""}))


def _swapped_cases(plain: Place) -> Iterator[Case]:
    """Whoever can write there puts an import-ready image of their own in the sealed one's place."""

    def swap(place: Place, key: str) -> None:
        image = place.manifest.stem
        manifest = json.loads(plain.manifest.read_bytes())
        key = f"images/{image}/{key}"
        manifest["image"] = image
        manifest["objects"][0]["key"] = manifest["body"]["disks"][0]["key"] = key
        place.object.unlink()
        shutil.copyfile(plain.object, place.folder / key)
        place.manifest.write_bytes(_canonical(manifest))

    for key, named in ((key, named) for key in ("disk-0.dws", "disk-0.raw") for named in (1, 0)):
        if key.endswith(".raw") and not named:
            continue  # an honest import-ready image, for all that anybody can tell without a key
        yield Case(
            f"swapped for a plain {key}, {'with' if named else 'without'} the key",
            True,
            lambda place, key=key: swap(place, key),
            key="right" if named else None,
        )


def _plain_cases() -> Iterator[Case]:
    yield from _json_cases(sealed=False)
    for at in (0, 1_000_000, -1):
        yield Case(f"plain: byte {at} flipped", False, _flip("object", at, 0))
    for cut in (0, 512, 8 * 1024, -1):
        yield Case(f"plain: cut at {cut}", False, _cut("object", cut))
    yield Case("plain: longer", False, _edited("object", lambda data: data + bytes(512)))
    yield Case("plain: no object", False, lambda place: place.object.unlink(), code=13)

    def of_disk(name: str, value: object) -> Case:
        def edit(manifest: dict) -> dict:
            body = manifest["body"]
            return manifest | {"body": body | {"disks": [body["disks"][0] | {name: value}]}}

        return Case(f"plain manifest: {name} {value}", False, _field(edit))

    yield of_disk("format", "nonsense")
    yield of_disk("format", "raw/x")
    yield of_disk("format", "vmdk")
    yield of_disk("digest", "zz")
    yield of_disk("virtual_size", 512)
    yield of_disk("virtual_size", 0)
    yield of_disk("exact_size", 1)
    yield of_disk("stored_size", 512)


def _json_cases(*, sealed: bool) -> Iterator[Case]:
    kind = "sealed" if sealed else "plain"

    def of_object(**changes: object) -> Change:
        return _field(lambda m: m | {"objects": [m["objects"][0] | changes]})

    def case(name: str, change: Change) -> Case:
        return Case(f"{kind} manifest: {name}", sealed, change)

    yield case("the size", of_object(size=512))
    yield case("the digest", of_object(digest="0" * 64))
    yield case("a part's digest", of_object(part_digests=["0" * 64]))
    yield case("a part's digest that is none", of_object(part_digests=["zz"]))
    yield case("an odd part size", of_object(part_size=(8 << 20) + 1))
    yield case("no digests", of_object(part_digests=[]))
    yield case("the part size", of_object(part_size=1 << 20))
    yield case("a key elsewhere", of_object(key="images/../../etc/passwd"))
    yield case("no object", _field(lambda m: m | {"objects": []}))
    yield case("another id", _field(lambda m: m | {"image": m["image"][::-1]}))
    yield case("a field more", _field(lambda m: m | {"zzz": 1}))
    yield case("another version", _field(lambda m: m | {"v": 2}))
    yield case("a blank more", _edited("manifest", lambda data: data + b" "))
    yield case("cut", _cut("manifest", 100))
    yield case("empty", _cut("manifest", 0))
    yield case("no JSON", _edited("manifest", lambda data: b"\xff" * len(data)))


def _flip(name: str, at: int, bit: int) -> Change:
    def change(data: bytes) -> bytes:
        changed = bytearray(data)
        changed[at] ^= 1 << bit
        return bytes(changed)

    return _edited(name, change)


def _cut(name: str, at: int) -> Change:
    return _edited(name, lambda data: data[:at])


def _field(change: Callable[[dict], dict]) -> Change:
    """Canonical JSON again: only the content can give it away."""

    def edit(data: bytes) -> bytes:
        return _canonical(change(json.loads(data)))

    return _edited("manifest", edit)


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _edited(name: str, change: Callable[[bytes], bytes]) -> Change:
    def apply(place: Place) -> None:
        path = getattr(place, name)
        before = path.read_bytes()
        after = change(before)
        assert after != before, "the change changes nothing"
        path.chmod(0o600)
        path.write_bytes(after)

    return apply
