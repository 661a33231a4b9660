#!/usr/bin/env bash
# Trains weights like those that ship, on one GPU: bash launch/weights.sh [NAME...], all by default. Run again, it goes on.
# Most are wider or trained longer than what ships, whose cards hold the config they were trained by.
#   TRAIN  folders of photos to learn from (data/T91,data/BSDS400,data/photos)
#   TEST   a folder with Set5 and Set14 in it (data)        VGG19  a file of VGG19's weights
#   PAIRS  blurred and sharp photos, such as GoPro's        VIEWS  photos with references, as `train` takes them
#          (data/gopro)                                            (data/views)
#   PAIRS_TEST  others, to score on (PAIRS)                 VIEWS_TEST  others, to score on (data/views-test)
#   RUNS   where the runs go (runs/weights)                 JOBS   how many runs at once (4)
# Ctrl-C or SIGTERM stops the runs, each after a checkpoint. `python -m benchmarks.ship_weights` then puts a run into the
# package.
set -euo pipefail
cd "$(dirname "$0")/.."
source launch/install.sh
TRAIN=${TRAIN:-data/T91,data/BSDS400,data/photos} TEST=${TEST:-data} RUNS=${RUNS:-runs/weights} JOBS=${JOBS:-4}
PAIRS=${PAIRS:-data/gopro} VIEWS=${VIEWS:-data/views} VIEWS_TEST=${VIEWS_TEST:-data/views-test}
PAIRS_TEST=${PAIRS_TEST:-$PAIRS}
export XLA_PYTHON_CLIENT_PREALLOCATE=false # the runs share a GPU, of which each would take three quarters
VGG19=${VGG19:-${JAXSR_VGG19:-vgg19.pth}}

# The absolute error, of reduced copies of the photos too.
ABSOLUTE="--config.loss=l1 --config.data.rescale=(1.0,0.9,0.8,0.7,0.6,0.5)"
# Texture for real photos: features of VGG19, and a discriminator that weighs little.
TEXTURE="--config.perceptual.weight=3 --config.perceptual.weights={VGG19} --config.adversarial.weight=0.006\
 --config.adversarial.optimizer.learning_rate=0.0003 --config.optimizer.learning_rate=0.0001 --config.ema_decay=0.99\
 --config.steps=4000"

# NAME CONFIG FLAGS...; what starts from another run is trained after all others. {RUNS} and so on are filled in where
# the flags are words of their own, since a path may have spaces.
recipes() {
    cat <<EOF
srcnn-x2      srcnn:x2
srcnn-x3      srcnn:x3
srcnn-x4      srcnn:x4
vdsr-x2x3x4   vdsr:muon            --config.steps=24000 --config.precision=bf16 $ABSOLUTE
drcn-x3       drcn:x3              --config.model.options.features=96 --config.precision=bf16
lapsrn-x2     lapsrn:x2            --config.precision=bf16
lapsrn-x4     lapsrn:x4            --config.precision=bf16
lapsrn-x8     lapsrn:x8            --config.precision=bf16
mslapsrn-x2x3x4x8 mslapsrn:D5R5    --config.steps=8000 --config.precision=bf16
srdensenet-x4 srdensenet:All       --config.precision=bf16 $ABSOLUTE
srresnet-x4   srresnet:x4          --config.steps=20000 --config.precision=bf16
rdn-x2        rdn:x2-small         --config.precision=bf16 $ABSOLUTE
rdn-x4        rdn:x4-small         --config.precision=bf16 $ABSOLUTE
danv1-x2      danv1:x2-iso-muon    --config.steps=6000
danv1-x4      danv1:x4-iso-muon    --config.steps=6000
danv2-x2      danv2:x2-iso-muon    --config.steps=6000 --config.model.options.groups=2 --config.model.options.rounds=2
danv2-x4      danv2:x4-iso-muon    --config.steps=6000
real-x2       real:x2              --config.precision=bf16
real-x4       real:x4              --config.precision=bf16
real-gan-x2   real:x2-gan          --config.initial_weights={RUNS}/real-x2 $TEXTURE
real-gan-x4   real:x4-gan          --config.initial_weights={RUNS}/real-x4 $TEXTURE
srgan-x4      srgan:vgg22          --config.initial_weights={RUNS}/srresnet-x4 --config.model.options.normalization=none --config.pretraining.steps=0 --config.pixel_weight=8 --config.perceptual.weight=0.5 --config.adversarial.weight=0.003 --config.adversarial.optimizer.learning_rate=0.0004 --config.ema_decay=0.98 --config.steps=4000 --config.perceptual.weights={VGG19}
content       srntt:content        --config.steps=12000 --config.optimizer.name=muon --config.optimizer.momentum=0.95 --config.optimizer.learning_rate=0.005 --config.schedule.name=cosine
srntt         srntt:l2             --config.initial_weights={RUNS}/content --config.data.references={VIEWS} --config.data.validation={VIEWS_TEST} --config.perceptual.weights={VGG19}
deblurgan     deblurgan:comb       --config.data.pairs={PAIRS} --config.data.validation={PAIRS_TEST} --config.perceptual.layer=conv3_1 --config.perceptual.weights={VGG19} --config.pixel_weight=400 --config.perceptual.weight=1 --config.adversarial.weight=0.002 --config.adversarial.updates=1 --config.optimizer.name=muon --config.optimizer.momentum=0.95 --config.optimizer.learning_rate=0.005 --config.schedule.name=cosine --config.batch_size=4 --config.steps=12000
EOF
}

