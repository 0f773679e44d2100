#!/bin/sh
# Two ranks on this machine, a half of its cores each:
#
#   make MPI=1 && sh examples/cluster/local.sh RUN [OPTION..]
#
# trains the digits in the directory RUN, or goes on with the run there; options are those of train, as in
# sh examples/cluster/local.sh runs/fashion --model examples/models/fashion_conv.json --dataset fashion-mnist
#
#   RANKS   2
#   BIN     build/examples
set -eu
[ $# -gt 0 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" | sed '$d' >&2 && exit 2; }
run=$1
shift
ranks=${RANKS:-2}
threads=$(($(getconf _NPROCESSORS_ONLN) / ranks))
export OPENBLAS_NUM_THREADS=1 BLIS_NUM_THREADS=1
if [ -e "$run/last.safetensors" ]; then
    set -- --resume "$run" "$@"
elif [ $# -eq 0 ]; then
    set -- --run "$run" --model examples/models/digits.json --dataset digits
else
    set -- --run "$run" "$@"
fi
exec mpirun -n "$ranks" "${BIN:-build/examples}/train" "$@" --threads $((threads > 0 ? threads : 1))
