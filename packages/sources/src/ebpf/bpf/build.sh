#!/bin/sh
# Builds the BPF programs into the object that is kept beside them, or into the
# file that is given. Needs clang, llvm-strip and libbpf's headers (Debian: clang, llvm,
# libbpf-dev). The same compiler gives the same bytes, wherever it runs.
set -eu
cd "$(dirname "$0")"
out=${1:-lifecycle.bpf.o}
clang -O2 -g -target bpf -mcpu=v2 -Wall -Werror -fdebug-prefix-map="$PWD=." -ffile-prefix-map="$PWD=." \
  -c lifecycle.bpf.c -o "$out"
llvm-strip -g "$out"
