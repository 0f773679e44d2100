# libffebm: `make help` lists the targets. One Makefile, GNU make, no configure step.
#
# Yours to set:   CC CFLAGS CPPFLAGS LDFLAGS, PREFIX DESTDIR bindir libdir includedir datadir docdir mandir
#                 BLAS=openblas|blis|netlib, or BLAS_LIBS (with BLAS_CFLAGS, BLAS_HEADER) outright
#                 MPI=1 makes programs for mpirun too, by MPICC (mpicc)
# Switches:       V=1 shows commands, WERROR=1 makes warnings errors, SANITIZE=1 builds with ASan and UBSan,
#                 OUT=dir keeps a build of your own: every product, the libraries too, goes to dir
MAKEFLAGS += --no-print-directory --no-builtin-rules
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all
comma := ,

# The version is written down once, in include/ffebm/version.h.
number = $(shell sed -n 's/^.define FFEBM_$(1) \([0-9]*\).*/\1/p' include/ffebm/version.h)
MAJOR   := $(call number,VERSION_MAJOR)
MINOR   := $(call number,VERSION_MINOR)
VERSION := $(MAJOR).$(MINOR).$(call number,VERSION_PATCH)
SONAME  := libffebm.so.$(call number,ABI_VERSION)
SOFILE  := libffebm.so.$(VERSION)

# A sanitized library must never get into lib/, from where it could be shipped: it has an output directory of its own.
OUT ?= build$(if $(SANITIZE),/sanitize)
$(if $(filter-out . ./ .. /,$(OUT)),,$(error OUT must name a directory of its own))
$(if $(word 2,$(OUT)),$(error OUT is "$(OUT)", expected a path without spaces: make has no targets with spaces))
LIB := $(if $(filter build,$(OUT)),lib,$(OUT)/lib)

PREFIX     ?= /usr/local
# A relative PREFIX begins where make does; libdir and the others follow it.
override PREFIX := $(if $(filter-out /% ~%,$(firstword $(PREFIX))),$(CURDIR)/)$(PREFIX)
bindir     ?= $(PREFIX)/bin
libdir     ?= $(PREFIX)/lib
includedir ?= $(PREFIX)/include
datadir    ?= $(PREFIX)/share
docdir     ?= $(datadir)/doc/ffebm
mandir     ?= $(datadir)/man
PKG_CONFIG ?= pkg-config
CFLAGS     ?= $(if $(SANITIZE),-O1,-O3) -g

# BLAS is single-threaded in everything run from here: the library cuts the work itself.
export OPENBLAS_NUM_THREADS := 1
export BLIS_NUM_THREADS := 1

