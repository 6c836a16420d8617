"""A person at a library, by the command: what each command left is asked for and compared."""

from __future__ import annotations

import hashlib
import json
import subprocess
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from diskwright.adapters.directory import DirectoryStore
from diskwright.adapters.s3 import S3Store
from diskwright.ports import ObjectStore
from support import ovas
from support.command import FIXTURE, Command, Ended, one_line_and_a_hint
from support.forked import Forked
from support.servers.openbao import KEY, OpenBao
from support.servers.seaweed import Seaweed

VAULT = f"vault:{KEY}"
SMALL = ("--accept", "image.size", "--reason", "small")


@dataclass
class User:
    """`url` is the default library, which is looked into through `store`."""

    run: Callable[..., Ended]
    folder: Path
    url: str
    store: ObjectStore
    ids: dict[str, str] = field(default_factory=dict)

    @property
    def kek(self) -> str:
        return f"local:{self.folder / 'kek.json'}"

    def ok(self, *words: str | Path) -> str:
        ended = self.run(*words)
        assert ended.code == 0, f"{words}: {ended.err}"
        return ended.out

    def results(self, *words: str | Path) -> list[dict]:
        return json.loads(self.ok(*words, "--output", "json"))["results"]

    def made(self, *words: str | Path) -> dict:
        """The entry of an image, made or changed."""
        (result,) = self.results("image", *words)
        return result["entry"]

    def server(self, kind: str, *words: str) -> dict:
        (result,) = self.results(kind, "create", *words)
        return result["server"]

    def listed(self, *options: str) -> dict[str, dict]:
        return {
            one["entry"]["name"]: one["entry"] for one in self.results("image", "list", *options)
        }

    def refused(self, code: int, *words: str | Path) -> str:
        ended = self.run(*words)
        assert ended.code == code, f"{words}: {ended.code} {ended.err}"
        return one_line_and_a_hint(ended)

    def downloaded(self, image: str, *options: str) -> list[Path]:
        """Each disk's file, whose digest beside it holds."""
        target = self.folder / "downloaded" / "disk"
        target.parent.mkdir(exist_ok=True)
        words = ["image", "download", image, target, "--force", *options]
        paths = [Path(one["target"]) for one in self.results(*words)]
        for path in paths:
            assert digest_beside(path) == hashlib.sha256(path.read_bytes()).hexdigest()
        return paths

    def holds(self, image: str, *sources: Path, options: tuple[str, ...] = ()) -> None:
        """The image's disks are these, in order."""
        paths = self.downloaded(image, *options)
        assert len(paths) == len(sources)
        for source, path in zip(sources, paths, strict=True):
            compared(source, path)

    def objects(self, image: str) -> dict[str, str]:
        """Digests of all data of an image, by key."""
        return {
            info.key: hashlib.sha256(self.store.get(info.key)).hexdigest()
            for info in self.store.list(f"images/{image}/")
        }


def digest_beside(path: Path) -> str:
    return Path(f"{path}.sha256").read_text().split()[0]


def compared(source: Path, made: Path | str) -> None:
    """By qemu-img, which knows nothing of us; it lets zeros at an end pass, so sizes count too."""
    done = subprocess.run(["qemu-img", "compare", source, made], capture_output=True, text=True)
    assert done.returncode == 0, f"{made}: {done.stdout} {done.stderr}"
    assert _virtual_size(made) == _virtual_size(source), made


def _virtual_size(path: Path | str) -> int:
    told = subprocess.check_output(["qemu-img", "info", "--output", "json", path])
    return json.loads(told)["virtual-size"]


def environment(seaweed: Seaweed, openbao: OpenBao) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": "test-admin",
        "AWS_SECRET_ACCESS_KEY": "test-admin-secret",
        "DISKWRIGHT_S3_ENDPOINT_URL": seaweed.endpoint,
        "DISKWRIGHT_S3_REGION": "us-east-1",
        "DISKWRIGHT_S3_ADDRESSING_STYLE": "path",
        "VAULT_ADDR": openbao.endpoint,
        "VAULT_TOKEN": openbao.tokens["user"],
    }


@pytest.fixture(scope="module", params=["folder", "bucket"])
def user(request, seaweed, openbao, tmp_path_factory):
    """At a library with the images web (the real system disk), data (plain) and sealed."""
    folder = tmp_path_factory.mktemp("scenario")
    (folder / "home").mkdir()
    servers = environment(seaweed, openbao)
    command = Command(folder / "home", **servers)
    with Forked(command) as run:
        if request.param == "folder":
            place = folder / "library"
            made = User(run, folder, f"dir:{place}", DirectoryStore(str(place)))
        else:
            bucket, prefix = seaweed.bucket("scenario"), str(uuid.uuid4())
            store = seaweed.store(bucket, prefix)
            made = User(run, folder, f"s3://{bucket}/{prefix}", store)
        _begin(made)
        yield made


def _begin(user: User) -> None:
    user.ok("key", "new", user.folder / "kek.json")
    user.ok("library", "init", "near", f"dir:{user.folder / 'near'}")
    user.ok("library", "init", "golden", user.url)
    user.ok("library", "default", "golden")
    data = disk(user)
    create = ["create", "--from-file"]
    for name, words in {
        "web": [*create, FIXTURE, "--os-version", "Debian GNU/Linux 12.0.0 64bit"],
        "data": [*create, data, "--data", *SMALL],
        "sealed": [*create, data, "--data", "--key", user.kek, *SMALL],
    }.items():
        user.ids[name] = user.made(*words, "--name", name)["id"]


def disk(user: User) -> Path:
    path = user.folder / "data.raw"
    if not path.exists():
        path.write_bytes(ovas.raw("data", seed=3).data)
    return path


def key(user: User) -> tuple[str, str]:
    return ("--key", user.kek)


@dataclass
class Transfer:
    """A bucket that images are exported to."""

    store: S3Store
    bucket: str

    def exported(self, user: User, image: str, name: str, *options: str) -> Path:
        """And fetched, with the digest beside it."""
        user.ok("image", "export", image, "--to", f"s3://{self.bucket}/{name}", "--force", *options)
        path = user.folder / Path(name).name
        path.write_bytes(self.store.get(name))
        Path(f"{path}.sha256").write_bytes(self.store.get(f"{name}.sha256"))
        return path


@pytest.fixture(scope="module")
def s3_bucket(seaweed) -> Transfer:
    bucket = seaweed.bucket("transfer")
    return Transfer(seaweed.store(bucket), bucket)
