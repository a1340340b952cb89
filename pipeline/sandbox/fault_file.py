"""A file of faults, YAML or JSON: what a manifest has as `provider.faults`, and every issue at its place."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pipeline.errors import InvalidManifest
from pipeline.manifest.chances import overfull
from pipeline.manifest.document import Findings, Unreadable
from pipeline.manifest.form import form
from pipeline.manifest.read_yaml import read_yaml
from pipeline.manifest.source import read_source
from pipeline.model import JSON

BYTES_MAX: Final = 1 << 20


def read_fault_file(path: Path) -> JSON:
    """What *path* asks for, in the form of the setting `faults`.

    Raises `UsageError` where it cannot be read, `InvalidManifest` with the issues of what it says.
    """
    source, _ = read_source(path, bytes_max=BYTES_MAX)
    findings = Findings(source)
    try:
        document = findings.document = read_yaml(source, findings, form().faults_schema)
    except Unreadable:
        raise InvalidManifest(findings.in_order(warning=False)) from None
    faults = form().judge_faults(document.frame)
    for fault in faults:
        findings.about(fault.path, fault.code, fault.message, key=fault.key)
    if not faults and isinstance(document.frame, dict):
        for place, message in overfull(document.frame):
            findings.about(place, "chances", message)
    issues = findings.in_order(warning=False)
    if issues:
        raise InvalidManifest(issues)
    return document.frame
