#!/usr/bin/env python3
"""Writes signed.txt and trailer.txt anew, beside this file.

Layout by struct, HMAC by hmac and hashlib, Ed25519 by the package cryptography. The keys are known:
the secret is the octets 0 to 31, the key pair that of RFC 8032 7.1, TEST 1.
"""
import hashlib
import hmac
import os
import struct
import sys

import cryptography
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SECRET = bytes(range(32))
PRIVATE = Ed25519PrivateKey.from_private_bytes(
    bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
)
HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = "Python %d.%d" % sys.version_info[:2]


def message(sender, body, request, high, low, seq, key_id, alg):
    head = b"wirestack/integrity/1" + struct.pack(">HB", sender, len(request)) + request
    before = struct.pack(">IIQQ", high, low, seq, key_id)
    after = struct.pack(">BB", alg, 1)
    covered = head + body + before + after
    if alg == 1:
        tag = hmac.new(SECRET, covered, hashlib.sha256).digest()
    else:
        tag = PRIVATE.sign(covered)
    return head, before, tag, after


def lines(sender, what, body, request, high, low, seq, key_id, alg):
    head, before, tag, after = message(sender, body, request, high, low, seq, key_id, alg)
    name = {1: "hmacSha256", 2: "ed25519"}[alg]
    by = {1: "hmac", 2: "cryptography " + cryptography.__version__}[alg]
    origin = f"{PYTHON}, struct and {by}: {what}"
    fields = f"epochHigh={high} epochLow={low} seq={seq} keyId={key_id}"
    meant = f"type={sender} requestLength={len(request)} request={request.hex()}"
    signed = f"{head.hex()} {body.hex()} {(before + after).hex()} | {origin} | {meant} {fields} alg={name}"
    trailer = f"- {body.hex()} {(before + tag + after).hex()} | {origin} | {fields} tag={tag.hex()} alg={name}"
    return tag, signed, trailer


made = []
_, *two = lines(0x50, "PUSH says hello", b"hello", b"", 0x01234567, 0x89ABCDEF, 0, 7, 1)
made.append(two)
_, *two = lines(0x50, "PUSH says its last", b"bye", b"", 2**32 - 1, 0, 2**53 - 1, 2**53 - 1, 1)
made.append(two)
asked, *two = lines(0x30, "REQ asks ping", b"ping", b"", 1, 2, 0, 7, 1)
made.append(two)
_, *two = lines(0x31, "REP answers that with pong", b"pong", asked, 3, 4, 0, 7, 1)
made.append(two)
_, *two = lines(0x20, "PUB says weather", b"weather", b"", 5, 6, 0, 8, 2)
made.append(two)
asked, *two = lines(0x62, "SURVEYOR asks who", b"who", b"", 7, 8, 0, 8, 2)
made.append(two)
_, *two = lines(0x63, "RESPONDENT answers that with me", b"me", asked, 9, 10, 0, 7, 1)
made.append(two)

for i, name in enumerate(["signed", "trailer"]):
    with open(os.path.join(HERE, name + ".txt"), "w") as f:
        f.write("# make.py writes this file; the keys are there.\n")
        f.writelines(m[i] + "\n" for m in made)