# ---------------------------------------------------------------------------------------------------- dependencies
pkg  = $(shell $(PKG_CONFIG) $(1) 2>/dev/null)
has  = $(shell $(PKG_CONFIG) --exists $(1) 2>/dev/null && echo yes)
ARCH := $(or $(shell $(CC) -print-multiarch 2>/dev/null),$(notdir $(firstword $(wildcard /usr/include/*-linux-gnu*))))

# Debian's BLIS has no .pc file, and one directory for each way of threading; the plain one is preferred.
BLIS   := $(firstword $(foreach kind,serial pthread openmp,$(wildcard /usr/include/$(ARCH)/blis-$(kind)/cblas.h)))
BLIS   := $(notdir $(patsubst %/cblas.h,%,$(BLIS)))
NETLIB := $(if $(wildcard /usr/include/$(ARCH)/cblas-netlib.h),/usr/lib/$(ARCH)/blas)
BLAS_HEADER ?= cblas.h
ifdef BLAS_LIBS
  BLAS ?= custom
else
  BLAS ?= $(or $(if $(call has,openblas),openblas),$(if $(BLIS)$(call has,blis),blis),$(if $(NETLIB),netlib))
  ifeq ($(BLAS),openblas)
    BLAS_CFLAGS := $(call pkg,--cflags openblas)
    BLAS_LIBS   := $(call pkg,--libs openblas)
  else ifeq ($(BLAS),blis)
    # -isystem: its header draws warnings that are not ours.
    BLAS_CFLAGS := $(if $(BLIS),-isystem /usr/include/$(ARCH)/$(BLIS),$(call pkg,--cflags blis))
    BLAS_LIBS   := $(if $(BLIS),-L/usr/lib/$(ARCH)/$(BLIS) -lblis,$(call pkg,--libs blis))
  else ifeq ($(BLAS),netlib)
    # -L makes the linker take netlib itself and not the alternative /usr/lib/<arch>/libblas.so. It records libblas.so.3
    # all the same, so that at run time the loader follows the alternative: OpenBLAS's libblas.so.3 where that is
    # installed too (see ldd; it has the same cblas functions). LD_LIBRARY_PATH corrects this for what is run from here.
    BLAS_HEADER := cblas-netlib.h
    BLAS_LIBS   := $(if $(NETLIB),-L$(NETLIB) -lblas)
    export LD_LIBRARY_PATH := $(NETLIB)$(if $(LD_LIBRARY_PATH),:$(LD_LIBRARY_PATH))
  endif
endif
CJSON_LIBS := $(call pkg,--libs libcjson)
ZLIB_LIBS  := $(or $(call pkg,--libs zlib),-lz)
ZIP_LIBS   := $(or $(call pkg,--libs libzip),-lzip)

# What a compiler of an MPI adds; the library itself knows of none.
ifneq ($(MPI),)
  MPICC     ?= mpicc
  MPI_FLAGS := $(shell $(MPICC) -show)
  $(if $(MPI_FLAGS),,$(error MPI=1: no $(MPICC). Debian: apt-get install libopenmpi-dev openmpi-bin, or libmpich-dev mpich))
  MPI_CFLAGS := $(patsubst -I%,-isystem %,$(filter -I% -D%,$(MPI_FLAGS)))
  MPI_LIBS   := $(filter -L% -l% -Wl$(comma)-rpath%,$(MPI_FLAGS))
endif

# These goals build nothing in this make (some do in a second one, after tests/setup.sh).
BUILD_NOTHING := check check-install check-abi check-threads attack coverage lint demo docs docs-check plots dist amalgamation help clean format
BUILD_NOTHING += uninstall try-ranks
ifneq ($(filter-out $(BUILD_NOTHING),$(or $(MAKECMDGOALS),all)),)
  ifeq ($(strip $(BLAS_LIBS)),)
    $(error No $(or $(BLAS),BLAS) found. Debian: apt-get install pkg-config \
      $(if $(filter blis,$(BLAS)),libblis-serial-dev,$(if $(filter netlib,$(BLAS)),libblas-dev,libopenblas-pthread-dev)). \
      BLAS is one of openblas, blis, netlib; or set BLAS_CFLAGS and BLAS_LIBS)
  endif
  $(if $(CJSON_LIBS),,$(error No cJSON found. Debian: apt-get install pkg-config libcjson-dev))
endif

# ----------------------------------------------------------------------------------------------------------- flags
# MODE is what the project needs whatever CFLAGS is. Without -ffp-contract=off results would differ between compilers
# and instruction sets; fast paths are chosen at run time, hence no -march. The user's flags come last and win.
MODE := -std=c11 -fPIC -fvisibility=hidden -ffp-contract=off -pthread -D_POSIX_C_SOURCE=200809L -Iinclude
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla $(if $(WERROR),-Werror)
SAFE := $(if $(SANITIZE),-fsanitize=address$(comma)undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
DEFS := -DFFEBM_CBLAS_HEADER='<$(BLAS_HEADER)>' -DFFEBM_BLAS_NAME='"$(BLAS)"'
DEFS += $(BLAS_CFLAGS) $(call pkg,--cflags libcjson)
COMPILE := $(CC) $(MODE) $(WARN) $(SAFE) $(CPPFLAGS) $(CFLAGS) -MMD -MP
LINK    := $(CC) -pthread $(SAFE) $(CFLAGS) $(LDFLAGS)
LIBS    := $(BLAS_LIBS) $(CJSON_LIBS) -lm

# Objects lie in a directory named after compiler and flags, so that those of different flags never mix.
KEY := $(COMPILE) $(DEFS) $(LINK) $(LIBS) $(shell $(CC) --version 2>/dev/null)
KEY := $(firstword $(shell printf %s '$(subst ','\'',$(KEY))' | cksum))
OBJ := $(OUT)/obj/$(KEY)

ifdef V
  say = @:
else
  # bench and bench-compare keep standard output for their results.
  say = @printf '  %-6s %s\n' $(1) $(if $(filter CC,$(1)),$<,$@) $(if $(filter bench%,$(MAKECMDGOALS)),>&2)
  Q   = @
endif

# -------------------------------------------------------------------------------------------------------- products
SOURCES  := $(wildcard src/*/*.c)
# One example simulates circuits with ngspice, where that is installed.
SPICE_LIBS := $(if $(wildcard examples/spice_block.c),$(call pkg,--libs ngspice))
SPICE    := $(wildcard examples/spice/*.c)
# Another maximises likelihoods by NLopt, likewise.
NLOPT_LIBS := $(if $(wildcard examples/fit_device.c),$(call pkg,--libs nlopt))
FIT      := $(wildcard examples/fit/*.c)
PROGRAMS := $(patsubst ./%,%,$(shell grep -l '^int main\>' ./examples/*.c 2>/dev/null))
SUPPORT  := $(filter-out $(PROGRAMS) $(SPICE) $(FIT) examples/support/ranks_%.c,$(wildcard examples/*.c examples/*/*.c))
PROGRAMS := $(filter-out $(if $(SPICE_LIBS),,examples/spice_block.c) $(if $(NLOPT_LIBS),,examples/fit_device.c) $(if $(MPI),,examples/ranks.c),$(PROGRAMS))
UNIT     := $(wildcard tests/unit/*.c)
DATA     := $(wildcard tests/support/*.c)
BENCH    := $(wildcard tests/bench/*.c)
EMBEDDED := $(wildcard tests/embedding/*.c)
ATTACKS  := $(shell grep -l '^int main\>' tests/attack/*.c tests/attack/*/*.c 2>/dev/null)
ATTACKS  := $(filter-out tests/attack/fuzz/%,$(ATTACKS))
FUZZED   := $(shell grep -l '^int LLVMFuzzerTestOneInput' tests/attack/fuzz/*.c)
COMMON   := $(wildcard tests/attack/support/*.c)
objects   = $(patsubst %.c,$(OBJ)/%.o,$(1))

STATIC   := $(LIB)/libffebm.a
SHARED   := $(if $(SANITIZE),,$(LIB)/$(SOFILE) $(LIB)/$(SONAME) $(LIB)/libffebm.so)
EXAMPLES := $(patsubst %.c,$(OUT)/%,$(PROGRAMS))

.PHONY: all static check check-install check-abi check-threads abi-baseline demo bench bench-compare certify analysis ledger tolerance FORCE
.PHONY: plots install installcheck uninstall dist amalgamation clean format help unit run-unit smoke embedding
.PHONY: check-abi-of-library threads-of-library one-file attack campaigns coverage
.PHONY: coverage-of-tests lint
all: $(STATIC) $(SHARED) $(EXAMPLES) ## libraries in lib/, examples in build/examples/
	$(if $(SPICE_LIBS),,@echo 'no spice_block: ngspice is not installed (Debian: libngspice0-dev)')
	$(if $(NLOPT_LIBS),,@echo 'no fit_device: NLopt is not installed (Debian: libnlopt-dev)')
static: $(STATIC) $(EXAMPLES)        ## the same without the shared library
unit: $(OUT)/tests/unit $(OUT)/tests/support ## the test programs, without running them
run-unit: $(OUT)/tests/unit
	@$(OUT)/tests/unit

# Products are made anew when the flags or the list of files change, not only when an object is newer.
$(OUT)/made_of: FORCE
	@mkdir -p $(@D) && echo '$(KEY) $(SOURCES) $(SUPPORT) $(UNIT) $(DATA) $(BENCH)' >$@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

$(OBJ)/src/%.o: src/%.c
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -Isrc $(DEFS) -c -o $@ $<
$(OBJ)/tests/%.o: tests/%.c
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -Isrc -Iexamples -Itests $(call pkg,--cflags check) -c -o $@ $<
$(OBJ)/examples/%.o: examples/%.c
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(COMPILE) $(call pkg,--cflags libzip) $(MPI_CFLAGS) $(OWN_CFLAGS) -c -o $@ $<
# One has the digits in itself.
$(OUT)/examples/digits.inc: examples/data/digits.csv.gz
	@mkdir -p $(@D)
	$(Q)gzip -dc $< | sed 's/.*/{&},/' >$@
$(OBJ)/examples/board.o: $(OUT)/examples/digits.inc
$(OBJ)/examples/board.o: OWN_CFLAGS := -I$(OUT)/examples
-include $(patsubst %.o,%.d,$(call objects,$(SOURCES) $(PROGRAMS) $(SUPPORT) $(SPICE) $(FIT) $(UNIT) $(DATA) $(BENCH) $(EMBEDDED)))
-include $(patsubst %.o,%.d,$(call objects,$(wildcard tests/attack/*.c tests/attack/*/*.c tests/attack/*/*/*.c)))

$(STATIC): $(call objects,$(SOURCES)) $(OUT)/made_of
	$(call say,AR)
	@mkdir -p $(@D) && rm -f $@
	$(Q)$(AR) rcs $@ $(filter %.o,$^)

$(LIB)/$(SOFILE): $(call objects,$(SOURCES)) lib/libffebm.map $(OUT)/made_of
	$(call say,LINK)
	@mkdir -p $(@D)
	$(Q)$(LINK) -shared -Wl,--version-script=lib/libffebm.map,--no-undefined-version -Wl,-z,defs -Wl,-soname,$(SONAME) \
	  -o $@ $(filter %.o,$^) $(LIBS)
$(LIB)/$(SONAME) $(LIB)/libffebm.so: $(LIB)/$(SOFILE)
	@ln -sf $(SOFILE) $@

# Examples and tests take the static library: they run without being installed, and tests see the insides.
$(EXAMPLES): $(OUT)/examples/%: $(OBJ)/examples/%.o $(call objects,$(SUPPORT)) $(STATIC)
	$(call say,LINK)
	@mkdir -p $(@D)
	$(Q)$(LINK) -o $@ $(filter %.o,$^) $(STATIC) $(LIBS) $(ZIP_LIBS) $(ZLIB_LIBS) $(OWN_LIBS)
$(OUT)/examples/spice_block: $(call objects,$(SPICE))
$(OUT)/examples/spice_block: OWN_LIBS := $(SPICE_LIBS)
$(OUT)/examples/fit_device: $(call objects,$(FIT))
$(OUT)/examples/fit_device: OWN_LIBS := $(NLOPT_LIBS)
# One process, or as many as mpirun starts. Which of them, and by which MPI, may change from one make to the next.
$(OUT)/mpi_of: FORCE
	@mkdir -p $(@D) && echo '$(MPI_FLAGS)' >$@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
$(OBJ)/examples/support/ranks_mpi.o $(OBJ)/examples/ranks.o: $(OUT)/mpi_of
SPREAD := $(OUT)/examples/train $(OUT)/examples/cluster
$(SPREAD): $(OBJ)/examples/support/ranks_$(if $(MPI),mpi,alone).o $(OUT)/mpi_of
$(SPREAD) $(OUT)/examples/ranks: OWN_LIBS := $(MPI_LIBS)
$(OUT)/tests/unit: $(call objects,$(UNIT) tests/support/comma.c) $(STATIC)
	$(call say,LINK)
	@mkdir -p $(@D)
	$(Q)$(LINK) -o $@ $^ $(LIBS) $(call pkg,--libs check)
$(OUT)/tests/support: $(call objects,$(DATA) $(SUPPORT)) $(STATIC)
	$(call say,LINK)
	@mkdir -p $(@D)
	$(Q)$(LINK) -o $@ $^ $(LIBS) $(ZIP_LIBS) $(ZLIB_LIBS) $(call pkg,--libs check)
$(OUT)/tests/spice: $(call objects,$(wildcard tests/spice/*.c) $(SPICE) $(SUPPORT)) $(STATIC) | $(OUT)/examples/spice_block
	$(call say,LINK)
	@mkdir -p $(@D)
	$(Q)$(LINK) -o $@ $^ $(LIBS) $(ZIP_LIBS) $(ZLIB_LIBS) $(SPICE_LIBS) $(call pkg,--libs check)
$(OUT)/tests/fit: $(call objects,$(wildcard tests/fit/*.c) $(FIT) $(SUPPORT)) $(STATIC)
	$(call say,LINK)
	@mkdir -p $(@D)
	$(Q)$(LINK) -o $@ $^ $(LIBS) $(ZIP_LIBS) $(ZLIB_LIBS) $(NLOPT_LIBS) $(call pkg,--libs check)
$(OUT)/tests/bench: $(call objects,$(BENCH)) $(STATIC)
	$(call say,LINK)
	@mkdir -p $(@D)
	$(Q)$(LINK) -o $@ $^ $(LIBS)

# A host that loads the library finds no part of it in itself.
$(OUT)/tests/embedding/reload: $(OBJ)/tests/embedding/reload.o
	$(call say,LINK)
	@mkdir -p $(@D)
	$(Q)$(LINK) -Wl,--no-as-needed -o $@ $^ $(LIBS) -ldl
$(OUT)/tests/embedding/plugin.so: $(OBJ)/tests/embedding/work.o $(SHARED)
	$(call say,LINK)
	@mkdir -p $(@D)
	$(Q)$(LINK) -shared -o $@ $< -L$(LIB) -lffebm -Xlinker -rpath -Xlinker "$(if $(filter /%,$(LIB)),,$(CURDIR)/)$(LIB)"
GUESTS := $(addprefix $(OUT)/tests/embedding/,manners threads fork)
$(GUESTS): $(OUT)/%: $(OBJ)/%.o $(OBJ)/tests/embedding/work.o $(STATIC)
	$(call say,LINK)
	@mkdir -p $(@D)
	$(Q)$(LINK) -o $@ $^ $(LIBS)

# Campaigns. A fuzz target has the main of libFuzzer, or one that replays its corpus.
ATTACK_PROGRAMS := $(patsubst %.c,$(OUT)/%,$(ATTACKS))
FUZZ_PROGRAMS   := $(patsubst tests/attack/fuzz/%.c,$(OUT)/tests/attack/fuzz_%,$(FUZZED))
FUZZ_MAIN       := $(if $(LIBFUZZER),must,must replay)
campaigns: $(ATTACK_PROGRAMS) $(FUZZ_PROGRAMS) $(EXAMPLES) ## the programs of the campaigns, without running them
# NAME.c may have parts, in a folder NAME.
parts_of = $(filter-out $(ATTACKS),$(wildcard $(1)/*.c))
.SECONDEXPANSION:
$(ATTACK_PROGRAMS): $(OUT)/%: $(OBJ)/%.o $$(call objects,$$(call parts_of,$$*) $(COMMON) $(SUPPORT)) $(STATIC)
	$(call say,LINK)
	@mkdir -p $(@D)
	$(Q)$(LINK) -o $@ $^ $(LIBS) $(ZIP_LIBS) $(ZLIB_LIBS)
$(FUZZ_PROGRAMS): $(OUT)/tests/attack/fuzz_%: $(OBJ)/tests/attack/fuzz/%.o $(FUZZ_MAIN:%=$(OBJ)/tests/attack/fuzz/%.o) \
  $$(call objects,$$(call parts_of,tests/attack/fuzz/$$*) $(COMMON) $(SUPPORT)) $(STATIC)
	$(call say,LINK)
	@mkdir -p $(@D)
	$(Q)$(LINK) $(if $(LIBFUZZER),-fsanitize=fuzzer) -o $@ $^ $(LIBS) $(ZIP_LIBS) $(ZLIB_LIBS)

# ------------------------------------------------------------------------------------------------------ test, show
# The last line is Check's own. Nothing may follow it, so the unit tests run last.
ifdef SANITIZE
check:                               ## every test; SANITIZE=1: unit tests and examples under ASan and UBSan
	@tests/setup.sh build check
	@$(MAKE) all unit smoke campaigns WERROR=1
	@$(MAKE) embedding circuits fits WERROR=1
	@echo '== attack: the short version of each campaign'
	@OUT='$(OUT)' tests/attack/support/run.sh
	@echo '== data sets of the examples'
	@CK_FORK=no $(OUT)/tests/support
	@echo '== training: killed, stopped, resumed'
	@tests/check_train.sh $(OUT)/examples/train
	@echo '== unit tests'
	@CK_FORK=no $(OUT)/tests/unit
else
check:
	@tests/setup.sh build check
	@echo '== floors: who includes whom in src/'
	@tests/check_floors.sh
	@echo '== headers: each alone, in C99 and C++11'
	@tests/check_headers.sh
	@echo '== build'
	@$(MAKE) all unit campaigns $(OUT)/tests/bench WERROR=1
	@echo '== symbols: shared library, headers and version script agree'
	@tests/check_symbols.sh $(LIB)
	@echo '== layout: what earlier headers promise holds'
	@tests/check_layout.sh
	@echo '== instructions: of a small gradient, against the number that is kept'
	@CC='$(CC)' CFLAGS='$(CFLAGS)' OUT='$(OUT)' tests/check_instructions.sh
	@$(MAKE) one-file smoke try-docs WERROR=1
	@echo '== data sets of the examples'
	@$(OUT)/tests/support
	@echo '== training: killed, stopped, resumed'
	@tests/check_train.sh $(OUT)/examples/train
	@$(if $(HAVE_MPI),$(MAKE) try-ranks WERROR=1,echo '== ranks: left out, there is no MPI')
	@$(MAKE) embedding circuits fits WERROR=1
	@echo '== attack: the short version of each campaign'
	@OUT='$(OUT)' tests/attack/support/run.sh
	@echo '== bindings: Python and C++'
	@tests/check_python.sh $(LIB)
	@tests/check_cpp.sh $(LIB)
	@echo '== unit tests'
	@$(OUT)/tests/unit
endif

# Compiled in earnest by check-install.
one-file: amalgamation
	$(Q)$(CC) -std=c11 -Wall -Wextra -Werror $(DEFS) -fsyntax-only $(OUT)/amalgamation/ffebm.c
	@echo '== arithmetic: no source is compiled without NaN and infinity'
	$(Q)CC='$(CC)' tests/check_strict.sh $(OUT)/amalgamation/ffebm.c

# train is made for mpirun, tried, and made again as it was.
HAVE_MPI = $(shell command -v $(or $(MPICC),mpicc) && command -v $(MPIRUN))
MPIRUN  ?= mpirun
.PHONY: try-ranks
try-ranks:
	@echo '== ranks: one batch over several, killed, stopped, resumed'
	@$(MAKE) $(OUT)/examples/train $(OUT)/examples/ranks MPI=1
	@tests/check_ranks.sh $(OUT)/examples/train $(MPIRUN)
	@$(MAKE) $(OUT)/examples/train MPI=

.PHONY: try-docs
try-docs: $(STATIC) $(EXAMPLES)
	@echo '== docs: code blocks, options, links, error texts'
	$(Q)CC='$(CC)' tests/check_docs.sh $(OUT)/examples $(STATIC) $(LIBS) -pthread

# A warning of Doxygen's is an error: whatever is public must be documented, and what is named must be there.
SITE := $(OUT)/docs
.PHONY: docs docs-check
docs:                                ## the manual as a site that opens from disk: build/docs/index.html
	@tests/setup.sh docs
	@rm -rf $(SITE) && mkdir -p $(SITE)
	$(Q)FFEBM_VERSION=$(VERSION) FFEBM_SITE=$(SITE) FFEBM_PAGES=' $(basename $(notdir $(wildcard docs/*.md))) ' docs/site/make.sh
	@echo '$(SITE)/index.html'
docs-check: docs                     ## the site in a browser, on a screen and on a telephone, where there is Chromium
	@tests/setup.sh build docs-check
	@$(MAKE) $(OUT)/examples/watch_settling
	@tests/check_site.sh $(SITE) $(OUT)/examples/watch_settling

# A short run of the programs that need no arguments or have their data in the tree.
smoke: $(EXAMPLES)
	@echo '== examples'
	$(Q)$(if $(filter %/quickstart,$(EXAMPLES)),$(OUT)/examples/quickstart)
	$(Q)$(if $(filter %/train,$(EXAMPLES)),$(OUT)/examples/train --model examples/models/digits.json --dataset digits \
	  --data examples/data --epochs 1 --limit-train 128 --limit-test 128 --quiet)
	$(Q)$(OUT)/examples/loading examples/models/digits.json digits >/dev/null
	$(Q)text=$$($(OUT)/examples/conformance --broken) || { echo "$$text"; exit 1; }; echo "$$text" | tail -n 1
	$(Q)$(OUT)/examples/resistor_network 1 2>/dev/null
	$(Q)$(OUT)/examples/resistive | tail -n 1
	$(Q)$(OUT)/examples/ledger --json examples/models/digits.json >/dev/null
	$(Q)$(OUT)/examples/ledger examples/models/digits.json | sed -n '/^energy/,/^to back/p'
	$(Q)$(OUT)/examples/bench_device --epochs 1 2>/dev/null
	$(Q)$(OUT)/examples/host_network 1 2>/dev/null
	$(Q)$(OUT)/examples/ranks_pipe
	$(Q)$(OUT)/examples/hopfield_resnet 1
	$(Q)$(OUT)/examples/watch_settling --model examples/models/digits.json >/dev/null
	$(Q)$(OUT)/examples/board | tail -n 1
	@rm -rf $(OUT)/smoke
	$(Q)BIN=$(OUT)/examples SEEDS=0 BETAS=0.1 ESTIMATORS=centered NUDGINGS=loss EPOCHS=1 \
	  OPTIONS='--limit-train 128 --limit-test 128' sh examples/experiments/beta.sh $(OUT)/smoke 2>/dev/null | tail -n 1
	$(Q)BIN=$(OUT)/examples SEEDS=0 BETAS=0.1 NEURONS=hard_sigmoid:0.25:6 EPOCHS=1 \
	  OPTIONS='--limit-train 128 --limit-test 128' sh examples/experiments/neurons.sh $(OUT)/smoke/neurons 2>/dev/null | tail -n 1
	$(Q)BIN=$(OUT)/examples SEEDS=0 EFFECTS='keeps;weight.dtod;"weight": {"dtod": @};0.1' OPTIONS='--limit-train 64 --epochs 1' \
	  sh examples/experiments/tolerance.sh $(OUT)/smoke/tolerance 2>/dev/null | tail -n 1
	$(Q)$(OUT)/examples/noise_laws --draws 1 | tail -n 1
	$(Q)text=$$($(OUT)/examples/verify_reference tests/reference/*.safetensors tests/reference/drn/*.safetensors 2>&1) || { echo "$$text"; exit 1; }; \
	  echo "$$text" | tail -n 1

# Circuits as energy blocks. What ngspice keeps at its end is not ours to free, and what ASan keeps is no growth.
.PHONY: circuits
circuits: $(if $(SPICE_LIBS),$(OUT)/tests/spice)
	@echo '== circuits, by ngspice (one broken netlist makes it smash its stack, in a child)'
ifdef SPICE_LIBS
	$(Q)for file in tests/reference/drn/*.safetensors; do \
	  ASAN_OPTIONS=detect_leaks=0 $(OUT)/examples/spice_block $(if $(SANITIZE),--settles 0) --reference $$file || exit 1; done
	$(Q)ASAN_OPTIONS=detect_leaks=0 $(OUT)/examples/spice_block --epochs 1 2>/dev/null
	$(Q)ASAN_OPTIONS=detect_leaks=0 $(OUT)/examples/spice_block --netlist examples/circuits/diodes.cir --child --epochs 1 \
	  2>/dev/null
	$(Q)ASAN_OPTIONS=detect_leaks=0 $(OUT)/examples/spice_block --replace --epochs 1 2>/dev/null
	$(Q)ASAN_OPTIONS=detect_leaks=0 $(OUT)/tests/spice $(OUT)/examples/spice_block
else
	@echo 'left out: ngspice is not installed (Debian: libngspice0-dev)'
endif

# Step models fitted to devices. What is printed of a fit is a device again.
.PHONY: fits
fits: $(if $(NLOPT_LIBS),$(OUT)/tests/fit $(OUT)/examples/fit_device)
	@echo '== fits of step models, by NLopt'
ifdef NLOPT_LIBS
	$(Q)$(OUT)/tests/fit
	@mkdir -p $(OUT)/smoke
	$(Q)echo '{"weight": {"min": -1, "max": 1}, "update": {"mode": "difference", "step": "soft_bounds", "dw_min": 0.05}}' >$(OUT)/smoke/device.json
	$(Q)$(OUT)/examples/fit_device --devices 2 --pulses 40 --make $(OUT)/smoke/device.json >$(OUT)/smoke/readings.csv
	$(Q)$(OUT)/examples/fit_device --step soft_bounds --picture $(OUT)/smoke/fit.svg $(OUT)/smoke/readings.csv >$(OUT)/smoke/fit.json
	$(Q)sed -n '1s/^{"device": \(.*\),$$/\1/p' $(OUT)/smoke/fit.json >$(OUT)/smoke/device.json
	$(Q)$(OUT)/examples/fit_device --devices 2 --pulses 40 --make $(OUT)/smoke/device.json >$(OUT)/smoke/again.csv
	@echo 'fitted, and made again from the fit'
else
	@echo 'left out: NLopt is not installed (Debian: libnlopt-dev)'
endif

# What a host may expect of a guest; reload needs the shared library.
embedding: $(GUESTS) $(if $(SHARED),$(addprefix $(OUT)/tests/embedding/,reload plugin.so))
	@echo '== embedding'
	$(Q)for guest in $(GUESTS); do $$guest || exit 1; done
	$(if $(SHARED),$(Q)$(OUT)/tests/embedding/reload $(OUT)/tests/embedding/plugin.so $(LIB)/$(SONAME))

check-abi:                           ## types, functions and programs of the past against lib/libffebm.abi
	@tests/setup.sh build check-abi
	@$(MAKE) check-abi-of-library WERROR=1
check-abi-of-library: export PROGRAM_FLAGS = $(DEFS)
check-abi-of-library: export PROGRAM_LIBS = $(LIBS)
check-abi-of-library: $(STATIC) $(SHARED)
	@tests/check_symbols.sh $(LIB)
	@tests/check_layout.sh
	@tests/check_abi.sh $(LIB)

abi-baseline:                        ## write down the present API and ABI; docs/abi.md says when
	tests/check_symbols.sh --map >lib/libffebm.map
	@$(MAKE) $(SHARED)
	tests/check_layout.sh --write
	tests/check_abi.sh --baseline $(LIB)

check-install:                       ## install and use in every way, with each BLAS; the tarball; the two files
	@tests/setup.sh build check check-install
	@echo '== how many threads may be in each BLAS at once'
	@tests/check_blas.sh
	@echo '== the tarball, and the library in two files'
	@MAKE='$(MAKE)' tests/check_dist.sh
	@echo '== the two files without CBLAS, cJSON and threads, here and on other machines'
	@MAKE='$(MAKE)' tests/check_standalone.sh
	@echo '== install, use, uninstall'
	@MAKE='$(MAKE)' tests/check_install.sh
	@echo '== the Python package, in an environment of its own'
	@tests/check_wheel.sh
	@$(MAKE) check-threads

# With the reference BLAS: one with threads of its own raises false alarms.
check-threads:                       ## several contexts at once, under ThreadSanitizer
	@tests/setup.sh build check-install
	@echo '== threads, under ThreadSanitizer'
	@$(MAKE) threads-of-library OUT=build/threads BLAS=netlib CFLAGS='-O1 -g -fsanitize=thread'
threads-of-library: $(OUT)/tests/embedding/threads
	@tests/check_threads.sh $<

MINUTES ?= 1
attack:                              ## each campaign for MINUTES=n; TARGETS='oom fuzz_parse': these only
	@tests/setup.sh build attack
	@MAKE='$(MAKE)' tests/attack/support/run.sh $(MINUTES) $(TARGETS)

# Without optimisation, and with functions where code is inlined always, so that each branch of the source is one of the
# program. What fails is said, and the table comes all the same.
coverage:                            ## lines and branches of src/ that tests and campaigns reach
	@tests/setup.sh build check coverage
	@$(MAKE) coverage-of-tests OUT=build/coverage CPPFLAGS='$(CPPFLAGS) -Dalways_inline=unused' \
	  CFLAGS='-O0 -g --coverage -fprofile-update=atomic'
coverage-of-tests: all unit campaigns $(GUESTS)
	@find $(OBJ) -name '*.gcda' -delete
	-@$(OUT)/tests/unit
	-@$(OUT)/tests/support
	-@for guest in $(GUESTS); do $$guest; done
	-@$(MAKE) smoke
	-@tests/check_train.sh $(OUT)/examples/train
	-@OUT=$(OUT) tests/attack/support/run.sh
	@python3 tests/coverage.py $(OBJ)

lint: export PROGRAM_FLAGS = -std=c11 -D_POSIX_C_SOURCE=200809L -Iinclude -Isrc $(DEFS)
lint:                                ## clang-tidy and cppcheck over src/ and include/
	@tests/setup.sh build lint
	@tests/check_lint.sh

# train's last line is the result; kept back so that the picture's message does not follow it.
demo:                                ## train on the digits in the tree, draw the learning curve
	@tests/setup.sh build demo
	@$(MAKE) all
	@rm -f $(OUT)/demo.jsonl
	$(OUT)/examples/train --model examples/models/digits.json --dataset digits --data examples/data \
	  --log $(OUT)/demo.jsonl $(DEMO_FLAGS) >$(OUT)/demo.out
	@sh examples/curve.sh $(OUT)/demo.jsonl $(OUT)/demo.png || echo 'no picture of the learning curve' >&2
	@cat $(OUT)/demo.out

bench: $(if $(BENCH),$(OUT)/tests/bench) ## speed, as JSON lines
	@$(if $(BENCH),$(OUT)/tests/bench,echo 'no benchmarks in tests/bench')

# Debian's python3 has the package, another one before it in PATH may not.
bench-compare: $(OUT)/tests/bench    ## the same steps with PyTorch, by turns; some minutes
	@tests/setup.sh bench
	@for python in python3 /usr/bin/python3; do \
	  if $$python -c 'import torch' 2>/dev/null; then exec $$python tests/bench/compare.py $< $(COMPARE_FLAGS); fi; \
	done; echo 'nothing to compare with: python3-torch is not installed' >&2

CERTIFIED := $(sort $(foreach m,splitting scaling static_gradient_analysis,$(wildcard examples/models/$(m)_*.json)))
certify: $(OUT)/examples/certify     ## EP against exact gradients, for the paper's models; some minutes
	@sh examples/models/generate.sh --check && sh examples/models/generate_residual.sh --check
	$(OUT)/examples/certify --threads 2 $(CERTIFY_FLAGS) $(CERTIFIED)

ANALYSIS := $(OUT)/analysis
analysis: $(OUT)/examples/gradient_analysis ## EP and ID traces of a 36 million parameter model, and a picture
	$< --out $(ANALYSIS).jsonl $(ANALYSIS_FLAGS)
	@if command -v gnuplot >/dev/null; then examples/plot.sh '$(ANALYSIS).jsonl'; \
	else echo 'no picture: gnuplot is not installed' >&2; fi

TOLERANCE := $(OUT)/tolerance
tolerance: $(OUT)/examples/train $(OUT)/examples/gradient_analysis $(OUT)/examples/noise_laws ## what devices cost training; tables, pictures
	$(OUT)/examples/noise_laws
	@BIN=$(OUT)/examples sh examples/experiments/tolerance.sh $(TOLERANCE)/map $(wildcard /usr/share/datasets/fashion-mnist)
	@BIN=$(OUT)/examples sh examples/experiments/device_splitting.sh $(TOLERANCE)/splitting
	@BIN=$(OUT)/examples sh examples/experiments/device_updates.sh $(TOLERANCE)/updates
	@BIN=$(OUT)/examples sh examples/experiments/device_transfer.sh $(TOLERANCE)/transfer

MODEL ?= examples/models/splitting_small_3block_10.json
ledger: $(OUT)/examples/ledger       ## what a gradient of MODEL=file would cost on hardware, beside backpropagation
	@$< $(LEDGER_FLAGS) '$(MODEL)'

LOG ?= $(OUT)/demo.jsonl
plots:                               ## a picture of LOG, what train has logged, or of a run directory
	@tests/setup.sh plots
	@examples/plot.sh '$(LOG)'

# --------------------------------------------------------------------------------------------------------- install
# By the environment, where paths may have spaces.
install uninstall: export DESTDIR := $(DESTDIR)
install uninstall: export PREFIX := $(PREFIX)
install uninstall: export bindir := $(bindir)
install uninstall: export libdir := $(libdir)
install uninstall: export includedir := $(includedir)
install uninstall: export datadir := $(datadir)
install uninstall: export docdir := $(docdir)
install uninstall: export mandir := $(mandir)
install uninstall: export BLAS_LIBS := $(BLAS_LIBS)
install uninstall: export CJSON_LIBS := $(CJSON_LIBS)
# The training program goes along where there is what it needs to unpack data sets.
TRAIN := $(if $(and $(call has,zlib),$(call has,libzip)),$(OUT)/examples/train)
NAMES = LIB=$(LIB) TRAIN=$(TRAIN) VERSION=$(VERSION) MAJOR=$(MAJOR) MINOR=$(MINOR) SONAME=$(SONAME) SOFILE=$(SOFILE)
install: $(STATIC) $(SHARED) $(TRAIN) ## to PREFIX (/usr/local), below DESTDIR
	@$(NAMES) lib/install.sh install

installcheck: export libdir := $(libdir)
installcheck: export bindir := $(bindir)
installcheck:                        ## build and run programs with what is installed, in every way
	@tests/check_consumer.sh "$$libdir" "$$bindir"

uninstall:                           ## take away what install put there
	@$(NAMES) lib/install.sh uninstall

dist:                                ## the source tarball, build/libffebm-<version>.tar.gz: the same bytes each time
	@lib/dist.sh $(OUT)/libffebm-$(VERSION).tar.gz && echo '$(OUT)/libffebm-$(VERSION).tar.gz'

amalgamation:                        ## the library as build/amalgamation/ffebm.c and ffebm.h
	@lib/amalgamate.sh $(OUT)/amalgamation && echo 'the library in one file: $(OUT)/amalgamation/ffebm.c'

clean:                               ## remove build/ and the libraries; SANITIZE=1: the sanitized build
	$(if $(filter build,$(OUT)),rm -rf build lib/libffebm.a lib/libffebm.so*, \
	  $(if $(filter build/sanitize,$(OUT)),rm -rf $(OUT),@echo 'OUT is yours: remove $(OUT) yourself'))

format:                              ## clang-format all C files in place
	find include src examples tests -name '*.[ch]' -o -name '*.inc' -o -name '*.[ch]pp' | xargs clang-format -i

help:                                ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' Makefile | expand -t 16
	@sed -n '3,7s/^# */  /p' Makefile
