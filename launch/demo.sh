#!/usr/bin/env bash
# From nothing to a restored photo: installs into .venv, trains ESPCN x3 for a minute on the photos that
# scikit-image carries, scores it on two others, restores one of them. bash launch/demo.sh [folder]
set -euo pipefail
case ${1:-} in
'') out=runs/demo ;;
/*) out=$1 ;;
*) out=$PWD/$1 ;; # the caller's folder, not one of the checkout
esac
cd "$(dirname "$0")/.."
source launch/install.sh
install ""

mkdir -p "$out/photos"
carried=$(.venv/bin/python -c 'import pathlib, skimage; print(pathlib.Path(skimage.__file__).parent / "data")')
cp "$carried/chelsea.png" "$carried/coffee.png" "$out/photos"

.venv/bin/python -m jaxsr.train --config=espcn:x3 --workdir="$out" \
    --config.steps=1500 --config.validate_every=500 --config.checkpoint_every=500
.venv/bin/python -m jaxsr.evaluate --model="$out" --data="$out/photos" --json="$out/scores.json"
.venv/bin/python -m jaxsr.restore "$out/photos/coffee.png" --model="$out" --output="$out/restored"

echo
echo "The pictures:"
echo "  $out/restored/coffee.png  the photo, three times larger"
echo "  $(ls "$out"/samples/*.png | tail -n 1)  bicubic, restored and sharp, side by side"
echo "  $out/curves.png  loss, PSNR and learning rate of the training"
