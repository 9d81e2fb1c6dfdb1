#!/usr/bin/env bash
# A network of true validators on this machine: local.sh [VALIDATORS] [FOLDER]
#
# Lays it out where FOLDER is not there yet, starts all nodes and waits for the first block. Ctrl-C
# stops them; the next call goes on where they stopped. Needs chain/node/bin/loded, see chain/node/build.
set -euo pipefail
validators=${1:-1}
folder=${2:-network}
loded=${LODED:-$(dirname "$0")/../../chain/node/bin/loded}
first_port=${FIRST_PORT:-26656}
[ -x "$loded" ] || {
  echo "$loded is not there: run chain/node/build, or name another one with LODED=..." >&2
  exit 1
}
[ -d "$folder" ] || "$loded" testnet --validators "$validators" --output-dir "$folder" --first-port "$first_port"

nodes=()
stop() {
  kill "${nodes[@]}" 2>/dev/null || true
  wait
}
trap stop EXIT
trap 'exit 130' INT TERM
for home in "$folder"/node*; do
  "$loded" start --home "$home" >>"$home/log" 2>&1 &
  nodes+=($!)
done

rpc=$(sed -n '/^\[rpc\]/,/^\[/s|^laddr = "tcp\(.*\)"|http\1|p' "$folder/node0/config/config.toml")
until curl -sf "$rpc/block?height=1" | grep -q '"app_hash"'; do
  kill -0 "${nodes[0]}" 2>/dev/null || {
    echo "the first node has stopped; its log ends with:" >&2
    tail -n 5 "$folder/node0/log" >&2
    exit 1
  }
  sleep 0.2
done
echo "${#nodes[@]} validators make blocks; RPC $rpc; logs in $folder/node*/log; Ctrl-C stops them"
wait
