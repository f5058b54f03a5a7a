"""Look every pin up among the known vulnerabilities, by pip-audit.

Usage: python -m tools.audit REQUIREMENTS...

Exits with 1 when a pinned version has a known vulnerability. What cannot be looked up, because
there is no connection or because the package index is a mirror without advisories (pip-audit calls
that "no known vulnerabilities"), is told loudly and fails nothing: the other checks run anywhere.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

TIMEOUT_SECONDS = 15


def main() -> None:
    vulnerable = False
    for path in sys.argv[1:]:
        dependencies = audit(path)
        unknown = [each["name"] for each in dependencies if "skip_reason" in each]
        findings = [line for each in dependencies for line in describe(each)]
        if unknown or not dependencies:
            print(f"SKIPPED: {path}: {len(unknown) or 'all'} packages are NOT AUDITED: no answer")
        print(f"{path}: {len(dependencies) - len(unknown)} packages audited", *findings, sep="\n  ")
        vulnerable = vulnerable or bool(findings)
    sys.exit(1 if vulnerable else 0)


def audit(path: str) -> list[dict[str, Any]]:
    """Return pip-audit's entry for each pinned package; none when its service was not reached."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", path, "--disable-pip"]
    command += ["--require-hashes", "--format", "json", "--progress-spinner", "off"]
    command += ["--timeout", str(TIMEOUT_SECONDS)]
    answer = subprocess.run(command, check=False, capture_output=True, text=True)
    if not answer.stdout.strip():
        print(answer.stderr.strip()[-500:], flush=True)
        return []
    report = json.loads(answer.stdout)
    return list(report["dependencies"])


def describe(dependency: dict[str, Any]) -> list[str]:
    package = f"{dependency['name']} {dependency.get('version', '')}"
    return [
        f"{package}: {found['id']}, mended in {found['fix_versions'] or 'nothing yet'}"
        for found in dependency.get("vulns", [])
    ]


if __name__ == "__main__":
    main()
