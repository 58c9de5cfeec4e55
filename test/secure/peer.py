"""A hop by another implementation: Noise by dissononce, all else by struct.

    peer.py vectors               handshakes of the exported patterns, as test/vectors/hop/noise has them
    peer.py headers               octets for the headers of spec/hop, with what was asked for
    peer.py listen 0 JSON         PAIR 0 over TCP: says the port, then echoes until the peer's close
    peer.py dial PORT JSON        the same, from the other side

JSON has pattern, suite, and in hex what the pattern needs: s, rs, psk; and records, after how many
of its own the peer takes a new key. The first message that it sends is its handshake hash.
"""
import json
import logging
import socket
import struct
import sys

from dissononce.cipher.aesgcm import AESGCMCipher
from dissononce.cipher.chachapoly import ChaChaPolyCipher
from dissononce.dh.keypair import KeyPair
from dissononce.dh.x25519.private import PrivateKey
from dissononce.dh.x25519.public import PublicKey
from dissononce.dh.x25519.x25519 import X25519DH
from dissononce.extras.dh.dangerous.dh_nogen import NoGenDH
from dissononce.hash.sha256 import SHA256Hash
from dissononce.processing.handshakepatterns.interactive.IK import IKHandshakePattern
from dissononce.processing.handshakepatterns.interactive.KK import KKHandshakePattern
from dissononce.processing.handshakepatterns.interactive.NN import NNHandshakePattern
from dissononce.processing.handshakepatterns.interactive.XX import XXHandshakePattern
from dissononce.processing.impl.cipherstate import CipherState
from dissononce.processing.impl.handshakestate import HandshakeState
from dissononce.processing.impl.symmetricstate import SymmetricState
from dissononce.processing.modifiers.psk import PSKPatternModifier

logging.disable(logging.CRITICAL)

PATTERNS = {
    "XX": (1, XXHandshakePattern),
    "IK": (2, IKHandshakePattern),
    "KK": (3, KKHandshakePattern),
    "NNpsk0": (4, lambda: PSKPatternModifier(0).modify(NNHandshakePattern())),
}
SUITES = {
    "25519_AESGCM_SHA256": (1, AESGCMCipher),
    "25519_ChaChaPoly_SHA256": (2, ChaChaPolyCipher),
}
DATA, REKEY, CLOSE = range(3)
PROLOGUE = b"wirestack/1"
GREETING = b"\0SP\0" + struct.pack(">HH", 0x10, 1)


def stack(pattern, suite):
    """The list of layers that both sides say first."""
    return struct.pack(">BH", 1, 0x10) + f"hop@1({pattern},{suite})".encode()


def pair(private):
    made = X25519DH().generate_keypair(PrivateKey(private))
    return KeyPair(made.public, made.private)


def handshake(pattern, suite, initiator, prologue, s=None, rs=None, psk=None, e=None):
    dh = X25519DH() if e is None else NoGenDH(X25519DH(), PrivateKey(e))
    cipher = SUITES[suite][1]()
    state = HandshakeState(SymmetricState(CipherState(cipher), SHA256Hash()), dh)
    state.initialize(
        PATTERNS[pattern][1](),
        initiator,
        prologue,
        s=None if s is None else pair(s),
        rs=None if rs is None else PublicKey(rs),
        psks=None if psk is None else [psk],
    )
    return state


def rekey(state):
    """As Noise has it: 32 octets of the 48, and the count goes on. dissononce's own does neither."""
    nonce = state._nonce
    state.initialize_key(state.cipher.encrypt(state._key, 2**64 - 1, b"", bytes(32))[:32])
    state.set_nonce(nonce)


# --- vectors ---


