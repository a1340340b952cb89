"""Whether a folder lies on a file system that another machine keeps: its locks and syncs may promise too much."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path, PurePosixPath

MOUNTS = Path("/proc/self/mounts")
"""Linux says here what is mounted where; elsewhere nothing is known, and nothing is said."""
_REMOTE = frozenset(
    {
        *("9p", "afs", "afp", "beegfs", "ceph", "cifs", "davfs", "fhgfs", "glusterfs", "gpfs", "lustre", "ncpfs"),
        *("nfs", "nfs4", "orangefs", "pvfs2", "smb2", "smb3", "smbfs"),
    }
)
_ESCAPE = re.compile(r"\\([0-7]{3})")


def remote_kind(folder: Path) -> str:
    """The kind of network file system that *folder* is or will be on; empty: local, or not known."""
    with suppress(OSError):
        return remote_kind_in(MOUNTS.read_text("utf-8", "surrogateescape"), os.path.realpath(folder))
    return ""


def doubt_about(folder: Path) -> str:
    """What a user should know of the file system that *folder* is on; empty: nothing."""
    kind = remote_kind(folder)
    return kind and (
        f"{folder} is on a network file system ({kind}): its locks and syncs may promise more than they keep, so a "
        "second runner or a loss of power may do harm there; a local disk is safe"
    )


def remote_kind_in(mounts: str, folder: str) -> str:
    """The same, by the lines of *mounts* (fstab(5)); *folder* is absolute and without links."""
    path, found, depth = PurePosixPath(folder), "", -1
    for line in mounts.splitlines():
        _, point, kind, *_ = [*line.split(" "), "", "", ""]
        place = PurePosixPath(_ESCAPE.sub(lambda code: chr(int(code[1], 8)), point))
        if path.is_relative_to(place) and len(place.parts) >= depth:  # of two on one point, the later covers the first
            found, depth = kind, len(place.parts)
    return found if found in _REMOTE or found.startswith("fuse.") else ""
