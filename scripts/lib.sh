# shellcheck shell=bash disable=SC2034,SC2191
# Functions of the scripts in this folder; sourcing this file runs nothing.
# A step writes its output to build/logs/STEP.log and prints one line. If the step fails, the end of the log is shown.

set -u -o pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
logs="$root/build/logs"
jobs="${ADAPTIVE_JOBS:-$(nproc 2>/dev/null || echo 2)}"

say() { printf '%s\n' "$*"; }
fail() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# --- packages -------------------------------------------------------------------------------------------------

# PACKAGE=WHAT: the package of Debian and Ubuntu, and the command, the file under an include folder, or the absolute path, whose
# presence shows that the package is not needed. It may have been installed another way (pip, a prefix in CMAKE_PREFIX_PATH).
packages_build=(
  cmake=cmake ninja-build=ninja g++=c++
  nlohmann-json3-dev=nlohmann/json.hpp libeigen3-dev=eigen3/Eigen/Core libboost-dev=boost/version.hpp
)
packages_test=(libgtest-dev=gtest/gtest.h)
packages_optional=(
  pkg-config=pkg-config librapidcheck-dev=rapidcheck/gtest.h libbenchmark-dev=benchmark/benchmark.h
  libcli11-dev=CLI/CLI.hpp libfmt-dev=fmt/format.h ccache=ccache
  libhiredis-dev=hiredis/hiredis.h redis-server=redis-server
  prometheus-cpp-dev=prometheus/exposer.h
  libopenblas-dev=openblas-pthread/cblas.h libblis-dev=blis-openmp/blis.h libdnnl-dev=oneapi/dnnl/dnnl.h
)
packages_clang=(clang=clang++ lld=ld.lld clang-format-14=clang-format-14)
packages_thorough=(clang-tidy-14=clang-tidy-14 abigail-tools=abidiff)

present() {
  local prefix
  case "$1" in
    /*) [ -e "$1" ] ;;
    */*)
      local IFS=':;'
      for prefix in ${CMAKE_PREFIX_PATH:-} /usr/local /usr; do
        [ -e "$prefix/include/$1" ] && return 0
        compgen -G "$prefix/include/*-linux-gnu/$1" >/dev/null && return 0
      done
      return 1
      ;;
    *) have "$1" ;;
  esac
}

# missing ENTRY...: prints the packages that are not installed.
missing() {
  local entry
  for entry in "$@"; do
    present "${entry#*=}" || printf '%s ' "${entry%%=*}"
  done
}

# Prints the command prefix for apt-get; prints nothing if there is no apt-get or no permission to use it.
installer() {
  have apt-get || return 0
  if [ "$(id -u)" = 0 ]; then
    printf 'env'
  elif have sudo && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
    printf 'sudo env'
  fi
}

apt_install() {
  local become="$1"
  shift
  $become DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >>"$logs/setup.log" 2>&1
}

# install_missing ENTRY...: tries to install missing packages; says what it installs and what it could not install.
install_missing() {
  mkdir -p "$logs"
  local wanted become package
  wanted="$(missing "$@")"
  [ -z "$wanted" ] && return 0
  if [ "${ADAPTIVE_NO_INSTALL:-0}" = 1 ]; then
    return 0
  fi
  become="$(installer)"
  if [ -z "$become" ]; then
    say "setup: cannot install packages here: there is no apt-get, or neither root nor sudo"
    return 0
  fi
  say "setup: installing with apt-get: $wanted"
  $become apt-get update -q >>"$logs/setup.log" 2>&1 || say "setup: apt-get update failed; trying with the present package lists"
  # shellcheck disable=SC2086  # a list of words
  if ! apt_install "$become" $wanted; then
    for package in $wanted; do
      apt_install "$become" "$package" || say "setup: could not install $package (see build/logs/setup.log)"
    done
  fi
}

# setup REQUIRED... -- OPTIONAL...: installs missing packages; fails if a required one is still missing.
setup() {
  local required=() optional=() lacking
  while [ $# -gt 0 ] && [ "$1" != -- ]; do
    required+=("$1")
    shift
  done
  [ $# -gt 0 ] && shift
  optional=("$@")
  install_missing "${required[@]}" ${optional[@]+"${optional[@]}"}
  hash -r
  lacking="$(missing ${optional[@]+"${optional[@]}"})"
  [ -z "$lacking" ] || say "setup: continuing without these optional packages: $lacking"
  lacking="$(missing "${required[@]}")"
  [ -z "$lacking" ] || fail "these packages are required and not installed: $lacking"
  use_ccache
}

use_ccache() {
  if have ccache; then
    export CCACHE_SLOPPINESS="${CCACHE_SLOPPINESS-pch_defines,time_macros}"  # else it passes by precompiled headers
    export CMAKE_CXX_COMPILER_LAUNCHER="${CMAKE_CXX_COMPILER_LAUNCHER-ccache}"
    export CMAKE_CUDA_COMPILER_LAUNCHER="${CMAKE_CUDA_COMPILER_LAUNCHER-ccache}"
  fi
}

# --- steps ----------------------------------------------------------------------------------------------------

# quietly STEP COMMAND...: runs the command and appends its output to the step's log; shows the end of the log on failure.
quietly() {
  local log="$logs/$1.log"
  shift
  mkdir -p "$logs"
  printf '$ %s\n' "$*" >>"$log"
  if ! "$@" >>"$log" 2>&1; then
    printf -- '--- failed: %s\n' "$*"
    grep -nE '(error|warning|FAILED|fatal)[: ]' "$log" | tail -n 20
    printf -- '--- the end of %s:\n' "$log"
    tail -n 60 "$log"
    return 1
  fi
}

# configure PRESET [-D...]
configure() {
  local preset="$1"
  shift
  mkdir -p "$logs"
  : >"$logs/$preset.log"
  (cd "$root" && quietly "$preset" cmake --preset "$preset" "$@") || return 1
  sed -n 's/^-- adaptive: \(.*left out: not found.*\)$/  \1/p' "$logs/$preset.log"
}

# build PRESET [--target...]
build() {
  local preset="$1"
  shift
  (cd "$root" && quietly "$preset" cmake --build --preset "$preset" -j "$jobs" "$@")
}

nvcc_found() { have nvcc || [ -x "${CUDA_HOME:-/usr/local/cuda}/bin/nvcc" ]; }
gpu_found() { have nvidia-smi && nvidia-smi -L 2>/dev/null | grep -q GPU; }
