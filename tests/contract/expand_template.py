"""Expand a SAM template (JSON on standard input) into plain CloudFormation (JSON on output).

Runs in the environment of the local cloud: aws-sam-translator holds pydantic at a version of its
own and so cannot live beside the product.
"""

from __future__ import annotations

import json
import sys

from samtranslator.translator.transform import transform  # type: ignore[import-not-found]


class NoManagedPolicies:
    """Stands in for the list of AWS's policies, which SAM would ask IAM for; none is used."""

    def load(self) -> dict[str, str]:
        """Return no policies."""
        return {}


json.dump(transform(json.load(sys.stdin), {}, NoManagedPolicies()), sys.stdout)
