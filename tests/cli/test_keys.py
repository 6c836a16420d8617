"""Images sealed for a receiver, and under a key of Vault's: there and back by the command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from diskwright.adapters import kms_receiver
from support.command import Command, Ended, files_below, one_line_and_a_hint
from support.servers.openbao import KEY, OpenBao

TOKEN = "test-token-that-is-shown-nowhere"


@pytest.fixture
def vault(openbao: OpenBao, tmp_path: Path) -> Command:
    home = tmp_path / "home"
    home.mkdir()
    return Command(home, VAULT_ADDR=openbao.endpoint, VAULT_TOKEN=openbao.tokens["user"])


def sealed(command: Command, disk: Path, place: Path, key: str) -> dict:
    ended = command(
        "prepare", disk, "--data", "--to", f"dir:{place}", "--key", key, "--output", "json"
    )
    assert (ended.code, ended.err) == (0, "")
    (manifest,) = place.glob("manifests/*.json")
    (recipient,) = json.loads(manifest.read_text())["recipients"]
    return recipient


def restored(command: Command, place: Path, key: str) -> Ended:
    out = command.home / "out.raw"
    out.unlink(missing_ok=True)
    return command("restore", f"dir:{place}", out, "-O", "raw", "--key", key, "--verify")


def same(command: Command, disk: Path) -> bool:
    return (command.home / "out.raw").read_bytes() == disk.read_bytes()


def failed(ended: Ended, code: int = 12) -> str:
    assert ended.code == code, ended.err
    return one_line_and_a_hint(ended)


def test_what_is_sealed_for_a_receiver_that_receiver_alone_opens(diskwright, folder, tiny_disk):
    mine, other = folder / "mine.json", folder / "other.json"
    for path in (mine, other):
        made = diskwright("key", "new", path, "--receiver", "--name", "Ada, archive")
        assert made.code == 0
        assert f"--key receiver:{path}" in made.out
    public = kms_receiver.load_public(f"{mine}.pub")
    recipient = sealed(diskwright, tiny_disk, folder / "library", f"receiver:{mine}")
    assert (recipient["provider"], recipient["key_id"]) == ("hpke", public.id)
    assert restored(diskwright, folder / "library", f"receiver:{mine}").code == 0
    assert same(diskwright, tiny_disk)
    assert "does not open this" in failed(
        restored(diskwright, folder / "library", f"receiver:{other}")
    )
    assert "no key file" in failed(restored(diskwright, folder / "library", f"local:{mine}"))


def test_who_has_the_public_half_seals_and_opens_nothing(diskwright, folder, tiny_disk):
    mine = folder / "mine.json"
    diskwright("key", "new", mine, "--receiver", "--name", "Ada")
    sealed(diskwright, tiny_disk, folder / "library", f"receiver:{mine}.pub")
    ended = restored(diskwright, folder / "library", f"receiver:{mine}.pub")
    assert "public half" in failed(ended)
    assert restored(diskwright, folder / "library", f"receiver:{mine}").code == 0
    assert same(diskwright, tiny_disk)


def test_the_public_half_is_printed_as_it_was_written(diskwright, folder):
    path = folder / "receiver.json"
    made = diskwright("key", "new", path, "--receiver", "--name", "Zoë")
    ended = diskwright("key", "public", path)
    assert ended.out == (folder / "receiver.json.pub").read_text() + "\n"
    public = kms_receiver.load_public(f"{path}.pub")
    assert ended.err == f"diskwright: fingerprint {public.fingerprint}\n"
    assert public.fingerprint in made.out
    assert public.name == "Zoë"
    (folder / "copy.pub").write_text(ended.out)
    assert kms_receiver.load_public(str(folder / "copy.pub")) == public
    (result,) = diskwright("key", "public", path, "--output", "json").document["results"]
    assert (result["public"], result["fingerprint"]) == (ended.out[:-1], public.fingerprint)
    diskwright("key", "new", folder / "kek.json")
    failed(diskwright("key", "public", folder / "kek.json"))
    failed(diskwright("key", "public", folder / "none.json"))


def test_a_receivers_key_may_have_a_passphrase(diskwright, folder, tiny_disk):
    phrase, path = folder / "phrase", folder / "receiver.json"
    phrase.write_text("correct horse\n")
    diskwright.environment["DISKWRIGHT_PASSPHRASE_FILE"] = str(phrase)
    made = diskwright("key", "new", path, "--receiver", "--name", "Ada", "--passphrase")
    assert made.code == 0, made.err
    assert "sealed_key" in json.loads(path.read_text())
    assert diskwright("key", "public", path).out == Path(f"{path}.pub").read_text() + "\n"
    sealed(diskwright, tiny_disk, folder / "library", f"receiver:{path}")
    assert restored(diskwright, folder / "library", f"receiver:{path}").code == 0
    phrase.write_text("wrong\n")
    assert "passphrase" in failed(restored(diskwright, folder / "library", f"receiver:{path}"))
    failed(diskwright("key", "public", path))


@pytest.mark.parametrize(
    "options", [["--receiver"], ["--name", "Ada"], ["--receiver", "--name", ""]]
)
def test_a_receiver_has_a_name_and_nothing_else_has(diskwright, folder, options):
    assert diskwright("key", "new", folder / "key.json", *options).code == 2
    assert files_below(folder) == []


def test_nothing_is_made_where_one_of_both_is_there(diskwright, folder):
    (folder / "receiver.json.pub").write_text("precious")
    ended = diskwright("key", "new", folder / "receiver.json", "--receiver", "--name", "Ada")
    assert "receiver.json.pub" in failed(ended, 14)
    assert files_below(folder) == ["receiver.json.pub"]


def test_what_is_sealed_under_a_key_of_vaults(vault, openbao, folder, tiny_disk):
    recipient = sealed(vault, tiny_disk, folder / "library", f"vault:{KEY}")
    assert (recipient["provider"], recipient["key_id"]) == ("vault", f"transit/{KEY}")
    assert openbao.endpoint not in json.dumps(recipient)
    assert restored(vault, folder / "library", f"vault:transit/{KEY}").code == 0
    assert same(vault, tiny_disk)
    assert "data key is for" in failed(restored(vault, folder / "library", "vault:other-kek"))
    vault.environment["VAULT_TOKEN"] = openbao.tokens["seal-only"]
    ended = restored(vault, folder / "library", f"vault:{KEY}")
    assert "permission denied" in failed(ended)
    assert f"`update` on transit/decrypt/{KEY}" in ended.err
    openbao.seal()
    try:
        assert "sealed" in failed(restored(vault, folder / "library", f"vault:{KEY}"))
    finally:
        openbao.unseal()


def test_a_vault_that_is_not_there_is_told_in_one_line_and_no_token(vault, folder, tiny_disk):
    vault.environment |= {"VAULT_ADDR": "http://127.0.0.1:1", "VAULT_TOKEN": TOKEN}
    arguments = ["prepare", tiny_disk, "--data", "--to", f"dir:{folder / 'library'}"]
    ended = vault(*arguments, "--key", f"vault:{KEY}")
    assert "Connection refused" in failed(ended)
    assert not (folder / "library").exists()
    ended = vault("--debug", *arguments, "--key", f"vault:{KEY}")
    assert "Traceback" in ended.err
    assert TOKEN not in ended.err


def test_address_and_token_are_found_where_vaults_own_command_finds_them(
    vault, openbao, folder, tiny_disk
):
    sealed(vault, tiny_disk, folder / "library", f"vault:{KEY}")
    token = vault.environment.pop("VAULT_TOKEN")
    ended = restored(vault, folder / "library", f"vault:{KEY}")
    assert "no token" in failed(ended)
    assert "VAULT_TOKEN" in ended.err
    (vault.home / ".vault-token").write_text(f"{token}\n")
    assert restored(vault, folder / "library", f"vault:{KEY}").code == 0
    del vault.environment["VAULT_ADDR"]
    assert "no address" in failed(restored(vault, folder / "library", f"vault:{KEY}"), 2)
    config = vault.home / "config" / "diskwright" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f'key = "vault:{KEY}"\n[vault]\naddress = "{openbao.endpoint}"\n')
    assert restored(vault, folder / "library", f"vault:{KEY}").code == 0
    vault.environment["BAO_ADDR"] = "http://127.0.0.1:1"
    failed(restored(vault, folder / "library", f"vault:{KEY}"))
