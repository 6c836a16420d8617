"""The key services, by what a user calls them."""

from __future__ import annotations

from collections.abc import Callable

from diskwright.config import VaultSettings
from diskwright.errors import UsageError
from diskwright.ports import KeyWrapper


def key_service(name: str, vault: VaultSettings, passphrase: Callable[[], str]) -> KeyWrapper:
    """As `local:FILE`, `receiver:FILE`, `vault:[MOUNT/]KEY`. Raises UsageError, KeyUnreadable."""
    provider, _, place = name.partition(":")
    if provider == "local" and place:
        from diskwright.adapters.kms_local import LocalKey

        return LocalKey.load(place, passphrase)
    if provider == "receiver" and place:
        from diskwright.adapters import kms_receiver

        return kms_receiver.wrapper(place, passphrase)
    if provider == "vault" and place:
        return _transit(place, vault)
    hint = "write local:FILE, receiver:FILE (make one: diskwright key new) or vault:[MOUNT/]KEY"
    raise UsageError(f"{name}: not a key", hint)


def _transit(place: str, given: VaultSettings) -> KeyWrapper:
    from diskwright.adapters import kms_vault

    settings = kms_vault.VaultSettings(
        address=given.address,
        token=given.token or _first_line(given.token_file),
        namespace=given.namespace,
        ca_cert=given.ca_cert,
    )
    return kms_vault.TransitKey(place, settings)


def _first_line(path: str) -> str:
    """Of a small file; empty where it is not there. Raises UsageError where it can't be read."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read(4096).partition("\n")[0].strip()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise UsageError(f"{path}: can't be read: {error.strerror}") from error
