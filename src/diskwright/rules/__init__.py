"""Pure rules over facts: facts in, findings out."""

from diskwright.rules.attributes import import_attributes
from diskwright.rules.registry import RULES, known_rule_ids
from diskwright.rules.verdict import judge

__all__ = ["RULES", "import_attributes", "judge", "known_rule_ids"]
