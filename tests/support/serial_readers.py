# ruff: noqa: RUF012 (scripts are told what to set, and nobody changes it)
"""Scripted readers, one for every serial protocol: what they answer, and how they err.

A script is called with what the host writes and gives what the reader sends; `tick()` gives what it
sends by itself. `silent` makes it say nothing, `failing` makes it err.
"""

from edge_agent.decoders import chafon_cf as cf
from edge_agent.decoders import m100, r2000, rcp, rdm6300, ssi, tsl
from edge_agent.decoders import mercury as tm
from edge_agent.decoders import uhfreader18 as uhf
from edge_agent.decoders.registry_serial import PROTOCOLS

EPC = bytes.fromhex("e280116060000205a1b2c3d4")
EPC_TAG = "epc:e280116060000205a1b2c3d4"
PC_EPC_CRC = bytes.fromhex("3000e280116060000205a1b2c3d47956")


class Script:
    """`tag`: what is heard; `receiver`: by which; `event`: what an error becomes, if anything."""

    protocol: str
    tag = EPC_TAG
    receiver = "r"
    event: str | None = None
    settings: dict = {}
    period_s = 0.04

    def __init__(self):
        self.silent = self.failing = False
        self.commands = []
        self._decoder = PROTOCOLS[self.protocol].commands()

    def __call__(self, data):
        frames = self._decoder.feed(data) if self._decoder else []
        self.commands += frames
        answers = b"".join(self.answer(frame) for frame in frames)
        return b"" if self.silent else answers

    def tick(self):
        return b"" if self.silent else self.unasked()

    def answer(self, _frame):
        return b""

    def unasked(self):
        return b""


class R2000(Script):
    protocol, receiver, event = "r2000", "r/2", "antenna_missing"
    settings = {"antennas": [2], "power_dbm": 27, "region": "eu"}

    def answer(self, frame):
        command = frame["command"]
        if command != r2000.INVENTORY:
            return r2000.encode(command, b"\x10")
        if self.failing:
            return r2000.encode(command, b"\x22")
        tag = r2000.encode(command, b"\x05\x30\x00" + EPC + b"\x45")
        return tag + r2000.encode(command, bytes.fromhex("01001100000001"))


class M100(Script):
    protocol, event = "m100", "reader_error"
    settings = {"power_dbm": 20, "region": "eu"}
    polling = False

    def answer(self, frame):
        command = frame["command"]
        self.polling = command == m100.MULTI_POLL
        return b"" if self.polling else m100.encode(command, b"\x00", kind=m100.ANSWER)

    def unasked(self):
        if not self.polling:
            return b""
        if self.failing:
            return m100.encode(m100.ERROR, b"\x20", kind=m100.ANSWER)
        tag = m100.encode(m100.SINGLE_POLL, b"\xcf" + PC_EPC_CRC, kind=m100.NOTICE)
        return tag + m100.encode(m100.ERROR, b"\x15", kind=m100.ANSWER)


class Mercury(Script):
    protocol, receiver, event = "mercury", "r/2", "high_return_loss"
    settings = {"antennas": [1, 2], "power_dbm": 23, "region": "eu"}
    streaming = False

    def answer(self, frame):
        opcode, data = frame["opcode"], bytes.fromhex(frame["data"])
        if opcode == tm.MULTI_PROTOCOL:
            self.streaming = data[2] == 1
            return tm.encode_answer(opcode, data[2:4])
        return tm.encode_answer(opcode, bytes(20) if opcode == tm.VERSION else b"")

    def unasked(self):
        if not self.streaming:
            return b""
        if self.failing:
            return tm.encode_answer(tm.READ_MULTIPLE, status=tm.HIGH_RETURN_LOSS)
        head = bytes.fromhex("10001b01ff0102c8220dfb3800000150005a05000007")
        tag = tm.encode_answer(tm.READ_MULTIPLE, head + b"\x00\x80" + PC_EPC_CRC)
        return tag + tm.encode_answer(tm.READ_MULTIPLE, status=tm.NO_TAG)


class UhfReader18(Script):
    protocol, event = "uhfreader18", "antenna_missing"
    settings = {"power_dbm": 20, "region": "eu"}
    info = bytes.fromhex("001609034e001e0a")

    def answer(self, frame):
        command = frame["command"]
        if command == uhf.READER_INFO:
            return uhf.encode_answer(command, self.info)
        if command != uhf.INVENTORY:
            return uhf.encode_answer(command)
        if self.failing:
            return uhf.encode_answer(command, status=uhf.ANTENNA_ERROR)
        return uhf.encode_answer(command, self.inventory(), uhf.FINISHED)

    def inventory(self):
        return b"\x01\x0c" + EPC


class UhfReader288(UhfReader18):
    protocol, receiver = "uhfreader288", "r/3"
    settings = {"antennas": [3]}
    info = bytes.fromhex("00160c034e001e0a")

    def inventory(self):
        return b"\x04\x01\x0c" + EPC + b"\x6b"


class UhfReader18Active(Script):
    protocol = "uhfreader18_active"

    def unasked(self):
        good = uhf.encode_answer(uhf.ACTIVE, EPC)
        return good[:-1] + bytes((good[-1] ^ 1,)) if self.failing else good


