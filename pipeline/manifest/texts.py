"""The strings of a manifest with their templates filled in; what is at fault becomes an issue where it was written."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pipeline.manifest.document import Document, Findings, Path
from pipeline.manifest.template import BadTemplate, Template, Writer, is_template, undefined, written
from pipeline.model import JSON

_UNSENDABLE = re.compile("[\x00\ud800-\udfff]")
_KEPT_MAX = 2_000


class Texts:
    """Fills in the templates of one manifest. A data file's strings stay as they are."""

    def __init__(self, document: Document, findings: Findings) -> None:
        self._document = document
        self._findings = findings
        self._kept: dict[tuple[str, Writer], Template] = {}

    def fill(
        self, text: str, variables: Mapping[str, JSON], path: Path, writer: Writer = written, *, of: str = ""
    ) -> str | None:
        """*text*, filled in; `None` where that cannot be done, which is then among the findings.

        *of* names the file the text comes from, where that is not the manifest.
        """
        if self._document.literal:
            return text
        if is_template(text):
            try:
                template = self._template(text, writer)
                missing = template.missing(variables)
                if not missing:
                    return self._sendable(template.render(variables), path)
            except BadTemplate as fault:
                self.blame(path, fault, of=of)
                return None
            for name in dict.fromkeys(missing):
                self.blame(path, undefined(name, variables), of=of)
            return None
        return self._sendable(text, path)

    def fill_all(self, value: JSON, variables: Mapping[str, JSON], path: Path) -> JSON:
        """*value* with every string in it filled in; a string at fault stays as it was."""
        if isinstance(value, str):
            filled = self.fill(value, variables, path)
            return value if filled is None else filled
        if isinstance(value, list):
            return [self.fill_all(part, variables, (*path, n)) for n, part in enumerate(value)]
        if isinstance(value, dict):
            return {key: self.fill_all(part, variables, (*path, key)) for key, part in value.items()}
        return value

    def blame(self, path: Path, fault: BadTemplate, *, of: str = "") -> None:
        """Make *fault* an issue at the word it is about, or at the text."""
        start, end = self._document.extent(path)
        match = _word(fault.word).search(self._findings.source.text, start, end) if fault.word else None
        near = self._findings.source.text.find(fault.near, start, end) if fault.near else -1
        offset = match.start(1) if match else max(start, near)
        message = f"{fault}, in {of}" if of else str(fault)
        self._findings.at(offset, fault.code, message, label=self._document.label(path))

    def _template(self, text: str, writer: Writer) -> Template:
        kept = self._kept.get((text, writer))
        if kept is None:
            kept = Template(text, writer)
            if len(self._kept) < _KEPT_MAX:
                self._kept[text, writer] = kept
        return kept

    def _sendable(self, text: str, path: Path) -> str | None:
        found = _UNSENDABLE.search(text)
        if found is None:
            return text
        self._findings.about(path, "bad-text", f"the character U+{ord(found.group()):04X} cannot be sent")
        return None


def _word(word: str) -> re.Pattern[str]:
    return re.compile(rf"\{{[{{%][^}}]*?(?<![A-Za-z0-9_])({re.escape(word)})(?![A-Za-z0-9_])")
