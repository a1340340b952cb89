"""Whether a file says where it comes from: C2PA data (Content Credentials). Seen, and never changed.

In an MP4 it is a `uuid` box at the top, whose user type is C2PA's (C2PA Technical Specification 2, A.4 "Embedding
manifests into BMFF-based assets"; the user type of a `uuid` box: ISO/IEC 14496-12 §4.2). Whether its signature holds is
not examined.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

C2PA: Final = UUID("d8fec3d6-1b0e-483c-9297-5828877ec481")
USER_TYPE_BYTES: Final = 16


def is_c2pa(head: bytes) -> bool:
    """Whether a `uuid` box whose payload begins with *head* holds C2PA data."""
    return head[:USER_TYPE_BYTES] == C2PA.bytes
