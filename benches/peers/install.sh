#!/usr/bin/env bash
# Installs the peers that compare.py measures, from PyPI and crates.io, into a new folder.
#
# usage: install.sh DIR [--no-build]
#
# Needs Python 3.11 or newer; trouve-search also needs cargo, with Rust 1.92 or newer, and a C compiler:
# its build takes some five minutes of one core. --no-build leaves it out.
set -euo pipefail

[[ $# -ge 1 && "$1" != -* ]] || { echo "usage: install.sh DIR [--no-build]" >&2; exit 2; }
folder="$1"

python3 -m venv "$folder"
"$folder/bin/pip" install --quiet --disable-pip-version-check \
    semble==0.7.0 model2vec==0.10.0 cocoindex==1.0.26 lancedb==0.40.0

if [[ "${2:-}" != --no-build ]]; then
    CARGO_TARGET_DIR="$(mktemp -d)"
    export CARGO_TARGET_DIR
    trap 'rm -r "$CARGO_TARGET_DIR"' EXIT
    cargo install trouve-search --version 4.13.0 --locked --root "$folder"
fi
