"""HashiCorp Vault or OpenBao as a key service."""

from diskwright.adapters.kms_vault.line import VaultSettings
from diskwright.adapters.kms_vault.transit import TransitKey

__all__ = ["TransitKey", "VaultSettings"]
