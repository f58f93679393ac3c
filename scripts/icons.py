"""Draws the two icons of the Teams app: `.venv/bin/python -m scripts.icons`.

A speech bubble with a tick in it, each pixel the mean of a finer grid; written as PNG without any library.
"""

from __future__ import annotations

import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "bot" / "chat" / "teams" / "icons"
_FINER = 6
_GREEN, _WHITE = (0x1F, 0x4B, 0x3F), (255, 255, 255)

Pixel = tuple[int, int, int, int]


def main() -> int:
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "color.png").write_bytes(_png(192, _color))
    (FOLDER / "outline.png").write_bytes(_png(32, _outline))
    return 0


def _color(x: float, y: float) -> Pixel:
    """On a green ground, which Teams rounds itself. ``x`` and ``y`` go from 0 to 1."""
    if _bubble(x, y, 0.0) and not _tick(x, y, 0.042):
        return (*_WHITE, 255)
    return (*_GREEN, 255)


def _outline(x: float, y: float) -> Pixel:
    """White lines on nothing."""
    u, v = 0.5 + (x - 0.5) * 0.72, 0.5 + (y - 0.5) * 0.72  # no ground around it: larger
    edge = _bubble(u, v, 0.0) and not _bubble(u, v, 0.055)
    return (*_WHITE, 255 if edge or _tick(u, v, 0.034) else 0)


def _bubble(x: float, y: float, inset: float) -> bool:
    left, right, top, bottom, round_ = 0.2, 0.8, 0.22, 0.68, 0.12
    near_x = min(max(x, left + round_), right - round_)
    near_y = min(max(y, top + round_), bottom - round_)
    if (x - near_x) ** 2 + (y - near_y) ** 2 <= (round_ - inset) ** 2:
        return True
    tail = 0.68 - inset * 0.4 <= y <= 0.8 - inset * 2.2
    return tail and 0.34 + inset <= x <= 0.52 - (y - 0.66) * 1.25 - inset


def _tick(x: float, y: float, half: float) -> bool:
    return min(_from(x, y, 0.37, 0.46, 0.46, 0.55), _from(x, y, 0.46, 0.55, 0.64, 0.36)) <= half


def _from(x: float, y: float, x0: float, y0: float, x1: float, y1: float) -> float:
    """How far a point is from a line."""
    dx, dy = x1 - x0, y1 - y0
    along = min(1.0, max(0.0, ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy)))
    return float(((x - x0 - along * dx) ** 2 + (y - y0 - along * dy) ** 2) ** 0.5)


def _png(side: int, paint: Callable[[float, float], Pixel]) -> bytes:
    """Source: https://www.w3.org/TR/png-3/"""
    fine = side * _FINER
    rows = bytearray()
    for row in range(side):
        rows.append(0)  # no filter
        for column in range(side):
            points = [
                paint((column * _FINER + i + 0.5) / fine, (row * _FINER + j + 0.5) / fine)
                for i in range(_FINER)
                for j in range(_FINER)
            ]
            rows += bytes(round(sum(each[part] for each in points) / len(points)) for part in range(4))
    header = struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0)  # 8 bits each of red, green, blue, alpha
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows), 9)), (b"IEND", b""))
    chunks = [
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


if __name__ == "__main__":
    sys.exit(main())
