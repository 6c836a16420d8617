"""Where symbolic links of a tree lead, without a file system: does a path stay inside?"""

from __future__ import annotations

from collections.abc import Mapping

from diskwright.formats.limits import ISO_LINK_STEPS, ISO_LINKS_FOLLOWED


class Links:
    """`targets` are the links of one tree, by path.

    Only names are followed: what is no link is taken for a directory. Which of them leads out is
    then right whatever is there. The work is bounded; a link that there was no time for leads out.
    """

    def __init__(self, targets: Mapping[str, str]) -> None:
        self._targets = targets
        self._steps = ISO_LINK_STEPS

    def escaping(self) -> list[str]:
        """Paths of the links that lead out of the tree."""
        return [path for path in self._targets if self.escapes(path)]

    @property
    def exhausted(self) -> bool:
        """There was not time for all of them."""
        return self._steps < 0

    def escapes(self, path: str) -> bool:
        """Does the link `path` lead out, itself or by another link on its way?"""
        # the directory of a link is real: its parents in the tree are no links
        here = path.split("/")[:-1]
        rest = self._targets[path].split("/")[::-1]
        if self._targets[path].startswith("/"):
            return True
        followed = 0
        while rest:
            self._steps -= 1 + len(here) // 8  # a long path costs more to look up
            if self._steps < 0:
                return True
            name = rest.pop()
            if name in ("", "."):
                continue
            if name == "..":
                if not here:
                    return True
                here.pop()
                continue
            target = self._targets.get("/".join([*here, name]))
            if target is None:
                here.append(name)
                continue
            followed += 1
            if target.startswith("/") or followed > ISO_LINKS_FOLLOWED:
                return True
            rest += target.split("/")[::-1]
        return False
