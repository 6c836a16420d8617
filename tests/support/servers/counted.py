"""How much passes on the way to a server."""

from __future__ import annotations

from support.servers.http_proxy import HttpProxy


class Counted(HttpProxy):
    """Bytes of bodies, both ways."""

    carried = 0

    def answer(self, seen):
        reply = super().answer(seen)
        self.carried += len(seen.body) + (len(reply.body) if seen.method != "HEAD" else 0)
        return reply
