"""The composition root: the only room that builds adapters and hands them to the verbs.

Both the Python API (`diskwright.open()`) and the command come through here.
"""

from diskwright.app.verbs import Diskwright

__all__ = ["Diskwright"]