def vectors():
    static = {True: bytes(range(32, 64)), False: bytes(range(64, 96))}
    ephemeral = {True: bytes(range(96, 128)), False: bytes(range(128, 160))}
    psk = bytes(range(160, 192))
    print("# By dissononce 0.34.3: test/secure/peer.py vectors")
    for pattern in PATTERNS:
        for suite in SUITES:
            needs = {
                who: dict(
                    s=None if pattern == "NNpsk0" else static[who],
                    rs=pair(static[not who]).public.data
                    if pattern == "KK" or (pattern == "IK" and who)
                    else None,
                    psk=psk if pattern == "NNpsk0" else None,
                    e=ephemeral[who],
                )
                for who in (True, False)
            }
            sides = {
                who: handshake(pattern, suite, who, PROLOGUE, **needs[who]) for who in needs
            }
            print(f"\nhandshake=Noise_{pattern}_{suite}")
            print(f"prologue={PROLOGUE.hex()}")
            if pattern == "NNpsk0":
                print(f"preshared_key={psk.hex()}")
            else:
                print(f"init_static={static[True].hex()}\nresp_static={static[False].hex()}")
            print(f"gen_init_ephemeral={ephemeral[True].hex()}")
            print(f"gen_resp_ephemeral={ephemeral[False].hex()}")
            turn, i, ends = True, 0, {}
            while len(ends) < 2:
                payload, message, got = f"payload {i}".encode(), bytearray(), bytearray()
                for who, end in (
                    (turn, sides[turn].write_message(payload, message)),
                    (not turn, sides[not turn].read_message(bytes(message), got)),
                ):
                    if end is not None:
                        ends[who] = end
                assert got == payload
                print(f"msg_{i}_payload={payload.hex()}\nmsg_{i}_ciphertext={message.hex()}")
                turn, i = not turn, i + 1
            print(f"handshake_hash={sides[True].symmetricstate.get_handshake_hash().hex()}")
            for k in range(8):
                state = ends[True][k % 2]
                payload = f"transport {i}".encode()
                print(f"msg_{i}_payload={payload.hex()}")
                print(f"msg_{i}_ciphertext={state.encrypt_with_ad(b'', payload).hex()}")
                if k in (2, 4, 5):
                    rekey(state)
                    print(f"msg_{i}_then=rekey")
                i += 1


def headers():
    by = "dissononce 0.34.3, test/secure/peer.py headers"
    print("== handshake")
    for pattern, (p, _) in PATTERNS.items():
        for suite, (c, _) in SUITES.items():
            e = bytes(range(32))
            state = handshake(
                pattern,
                suite,
                True,
                PROLOGUE,
                s=None if pattern == "NNpsk0" else e,
                rs=pair(e).public.data if pattern in ("IK", "KK") else None,
                psk=e,
                e=e,
            )
            message = bytearray()
            state.write_message(b"", message)
            octets = struct.pack("BBB", 1, p, c).hex()
            sealed = 0 if pattern == "XX" else 1
            said = f"pattern={pattern} suite={suite} hop.sealed={sealed} → hop.ephemeral"
            print(f"{octets} {message.hex()} | {by}, first message of {pattern} | {said}")
    print("== ephemeral")
    key = message[:32].hex()
    print(f"{key} {message[32:].hex()} | {by}, first message of {pattern} | key={key} hop.sender={key}")
    print("== message")
    print(f"- {octets}{message.hex()} | {by}, first message of {pattern} | → hop.handshake")
    print(f"- {message.hex()} | {by}, in place of a record | given hop.sealed=1: → hop.sealed")
    print("== nonce")
    for n in (0, 1, 258, 2**32 - 1):
        print(f"{AESGCMCipher._format_nonce(n).hex()} | {by}, AESGCM | big: count={n}")
        print(f"{ChaChaPolyCipher._format_nonce(n).hex()} | {by}, ChaChaPoly | little: count={n}")
    print("== piece")
    for more, body in ((0, b""), (0, b"ping"), (1, b"pa"), (0, 32766), (0, 32767), (1, 65510)):
        n = body if isinstance(body, int) else len(body)
        shown = "…" if isinstance(body, int) else body.hex()
        line = f"{piece_header(more, n).hex()} {shown}".rstrip()
        print(f"{line} | CPython struct, test/secure/peer.py headers | more={more} length={n}")
    print("== padding")
    print(f"{piece_header(1, 0).hex()} 000000 | CPython struct, test/secure/peer.py headers | ")
    print("== record")
    for name, kind in (("data", DATA), ("rekey", REKEY), ("close", CLOSE)):
        octets = b"" if kind == CLOSE else piece_header(0, 4) + b"ping"
        line = f"{bytes([kind]).hex()} {octets.hex()}".rstrip()
        follows = " → hop.piece" if octets else ""
        print(f"{line} | CPython struct, test/secure/peer.py headers | type={name}{follows}")
    print("== sealed")
    for suite, (_, cipher) in SUITES.items():
        octets = cipher().encrypt(bytes(range(32)), 0, b"", b"\0" + piece_header(0, 4) + b"ping")
        print(f"- {octets[:-16].hex()} {octets[-16:].hex()} | {by}, {suite} | tag={octets[-16:].hex()} → hop.record")


