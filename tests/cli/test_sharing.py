"""Sharing as two people do it, each with a home of their own: in a folder, and in a bucket whose
policy is the one of docs/sharing.md."""

from __future__ import annotations

import json
import re
import uuid
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from diskwright.app import Diskwright
from diskwright.app.library import Library
from diskwright.config import load
from diskwright.errors import NotShared, RemoteRefused
from diskwright.model.image import ImageFormat
from diskwright.model.nulls import NeverCancelled, NullProgress
from diskwright.ops.restore import RestoreRequest, restore
from diskwright.ops.stored_file import RestoreTools
from support.command import Command, one_line_and_a_hint

PAGE = Path(__file__).parents[2] / "docs" / "sharing.md"
BUCKET = "sharing"


def policy(prefix: str, account: str, images: list[str]) -> str:
    """The page's, for several images."""
    text = re.search(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)[1]
    text = text.replace("RECEIVER", "receiver").replace("BUCKET", BUCKET)
    value = json.loads(text.replace("PREFIX", prefix).replace("ACCOUNT", account))
    get, listing = value["Statement"]
    get["Resource"] = each(get["Resource"], images)
    prefixes = listing["Condition"]["StringLike"]
    prefixes["s3:prefix"] = each(prefixes["s3:prefix"], images)
    return json.dumps(value)


def each(texts: list[str], images: list[str]) -> list[str]:
    return sorted({text.replace("IMAGE", image) for text in texts for image in images})


class People:
    """`owner` and `ada`, whose key is `me.json`; `disk` is what both images are made of."""

    def __init__(self, folder: Path, url: str, owner: Command, ada: Command) -> None:
        self.url, self.owner, self.ada = url, owner, ada
        self.key, self.kek = folder / "me.json", folder / "kek.json"
        self.ok(ada, "key", "new", self.key, "--receiver", "--name", "Ada")
        self.ok(owner, "key", "new", self.kek)
        self.ok(owner, "library", "init", "team", url)
        self.ok(ada, "library", "init", "mine", folder / "mine")
        self.ok(owner, "account", "add", "ada", f"{self.key}.pub")
        self.account = json.loads(Path(f"{self.key}.pub").read_text())["id"]

    def ok(self, who: Command, *arguments) -> str:
        ended = who(*arguments)
        assert ended.code == 0, ended.err
        return ended.out

    def made(self, disk: Path, name: str, *, sealed: bool) -> str:
        key = ["--key", f"local:{self.kek}"] if sealed else []
        what = ["--data", "--from-file", disk, "--name", name, "--output", "json"]
        made = json.loads(self.ok(self.owner, "image", "create", *what, *key))
        return made["results"][0]["entry"]["id"]

    def share(self, *images: str, verb: str = "share") -> str:
        to = "--with" if verb == "share" else "--from"
        return self.ok(self.owner, "image", verb, *images, to, "ada", "--key", f"local:{self.kek}")

    def shown(self) -> dict[str, tuple[str, str]]:
        listed = json.loads(self.ok(self.ada, "image", "list", "--output", "json"))
        entries = [one["entry"] for one in listed["results"]]
        return {one["name"]: (one["visibility"], one["received"]) for one in entries}

    def follow(self, *options: str) -> None:
        key = f"receiver:{self.key}"
        self.ok(self.ada, "library", "follow", self.url, "--key", key, "--name", "team", *options)


@pytest.fixture
def ada(tmp_path: Path) -> Command:
    home = tmp_path / "ada"
    home.mkdir()
    return Command(home)


def test_in_a_folder(diskwright, ada, folder, tiny_disk):
    two = People(folder, f"dir:{folder / 'team'}", diskwright, ada)
    two.follow()
    image = two.made(tiny_disk, "web", sealed=True)
    two.made(tiny_disk, "plain", sealed=False)
    assert "would change" in two.ok(
        diskwright, "image", "share", "plain", "--with", "ada", "--dry-run"
    )
    assert two.shown() == {}
    two.share("web", "plain")
    assert two.shown() == {"web": ("shared", "pending"), "plain": ("shared", "pending")}
    making = ["volume", "create", "--image", "web", "--name", "data"]
    ended = ada(*making)
    assert ended.code == 14
    assert "is pending" in one_line_and_a_hint(ended)
    two.ok(ada, "image", "accept", "web")
    two.ok(ada, *making)
    two.ok(ada, "image", "reject", "plain")
    assert two.shown() == {"web": ("shared", "accepted"), "plain": ("shared", "rejected")}
    before = two.ok(ada, "image", "list", "--output", "json")
    two.ok(ada, "library", "rebuild")
    assert two.ok(ada, "image", "list", "--output", "json") == before
    told = two.ok(diskwright, "image", "shares", "--key", f"local:{two.kek}")
    assert f"web ({image}): with ada ({two.account}), accepted" in told
    assert "plain" in told
    assert "rejected" in told
    ended = ada("image", "set", "web", "--description", "ours")
    assert ended.code == 14
    assert "shared with us" in one_line_and_a_hint(ended)
    two.share("web", "plain", verb="unshare")
    ended = ada("image", "show", "web")
    assert ended.code == 14
    assert "took it back" in one_line_and_a_hint(ended)
    assert two.shown() == {}


