"""Reading a body under a cap, whatever it unpacks to."""

import zlib

from urllib3.response import BaseHTTPResponse

_CHUNK_BYTES = 65_536
_GZIP = 16 + zlib.MAX_WBITS


class UnreadableBodyError(Exception):
    """The body is too large, cut off, or packed in a way nobody asked for."""


def read_body(raw: BaseHTTPResponse, limit: int) -> bytes:
    """At most `limit` bytes, unpacked. Memory stays near `limit` for packed bodies too.
    UnreadableBodyError, or what the connection raises.
    """
    packing = raw.headers.get("content-encoding", "").strip().lower()
    if packing not in {"", "identity", "gzip", "x-gzip"}:
        raise UnreadableBodyError("content-encoding")
    body = Unpacked(limit) if packing.endswith("gzip") else Plain(limit)
    while chunk := raw.read(_CHUNK_BYTES, decode_content=False):
        body.feed(chunk)
    return body.finish()


class Plain:
    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._bytes = bytearray()

    def feed(self, chunk: bytes) -> None:
        self._bytes += chunk
        if len(self._bytes) > self._limit:
            raise UnreadableBodyError("too large")

    def finish(self) -> bytes:
        return bytes(self._bytes)


class Unpacked(Plain):
    """A gzip body of one or more members."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self._packed_bytes = 0
        self._member = zlib.decompressobj(_GZIP)

    def feed(self, chunk: bytes) -> None:
        self._packed_bytes += len(chunk)
        if self._packed_bytes > self._limit:
            raise UnreadableBodyError("too large")
        while chunk:
            if self._member.eof:
                self._member = zlib.decompressobj(_GZIP)
            super().feed(self._unpack(chunk))
            chunk = self._member.unconsumed_tail or self._member.unused_data

    def finish(self) -> bytes:
        if self._packed_bytes and not self._member.eof:
            raise UnreadableBodyError("gzip cut off")
        return super().finish()

    def _unpack(self, chunk: bytes) -> bytes:
        room = self._limit - len(self._bytes) + 1
        try:
            return self._member.decompress(chunk, room)
        except zlib.error:
            pass
        raise UnreadableBodyError("gzip damaged")
