#!/bin/sh
# strict_nvcc.sh COMPILER ARGUMENT...: runs the compiler and fails if the assembler reports that it did not do
# what the code asks for: its remarks C7500 to C7599, about wgmma that it serializes and setmaxnreg that it
# ignores. It calls some of them information, which no option turns into errors.
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
"$@" 2>"$log"
status=$?
cat "$log" >&2
if [ "$status" -eq 0 ] && grep -q '(C75[0-9][0-9])' "$log"; then
  echo "strict_nvcc.sh: the assembler changed what a kernel does, see above" >&2
  exit 1
fi
exit "$status"