def test_no_library_is_asked_that_a_verb_does_not_need(diskwright, ada, folder, tiny_disk):
    """What is offered meanwhile is not seen, until a verb asks what others offer."""
    two = People(folder, f"dir:{folder / 'team'}", diskwright, ada)
    two.follow()
    create = ["image", "create", "--data", "--from-file", tiny_disk, "--name"]
    two.ok(ada, *create, "own")
    two.made(tiny_disk, "theirs", sealed=False)
    two.share("theirs")
    for words in (
        ["tag", "own", "a=1"],
        ["show", "own"],
        ["download", "own", folder / "own.out"],
        ["replicate", "own", "--name", "copy"],
        ["delete", "copy", "--yes"],
        ["undelete", "copy"],
        ["delete", "copy", "--yes"],
        [*create[1:], "next"],
    ):
        two.ok(ada, "image", *words)
    assert "theirs" not in two.ok(ada, "image", "list", "--no-sync")
    assert "pending" in two.ok(ada, "image", "show", "theirs")
    assert "theirs" in two.ok(ada, "image", "list", "--no-sync")


def test_anothers_library_is_none_to_work_on(diskwright, ada, folder):
    two = People(folder, f"dir:{folder / 'team'}", diskwright, ada)
    two.follow()
    ended = ada("image", "list", "--library", "team")
    assert ended.code == 2
    assert "another's library" in one_line_and_a_hint(ended)
    assert "mine" in two.ok(ada, "library", "list")
    ended = ada("library", "follow", folder / "mine", "--key", f"receiver:{two.key}")
    assert ended.code == 2
    two.ok(ada, "library", "forget", "team")
    assert two.shown() == {}


def test_one_of_several_that_fails_stops_none(diskwright, ada, folder, tiny_disk):
    two = People(folder, f"dir:{folder / 'team'}", diskwright, ada)
    two.made(tiny_disk, "web", sealed=False)
    ended = diskwright("image", "share", "none", "web", "--with", "ada", "--output", "json")
    assert ended.code == 14
    failed, made = ended.document["results"]
    assert failed["error"]["code"] == "image-not-found"
    assert made["changed"] == "shared with ada"


def test_whom_nobody_knows(diskwright, folder):
    diskwright("library", "init", "team", folder / "team")
    ended = diskwright("image", "share", "web", "--with", "nobody")
    assert ended.code == 2
    assert "no such account" in one_line_and_a_hint(ended)


@pytest.mark.s3
def test_in_a_bucket_with_credentials_for_what_is_shared(
    s3, seaweed, ada, folder, tiny_disk, monkeypatch
):
    seaweed.bucket(BUCKET)
    prefix = str(uuid.uuid4())
    two = People(folder, f"s3://{BUCKET}/{prefix}", s3, ada)
    sealed, plain, other = (
        two.made(tiny_disk, name, sealed=name != "plain") for name in ("web", "plain", "other")
    )
    admin = seaweed.store(BUCKET, prefix)
    admin._client.put_bucket_policy(
        Bucket=BUCKET, Policy=policy(prefix, two.account, [sealed, plain])
    )
    aws = ada.home / ".aws"
    aws.mkdir()
    (aws / "credentials").write_text(
        "[partner]\naws_access_key_id = test-receiver\n"
        "aws_secret_access_key = test-receiver-secret\n"
    )
    two.follow(
        "--endpoint-url", seaweed.endpoint, "--region", "us-east-1", "--addressing-style", "path",
        "--credentials-profile", "partner",
    )  # fmt: skip
    two.share(sealed, plain)
    assert two.shown() == {"web": ("shared", "pending"), "plain": ("shared", "pending")}
    for name in ("web", "plain"):
        two.ok(ada, "image", "accept", name)

    # what the credentials reach
    theirs = seaweed.store(BUCKET, prefix, who="receiver")
    for listed in ("", "manifests/", "shares/", f"records/{other}/", "images/"):
        with pytest.raises(RemoteRefused):
            list(theirs.list(listed))
    for key in (f"manifests/{other}.json", f"images/{other}/disk-0.dws"):
        with pytest.raises(RemoteRefused):
            theirs.get(key)
    with pytest.raises(ClientError, match="AccessDenied"):
        theirs._client.put_object(Bucket=BUCKET, Key=f"{prefix}/images/{sealed}/x", Body=b"")

    # each reads as it was made, from where it lies
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(aws / "credentials"))
    app = Diskwright(load(environment={"HOME": str(ada.home)}, data_dir=data_dir(ada)))
    with Library(app=app) as library:
        entries = [library.show(name) for name in ("web", "plain")]
        for entry in entries:
            out = folder / f"{entry.name}.raw"
            read(app, library, entry, out)
            assert out.read_bytes() == tiny_disk.read_bytes()
        two.share(sealed, plain, verb="unshare")
        for entry in entries:
            with pytest.raises(NotShared):
                read(app, library, entry, folder / "again.raw")
    assert not (folder / "again.raw").exists()

    # and for who asks the bucket itself
    straight = Command(
        ada.home,
        AWS_ACCESS_KEY_ID="test-receiver",
        AWS_SECRET_ACCESS_KEY="test-receiver-secret",
        DISKWRIGHT_S3_ENDPOINT_URL=seaweed.endpoint,
        DISKWRIGHT_S3_REGION="us-east-1",
        DISKWRIGHT_S3_ADDRESSING_STYLE="path",
    )
    restoring = ["restore", two.url, "--image", sealed, "--key", f"receiver:{two.key}", "-O", "raw"]
    ended = straight(*restoring, folder / "out.raw")
    assert ended.code == 12
    assert "does not open this" in one_line_and_a_hint(ended)
    two.share(sealed)
    assert straight(*restoring, folder / "out.raw").code == 0
    assert (folder / "out.raw").read_bytes() == tiny_disk.read_bytes()


def data_dir(who: Command) -> str:
    return str(who.home / ".local" / "share" / "diskwright")


def read(app, library, entry, out) -> None:
    store, key = library.source_of(entry)
    restore(
        RestoreRequest(str(out), image=entry.id, output_format=ImageFormat.RAW, force=True),
        tools=RestoreTools(store, key, app.adapters.local_tools()),
        progress=NullProgress(),
        cancel=NeverCancelled(),
    )
