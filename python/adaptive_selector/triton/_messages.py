"""Messages between a program and its workers: a length of 8 bytes and a pickle."""

from __future__ import annotations

import pickle
import struct
from typing import IO, Any

#: The first message of a worker, once it has imported what compiling needs.
READY = "ready"


def read(stream: IO[bytes]) -> Any:
    """The next message; None where the other side has gone."""
    head = stream.read(8)
    if len(head) < 8:
        return None
    (size,) = struct.unpack("<Q", head)
    body = stream.read(size)
    return pickle.loads(body) if len(body) == size else None


def write(stream: IO[bytes], message: Any) -> None:
    body = pickle.dumps(message)
    stream.write(struct.pack("<Q", len(body)) + body)
    stream.flush()
