#!/usr/bin/env bash
# Trains on the GPUs of one or several nodes, one process on each, and goes on by itself after the time limit or
# preemption: sbatch --nodes=2 launch/slurm.sh --config=rdn:x2 --workdir=runs/rdn-x2
# with the flags of jaxsr.train. The checkout, its .venv and the workdir must lie where all nodes see them.
#SBATCH --job-name=jaxsr
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=1
#SBATCH --cpus-per-task=8
#SBATCH --mem=32G
#SBATCH --time=24:00:00
#SBATCH --signal=B:USR1@180
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=jaxsr-%j.log
set -euo pipefail
cd "${SLURM_SUBMIT_DIR:?start it by sbatch, in the checkout}"

hosts=$(scontrol show hostnames "$SLURM_JOB_NODELIST") # not by head, which would end it early where there are many
export JAXSR_COORDINATOR=${hosts%%$'\n'*}:$((12000 + SLURM_JOB_ID % 20000))  # jobs that share a node differ
# Since 22.05 srun does not take it from the job
[ -z "${SLURM_CPUS_PER_TASK:-}" ] || export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK
# srun tells each process SLURM_NTASKS and SLURM_PROCID

srun --kill-on-bad-exit=0 "${PYTHON:-.venv/bin/python}" -m jaxsr.train "$@" &
step=$!

# 180 s before the limit Slurm sends USR1, on preemption TERM: the processes agree on a step, save and leave with 143
stop() { scancel --signal=TERM "$SLURM_JOB_ID.0" 2> /dev/null || kill -TERM "$step" 2> /dev/null || true; }
trap stop USR1 TERM

while true; do
    wait "$step" && status=0 || status=$?
    kill -0 "$step" 2> /dev/null || break  # else the signal ended the wait
done
if ((status == 143)); then
    echo "saved; back into the queue"
    scontrol requeue "$SLURM_JOB_ID" || true  # on preemption Slurm may have done so
fi
exit "$status"
