#!/bin/sh
# The Python binding: its declarations against the headers, its tests, its examples.
#   check_python.sh [DIR]   with the shared library in DIR (lib)
# PYTHON chooses the interpreter; else it is the first that can import NumPy. Without one there is nothing to check.
set -eu
cd "$(dirname "$0")/.."
FFEBM_LIBRARY=$(cd "${1-lib}" && pwd)/libffebm.so
PYTHONPATH=python
export FFEBM_LIBRARY PYTHONPATH PYTHONDONTWRITEBYTECODE=1

for python in ${PYTHON:-python3 /usr/bin/python3}; do
    ! "$python" -c 'import numpy, sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null || break
    python=
done
[ -n "$python" ] || { echo 'left out: no Python 3.9 with NumPy (Debian: python3-numpy)'; exit 0; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
quiet() {
    "$python" -W error "$@" >"$work/log" 2>&1 || { cat "$work/log"; echo "failed: $*"; exit 1; }
}
quiet -m ffebm.tests
printf '%s: %s, %s\n' "$("$python" -V)" "$(grep '^Ran' "$work/log")" "$(tail -n 1 "$work/log")"
quiet -m unittest discover -s tests/python
printf 'headers and guide: %s\n' "$(grep '^Ran' "$work/log")"
quiet examples/python/train_digits.py examples/models/digits.json 1
printf 'train_digits.py: %s\n' "$(tail -n 1 "$work/log")"
quiet examples/python/custom_energy.py 5
quiet examples/python/checkpoint.py
quiet examples/python/gradient_check.py
quiet examples/python/hopfield_resnet.py 1
quiet examples/python/watch_settling.py
printf 'watch_settling.py: %s\n' "$(tail -n 1 "$work/log")"
# What they warn of is their own affair.
if "$python" -c 'import matplotlib, pandas' 2>/dev/null; then
    "$python" examples/python/sweep.py "$work/sweep" 1 >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
    printf 'sweep.py: %s\n' "$(tail -n 1 "$work/log" | sed 's/.*; best/best/')"
    [ "$(wc -l <"$work/sweep/sweep.csv")" -eq 13 ] && [ -s "$work/sweep/sweep.png" ]
    "$python" examples/python/watch_settling.py examples/models/settling.json "$work/settling.png" >/dev/null 2>"$work/log" &&
        [ -s "$work/settling.png" ] || { cat "$work/log"; exit 1; }
else
    echo 'sweep.py: left out, pandas or matplotlib is not installed (Debian: python3-pandas python3-matplotlib)'
fi
if "$python" -c 'import torch' 2>/dev/null; then
    quiet examples/python/torch_digits.py
    printf 'torch_digits.py: %s\n' "$(tail -n 1 "$work/log")"
else
    echo 'PyTorch: left out, it is not installed (Debian: python3-torch)'
fi

# Without a library the import says what is missing.
if FFEBM_LIBRARY=/no/such.so "$python" -c 'import ffebm' 2>"$work/log" ||
    ! grep -q 'or name it in FFEBM_LIBRARY' "$work/log"; then
    cat "$work/log"
    echo 'importing ffebm without a library does not say so'
    exit 1
fi
