#!/usr/bin/env bash
# Trains on all GPUs of this host, in one process: bash launch/multi_gpu.sh FLAGS...
# with the flags of jaxsr.train. CUDA_VISIBLE_DEVICES=0,1 picks some; config.batch_size is that of all together and
# must divide among them. Says which devices there are, and refuses to go on with the CPU alone.
# PYTHON names the interpreter, .venv's by default.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd) # not entered: paths in the flags are the caller's
python=${PYTHON:-$root/.venv/bin/python}
"$python" - << 'END'
import sys
import jax

try:
    print("training on", ", ".join(device.device_kind for device in jax.devices("gpu")))
except RuntimeError:
    sys.exit('multi_gpu: JAX sees no GPU; install it for one: pip install -e ".[cuda]"')
END
exec "$python" -m jaxsr.train "$@"
