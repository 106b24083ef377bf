#!/usr/bin/env python3
"""The manifest of a folder of files: which files there are, how long, and their sha256.

Needs Python alone, so that a finished installation is verified without any package.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
from pathlib import Path
from typing import Any

FORMAT = 1


class ManifestError(Exception):
    """A folder that is not what its manifest says."""


def sha256(path: Path) -> str:
    """The sha256 of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def write(folder: Path, name: str, about: dict[str, Any], files: list[str]) -> None:
    """Writes the manifest `name` into `folder`: `about`, then every one of `files`."""
    listed = {
        file: {"bytes": (folder / file).stat().st_size, "sha256": sha256(folder / file)}
        for file in files
    }
    text = json.dumps({"format": FORMAT, **about, "files": listed}, indent=2)
    (folder / name).write_text(text + "\n", encoding="utf-8")


def verify(manifest: Path) -> None:
    """Raises `ManifestError` unless each file that the manifest names is there, unchanged."""
    if not manifest.is_file():
        raise ManifestError(f"{manifest} is missing")
    try:
        content = json.loads(manifest.read_text(encoding="utf-8"))
        found, files = content["format"], content["files"]
        expected = {file: (entry["bytes"], entry["sha256"]) for file, entry in files.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ManifestError(f"{manifest} cannot be read: {error!r}") from error
    if found != FORMAT:
        raise ManifestError(f"{manifest} has format {found}; this script knows {FORMAT}")
    for file, (size, digest) in expected.items():
        path = manifest.parent / file
        if not path.is_file():
            raise ManifestError(f"{path} is missing")
        # The length first: it tells a half-written file without reading it.
        if path.stat().st_size != size:
            raise ManifestError(f"{path} has {path.stat().st_size} bytes instead of {size}")
        if sha256(path) != digest:
            raise ManifestError(f"{path} has changed: its sha256 is not the one in {manifest.name}")


def put_in_place(built: Path, target: Path) -> None:
    """Renames the folder `built` to `target`; what lay there before goes only once that is done.

    Both must be on one file system. A reader sees the old folder, none, or the new one, and
    never a mixture.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        built.rename(target)
        return
    aside = built.with_name(built.name + ".replaced")
    target.rename(aside)
    try:
        built.rename(target)
    except OSError:
        aside.rename(target)
        raise
    shutil.rmtree(aside)


def main() -> int:
    """Verifies manifests, or puts a finished folder in its place."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    verifying = commands.add_parser("verify", help="exit with 1 unless all files are as listed")
    verifying.add_argument("manifest", type=Path, nargs="+", help="a manifest beside its files")
    placing = commands.add_parser("place", help="rename a folder, replacing what lies there")
    placing.add_argument("built", type=Path)
    placing.add_argument("target", type=Path)
    arguments = parser.parse_args()
    try:
        if arguments.command == "place":
            put_in_place(arguments.built, arguments.target)
        else:
            for manifest in arguments.manifest:
                verify(manifest)
    except (ManifestError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
