#!/usr/bin/env bash
# The supplier beside llama.cpp's server, on the same model, one after the other under the same clients:
#
#   beside_llama.sh LLAMA MODEL BOXES HOP_MS CLIENTS SECONDS [WORDS]
#
# LLAMA is the folder of llama.cpp's programs, MODEL one of a GGUF file with its tokenizer (random_model makes
# it) and nothing else. With one box both are a server with one computing thread; with
# more, layers are shared evenly: over `lode supplier stage`, and over ggml-rpc-server. What passes between
# boxes takes HOP_MS each way. With WORDS one more client sends prompts of so many words.
# Needs: cargo build --release -p lode && cargo build --release -p supplier --examples
set -euo pipefail
llama=$1 model=$(realpath "$2") boxes=$3 hop=$4 clients=$5 seconds=$6 words=${7:-0}
release=$(dirname "$0")/../../target/release
home=$(mktemp -d)
export LD_LIBRARY_PATH=$llama${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
trap 'kill $(jobs -p) 2>/dev/null; wait 2>/dev/null; rm -r "$home"' EXIT

layers=12 # of random_model
each=$((layers / boxes))
head=$("$release/lode" supplier key --key "$home/link.key")
config="listen = \"127.0.0.1:7719\"
model = \"$model\"
name = \"bench\"
threads = 1
[limits]
sequences = 16
cache_mib = 4096"
rpc=
((boxes == 1)) || config+=$'\n'"[pipeline]
layers = $each"
for ((i = 1; i < boxes; i++)); do
    key=$("$release/lode" supplier key --key "$home/$i.key")
    "$release/lode" supplier stage --listen 127.0.0.1:$((7720 + i)) --model "$model" --key "$home/$i.key" \
        --head "$head" --threads 1 --cache-mib 1024 2>"$home/stage$i.log" &
    "$release/examples/slow_wire" 127.0.0.1:$((7730 + i)) 127.0.0.1:$((7720 + i)) "$hop" &
    "$llama/ggml-rpc-server" -H 127.0.0.1 -p $((7740 + i)) -t 1 >"$home/rpc$i.log" 2>&1 &
    "$release/examples/slow_wire" 127.0.0.1:$((7750 + i)) 127.0.0.1:$((7740 + i)) "$hop" &
    config+=$'\n'"[[stages]]
address = \"127.0.0.1:$((7730 + i))\"
key = \"$key\"
layers = \"$((each * i))..$((each * (i + 1)))\""
    rpc+=,127.0.0.1:$((7750 + i))
done
echo "$config" >"$home/head.toml"
"$release/lode" supplier start --config "$home/head.toml" 2>"$home/head.log" &
lode=$!
"$llama/llama-server" -m "$model/model.gguf" -t 1 -tb 1 -np 16 -c 65536 --host 127.0.0.1 --port 7718 -a bench \
    ${rpc:+--rpc ${rpc#,} -ngl $((each * (boxes - 1)))} >"$home/llama.log" 2>&1 &
other=$!
for port in 7719 7718; do
    until curl -sf "http://127.0.0.1:$port/v1/models" >/dev/null; do
        if ! kill -0 "$lode" "$other" 2>/dev/null; then
            tail -n 3 "$home/head.log" "$home/llama.log" >&2
            exit 1
        fi
        sleep 0.5
    done
done

# Seconds of processor time of a process.
spent() { awk -v ticks="$(getconf CLK_TCK)" '{ print ($14 + $15) / ticks }' "/proc/$1/stat"; }
for server in "lode 7719 $lode" "llama.cpp 7718 $other"; do
    read -r name port pid <<<"$server"
    before=$(spent "$pid")
    echo "== $name, $boxes boxes, hops of $hop ms"
    "$release/examples/load" "http://127.0.0.1:$port" bench "$clients" "$seconds" 4 "$words"
    echo "processor time of the head: $(echo "$(spent "$pid") - $before" | bc) s"
done
