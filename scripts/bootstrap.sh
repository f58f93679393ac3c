#!/bin/sh
# Makes .venv hold exactly what the lock pins, or says the one command that mends what is missing.
#   scripts/bootstrap.sh        for `make run`
#   scripts/bootstrap.sh dev    for `make test`: the same .venv, with the test tools
# Costs a few milliseconds when there is nothing to do. POSIX sh: runs in dash and in macOS's bash 3.2.
set -eu
unset CDPATH PYTHONHOME PYTHONPATH PIP_TARGET PIP_PREFIX PIP_ROOT PIP_CONSTRAINT
export PIP_USER=0 # a user-wide `user = true` would install beside the .venv

root=$(cd "$(dirname "$0")/.." && pwd -P)
cd "$root"
kind=${1:-run}
case $kind in
run) lock=requirements.lock ;;
dev) lock=requirements-dev.lock ;;
*)
    echo "usage: scripts/bootstrap.sh [run|dev]" >&2
    exit 2
    ;;
esac

# What a finished install leaves in .venv/.installed-KIND: layout of the .venv, place of the checkout, sum of the lock.
stamp() { printf 'layout 1\n%s\n%s\n' "$root" "$(cksum <"$1")"; }

ready() {
    [ -x .venv/bin/python ] && [ -x .venv/bin/deskhand ] && [ ! -e .venv/.installing ] &&
        [ -r ".venv/.installed-$kind" ] && [ "$(cat ".venv/.installed-$kind")" = "$(stamp "$lock")" ]
}

say() { printf 'deskhand: %s\n' "$*" >&2; }

# --- Python --------------------------------------------------------------------------------------------

# Is asked of each candidate: a name on the PATH may be a version manager's stub that fails when it is run.
probe='
import sys
version = "%d.%d" % sys.version_info[:2]
if sys.version_info < (3, 11):
    print("old " + version)
else:
    try:
        import ensurepip, venv
        print("good " + sys.executable)
    except ImportError:
        print("bare " + version)
'

# Sets python; or prints the command that mends it and ends.
find_python() {
    python='' bare='' old=''
    for name in python3.13 python3.12 python3.11 python3 python3.14; do
        answer=$("$name" -c "$probe" 2>/dev/null) || continue
        case $answer in
        good\ ?*)
            python=${answer#good }
            return
            ;;
        bare\ *) bare=${bare:-${answer#bare }} ;;
        old\ *) old=${old:-${answer#old }} ;;
        esac
    done
    if [ -n "$bare" ]; then
        say "Python $bare is here without its venv module. This mends it:"
    elif [ -n "$old" ]; then
        say "Python $old is too old, 3.11 or newer is needed. This mends it:"
    else
        say "python3 is missing, 3.11 or newer is needed. This mends it:"
    fi
    printf '\n    %s\n\n' "$(mend)" >&2
    exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

mend() {
    sudo=''
    [ "$(id -u)" = 0 ] || sudo='sudo '
    if [ "$(uname -s)" = Darwin ]; then
        echo 'brew install python@3.12'
    elif has apt-get; then
        mend_with_apt
    elif has dnf; then
        echo "${sudo}dnf install -y python3.12"
    elif has zypper; then
        echo "${sudo}zypper install -y python312"
    elif has pacman; then
        echo "${sudo}pacman -S --needed python"
    else
        echo "install Python 3.11 or newer, with its venv module, from your system's packages"
    fi
}

mend_with_apt() {
    if [ -n "$bare" ] && [ "$bare" != "$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" ]; then
        echo "${sudo}apt-get install -y python$bare-venv"
        return
    fi
    offered=$(apt-cache show python3-venv 2>/dev/null | sed -n 's/^Version: 3\.\([0-9]*\).*/\1/p' | head -n 1)
    if [ -z "$offered" ] && [ -z "$old" ]; then # a machine that never fetched its package lists
        if [ -d /var/lib/apt/lists ] && [ -z "$(ls /var/lib/apt/lists | grep Packages)" ]; then
            echo "${sudo}apt-get update && ${sudo}apt-get install -y python3-venv"
            return
        fi
    fi
    if [ -n "$bare" ] || [ "${offered:-11}" -ge 11 ]; then
        echo "${sudo}apt-get install -y python3-venv"
        return
    fi
    for version in 3.13 3.12 3.11; do # an old release that also offers a newer Python
        if apt-cache show "python$version-venv" >/dev/null 2>&1; then
            echo "${sudo}apt-get install -y python$version-venv"
            return
        fi
    done
    echo "install Python 3.11 or newer, with its venv module: this release's own packages stop at 3.$offered"
}

# --- The install ---------------------------------------------------------------------------------------

# One at a time. The lock belongs to descriptor 9, which pip inherits: it is free when the last of us has ended.
take_turn() {
    mkdir -p .cache
    exec 9>.cache/bootstrap.lock
    "$python" -c '
import fcntl, sys
try:
    fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    sys.stderr.write("deskhand: another make is installing, waiting for it\n")
    fcntl.flock(9, fcntl.LOCK_EX)
except OSError:
    pass  # a file system without locks
'
}

usable() {
    [ -d .venv ] && [ ! -e .venv/.installing ] || return 1
    for one in .venv/.installed-*; do # a checkout that was moved: the commands in .venv/bin name the old place
        [ ! -e "$one" ] || [ "$(sed -n 2p "$one")" = "$root" ] || return 1
    done
    .venv/bin/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

# Kept until the install is whole: who finds it starts anew.
begin() {
    if ! usable; then
        rm -rf .venv
        mkdir .venv
        : >.venv/.installing
        "$python" -m venv .venv
    fi
    : >.venv/.installing
    rm -f .venv/.installed-*
}

install() {
    say "installing $lock into .venv"
    # Wheels only: building from source would run code that no hash covers.
    if ! .venv/bin/python -m pip install -qq --disable-pip-version-check --no-input \
        --require-hashes --only-binary :all: -r "$lock"; then
        say "pip could not install $lock; its words are above. Run the same command again when that is mended."
        say "Wheels exist for Linux (glibc 2.28 or newer; x86_64, aarch64) and macOS (Apple silicon)."
        exit 1
    fi
}

# .venv/bin/deskhand works from any folder and sees this checkout.
write_command() {
    .venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' >.venv/.site
    printf '%s\n' "$root" >"$(cat .venv/.site)/deskhand.pth"
    quoted=$(printf '%s' "$root" | sed "s/'/'\\\\''/g")
    printf '#!/bin/sh\nexec '\''%s/.venv/bin/python'\'' -P -m bot "$@"\n' "$quoted" >.venv/bin/deskhand
    chmod 755 .venv/bin/deskhand
}

finish() {
    stamp requirements.lock >.venv/.installed-run
    [ "$kind" = run ] || stamp "$lock" >".venv/.installed-$kind" # the dev lock holds all of the other
    rm -f .venv/.installing
}

ready && exit 0
find_python
take_turn
ready && exit 0
begin
install
write_command
finish
