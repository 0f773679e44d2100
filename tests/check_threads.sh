#!/bin/sh
# Run a program that was built with ThreadSanitizer; first of all, does that notice a race?
#   check_threads.sh PROGRAM [ARGUMENT ...]
# shellcheck disable=SC2086  # compilers may be several words
set -eu
: "${1:?usage: check_threads.sh PROGRAM [ARGUMENT ...]}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/race.c" <<'END'
#include <pthread.h>
static int counter;
static void *count(void *argument)
{
    counter++;
    return argument;
}
int main(void)
{
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, count, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
}
END
${CC:-cc} -g -pthread -fsanitize=thread -o "$work/race" "$work/race.c"
# Where addresses are spread too widely for it, they have to be held still.
run=
! "$work/race" 2>&1 | grep -q 'unexpected memory mapping' || run="setarch $(uname -m) -R"
$run "$work/race" 2>&1 | grep -q 'data race' || { echo 'ThreadSanitizer does not notice a race'; exit 1; }
$run "$@"