# Trains one, in a subshell of its own: SIGTERM goes on to the training, which saves before it ends.
train() {
    local name=$1 config=$2 data=("--config.data.train=$TRAIN" "--config.data.validation=$TEST/Set5/hr") pid= status=0
    shift 2
    case $config in srntt:l2) data=() ;; deblurgan:*) data=("--config.data.train=$TRAIN") ;; esac
    trap 'stopped=1; [ -z "$pid" ] || kill -TERM "$pid" 2>/dev/null' TERM
    .venv/bin/python -m jaxsr.train --config="$config" --workdir="$RUNS/$name" "${data[@]}" "$@" \
        >>"$RUNS/$name.log" 2>&1 &
    pid=$!
    [ -z "${stopped:-}" ] || kill -TERM "$pid" 2>/dev/null # it came before there was a pid
    while true; do
        wait "$pid" && status=0 || status=$?
        kill -0 "$pid" 2>/dev/null || break # else the signal ended the wait
    done
    case $status in
    0) echo "$name is trained" ;;
    130 | 143) echo "$name is stopped: run again, it goes on" >&2 ;;
    *) echo "$name failed: see $RUNS/$name.log" >&2 ;;
    esac
    return "$status"
}

# Stops the runs, waits until they have saved, and ends with the status $1.
stop() {
    trap '' TERM INT # once is enough
    kill -TERM $(jobs -rp) 2>/dev/null || true
    wait
    exit "$1"
}

# Trains the recipes that come in by lines, JOBS at once.
train_all() {
    local failed=0 name config words flags variable pid pids=()
    while read -r name config words; do
        read -ra flags <<<"$words"
        for variable in RUNS VGG19 PAIRS PAIRS_TEST VIEWS VIEWS_TEST; do
            flags=("${flags[@]//"{$variable}"/"${!variable}"}")
        done
        while [ "$(jobs -rp | wc -l)" -ge "$JOBS" ]; do wait -n || true; done
        train "$name" "$config" "${flags[@]}" &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid" || failed=1; done # each: two that end at once are one to wait -n
    return $failed
}

chosen() { if [ $# = 0 ]; then recipes; else recipes | grep -E "^($(IFS='|'; echo "$*")) "; fi; }

case $JOBS in
'' | *[!0-9]* | 0*) echo "weights: JOBS=$JOBS is not a positive number of runs at once" >&2; exit 2 ;;
esac
for name in "$@"; do
    names=$(recipes | cut -d' ' -f1)
    grep -qxF -e "$name" <<<"$names" || { echo "no recipe $name; choose from:" $names >&2; exit 2; }
done
install cuda
mkdir -p "$RUNS"
trap 'stop 143' TERM
trap 'stop 130' INT
status=0
train_all < <(chosen "$@" | grep -vF "initial_weights={RUNS}") || status=1
train_all < <(chosen "$@" | grep -F "initial_weights={RUNS}") || status=1
exit $status
