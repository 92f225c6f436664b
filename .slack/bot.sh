#!/bin/sh
# Runs the bot for the Slack CLI, which hands over its own tokens under other names.
set -eu
cd "$(dirname "$0")/.."
: "${SLACK_BOT_TOKEN:=${SLACK_CLI_XOXB:-}}"
: "${SLACK_APP_TOKEN:=${SLACK_CLI_XAPP:-}}"
export SLACK_BOT_TOKEN SLACK_APP_TOKEN
if [ -x .venv/bin/bot ]; then
  exec .venv/bin/bot "$@"
fi
exec python3 -m bot "$@"
