"""The page of rules, written from the registry: `python -m diskwright.rules.docs`."""

from __future__ import annotations

import sys

from diskwright.rules.registry import RULES

_HEAD = """\
# Rules

Written by `python -m diskwright.rules.docs > docs/rules.md` from the rules themselves.

`validate` judges the facts of an image and its guest by these. Each gives one of `fail`, `warn`,
`unknown`, `pass`, `skip`. What could not be read is `unknown`, never `pass`; a fault that another
rule tells already is `skip`. The column says what a breach gives; a profile may say otherwise, and
some breaches are milder than that. `--strict` counts `warn` and `unknown` as failures.
`--accept ID --reason TEXT` accepts one finding.

"""


def markdown() -> str:
    """One table of all rules, then why each matters and where it is written."""
    lines = [
        "| id | a breach is | severity | data disk too | what holds |",
        "|---|---|---|---|---|",
    ]
    for rule in RULES:
        also = "yes" if rule.for_data else ""
        lines.append(
            f"| `{rule.id}` | {rule.otherwise} | {rule.severity} | {also} | {rule.title} |"
        )
    for rule in RULES:
        lines += [
            "",
            f"## {rule.id}",
            "",
            f"{rule.title}. {rule.why}",
            "",
            f"Source: {rule.sources}.",
        ]
    return _HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(markdown())
