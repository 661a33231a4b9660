#!/usr/bin/env bash
# Measures on one GPU what the page of speed says of it, in 10 minutes: bash benchmarks/gpu.sh
#
#   --output=FOLDER  for gpu.json and the log of each part; $OUT, or runs/gpu in the checkout. The same folder goes on
#                    where a call ended. What is no table for the page of speed goes to other/ in it.
#   --minutes=10     for all; each part has its share, and what is left over goes to the next
#   --dry            small sizes, as its own test; works on a CPU
#
# PYTHON names the interpreter. Ctrl-C or SIGTERM stops it; rows that are measured stay. At the end it says what was not
# measured, and why; then the exit status is 1.
set -uo pipefail
from=$PWD # paths in the arguments are the caller's
cd "$(dirname "$0")/.." || exit 2
output=${OUT:-$PWD/runs/gpu} minutes=10 dry= pid=
for argument in "$@"
do
    case $argument in
    --output=?*) output=${argument#*=} ;;
    --minutes=*) minutes=${argument#*=} ;;
    --dry) dry=yes ;;
    *) echo "gpu.sh: unknown argument $argument; there are --output=FOLDER, --minutes=N and --dry" >&2; exit 2 ;;
    esac
done
case $minutes in
'' | *[!0-9]* | 0*) echo "gpu.sh: --minutes=$minutes is not a positive number" >&2; exit 2 ;;
esac
case $output in /*) ;; *) output=$from/$output ;; esac
python=${PYTHON:-.venv/bin/python}
[ -x "$python" ] || python=$(command -v "$python" || command -v python3 || command -v python)
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}"
other=$output/other # the page is made of all JSON files beside gpu.json
mkdir -p "$other" || exit 2
end=$((SECONDS + 60 * minutes)) missing=() parts=0

if ! "$python" - <<'PY'
import importlib.util, sys
needed = "jax flax optax torch absl numpy ml_collections orbax.checkpoint pyvips skimage safetensors scipy".split()
absent = [name for name in needed if not importlib.util.find_spec(name.split(".")[0])]
if absent:
    sys.exit(f"gpu.sh: {sys.executable} has no {', '.join(absent)}: pip install -e '.[cuda,bench]', or set PYTHON")
PY
then exit 2
fi
if [ -z "$dry" ] && ! "$python" -c "import jax; assert jax.default_backend() == 'gpu'" 2>/dev/null
then echo "gpu.sh: JAX finds no GPU; --dry tries the script on a CPU" >&2; exit 2
fi

# Bash alone would wait for the part and then begin the next: timeout's process group is not the terminal's
stop() {
    trap '' INT TERM
    [ -z "$pid" ] || { kill -TERM "$pid"; wait "$pid"; } 2>/dev/null
    echo "gpu.sh: stopped; the same command goes on" >&2
    exit "$1"
}
trap 'stop 130' INT
trap 'stop 143' TERM

# part SECONDS NAME MODULE FLAGS...: run a section with that share of the time
part() {
    local seconds=$1 name=$2 status=0 left=$((end - SECONDS)) start=$SECONDS
    shift 2
    [ "$seconds" -lt "$left" ] || seconds=$left
    if [ "$seconds" -lt 5 ]
    then missing+=("$name: no time was left"); return
    fi
    timeout --kill-after=10 "$seconds" "$python" -m "$@" >"$output/$name.log" 2>&1 &
    pid=$!
    wait "$pid" || status=$?
    pid=
    grep "^| " "$output/$name.log" | tail -n +2
    parts=$((parts + 1))
    case $status in
    0) ;;
    1) missing+=("$name: some rows have no numbers, see $output/$name.log") ;;
    124 | 137 | 143) missing+=("$name: not done in $seconds s; the same command goes on") ;;
    *) missing+=("$name: exit status $status, see $output/$name.log") ;;
    esac
    echo "$name: $((SECONDS - start)) s"
}

if [ -n "$dry" ]
then
    limit=600 size=dry pixels="--kilopixels=8 --networks=fsrcnn" kernels="--photos=1 --side=96 --seeds=1 --steps=2"
    ahead=1 networks=fsrcnn deep=fsrcnn rounds=1 short="--side=32" precise="--names=espcn-x2"
else
    ahead=$(($(nproc) / 2 > 1 ? $(nproc) / 2 : 1)) # rows whose contestants compile side by side, each on a core
    limit=110 size=gpu pixels="--megapixels=24" kernels="--photos=100 --seeds=4" deep=vdsr,rdn,danv2 short=
    precise="--names=vdsr-x2,srresnet-x4,danv1-x4 --write"
    networks=vdsr,rdn,danv2,fsrcnn,srresnet,danv1,espcn,srcnn,lapsrn,srdensenet,mslapsrn,deblurgan,srntt,drcn rounds=3
fi
common="--limit=$limit --ahead=$ahead" json="--json=$output/gpu.json"
export TORCHINDUCTOR_COMPILE_THREADS=${TORCHINDUCTOR_COMPILE_THREADS:-1} # of each
# The shares are for 10 minutes
share() { echo $(($1 * minutes / 10)); }
# shellcheck disable=SC2086
{
    part "$(share 80)" large_photo benchmarks.large_photo $pixels $common "$json"
    part "$(share 100)" kernels benchmarks.kernelgan_set $kernels --limit="$(share 100)" "$json"
    part "$(share 220)" inference benchmarks.inference --size=$size --networks=$networks --rounds=$rounds \
        $common "$json"
    part "$(share 140)" training benchmarks.training --size=$size --networks=$networks --rounds=$rounds $common "$json"
    part "$(share 30)" compile_times benchmarks.compile_times --networks=$deep --notraining --limit=40 \
        --json_file="$other/compile_times.json"
    part "$(share 30)" precision benchmarks.precision $precise
    part $((end - SECONDS)) unrolling benchmarks.unrolling --networks=$deep $short
}
cp jaxsr/restoration/precision_differences.json "$other"
echo "$parts parts in $SECONDS s; rows are in $output/gpu.json, the rest in $other"
[ ${#missing[@]} -eq 0 ] && exit 0
printf 'not measured: %s\n' "${missing[@]}"
exit 1
