"""The transit engine of HashiCorp Vault or OpenBao (docs/sealed-format.md, "Vault").

Two calls: `encrypt` and `decrypt`. The context is sent twice: as `context`, which a derived key
needs and another ignores, and as `associated_data`, which binds it whatever the key's kind, or is
refused. So nothing has to be asked about the key, which a policy need not allow.
"""

from __future__ import annotations

import re

from diskwright.adapters.kms_vault.line import Answer, BadToken, Line, Unreached, VaultSettings
from diskwright.envelope import box
from diskwright.errors import KeyRefused, KeyUnavailable, UsageError
from diskwright.model.stored import WrappedKey

PROVIDER = "vault"

_WRAPPED = re.compile(r"vault:v[1-9][0-9]{0,8}:[A-Za-z0-9+/]{1,1024}={0,2}", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)
_AUTHENTICATION = "message authentication failed"
_OLD = "too old"
_KINDS = "it has to be there, of the kind aes256-gcm96 or another that takes associated data"


class TransitKey:
    """A KeyWrapper. Its key never leaves the server; safe for many threads."""

    def __init__(self, place: str, settings: VaultSettings) -> None:
        """`place` is MOUNT/KEY, or KEY in the mount `transit`. Nothing is sent yet.

        Raises UsageError for a place, an address or a CA that is none, KeyUnavailable where there
        is no token.
        """
        self.key_id = place if "/" in place else f"transit/{place}"
        self.name = f"{PROVIDER}:{self.key_id}"
        if not all(_NAME.fullmatch(part) for part in self.key_id.split("/")):
            raise UsageError(f"{PROVIDER}:{place}: not a key", "write vault:[MOUNT/]KEY")
        try:
            self._line = Line(settings)
        except BadToken as error:
            hint = "set VAULT_TOKEN, or log in: vault login (bao login)"
            raise self._unavailable(str(error), hint) from error

    def wrap(self, data_key: bytes, context: bytes) -> WrappedKey:
        """Raises KeyUnavailable where the server can't be asked or will not."""
        try:
            data = self._call("encrypt", context, plaintext=box.encode_base64(data_key))
        except KeyRefused as refusal:
            raise self._unavailable(refusal.reason, refusal.hint_text or _KINDS) from refusal
        wrapped = data.get("ciphertext")
        if not isinstance(wrapped, str) or _WRAPPED.fullmatch(wrapped) is None:
            raise self._unavailable("its answer has no wrapped key")
        return WrappedKey(PROVIDER, self.key_id, wrapped, {})

    def unwrap(self, wrapped: WrappedKey, context: bytes) -> bytes:
        """Raises KeyRefused where the key, the context or the wrapped key is another, or a policy
        forbids it, KeyUnavailable where the server can't be asked."""
        if wrapped.provider != PROVIDER or wrapped.key_id != self.key_id:
            owner = f"{wrapped.provider}:{wrapped.key_id}"
            raise KeyRefused(self.name, f"the data key is for {owner!r}")
        if wrapped.params:
            raise KeyRefused(self.name, "the wrapped key has parameters that none of Vault's has")
        if _WRAPPED.fullmatch(wrapped.wrapped_key) is None:
            raise KeyRefused(self.name, "the wrapped key is none of Vault's: it was changed")
        plain = self._call("decrypt", context, ciphertext=wrapped.wrapped_key).get("plaintext")
        try:
            return box.decode_base64(plain if isinstance(plain, str) else "-")
        except box.BoxRefused as error:
            raise self._unavailable("its answer has no data key") from error

    def _call(self, verb: str, context: bytes, **body: str) -> dict[str, object]:
        """`data` of the answer."""
        mount, _, key = self.key_id.rpartition("/")
        path = f"{mount}/{verb}/{key}"
        bound = box.encode_base64(context)
        try:
            answer = self._line.post(path, {**body, "context": bound, "associated_data": bound})
        except Unreached as error:
            hint = "check VAULT_ADDR, VAULT_CACERT and the network"
            raise self._unavailable(f"{self._line.address}: {error}", hint) from error
        if answer.status != 200:
            raise self._refusal(path, answer)
        data = answer.body.get("data")
        if not isinstance(data, dict):
            raise self._unavailable(f"{self._line.address} does not answer as Vault does")
        return data

    def _refusal(self, path: str, answer: Answer) -> KeyRefused | KeyUnavailable:
        """What an answer other than 200 means."""
        status, said, address = answer.status, answer.words, self._line.address
        if status == 403:
            hint = f"its token may have ended, or its policy lacks `update` on {path}"
            return KeyRefused(self.name, said or "permission denied", hint)
        if status == 404:
            return KeyRefused(self.name, said or "not found", "check the mount: vault:MOUNT/KEY")
        if status == 400 and _AUTHENTICATION in said:
            reason = "the wrapped key does not verify: it was changed, or is of another seal"
            return KeyRefused(self.name, reason)
        if status == 400:
            hint = f"min_decryption_version of {self.key_id} is above it" if _OLD in said else ""
            return KeyRefused(self.name, said or "bad request", hint)
        if status == 503:
            hint = "unseal it: vault operator unseal"
            return self._unavailable(f"{address}: {said or 'sealed or not ready'}", hint)
        if 300 <= status < 400:
            reason = f"{address} answers by a redirect, which is not followed"
            return self._unavailable(reason, "set VAULT_ADDR to the address of the active node")
        return self._unavailable(f"{address}: status {status} {said}".rstrip())

    def _unavailable(self, reason: str, hint: str = "") -> KeyUnavailable:
        return KeyUnavailable(self.name, reason, hint)
