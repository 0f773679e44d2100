#!/bin/sh
# Two ranks on two hosts with a network between them give the bits of two on one: check_hosts.sh PROGRAM [MPIRUN], for Open MPI.
# The hosts are network namespaces of this machine, which takes root and ip; left out where they cannot be made.
set -eu
program=$1 mpirun=${2:-mpirun}
cd "$(dirname "$0")/.."
work=$(mktemp -d)
here=ffebm$$a there=ffebm$$b
trap 'ip netns del $here 2>/dev/null || :; ip netns del $there 2>/dev/null || :; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1

fail() {
    echo "check_hosts.sh: $*" >&2
    tail -n 5 "$work/errors" >&2
    exit 1
}

if ! { ip netns add $here && ip netns add $there && unshare --uts true &&
    ip link add left netns $here type veth peer name right netns $there; } 2>/dev/null; then
    echo 'two hosts: left out, there are no network namespaces to be had'
    exit 0
fi
ip -n $here addr add 10.77.0.1/24 dev left
ip -n $there addr add 10.77.0.2/24 dev right
for host in $here $there; do
    ip -n $host link set lo up
done
ip -n $here link set left up
ip -n $there link set right up

# What ssh is elsewhere: HOST COMMAND..
cat >"$work/agent" <<END
#!/bin/sh
shift
exec ip netns exec $there unshare --uts sh -c "hostname $there; \$*"
END
chmod +x "$work/agent"
train="$program --model examples/models/digits.json --data examples/data --limit-train 640 --limit-test 60 --epochs 1
    --threads 1 --quiet"
network="--mca btl tcp,self --mca btl_tcp_if_include 10.77.0.0/24 --mca oob_tcp_if_include 10.77.0.0/24"
# shellcheck disable=SC2086  # options, split on purpose
$mpirun -n 2 $train --run "$work/one" </dev/null >"$work/output" 2>"$work/errors" || fail "two ranks on one host failed"
ip netns exec $here unshare --uts sh -c "hostname $here; exec $mpirun -n 2 --host 10.77.0.1:1,10.77.0.2:1 \
    --mca plm_rsh_agent $work/agent $network $(echo $train) --run $work/two" </dev/null >"$work/output" 2>"$work/errors" ||
    fail "two hosts failed"
sent=$(ip netns exec $here cat /sys/class/net/left/statistics/tx_bytes)
[ "$sent" -gt 10000000 ] || fail "only $sent bytes have gone to the other host"
values() {
    tail -c +$(($(od -An -tu8 -N8 "$1") + 9)) "$1"
}
values "$work/one/last.safetensors" >"$work/expected"
values "$work/two/last.safetensors" | cmp -s - "$work/expected" || fail "two hosts: other bits than two ranks on one"
echo "two hosts: the bits of one, $sent bytes of TCP"
