"""diskwright: prepares disk images on a workstation for a cloud's image service."""

__version__ = "0.1.0"
