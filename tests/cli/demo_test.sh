#!/usr/bin/env bash
# Runs scripts/demo in half its time: demo_test.sh FRGAN SOURCE. Fails if FR-GAN's error exceeds that of the supervised
# baseline, or exceeds 35 % on Fashion-MNIST. Slow processors must reach this limit too.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"$2/scripts/demo" "$1" $(($(date +%s) - 270)) 2>/dev/null | tee out
number() { sed -n "s/^  $1 *\([0-9.]*\) %$/\1/p" out; }
fr_gan=$(number FR-GAN) supervised=$(number supervised)
grep -q "on fashion-mnist after" out && limit=35 || limit=100
awk -v a="$fr_gan" -v b="$supervised" -v limit="$limit" 'BEGIN { exit !(a != "" && a <= b && a <= limit) }' ||
  { echo "FR-GAN $fr_gan %, supervised $supervised %; the limit is $limit %" >&2; exit 1; }
for file in $(sed -n 's/^\(generated images\|learning curve\|log\|checkpoint\)  *//p' out); do test -e "$file"; done
