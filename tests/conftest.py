"""Fixtures that more than one folder of tests uses."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from support.servers.openbao import OpenBao
from support.servers.seaweed import Seaweed

# Whoever starts the tests in the background has them ignore these, and every command they start.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first, so that no worker is left alone with one at the end."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(scope="session")
def seaweed() -> Iterator[Seaweed]:
    """A real S3 server, started when the first test asks for it."""
    server = Seaweed.start()
    yield server
    server.close()


@pytest.fixture(scope="session")
def openbao() -> Iterator[OpenBao]:
    """A real key server, started when the first test asks for it. Who changes it puts it right."""
    server = OpenBao.start()
    yield server
    server.close()
