#!/usr/bin/env bash
# Tries the routes of a running server with what their description allows, and with what it does
# not, and compares the answers with the description.
#
#     http_schema.sh <URL of a running server> [<arguments of schemathesis>…]
#
# Needs schemathesis: pip install schemathesis
#
# Exit codes: 0 all is well; 1 a check failed; 3 schemathesis is missing.
set -euo pipefail

url="$1"
shift
schemathesis="${SCHEMATHESIS:-schemathesis}"
if ! command -v "$schemathesis" >/dev/null; then
    echo "schemathesis is missing: pip install schemathesis" >&2
    exit 3
fi

# Events go on for ever. `/mcp` has rules that a schema cannot say. Files such as the page are
# the same whatever is sent along with the request. What is asked may well not be in the index.
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
# To be out of time is an answer: among what is tried is a deadline of a millisecond.
cat >schemathesis.toml <<'TOML'
[checks]
not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", 503, 504]
TOML
"$schemathesis" run "$url/openapi.json" --url "$url" \
    --include-path-regex '^/(v1/|openapi|health|ready|metrics)' --exclude-path /v1/events \
    --checks all --exclude-checks positive_data_acceptance,ignored_auth \
    --request-timeout 60 --phases examples,coverage,fuzzing --max-examples "${EXAMPLES:-25}" --seed 1 --no-color "$@"
