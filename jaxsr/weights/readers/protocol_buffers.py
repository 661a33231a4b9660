"""Messages of protocol buffers as fields by number, without their schema: what TensorFlow's checkpoints are made of."""

from collections import defaultdict
from collections.abc import Mapping
from typing import TypeAlias

Fields: TypeAlias = Mapping[int, list[int | bytes]]

VARINT, EIGHT, BYTES, FOUR = 0, 1, 2, 5
MAX_FIELDS = 200_000
MAX_VARINT = 10  # bytes


def varint(data: bytes | memoryview, place: int) -> tuple[int, int]:
    """Return the number at `place` and where it ends; raises ValueError where it does not end."""
    value = 0
    for count in range(MAX_VARINT):
        if place >= len(data):
            break
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            return value & (2**64 - 1), place
    raise ValueError("a number does not end")


def fields_of(data: bytes) -> Fields:
    """Return {number: values}: numbers for whole ones, bytes for everything else. Raises ValueError for broken ones."""
    fields: dict[int, list[int | bytes]] = defaultdict(list)
    place = count = 0
    while place < len(data):
        count += 1
        if count > MAX_FIELDS:
            raise ValueError(f"a message has more than {MAX_FIELDS} fields")
        key, place = varint(data, place)
        kind = key & 7
        if kind == VARINT:
            value, place = varint(data, place)
            fields[key >> 3].append(value)
            continue
        if kind == BYTES:
            size, place = varint(data, place)
        elif kind in (EIGHT, FOUR):
            size = 8 if kind == EIGHT else 4
        else:
            raise ValueError(f"a field of kind {kind}")
        if size > len(data) - place:
            raise ValueError("a field is longer than its message")
        fields[key >> 3].append(data[place : place + size])
        place += size
    return fields


def number(fields: Fields, key: int, default: int = 0) -> int:
    """Return the last whole number of a field; raises ValueError for another type."""
    value = fields[key][-1] if fields.get(key) else default
    if not isinstance(value, int):
        raise ValueError(f"field {key} is not a number")
    return value


def messages(fields: Fields, key: int) -> list[bytes]:
    """Return the bytes of each occurrence of a field; raises ValueError for another type."""
    values = fields.get(key, [])
    if not all(isinstance(value, bytes) for value in values):
        raise ValueError(f"field {key} is not a message")
    return [value for value in values if isinstance(value, bytes)]


def varints(data: bytes, limit: int) -> list[int]:
    """Return a packed list of whole numbers; raises ValueError for more than `limit`."""
    values, place = [], 0
    while place < len(data):
        if len(values) >= limit:
            raise ValueError(f"a list has more than {limit} numbers")
        value, place = varint(data, place)
        values.append(value)
    return values