class UhfReader288Active(Script):
    protocol, receiver = "uhfreader288_active", "r/1"

    def unasked(self):
        good = uhf.encode_answer(uhf.ACTIVE, b"\x01\x0c" + EPC + b"\x6b")
        return good[:-1] + bytes((good[-1] ^ 1,)) if self.failing else good


class ChafonCf(Script):
    protocol, receiver, event = "chafon_cf", "r/1", "reader_error"
    settings = {"power_dbm": 26}
    running = False

    def answer(self, frame):
        command = frame["command"]
        if command in (cf.START, cf.STOP):
            self.running = command == cf.START
        return b"" if command == cf.START else cf.encode(command, b"\x00", 0)

    def unasked(self):
        if not self.running:
            return b""
        if self.failing:
            return cf.encode(cf.START, b"\x15", 0)
        return cf.encode(cf.START, b"\x00\xfd\x8a\x01\x00\x0c" + EPC, 0)


class Rcp(Script):
    protocol, event = "rcp", "reader_error"
    settings = {"power_dbm": 20, "region": "eu"}
    running = False

    def answer(self, frame):
        code = frame["code"]
        if code == rcp.STOP and not self.running:
            return rcp.encode(rcp.ERROR, b"\x0b", kind=rcp.ANSWER)
        self.running = code == rcp.START
        return rcp.encode(code, b"\x00", kind=rcp.ANSWER)

    def unasked(self):
        if not self.running:
            return b""
        if self.failing:
            return rcp.encode(rcp.ERROR, b"\x20", kind=rcp.ANSWER)
        return rcp.encode(rcp.READ_ONCE, b"\x30\x00" + EPC, kind=rcp.NOTICE)


class Rdm6300(Script):
    protocol, tag = "rdm6300", "em4100:67003b51c6"

    def unasked(self):
        good = rdm6300.encode(bytes.fromhex("67003b51c6"))
        return good.replace(b"67", b"68") if self.failing else good


class WiegandHex(Script):
    protocol, tag = "wiegand_hex", "wiegand24:3b51c6"

    def unasked(self):
        return b"3B51C\r" if self.failing else b"3B51C6\r"


class WiegandDecimal(Script):
    protocol, tag = "wiegand_decimal", "card10:0003887558"

    def unasked(self):
        return b"38875\r\n" if self.failing else b"0003887558\r\n"


class Tsl(Script):
    protocol, event = "tsl", "reader_error"
    settings = {"power_dbm": 25}

    def __call__(self, data):
        if self.silent:
            return b""
        answers = b""
        for line in data.decode().split("\r\n"):
            if line.startswith(".iv"):
                lines = ("CS: .iv", "EP: " + EPC.hex(), "RI: -61", "OK:")
                if self.failing:
                    lines = ("CS: .iv", "ME: antenna", "ER: 008")
                answers += tsl.encode_answer(*lines)
            elif line.startswith(".ab"):
                answers += tsl.encode_answer("CS: .ab", "OK:")
        return answers


class Ssi(Script):
    protocol, tag, event = "ssi", "barcode:A123B", "code_refused"
    acknowledged = 0

    def answer(self, frame):
        self.acknowledged += frame["opcode"] == ssi.ACK
        return ssi.encode(ssi.ACK, source=ssi.DECODER) if frame["opcode"] != ssi.ACK else b""

    def unasked(self):
        data = b"\x03" + (b"x" * 130 if self.failing else b"A123B")
        return ssi.encode(ssi.DECODE_DATA, data, source=ssi.DECODER)


class Scanner(Script):
    protocol, event = "scanner", "code_refused"
    tag = "gs1:(01)07032069804988(15)210526(10)0329"

    def unasked(self):
        if self.failing:
            return b"]Q1" + b"x" * 130 + b"\r\n"
        return b"]C1010703206980498815210526100329\r\n"


class ScannerWithoutTerminator(Scanner):
    tag, period_s = "barcode:A1234", 0.25

    def unasked(self):
        return super().unasked()[:-2] if self.failing else b"]A0A1234"


class Nmea(Script):
    protocol, tag = "nmea", "gps:g1/r"

    def unasked(self):
        good = b"$GNRMC,064607.000,A,4546.2282,N,00311.6590,E,0.76,0.00,230619,,,A*7D\r\n"
        return good.replace(b"4546", b"0000") if self.failing else good


class Line(Script):
    protocol, tag, receiver = "line", "acme:0A1B", "r/2"
    settings = {"pattern": r"ID=(?P<tag>[0-9A-F]+);A=(?P<antenna>\d)", "prefix": "acme"}

    def unasked(self):
        return b"?\n" if self.failing else b"ID=0A1B;A=2\n"


SCRIPTS = (
    *(R2000, M100, Mercury, UhfReader18, UhfReader288, UhfReader18Active, UhfReader288Active),
    *(ChafonCf, Rcp, Rdm6300, WiegandHex, WiegandDecimal, Tsl, Ssi, Scanner),
    *(ScannerWithoutTerminator, Nmea, Line),
)
