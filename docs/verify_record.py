#!/usr/bin/env python3
"""Verifies an export of the runtime record by its format alone, which is in runtime-record.md.

    python3 verify_record.py FILE [NUMBER:HASH]

NUMBER:HASH is a seal that was noted: it must be in the file. Needs Python 3.8, and nothing of FlowMaster.
"""

import hashlib
import json
import sys
from itertools import zip_longest


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def entry_of(line):
    """The id and the hash of an entry, as its seal has to name them."""
    try:
        return [json.loads(line.decode())["id"], sha256(line)]
    except (ValueError, LookupError, TypeError, RecursionError):
        return ["", sha256(line)]


def difference(sealed, found):
    """What became of the first entry that is not as the seal names it."""
    for expected, there in zip_longest(sealed, found, fillvalue=["", ""]):
        if expected[0] == there[0] and expected != there:
            return f"entry {there[0]}: it was changed"
        if expected[0] and expected[0] not in [of[0] for of in found]:
            return f"entry {expected[0]}: it is missing"
        if expected != there:
            return f"entry {there[0]}: it was added, or is in another place"
    return "it was changed"


def seal_of(line, number, previous, entries):
    """The hash of a seal that is exactly what is made of the lines before it."""
    try:
        given = json.loads(line.decode())
        tenant, at, sealed = (given[name] for name in ("tenant", "at", "entries"))
        covered = ["flowmaster-record-1", tenant, str(number), previous, at] + [of for _, of in entries]
        made = {"seal": number, "tenant": tenant, "previous": previous, "at": at, "count": len(entries),
                "first": entries[0][0], "last": entries[-1][0], "entries": entries,
                "hash": sha256("".join(part + "\n" for part in covered).encode())}
        if line == json.dumps(made, separators=(",", ":"), ensure_ascii=False).encode():
            return made["hash"]
        what = difference(sealed, entries) if given["seal"] == number else "it is missing"
    except (ValueError, LookupError, TypeError, RecursionError):
        what = "it was changed"
    sys.exit(f"FAIL  seal {number}, {what}")


def verify(file, noted):
    number, previous, entries, count, seen = 0, "", [], 0, {noted} - {""}
    if file.readline() != b'{"flowmaster_record":1}\n':
        sys.exit("FAIL  the first line is not that of an export")
    for line in file:
        if line.startswith(b'{"end":'):
            end = f'{{"end":{number},"hash":"{previous}"}}\n'.encode()
            if entries or line != end or file.read(1):
                break
            if seen:
                sys.exit(f"FAIL  the seal that was noted is not there: {noted}")
            return f"ok    {count} entries in {number} seals, newest {number}:{previous}"
        if not line.startswith(b'{"seal":'):
            entries.append(entry_of(line[:-1]))
            continue
        number, count = number + 1, count + len(entries)
        previous, entries = seal_of(line[:-1], number, previous, entries), []
        seen.discard(f"{number}:{previous}")
    sys.exit(f"FAIL  behind seal {number}: something is cut off, or not covered by a seal")


if __name__ == "__main__":
    path, noted = (sys.argv[1:] + [""])[:2]
    with open(path, "rb") as export:
        print(verify(export, noted))
