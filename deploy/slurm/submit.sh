#!/bin/bash
# Certifies with an array of tasks, then joins what they have written into OUT-merged:
#   deploy/slurm/submit.sh SHARDS OUT --data mnist:DIR --model FILE.onnx --transform rotation --range 30 ...
# Options of sbatch go into SBATCH_* variables, such as SBATCH_PARTITION=gpu.

set -eu
shards=${1:?usage: submit.sh SHARDS OUT OPTIONS...}
out=${2:?usage: submit.sh SHARDS OUT OPTIONS...}
shift 2
here=$(cd "$(dirname "$0")" && pwd)
array=$(sbatch --parsable --array="1-$shards" "$here/certify.sbatch" "$out" "$@")
merge=$(sbatch --parsable --dependency="afterok:$array" "$here/merge.sbatch" "$out")
echo "array $array, merge $merge; how far it is: turnproof status $out"
