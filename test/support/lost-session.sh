# Real work that is killed in the middle. Arguments: node, and agov's program. Prints READY when it may be killed.
set -e
agov() { "$NODE" "$AGOV" "$@" >/dev/null; }
NODE=$1 AGOV=$2

agov status update src/net --phase in-progress --task "Make the client wait between tries" --task "Write the tests"
printf 'export function retry(tries: number) {\n  return wait(tries * 100);\n}\n' > src/net/retry.ts
printf 'export const wait = (ms: number) => ms;\n' > src/net/backoff.ts
printf '2026-01-01T00:00:00Z ERROR backoff.test: expected 200 but got 503\n' |
  agov memory log --title "test run of backoff" --tag failure
printf '# Decision\n\nBackoff is exponential, since the server sheds load in waves.\n' | agov memory log --title "why exponential"
agov checkpoint now --notes "The linear backoff is in; the server still answers 503 under load." \
  --next "Make the backoff exponential in src/net/retry.ts" --next "Run the tests of the client again"
# What no checkpoint knows of.
printf 'export const jitter = 0.2;\n' > src/net/jitter.ts
agov run --agent builder -- sh -c 'echo "jitter.test: timeout of 30s exceeded" >&2; exit 3' 2>/dev/null || true
agov status update src/net --done "Write the tests"
echo READY
while :; do
  echo "// more" >> src/net/jitter.ts
  agov memory log --title "progress" src/net/jitter.ts
done
