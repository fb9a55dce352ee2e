"""Makes vectors/noise-law.json with mpmath: every threshold of the noise law, as a SHA-256 over all of them and some in full.

P(|J| > j) = erfc((j + 1/2) q / (sigma sqrt 2)) in units of 2^-63, rounded to nearest, as long as it is not 0.
Run: python3 packages/shaders/scripts/make-noise-golden.py   (needs mpmath; some minutes)
"""

import hashlib
import json
import pathlib
import struct

from mpmath import erfc, floor, mp, mpf, sqrt

mp.prec = 200

# sigma as float32 has it, and k: for each the smallest and the largest sigma of its k, and what people use.
CASES = [(0.25, 16), (0.3, 16), (0.12, 18), (1.0, 14), (0.49999997, 16), (0.001, 22), (2.0**-16, 22), (2.0**14, 0)]


def float32(x: float) -> float:
    return struct.unpack("<f", struct.pack("<f", x))[0]


def law(sigma: float, k: int) -> list[int]:
    step = mpf(2) ** -k / mpf(float32(sigma)) / sqrt(mpf(2))
    tails: list[int] = []
    while True:
        tail = int(floor(erfc((len(tails) + mpf(1) / 2) * step) * mpf(2) ** 63 + mpf(1) / 2))
        if tail == 0:
            return tails
        tails.append(tail)


def entry(sigma: float, k: int) -> dict:
    tails = law(sigma, k)
    digest = hashlib.sha256(b"".join(struct.pack("<Q", tail) for tail in tails)).hexdigest()
    chosen = sorted({0, 1, 2, len(tails) // 3, len(tails) // 2, len(tails) - 2, len(tails) - 1})
    return {
        "sigma": float32(sigma),
        "latticeBits": k,
        "cells": len(tails),
        "sha256": digest,
        "some": [[j, str(tails[j])] for j in chosen],
    }


here = pathlib.Path(__file__).resolve().parent.parent / "vectors" / "noise-law.json"
here.write_text(json.dumps({"cases": [entry(*case) for case in CASES]}, indent=2) + "\n")
