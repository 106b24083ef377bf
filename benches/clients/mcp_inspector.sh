#!/usr/bin/env bash
# Asks an index as an agent does, with the command line of the MCP Inspector.
#
#     mcp_inspector.sh <gristmill program> <index folder> [<URL of a running server>]
#
# Exit codes: 0 all is well; 1 a check failed; 3 npx or the package is missing.
set -euo pipefail

program="$1" index="$2" url="${3:-}"
package="@modelcontextprotocol/inspector"

if ! command -v npx >/dev/null; then
    echo "npx is missing: it comes with Node.js" >&2
    exit 3
fi
# What was fetched before is taken; otherwise the registry must be in reach.
if ! npx --yes "$package" --cli --help >/dev/null 2>&1; then
    echo "the package $package cannot be had, or does not run with this Node.js" >&2
    exit 3
fi

inspect() { npx --yes "$package" --cli "${target[@]}" "$@" 2>/dev/null; }

# Whether the output of a command has these words.
expect() {
    local words="$1" output
    shift
    output="$("$@")" || true
    if [[ "$output" != *"$words"* ]]; then
        printf 'it did not say `%s`: %s\n' "$words" "${output:0:400}" >&2
        exit 1
    fi
}

check() {
    expect '"readOnlyHint": true' inspect --method tools/list
    expect '"get_symbols"' inspect --method tools/list
    expect 'epoch ' inspect --method tools/call --tool-name search --tool-arg query=configuration --tool-arg limit=2
    expect 'bad_input' inspect --method tools/call --tool-name search --tool-arg query=configuration --tool-arg limit=0
    echo "$1: well"
}

target=("$program" mcp --index "$index")
check "standard input and output"
if [[ -n "$url" ]]; then
    target=("$url/mcp" --transport http)
    check "streamable HTTP"
fi
