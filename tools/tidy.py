#!/usr/bin/env python3
"""Run clang-tidy over the program's sources: tidy.py [PART_OF_A_PATH...]

Needs a configured build/release. clang cannot read GCC's precompiled header, so each file gets its headers as text.
Ends with 1 when anything was found. A file that uses torch takes about half a minute.
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PRECOMPILED = re.compile(r"-Winvalid-pch|-include (\S+cmake_pch\.hxx)")


def clang_command(command, folder):
    headers = []
    for header in filter(None, PRECOMPILED.findall(command)):
        # A copy elsewhere: beside the original lies GCC's .gch, which clang would take and refuse.
        copy = folder / f"{abs(hash(header))}.h"
        copy.write_text(pathlib.Path(header).read_text())
        headers.append(f"-include {copy}")
    command = PRECOMPILED.sub("", re.sub(r"-Wno-\S+", "", command))
    return command.replace(" -c ", f" {' '.join(headers)} -c ", 1)


def main(wanted):
    sources = str(ROOT / "src")
    entries = [e for e in json.loads((ROOT / "build/release/compile_commands.json").read_text())
               if e["file"].startswith(sources)]
    chosen = [e for e in entries if not wanted or any(part in e["file"] for part in wanted)]
    if not chosen:
        sys.exit(f"no source file's path holds any of: {' '.join(wanted)}")
    failed = False
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for entry in entries:
            entry["command"] = clang_command(entry["command"], folder)
        (folder / "compile_commands.json").write_text(json.dumps(entries))
        for entry in chosen:
            done = subprocess.run(["clang-tidy", "-p", name, "--quiet", entry["file"]], capture_output=True, text=True)
            if done.returncode:
                failed = True
                print(done.stdout or done.stderr, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
