#!/usr/bin/env bash
# Tests the installed library: installs the build to a separate folder and builds the examples against it. Classifies an
# image with a checkpoint made by the installed program, then trains, resumes and classifies with the library alone.
#   install_test.sh SOURCE RELEASE_BUILD WORK
set -euo pipefail
source=$1 release=$2 work=$3
prefix=$work/prefix
rm -rf "$work"
mkdir -p "$work"
cd "$work"
cmake --install "$release" --prefix "$prefix" >install.log
[ "$("$prefix/bin/frgan" --version | head -1)" = "$("$release/bin/frgan" --version | head -1)" ]

# The program must not refer to its build folder. It does not need the sources either: presets are compiled in.
if readelf -d "$prefix/bin/frgan" | grep -E 'R(UN)?PATH' | grep -F "$release"; then exit 1; fi

# Help and documentation are installed.
for file in share/man/man1/frgan.1 share/bash-completion/completions/frgan share/zsh/site-functions/_frgan \
            share/doc/frgan/README.md share/doc/frgan/docs/performance.md share/doc/frgan/docs/plans.md \
            share/doc/frgan/results/README.md share/doc/frgan/results/hour/figure4.svg; do
  [ -s "$prefix/$file" ] || { echo "not installed: $file"; exit 1; }
done
[ -z "$(find "$prefix" -type d -empty | tee /dev/stderr)" ]

# Each public header compiles alone, without the headers of LibTorch and of the JSON library.
find "$prefix/include" -name '*.h' -printf '%P\n' | sort >headers
[ "$(wc -l <headers)" -ge 20 ]
while read -r header; do
  echo "#include \"$header\"" >header.cpp
  c++ -std=c++20 -Wall -Wextra -Werror -fsyntax-only -MD -MF header.d -I"$prefix/include" header.cpp
  ! grep -E '/(torch|ATen|c10|nlohmann|toml\+\+)/' header.d || { echo "$header includes LibTorch or a parser"; exit 1; }
done <headers

for example in classify train_and_classify; do
  cmake -S "$source/examples/$example" -B "$example" -DCMAKE_PREFIX_PATH="$prefix" >configure.log
  cmake --build "$example" >build.log || { cat build.log; exit 1; }
done

# Create twelve images of two classes, dark and light.
mkdir -p images/train/dark images/train/light
python3 - <<'PYTHON'
import struct, zlib
def png(path, grey):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + bytes([grey]) * 16 for _ in range(16))
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">2I5B", 16, 16, 8, 0, 0, 0, 0))
                   + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
for i in range(6):
    png(f"images/train/dark/{i}.png", 10 * i)
    png(f"images/train/light/{i}.png", 255 - 10 * i)
PYTHON
"$prefix/bin/frgan" train --method supervised --data images --image-size 16 --channels 1 --width 0.125 --steps 2 \
  --batch-size 4 --run run >train.log 2>&1 || { cat train.log; exit 1; }
classify/classify run images/train/dark/0.png | tee result
grep -Eqx '(dark|light) [01](\.[0-9]+)?' result

# The C++ example of the model card and of docs/export.md classifies an image with an exported model.
"$prefix/bin/frgan" export run exported >export.log 2>&1 || { cat export.log; exit 1; }
mkdir card
cpp_example() { sed -n '/^```cpp$/,/^```$/p' "$1" | sed '1d;$d'; }
cpp_example exported/README.md >card/card.cpp
cpp_example "$source/docs/export.md" | diff card/card.cpp -
sed 's/classify/card/g' "$source/examples/classify/CMakeLists.txt" >card/CMakeLists.txt
cmake -S card -B card-build -DCMAKE_PREFIX_PATH="$prefix" >configure.log
cmake --build card-build >build.log || { cat build.log; exit 1; }
cp images/train/dark/0.png exported/photo.jpg  # formats are recognized by content
(cd exported && ../card-build/card) | diff - result

# Error messages of the library reach the user.
! classify/classify run missing.png 2>error
grep -q 'missing.png' error

# A stopped run is continued from its last checkpoint. If it finished before the signal, it is evaluated again.
train_and_classify/train_and_classify images own images/train/dark/0.png >stopped 2>progress &
training=$!
until [ -s own/metrics.jsonl ] || ! kill -0 $training 2>/dev/null; do sleep 0.05; done
kill $training 2>/dev/null || true
wait $training || [ $? = 143 ]
train_and_classify/train_and_classify images own images/train/dark/0.png >resumed 2>progress || { cat progress; exit 1; }
grep -qx 'training from step 0' stopped
grep -Eqx 'training from step [1-9][0-9]*' resumed
tail -1 resumed | grep -Eqx '(dark|light) [01](\.[0-9]+)?'
