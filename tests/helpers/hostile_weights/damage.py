"""Honest files as bad disks and broken downloads leave them."""

import random
from collections.abc import Iterator

from tests.helpers.hostile_weights.honest import every_format

CUTS = (0.02, 0.3, 0.6, 0.9, 0.99)
FLIPPED = 9  # files of each format with changed bytes


def cases() -> Iterator[tuple[str, bytes]]:
    """Yield each format truncated, with changed bytes near its start, its end and anywhere, and with bytes missing."""
    random_ = random.Random(0)
    for name, content in every_format().items():
        stem, suffix = name.split(".")
        for cut in CUTS:
            yield f"cut{cut}_{stem}.{suffix}", content[: max(int(cut * len(content)), 1)]
        for number in range(FLIPPED):
            damaged = bytearray(content)
            first, last = [(0, 300), (len(content) - 300, len(content)), (0, len(content))][number % 3]
            for _ in range(random_.choice([1, 4, 30])):
                damaged[random_.randrange(max(first, 0), min(last, len(content)))] = random_.randrange(256)
            yield f"changed{number}_{stem}.{suffix}", bytes(damaged)
        start = random_.randrange(len(content) // 2)
        yield f"missing_{stem}.{suffix}", content[:start] + content[start + 7 :]