# --- a live peer ---


def piece_header(more, length):
    high = 0x8000 if more else 0
    if length < 0x7FFF:
        return struct.pack(">H", high | length)
    return struct.pack(">HH", high | 0x7FFF, length)


def pieces(plain):
    at = 0
    while len(plain) - at >= 2:
        (word,) = struct.unpack_from(">H", plain, at)
        more, length, at = word >> 15, word & 0x7FFF, at + 2
        if length == 0x7FFF:
            (length,) = struct.unpack_from(">H", plain, at)
            at += 2
        if more and length == 0:
            return
        yield more, plain[at : at + length]
        at += length


class Link:
    """SP over TCP."""

    def __init__(self, connection):
        self.connection = connection
        connection.sendall(GREETING)
        assert self.take(8) == GREETING

    def take(self, n):
        octets = b""
        while len(octets) < n:
            more = self.connection.recv(n - len(octets))
            if not more:
                raise EOFError
            octets += more
        return octets

    def send(self, octets):
        self.connection.sendall(struct.pack(">Q", len(octets)) + octets)

    def receive(self):
        return self.take(struct.unpack(">Q", self.take(8))[0])


class Hop:
    def __init__(self, link, initiator, pattern, suite, records, **keys):
        # Both greetings are the same, and so are both lists.
        layers = stack(pattern, suite)
        link.send(layers)
        assert link.receive() == layers
        prologue = PROLOGUE + GREETING + GREETING + layers + layers
        self.link = link
        self.records = records
        self.count = 0
        header = struct.pack("BBB", 1, PATTERNS[pattern][0], SUITES[suite][0])
        state = handshake(pattern, suite, initiator, prologue, **keys)
        ends, ours = None, initiator
        while ends is None:
            if ours:
                message = bytearray()
                ends = state.write_message(b"", message)
                link.send(header + bytes(message))
            else:
                message = link.receive()
                assert message[:3] == header
                ends = state.read_message(message[3:], bytearray())
            ours = not ours
        self.sending, self.receiving = ends if initiator else ends[::-1]
        self.hash = state.symmetricstate.get_handshake_hash()
        self.buffer = b""
        # Who has read the last message says so; who wrote it waits for that.
        if ours:
            self.record(DATA, b"")
        self.messages = self.receive()
        if not ours:
            self.first = link.receive()
        else:
            self.first = None

    def record(self, kind, plain):
        self.count += 1
        if kind == DATA and self.count % self.records == 0:
            kind = REKEY
        self.link.send(self.sending.encrypt_with_ad(b"", bytes([kind]) + plain))
        if kind == REKEY:
            rekey(self.sending)

    def send(self, message):
        most = 65535 - 16 - 1 - 4
        while len(message) > most:
            self.record(DATA, piece_header(1, most) + message[:most])
            message = message[most:]
        self.record(DATA, piece_header(0, len(message)) + message)

    def receive(self):
        while True:
            sealed = self.first or self.link.receive()
            self.first = None
            plain = self.receiving.decrypt_with_ad(b"", sealed)
            for more, octets in pieces(plain[1:]):
                self.buffer += octets
                if not more:
                    yield self.buffer
                    self.buffer = b""
            if plain[0] == REKEY:
                rekey(self.receiving)
            if plain[0] == CLOSE:
                return


def live(side, port, options):
    for name in ("s", "rs", "psk"):
        if options.get(name):
            options[name] = bytes.fromhex(options[name])
    if side == "listen":
        server = socket.create_server(("127.0.0.1", 0))
        print(server.getsockname()[1], flush=True)
        connection, _ = server.accept()
    else:
        connection = socket.create_connection(("127.0.0.1", port))
    hop = Hop(Link(connection), side == "dial", **options)
    hop.send(hop.hash)
    for message in hop.messages:
        hop.send(message)
    assert hop.buffer == b""
    hop.record(CLOSE, b"")
    print("closed", flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "vectors":
        vectors()
    elif sys.argv[1] == "headers":
        headers()
    else:
        live(sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3]))
