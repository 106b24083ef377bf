#!/usr/bin/env python3
"""Copies ONNX Runtime's library, its licence and a manifest out of the installed wheel.

The wheel is not imported: its library is what gristmill loads, under a name without a version.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from importlib import metadata
from pathlib import Path

import manifest

PACKAGE = "onnxruntime"
NOTICES = ["LICENSE", "ThirdPartyNotices.txt"]


class LibraryError(Exception):
    """Why the library could not be copied."""


def installed_files() -> dict[str, Path]:
    """The library and the notices: the name that each gets, and where it lies now."""
    root = Path(str(metadata.distribution(PACKAGE).locate_file(PACKAGE)))
    extension = "dylib" if sys.platform == "darwin" else "so"
    # libonnxruntime.so.1.2.3 on Linux, libonnxruntime.1.2.3.dylib on macOS.
    found = [path for path in (root / "capi").glob("libonnxruntime.*") if f".{extension}" in path.name]
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise LibraryError(f"one library is expected in {root / 'capi'}; there is {names}")
    return {f"libonnxruntime.{extension}": found[0], **{name: root / name for name in NOTICES}}


def main() -> int:
    """Copies the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="the folder to make")
    arguments = parser.parse_args()
    try:
        version = metadata.version(PACKAGE)
        files = installed_files()
        arguments.out.mkdir(parents=True)
        for name, path in files.items():
            # Not a link: the library stays when the wheel is removed.
            shutil.copyfile(path, arguments.out / name)
        about = {
            "name": PACKAGE,
            "version": version,
            "licence": "MIT",
            "source": f"https://pypi.org/project/{PACKAGE}/{version}/",
        }
        manifest.write(arguments.out, "library.json", about, list(files))
    except metadata.PackageNotFoundError:
        print(f"error: {PACKAGE} is not installed: pip install --no-deps -r requirements.txt", file=sys.stderr)
        return 1
    except (LibraryError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
