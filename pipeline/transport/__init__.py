"""Carrying requests: the only package that knows httpx. Foreign exceptions end here.

- A POST goes over a connection only while it is warm, far younger than any server's patience with an idle one: a
  server that closes it just then is the commonest false "maybe sent" (docs/decisions/0007).
- No encoding but identity is asked for; an answer has a largest size, a least speed and a total time.
- No submit and no look follows a redirect; a download does, by hand (`providers.hops`, `away`). It may begin where a
  document said, by the same rules.
"""

from pipeline.providers.base import REPLY_BYTES_MAX
from pipeline.transport.carry import LOOKS_AT_ONCE, Transport, connect
from pipeline.transport.incoming import Incoming
from pipeline.transport.network import NETWORK, Network

__all__ = ["LOOKS_AT_ONCE", "NETWORK", "REPLY_BYTES_MAX", "Incoming", "Network", "Transport", "connect"]
