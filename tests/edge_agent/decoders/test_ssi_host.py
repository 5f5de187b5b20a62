from serial_bench import Bench

from edge_agent.decoders import ssi
from edge_agent.decoders.framing import Framer
from edge_agent.decoders.ssi_host import SsiConversation

ACK = ssi.ack()
ENABLE = ssi.encode(ssi.SCAN_ENABLE)


def said(opcode, data=b"", status=0):
    return ssi.encode(opcode, data, source=ssi.DECODER, status=status)


SCAN = said(ssi.DECODE_DATA, b"\x03A123B")


class Scanner:
    """Repeats a scan after 2 s without ACK, as the real ones do; acknowledges everything."""

    def __init__(self):
        self.framer = Framer(ssi.COMMAND_RULES)
        self.opcodes = []
        self.unacknowledged = None
        self.refuses = False

    def __call__(self, command, now_s):
        out = b""
        for frame in self.framer.feed(command):
            self.opcodes.append(frame[1])
            if frame[1] == ssi.ACK:
                self.unacknowledged = None
            else:
                out += said(ssi.NAK, b"\x06") if self.refuses else said(ssi.ACK)
        if self.unacknowledged is not None and now_s >= self.unacknowledged:
            self.unacknowledged = now_s + 2
            out += said(ssi.DECODE_DATA, b"\x03A123B", ssi.RETRANSMISSION)
        return out

    def scan(self, now_s):
        self.unacknowledged = now_s + 2
        return SCAN


def test_every_scan_is_acknowledged():
    scanner = Scanner()
    bench = Bench(SsiConversation(), scanner).run(1)
    bench.items += bench.host.receive(scanner.scan(bench.now_s), bench.now_s)
    assert bench.host.wake_at_s <= bench.now_s
    bench.run(0.1)
    assert bench.tags() == ["barcode:A123B"]
    assert scanner.opcodes == [ssi.SCAN_ENABLE, ssi.ACK]
    assert scanner.unacknowledged is None


def test_a_repetition_is_acknowledged_and_told_once():
    host = SsiConversation()
    host.send(0.0)
    repeated = said(ssi.DECODE_DATA, b"\x03A123B", ssi.RETRANSMISSION)
    assert len(host.receive(SCAN, 0.1)) == 1
    assert host.receive(repeated, 2.1) == []
    assert host.send(2.1).startswith(ACK + ACK)
    # The same code scanned once more is a new scan.
    assert len(host.receive(SCAN, 3.0)) == 1


def test_a_repetition_of_what_never_arrived_is_told():
    host = SsiConversation()
    assert host.receive(said(ssi.DECODE_DATA, b"\x03A", ssi.RETRANSMISSION), 0.0)


def test_scans_in_several_frames():
    host = SsiConversation()
    assert host.receive(said(ssi.DECODE_DATA, b"\x1cAB", ssi.CONTINUED), 0.0) == []
    (reading,) = host.receive(said(ssi.DECODE_DATA, b"\x1cCD"), 0.1)
    assert reading.tag == "barcode:ABCD"


def test_a_part_without_its_end_does_not_spoil_the_next_scan():
    host = SsiConversation()
    host.receive(said(ssi.DECODE_DATA, b"\x1cAB", ssi.CONTINUED), 0.0)
    (reading,) = host.receive(SCAN, 60.0)
    assert reading.tag == "barcode:A123B"


def test_gs1_codes_are_named_as_on_other_lines():
    (reading,) = SsiConversation().receive(
        said(ssi.DECODE_DATA, b"\x0f" + b"0107032069804988" + b"10A1"), 0.0
    )
    assert reading.tag == "gs1:(01)07032069804988(10)A1"


def test_an_identifier_that_the_scanner_sends_is_not_doubled():
    (reading,) = SsiConversation().receive(said(ssi.DECODE_DATA, b"\x03]C0A1"), 0.0)
    assert reading.tag == "barcode:A1"


def test_a_code_that_gives_no_name_is_told():
    host = SsiConversation()
    (event,) = host.receive(said(ssi.DECODE_DATA, b"\x1c" + b"x" * 200), 0.0)
    assert event.name == "code_refused"


def test_an_idle_scanner_is_asked_whether_it_is_there():
    scanner = Scanner()
    bench = Bench(SsiConversation(silence_s=4), scanner).run(13)
    assert scanner.opcodes == [ssi.SCAN_ENABLE] * 4
    assert bench.host.frames == 4 and bench.names() == []


def test_silence_is_told_once_and_the_scanner_found_again():
    scanner = Scanner()
    bench = Bench(SsiConversation(), scanner)
    bench.silent = True
    assert bench.run(20).names() == ["no_answer"]
    bench.silent = False
    bench.run(2)
    assert bench.host.frames >= 1


def test_a_refusal_is_told():
    scanner = Scanner()
    scanner.refuses = True
    bench = Bench(SsiConversation(), scanner).run(20)
    assert [(item.name, item.code) for item in bench.items] == [("reader_error", 6)]


def test_events_are_acknowledged_too():
    host = SsiConversation()
    assert host.receive(said(ssi.EVENT, b"\x03"), 0.0) == []
    assert host.send(0.0) == ACK + ENABLE
