#!/bin/sh
# Waits before a daemon that fails again and again is started again: RestartSteps=, which would do, needs systemd
# 254, and Bookworm has 252. The unit runs it before each start, and after each end, when systemd sets SERVICE_RESULT.
#
# The number of failures is kept in the working directory, the service's own in /run.
set -eu

recent=$(find . -name failures -mmin -10) # what ran for longer was well
failures=$([ -z "$recent" ] || cat failures)
failures=${failures:-0}

case ${SERVICE_RESULT:-starting} in
success)
    rm -f failures
    ;;
starting)
    # The first one may be a mishap; then 2 seconds, 4, 8 ... up to a minute.
    [ "$failures" -gt 1 ] || exit 0
    seconds=$((failures < 7 ? 1 << failures - 1 : 60))
    echo "failed $failures times: waiting $seconds s"
    exec sleep "$seconds"
    ;;
*)
    echo $((failures + 1)) >failures
    ;;
esac
