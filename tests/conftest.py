"""Fixtures that more than one folder of tests uses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.servers.seaweed import Seaweed


@pytest.fixture(scope="session")
def seaweed() -> Iterator[Seaweed]:
    """A real S3 server, started when the first test asks for it."""
    server = Seaweed.start()
    yield server
    server.close()
