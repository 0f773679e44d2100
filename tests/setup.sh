#!/bin/sh
# Install what a target needs and this machine lacks:
# setup.sh build|demo|plots|check|check-install|check-abi|attack|coverage|lint|bench|docs|docs-check ...
# Silent where nothing is missing. On Debian and Ubuntu, as root or with sudo that asks no password, it installs;
# elsewhere it prints the one command to type and exits 1.
set -eu
cd "$(dirname "$0")/.."
pkg_config=${PKG_CONFIG:-pkg-config}
missing=
optional=

have() { command -v "$1" >/dev/null 2>&1; }
have_library() { $pkg_config --exists "$1" 2>/dev/null; }
# The compiler and the C library's headers are separate packages.
compiles() { echo '#include <stdio.h>' | ${CC:-cc} -E - >/dev/null 2>&1; }
have_file() {
    for file in "$@"; do
        [ ! -e "$file" ] || return 0
    done
    return 1
}
have_blas() {
    [ -z "${BLAS_LIBS-}" ] || return 0
    case $1 in
    openblas) have_library openblas ;;
    blis) have_library blis || have_file /usr/include/*/blis-*/cblas.h ;;
    netlib) have_file /usr/include/*/cblas-netlib.h ;;
    '') have_blas openblas || have_blas blis || have_blas netlib ;;
    esac
}
# As tests/check_python.sh chooses the interpreter.
have_numpy() {
    for python in ${PYTHON:-python3 /usr/bin/python3}; do
        ! "$python" -c 'import numpy' 2>/dev/null || return 0
    done
    return 1
}

# The package is named after clang's version; where another clang is the default one, its own is asked for.
have_libfuzzer() { [ -e "$(clang -print-file-name=libclang_rt.fuzzer-$(uname -m).a 2>/dev/null)" ]; }

# As tests/check_wheel.sh chooses it.
have_packaging() {
    for python in ${PYTHON:-python3 /usr/bin/python3}; do
        ! "$python" -c 'import numpy, venv, ensurepip, setuptools, wheel.bdist_wheel, build' 2>/dev/null || return 0
    done
    return 1
}

have_tables() {
    python3 -c 'import matplotlib, pandas' 2>/dev/null || /usr/bin/python3 -c 'import matplotlib, pandas' 2>/dev/null
}
have_torch() { python3 -c 'import torch' 2>/dev/null || /usr/bin/python3 -c 'import torch' 2>/dev/null; }

for target in "${@:-build}"; do
    case $target in
    build)
        compiles || missing="$missing gcc libc6-dev"
        have make || missing="$missing make"
        have "$pkg_config" || missing="$missing pkg-config"
        have_library libcjson || missing="$missing libcjson-dev"
        have_library zlib || missing="$missing zlib1g-dev"
        have_library libzip || missing="$missing libzip-dev"
        if ! have_blas "${BLAS-}"; then
            case ${BLAS-} in
            blis) missing="$missing libblis-serial-dev" ;;
            netlib) missing="$missing libblas-dev" ;;
            *) missing="$missing libopenblas-pthread-dev" ;;
            esac
        elif [ -z "${BLAS-}" ] && [ -z "${BLAS_LIBS-}" ] && ! have_blas openblas && ! have_blas blis; then
            optional="$optional libopenblas-pthread-dev" # the reference BLAS is right, and several times slower
        fi
        ;;
    docs) have doxygen || missing="$missing doxygen" ;;
    docs-check) have chromium || optional="$optional chromium" ;; # without it pages are not looked at
    demo) have gnuplot || optional="$optional gnuplot-nox" ;; # without it the learning curve is text
    plots) have gnuplot || missing="$missing gnuplot-nox" ;;
    check)
        have g++ || missing="$missing g++"
        have_library check || missing="$missing check"
        have valgrind || optional="$optional valgrind" # without it instructions are not counted
        have_numpy || optional="$optional python3-numpy" # without it the Python binding is left out
        have_torch || optional="$optional python3-torch" # without it the layer for PyTorch is left out
        have_tables || optional="$optional python3-pandas python3-matplotlib" # without them one example is left out
        have mpicc && have mpirun || optional="$optional libopenmpi-dev openmpi-bin" # without them ranks are left out
        have_library ngspice || optional="$optional libngspice0-dev" # without it circuits are left out
        have_library nlopt || optional="$optional libnlopt-dev" # without it fits of step models are left out
        ;;
    bench) have_torch || optional="$optional python3-torch" ;; # without it there is nothing to compare with
    attack) # fuzz targets, and threads under ThreadSanitizer
        have clang || missing="$missing clang"
        have_libfuzzer || missing="$missing libclang-rt-14-dev"
        have_blas netlib || missing="$missing libblas-dev"
        ;;
    coverage) have python3 || missing="$missing python3" ;;
    lint)
        have clang-tidy || missing="$missing clang-tidy"
        have cppcheck || missing="$missing cppcheck"
        ;;
    check-abi) have abidw || missing="$missing abigail-tools" ;;
    check-install)
        have g++ || missing="$missing g++"
        have clang || missing="$missing clang"
        have cmake || missing="$missing cmake"
        have_blas openblas || missing="$missing libopenblas-pthread-dev"
        have_blas blis || missing="$missing libblis-serial-dev"
        have_blas netlib || missing="$missing libblas-dev"
        have mpicc.openmpi && have mpirun.openmpi || missing="$missing libopenmpi-dev openmpi-bin"
        have_packaging ||
            missing="$missing python3-numpy python3-venv python3-setuptools python3-wheel python3-build"
        have_torch || optional="$optional python3-torch" # without it the layer for PyTorch is left out
        have mypy || optional="$optional mypy"           # without it the package's types are not checked
        have ip || optional="$optional iproute2" # without it two hosts are left out
        have mpicc.mpich && have mpirun.mpich || missing="$missing libmpich-dev mpich"
        # Without these the library in two files is not tried on the target; some 600 MB, of which half is qemu.
        have musl-gcc || optional="$optional musl-tools"
        have aarch64-linux-gnu-gcc || optional="$optional gcc-aarch64-linux-gnu libc6-dev-arm64-cross"
        have arm-linux-gnueabihf-gcc || optional="$optional gcc-arm-linux-gnueabihf libc6-dev-armhf-cross"
        have qemu-arm-static || optional="$optional qemu-user-static"
        # Second to the pthread one among Debian's alternatives: what is linked otherwise stays as it was.
        have_file /usr/lib/*/openblas-serial/libopenblas.a || missing="$missing libopenblas-serial-dev"
        ;;
    *)
        echo "setup.sh: unknown target $target" >&2
        exit 2
        ;;
    esac
done
[ -n "$missing$optional" ] || exit 0

rm -f build/setup.log
command="apt-get update && apt-get install -y --no-install-recommends"
if have apt-get && [ "$(id -u)" -eq 0 ]; then
    as_root="sh -c"
elif have apt-get && have sudo && sudo -n true 2>/dev/null; then
    as_root="sudo -n sh -c"
else
    as_root=
fi

install() {
    [ -n "$as_root" ] || return 1
    echo "installing$1 (log: build/setup.log)" >&2
    mkdir -p build
    $as_root "export DEBIAN_FRONTEND=noninteractive; $command$1" >>build/setup.log 2>&1 </dev/null
}
if [ -n "$missing" ] && ! install "$missing"; then
    [ ! -s build/setup.log ] || [ -z "$as_root" ] || tail -n 3 build/setup.log >&2
    echo "Needed and not there:$missing" >&2
    echo "On Debian or Ubuntu type: sudo sh -c '$command$missing'" >&2
    exit 1
fi
if [ -n "$optional" ] && ! install "$optional"; then
    echo "going on without$optional" >&2
fi
