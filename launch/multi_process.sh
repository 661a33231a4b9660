#!/usr/bin/env bash
# Trains in several processes on this host's cores, as if they were hosts: bash launch/multi_process.sh N FLAGS...
# with the flags of jaxsr.train. Ctrl-C or SIGTERM stops all of them at one step, after a checkpoint.
# PYTHON names the interpreter, .venv's by default; PORT the coordinator's, 12355 by default.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd) # not entered: paths in the flags are the caller's
count=${1:-}
case $count in
'' | *[!0-9]* | 0*) echo "usage: bash launch/multi_process.sh N --config=... --workdir=..., N processes" >&2; exit 2 ;;
esac
shift
cores=$(nproc)
export JAX_NUM_CPU_DEVICES=${JAX_NUM_CPU_DEVICES:-$((cores > count ? cores / count : 1))}
export PJRT_NPROC=${PJRT_NPROC:-$((2 * JAX_NUM_CPU_DEVICES))}  # threads: see jaxsr.support.command_line.use_all_cores
export JAX_PLATFORMS=cpu JAXSR_COORDINATOR=localhost:${PORT:-12355} JAXSR_PROCESSES=$count

pids=() stopping=
# To all: once they have joined they agree on a step, but before that each ends by itself
stop() { stopping=yes; kill -TERM "${pids[@]}" 2> /dev/null || true; }
trap stop TERM INT
for ((i = 0; i < count; i++)); do
    JAXSR_PROCESS=$i "${PYTHON:-$root/.venv/bin/python}" -m jaxsr.train "$@" &
    pids+=($!)
done
[ -z "$stopping" ] || stop  # those that were not there yet

status=0
for pid in "${pids[@]}"; do
    while true; do
        wait "$pid" && code=0 || code=$?
        kill -0 "$pid" 2> /dev/null || break  # else a trap ended the wait
    done
    ((code > status)) && status=$code
done
exit "$status"
