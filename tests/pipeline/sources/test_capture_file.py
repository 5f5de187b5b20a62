"""Captures: what is written is read, a torn tail is told, damage is never misread."""

from __future__ import annotations

import resource
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.contracts.transport import RawMessage
from pipeline.sources.capture_file import CaptureReader, CaptureWriter, Header
from pipeline.sources.errors import CaptureDamaged, CaptureError

HEADER = Header("2026-01-01T00:00:00+00:00", ["biotrakr/v1/+/+/gateways/+/reads"])
MESSAGES = [
    RawMessage("biotrakr/v1/acme/north/gateways/gw/reads", bytes([i]) * (i * 37), 10**15 + i)
    for i in range(30)
]
quick = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def write(path: Path, messages: list[RawMessage], **options: bool) -> bytes:
    writer = CaptureWriter(path, HEADER, **options)
    for message in messages:
        writer.write(message)
    writer.close()
    return path.read_bytes()


def read(path: Path) -> tuple[list[RawMessage], int]:
    reader = CaptureReader(path)
    try:
        return [record.message() for record in reader.records()], reader.torn_bytes
    finally:
        reader.close()


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.cap"
    write(path, MESSAGES)
    assert read(path) == (MESSAGES, 0)
    reader = CaptureReader(path)
    assert reader.header == HEADER
    places = [(r.offset, r.size) for r in reader.records()]
    assert [reader.read(*place) for place in reversed(places)] == MESSAGES[::-1]
    reader.close()


@given(
    st.lists(
        st.builds(
            RawMessage,
            st.text(max_size=50),
            st.binary(max_size=3_000_000 // 8),
            st.integers(-(2**62), 2**62),
        ),
        max_size=8,
    )
)
@quick
def test_any_message_comes_back(tmp_path: Path, messages: list[RawMessage]) -> None:
    path = tmp_path / "any.cap"
    path.unlink(missing_ok=True)
    write(path, messages)
    assert read(path) == (messages, 0)


def test_cut_anywhere_the_whole_messages_remain(tmp_path: Path) -> None:
    whole = write(tmp_path / "a.cap", MESSAGES[:12])
    reader = CaptureReader(tmp_path / "a.cap")
    ends = [r.offset + r.size for r in reader.records()]
    first = next(iter(reader.records())).offset
    reader.close()
    path = tmp_path / "cut.cap"
    for length in range(first, len(whole) + 1):
        path.write_bytes(whole[:length])
        kept = sum(end <= length for end in ends)
        torn = length - max([first, *(end for end in ends if end <= length)])
        assert read(path) == (MESSAGES[:kept], torn)


def test_a_tail_of_zeros_is_torn(tmp_path: Path) -> None:
    """What a file system leaves after a power cut."""
    path = tmp_path / "a.cap"
    path.write_bytes(write(path, MESSAGES) + bytes(5000))
    assert read(path) == (MESSAGES, 5000)


@given(st.data())
@quick
def test_a_changed_byte_is_never_misread(tmp_path: Path, data: st.DataObject) -> None:
    source = tmp_path / "a.cap"
    whole = source.read_bytes() if source.exists() else write(source, MESSAGES)
    at = data.draw(st.integers(0, len(whole) - 1))
    changed = bytearray(whole)
    changed[at] ^= data.draw(st.integers(1, 255))
    path = tmp_path / "changed.cap"
    path.write_bytes(changed)
    try:
        found, torn = read(path)
    except CaptureError:
        return
    # Only the last record, or a length that now reaches past the end: a tail like a torn one.
    assert torn > 0
    assert found == MESSAGES[: len(found)]


def test_damage_says_where_and_how_to_go_on(tmp_path: Path) -> None:
    path = tmp_path / "a.cap"
    whole = bytearray(write(path, MESSAGES))
    reader = CaptureReader(path)
    tenth = list(reader.records())[10]
    reader.close()
    whole[tenth.offset + 9] ^= 1
    path.write_bytes(whole)
    with pytest.raises(CaptureDamaged, match=f"head -c {tenth.offset} ") as caught:
        read(path)
    path.write_bytes(whole[: caught.value.offset])
    assert read(path) == (MESSAGES[:10], 0)


@pytest.mark.parametrize("content", [b"", b"btrkcap1", b"btrkcap2....", b"{}", bytes(100)])
def test_what_is_no_capture(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(CaptureError):
        read(path)


def test_append_goes_on_after_the_last_whole_message(tmp_path: Path) -> None:
    path = tmp_path / "a.cap"
    path.write_bytes(write(path, MESSAGES[:5])[:-3])
    with pytest.raises(CaptureError, match="--append"):
        CaptureWriter(path, HEADER)
    write(path, MESSAGES[5:], append=True)
    assert read(path) == (MESSAGES[:4] + MESSAGES[5:], 0)
    with pytest.raises(CaptureError, match="other topics"):
        CaptureWriter(path, Header("2026-01-01T00:00:00+00:00", ["other"]), append=True)


def test_append_leaves_alone_what_is_no_capture(tmp_path: Path) -> None:
    path = tmp_path / "thesis.txt"
    path.write_bytes(b"the only copy")
    with pytest.raises(CaptureError, match="not a capture"):
        CaptureWriter(path, HEADER, append=True)
    assert path.read_bytes() == b"the only copy"


def test_a_full_disk_leaves_a_readable_file(tmp_path: Path) -> None:
    """The limit of a file's size stands in for the disk: the write fails half way as well."""
    path = tmp_path / "full.cap"
    script = """
        import signal, sys
        from pathlib import Path
        from pipeline.contracts.transport import RawMessage
        from pipeline.sources.capture_file import CaptureWriter, Header
        from pipeline.sources.errors import CaptureError
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        writer = CaptureWriter(Path(sys.argv[1]), Header("2026", []))
        try:
            while True:
                writer.write(RawMessage("t", b"x" * 1000, 7))
        except CaptureError as error:
            print(error)
        writer.close()
    """
    limit = 1_000_000

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(path)],
        preexec_fn=limited, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "no more could be written" in done.stdout
    found, torn = read(path)
    assert torn == 0
    assert set(found) == {RawMessage("t", b"x" * 1000, 7)}
    assert 500 < len(found) < 1000
