#!/bin/sh
# The Python package as its users get it, with what Debian has and no network: from the tree into a new virtual
# environment, where its tests pass without the tree; and by way of a source distribution, to the same files. auditwheel,
# where it is there, makes of the wheel one for other machines, which is tried too.
set -eu
cd "$(dirname "$0")/.."
unset FFEBM_LIBRARY PYTHONPATH
export PIP_NO_INDEX=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "$*"
    exit 1
}
quiet() {
    "$@" >"$work/log" 2>&1 || { cat "$work/log"; fail "failed: $*"; }
}
for python in ${PYTHON:-python3 /usr/bin/python3}; do
    ! "$python" -c 'import numpy, venv, ensurepip, setuptools, wheel.bdist_wheel, build' 2>/dev/null || break
    python=
done
[ -n "$python" ] || fail 'no Python with NumPy, venv, setuptools, wheel and build: tests/setup.sh check-install'

# tried ENVIRONMENT: from a folder with nothing in it, as a user of whom the tree knows nothing.
mkdir "$work/elsewhere"
tried() {
    (
        cd "$work/elsewhere"
        quiet "$1/bin/python" -c 'import ffebm, sys
places = [line.split()[-1] for line in open("/proc/self/maps") if "libffebm" in line] + [ffebm.__file__]
sys.exit([place for place in places if not place.startswith(sys.prefix)] or None)'
        quiet "$1/bin/python" -W error -m ffebm.tests
        echo "$(grep '^Ran' "$work/log"), $(tail -n 1 "$work/log")"
    )
}

# Two commands to the first gradient.
"$python" -m venv --system-site-packages "$work/venv"
begin=$(date +%s)
quiet "$work/venv/bin/pip" install --no-build-isolation ./python
(cd "$work/elsewhere" && "$work/venv/bin/python" -m ffebm) >"$work/first" || fail "no first gradient: $(cat "$work/first")"
echo "pip install ./python && python3 -m ffebm: $(($(date +%s) - begin)) seconds; $(tail -n 1 "$work/first")"
tried "$work/venv"

# A user's types, right and wrong.
if command -v mypy >/dev/null; then
    cat >"$work/elsewhere/right.py" <<'EOF'
import ffebm
import numpy as np

engine = ffebm.Engine(ffebm.Model(ffebm.Context(), 4).add(ffebm.Feedforward(ffebm.Op("linear", out=2))))
with engine as same:
    loss: float = same.gradient(np.zeros((1, 4)), np.zeros(1, np.int64)).loss
shape: tuple[int, ...] = engine.model.info.output_shape
free: bool = engine.watch(1, np.zeros((1, 4)), np.zeros(1))[0].phase is ffebm.constants.Phase.FREE
line: dict[str, object] = next(ffebm.read_log("run"))
try:
    same.configure(ffebm.EquilibriumConfig(beta=0.5, estimator="implicit"))
except ffebm.StateError as error:
    text: str = error.text
EOF
    sed 's/linear", out=2/linear", outs=2/; s/loss: float/loss: str/; s/output_shape/shape_of/; s/Phase.FREE/Phase.NONE/; s/text: str/text: int/' \
        "$work/elsewhere/right.py" >"$work/elsewhere/wrong.py"
    check() { (cd "$work/elsewhere" && mypy --strict --python-executable "$work/venv/bin/python" --cache-dir "$work/mypy" "$1"); }
    quiet check right.py
    if check wrong.py >"$work/log"; then fail 'mypy takes what is wrong'; fi
    [ "$(grep -c '^wrong.py:[0-9]*: error' "$work/log")" -eq 5 ] || { cat "$work/log"; fail 'not the five that are wrong'; }
    echo 'types: a right program passes mypy --strict, five mistakes are found'
else
    echo 'types: left out, mypy is not installed'
fi

# By way of a source distribution.
quiet "$python" -m build --no-isolation --sdist -o "$work/dist" python
mkdir "$work/unpacked"
tar -xzf "$work/dist"/ffebm-*.tar.gz -C "$work/unpacked"
quiet "$work/venv/bin/pip" wheel --no-build-isolation --no-deps -w "$work/dist" "$work"/unpacked/ffebm-*
wheel=$(echo "$work/dist"/ffebm-*-py3-none-linux_*.whl)
[ -f "$wheel" ] || fail "not a wheel for any Python: $(ls "$work/dist")"
"$python" -c 'import sys, zipfile
for name in sorted(zipfile.ZipFile(sys.argv[1]).namelist()):
    print(name)' "$wheel" | sed -n 's/^ffebm\///p' >"$work/from_source"
(cd "$work/venv"/lib/python3*/site-packages/ffebm && find . -type f ! -name '*.pyc' | sed 's/^..//' | sort) >"$work/installed"
LC_ALL=C sort "$work/from_source" >"$work/one"
LC_ALL=C sort "$work/installed" | diff "$work/one" - || fail 'the source distribution makes another wheel than the tree'
quiet "$python" -m zipfile -e "$wheel" "$work/wheel"
needs=$(readelf -d "$work/wheel/ffebm/libffebm.so" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | sort | paste -sd' ')
glibc=$(objdump -T "$work/wheel/ffebm/libffebm.so" | grep -o 'GLIBC_[0-9.]*' | sort -Vu | tail -n 1)
echo "$(basename "$wheel"): $(wc -c <"$wheel") bytes, $glibc, needs $needs"

if command -v auditwheel >/dev/null; then
    quiet auditwheel repair -w "$work/repaired" "$wheel"
    "$python" -m venv --system-site-packages "$work/other"
    quiet "$work/other/bin/pip" install "$work/repaired"/ffebm-*.whl
    echo "$(basename "$work/repaired"/ffebm-*.whl)"
    tried "$work/other"
else
    echo 'auditwheel: left out, it is not installed'
fi
