#!/bin/sh
# Compose gives secrets as files; the password of the state is read from the environment alone.
set -eu
AGOV_STATE_PASSWORD=$(cat /run/secrets/state_password)
export AGOV_STATE_PASSWORD
exec node /opt/agov/dist/main.js "$@"
