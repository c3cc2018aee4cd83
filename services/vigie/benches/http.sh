#!/usr/bin/env bash
# The HTTP benchmark of BENCHMARKS.md: scorecards of 1,000 services in turn, then equal requests, each as a ratio to
# an actix-web handler that answers the same bytes from memory. Needs wrk and a database with services svc-0000 to
# svc-0999 (see the example import_rate).
#   services/vigie/benches/http.sh DATABASE_URL FROM TO
set -euo pipefail
database=$1 from=$2 to=$3
cd "$(dirname "$0")/../../.."
cargo build --quiet -p vigie -p vigie-api --bin vigie --example static_answer
bin=${CARGO_TARGET_DIR:-target}/debug
work=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; rm -rf "$work"' EXIT
"$bin/vigie" --database "$database" serve --listen 127.0.0.1:18080 >"$work/serve.log" 2>&1 &
pids+=($!)
until curl -sf -o /dev/null http://127.0.0.1:18080/health/ready; do sleep 0.2; done
body='{"query":"{ scorecard(scope: {service: [\"svc-0000\"]}, window: {from: \"'$from'\", to: \"'$to'\"}) { metrics { name unit value noData numerator denominator sampleSize status level target { objective } } } }"}'
curl -s -X POST -H 'Content-Type: application/json' -d "$body" http://127.0.0.1:18080/graphql >"$work/answer.json"
"$bin/examples/static_answer" 127.0.0.1:18081 "$work/answer.json" &
pids+=($!)
sleep 0.5
rate() { # URL SERVICES
  wrk -t1 -c32 -d5s -s services/vigie/benches/scorecards.lua "$1" -- "$2" "$from" "$to" | awk '/Requests\/sec/ {print $2}'
}
static=$(rate http://127.0.0.1:18081 1000)
turn=$(rate http://127.0.0.1:18080 1000)
equal=$(rate http://127.0.0.1:18080 1)
awk -v s="$static" -v t="$turn" -v e="$equal" 'BEGIN {
  printf "static %.0f/s\n1,000 services in turn %.0f/s, ratio %.2f\nequal requests %.0f/s, ratio %.2f\n", s, t, t/s, e, e/s }'
