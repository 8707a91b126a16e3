#!/usr/bin/env bash
# Measures a server against the least that libmicrohttpd can do, on one core, and what idle connections cost it.
#
#   Benchmarks/http/bench.sh PORT PATH COMMAND [ARGUMENT…]
#   Benchmarks/http/bench.sh 18080 /health/live .build/release/quarry serve
#
# COMMAND must serve PATH on 127.0.0.1:PORT. Server and peer run on core 0, wrk (32 connections) on core 1, in
# turns, three times 5 s each; the best of each counts. Needs cc, libmicrohttpd-dev, wrk and taskset.
# SECONDS_EACH, ROUNDS and IDLE (connections, default 5000) may be set in the environment.
set -euo pipefail
[ $# -ge 3 ] || { sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 2; }
port=$1 path=$2; shift 2
here=$(cd "$(dirname "$0")" && pwd)
seconds=${SECONDS_EACH:-5} rounds=${ROUNDS:-3} idle=${IDLE:-5000} peer_port=$((port + 1))
work=$(mktemp -d); pids=()
trap 'for p in "${pids[@]}"; do kill "$p" 2>/dev/null || true; done; rm -rf "$work"' EXIT
cc -O2 -o "$work/peer" "$here/peer.c" -lmicrohttpd
cc -O2 -o "$work/idle" "$here/idle.c"

taskset -c 0 "$work/peer" "$peer_port" & pids+=($!)
taskset -c 0 "$@" >"$work/server.log" 2>&1 & server=$!; pids+=("$server")

await() { # the URL answers within 20 s
  for _ in $(seq 200); do curl -sf -o /dev/null "$1" && return; sleep 0.1; done
  echo "no answer from $1"; cat "$work/server.log"; exit 1
}
rate() { # requests a second
  taskset -c 1 wrk -t1 -c32 -d"${seconds}s" "$1" | awk '/Requests\/sec/ {print int($2)} /Non-2xx/ {exit 1}'
}
resident() { awk '/^VmRSS/ {print $2}' "/proc/$server/status"; }
larger() { [ "$1" -gt "$2" ] && echo "$1" || echo "$2"; }

url="http://127.0.0.1:$port$path" peer_url="http://127.0.0.1:$peer_port/"
await "$url"; await "$peer_url"
best=0 best_peer=0
for _ in $(seq "$rounds"); do
  best_peer=$(larger "$(rate "$peer_url")" "$best_peer")
  best=$(larger "$(rate "$url")" "$best")
done
ratio=$(awk "BEGIN {printf \"%.2f\", $best / $best_peer}")
echo "requests/s: server $best, peer $best_peer, ratio $ratio (at least 0.30)"

before=$(resident)
mkfifo "$work/hold"
"$work/idle" "$port" "$idle" <"$work/hold" >"$work/idle.log" & pids+=($!)
exec 3>"$work/hold"
for _ in $(seq 200); do grep -q ready "$work/idle.log" && break; sleep 0.1; done
grep -q ready "$work/idle.log" || { echo "the idle connections could not be opened"; exit 1; }
sleep 1
cost=$(($(resident) - before))
latency=$(for _ in $(seq 50); do curl -s -o /dev/null -w '%{time_total}\n' "$url"; done | sort -n | tail -1)
exec 3>&-
echo "$idle idle connections: $((cost / 1024)) MB more (at most 60), slowest of 50 requests meanwhile $latency s"
awk "BEGIN {exit !($ratio >= 0.3 && $cost <= 60 * 1024)}" || { echo "FAILED"; exit 1; }
