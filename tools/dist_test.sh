#!/usr/bin/env bash
# Test on several GPUs (NCCL), or on several processes of a machine without one (gloo).
# usage: tools/dist_test.sh CONFIG CHECKPOINT NUM_RANKS [arguments of test.py]
# env:   NNODES, NODE_RANK, MASTER_ADDR, PORT, PYTHON
set -euo pipefail
if [ $# -lt 3 ]; then
    sed -n '3,4s/^# //p' "$0" >&2
    exit 2
fi
TOOLS=$(cd "$(dirname "$0")" && pwd)
PYTHONPATH="$(dirname "$TOOLS")${PYTHONPATH:+:$PYTHONPATH}" exec "${PYTHON:-python}" \
    -m torch.distributed.run --nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}" \
    --nproc_per_node="$3" "$TOOLS/test.py" "$1" "$2" --launcher pytorch "${@:4}"
