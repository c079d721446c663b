# shellcheck shell=bash
# Shared by the scripts in this folder; sourced, never run.

# shellcheck disable=SC2034  # for whoever sources this
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)

# Progress goes to stderr: a script's stdout is for its result.
say() { printf '%s\n' "$*" >&2; }

die() {
  say "error: $1"
  shift
  local line
  for line in "$@"; do say "  $line"; done
  exit 1
}
