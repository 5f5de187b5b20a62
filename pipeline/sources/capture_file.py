"""The capture file: messages as they came, framed so that damage is seen and never misread.

    magic   8 bytes  b"btrkcap1"
    frame   u32 length of the body, u32 CRC-32 of length and body, body     (little-endian)
    body    of the first frame: JSON {"format": 1, "started_at": ..., "topics": [...]}
            of all others: i64 received_us, u16 length of the topic, topic (UTF-8), payload

A writer that dies leaves a torn tail: an incomplete last frame, or zeros where a file system had
reserved space. Readers stop before it and say so; anything else that is wrong is damage.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from typing import BinaryIO, NamedTuple
from zlib import crc32

from pipeline.contracts.base import MAX_MESSAGE_BYTES
from pipeline.contracts.transport import RawMessage
from pipeline.sources.errors import CaptureDamaged, CaptureError

MAGIC = b"btrkcap1"
FORMAT = 1
FRAME = Struct("<II")
RECORD = Struct("<qH")
MAX_BODY_BYTES = 2 * MAX_MESSAGE_BYTES + 2**16
"""More than the broker delivers; a larger length cannot have been written."""
BUFFER_BYTES = 1 << 18
READ_BYTES = 1 << 20


@dataclass(frozen=True)
class Header:
    """`started_at`: RFC 3339; `topics`: the filters that were subscribed to."""

    started_at: str
    topics: list[str]


class Record(NamedTuple):
    """One message. `offset` and `size`: of its whole frame in the file, bytes."""

    offset: int
    size: int
    body: memoryview

    def message(self) -> RawMessage:
        return decode_record(bytes(self.body))


class CaptureWriter:
    """Appends records through a buffer of fixed size; not thread-safe.

    When the disk is full the file is cut back to its last whole record before CaptureError.
    """

    def __init__(self, path: Path, header: Header, *, append: bool = False) -> None:
        self._path, self._buffer, self.records = path, bytearray(), 0
        mode = os.O_RDWR | os.O_CREAT | (0 if append else os.O_EXCL)
        try:
            fresh = not path.exists() or path.stat().st_size == 0
            end = 0 if fresh else _whole_length(path, header)
            self._file = os.open(path, mode | os.O_CLOEXEC, 0o640)
            os.ftruncate(self._file, end)
            self._end = os.lseek(self._file, end, os.SEEK_SET)
        except FileExistsError:
            raise CaptureError(str(path), "is there already; choose another, or --append") from None
        except OSError as error:
            raise CaptureError(str(path), f"cannot be written: {error.strerror}") from None
        if fresh:
            body = {"format": FORMAT, "started_at": header.started_at, "topics": header.topics}
            self._buffer += MAGIC + _frame(json.dumps(body).encode())
            self.flush()

    def write(self, message: RawMessage) -> None:
        """Raises CaptureError when the disk takes no more."""
        topic = message.topic.encode()
        body = RECORD.pack(message.received_us, len(topic)) + topic + message.payload
        self._buffer += _frame(body)
        self.records += 1
        if len(self._buffer) >= BUFFER_BYTES:
            self.flush()

    def flush(self) -> None:
        """Hand what is buffered to the operating system, whole or not at all."""
        data, self._buffer = self._buffer, bytearray()
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(self._file, view) :]
        except OSError as error:
            os.ftruncate(self._file, self._end)
            os.lseek(self._file, self._end, os.SEEK_SET)
            raise CaptureError(
                str(self._path),
                f"no more could be written: {error.strerror}; what it holds can be replayed",
            ) from None
        self._end += len(data)

    def close(self) -> None:
        """Flush, and wait until it is on the disk."""
        try:
            self.flush()
            os.fsync(self._file)
        finally:
            os.close(self._file)


class CaptureReader:
    """Header, and records in file order. `torn_bytes`: of the tail; known after the last record."""

    def __init__(self, path: Path) -> None:
        self.path, self.torn_bytes = path, 0
        try:
            self._file: BinaryIO = path.open("rb")
        except OSError as error:
            raise CaptureError(str(path), f"cannot be read: {error.strerror}") from None
        self.size = os.fstat(self._file.fileno()).st_size
        try:
            self.header, self._first = self._read_header()
        except BaseException:
            self._file.close()
            raise

    def records(self) -> Iterator[Record]:
        """Raises CaptureDamaged at a frame that cannot have been written and is not the last."""
        for offset, body in self._frames(self._first):
            if len(body) < RECORD.size:
                raise CaptureDamaged(str(self.path), offset)
            yield Record(offset, FRAME.size + len(body), body)

    def read(self, offset: int, size: int) -> RawMessage:
        """The message of one frame that `records` has shown to be whole."""
        frame = os.pread(self._file.fileno(), size, offset)
        if len(frame) != size:
            raise CaptureDamaged(str(self.path), offset)
        return decode_record(frame[FRAME.size :])

    def close(self) -> None:
        self._file.close()

    def _read_header(self) -> tuple[Header, int]:
        magic = self._file.read(len(MAGIC))
        if magic != MAGIC:
            raise CaptureError(str(self.path), "is not a capture of this version of biotrakr")
        for offset, body in self._frames(len(MAGIC)):
            try:
                fields = json.loads(bytes(body))
                header = Header(fields["started_at"], fields["topics"])
            except (ValueError, KeyError, TypeError):
                break
            if fields["format"] == FORMAT:
                return header, offset + FRAME.size + len(body)
            break
        raise CaptureError(str(self.path), "its header is not whole or of another version")

    def _frames(self, offset: int) -> Iterator[tuple[int, memoryview]]:
        """(offset, body) of whole frames up to the torn tail."""
        self._file.seek(offset)
        block, at = b"", 0
        while (left := self.size - offset) >= FRAME.size:
            if len(block) - at < FRAME.size:
                block, at = block[at:] + self._file.read(READ_BYTES), 0
            length, checksum = FRAME.unpack_from(block, at)
            size = FRAME.size + length
            if length > MAX_BODY_BYTES or size > left:
                return self._stop(offset, torn=length <= MAX_BODY_BYTES)
            if len(block) - at < size:
                block, at = block[at:] + self._file.read(max(READ_BYTES, size)), 0
            body = memoryview(block)[at + FRAME.size : at + size]
            if _checksum(body) != checksum:
                return self._stop(offset, torn=size == left)
            yield offset, body
            offset += size
            at += size
        self.torn_bytes = left

    def _stop(self, offset: int, *, torn: bool) -> None:
        """The frame at `offset` is not whole: the tail, or damage before it."""
        if not torn and not self._zeros_from(offset):
            raise CaptureDamaged(str(self.path), offset)
        self.torn_bytes = self.size - offset

    def _zeros_from(self, offset: int) -> bool:
        self._file.seek(offset)
        while block := self._file.read(READ_BYTES):
            if block.count(0) != len(block):
                return False
        return True


def decode_record(body: bytes) -> RawMessage:
    """The inverse of what `CaptureWriter.write` puts into a frame."""
    received_us, length = RECORD.unpack_from(body)
    end = RECORD.size + length
    return RawMessage(body[RECORD.size : end].decode(), body[end:], received_us)


def _frame(body: bytes) -> bytes:
    return FRAME.pack(len(body), _checksum(body)) + body


def _checksum(body: bytes | memoryview) -> int:
    """The length is part of it: eight zeros are no frame."""
    return crc32(body, crc32(len(body).to_bytes(4, "little")))


def _whole_length(path: Path, header: Header) -> int:
    """Where a capture that is there already ends, without its torn tail."""
    reader = CaptureReader(path)
    try:
        if sorted(reader.header.topics) != sorted(header.topics):
            raise CaptureError(
                str(path), f"was made of other topics: {', '.join(reader.header.topics)}"
            )
        for _ in reader.records():
            pass
        return reader.size - reader.torn_bytes
    finally:
        reader.close()
