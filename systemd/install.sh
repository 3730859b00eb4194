#!/usr/bin/env bash
# Install, upgrade or remove facelatch on Debian 12 or 13 and on Raspberry Pi OS. `install.sh --help` says how.
#
# Each version has a folder of its own, /opt/facelatch-VERSION-ID, with its environment and its units; /opt/facelatch is a
# link to the one in use. Until the services are stopped nothing of the version in use is touched. From then on every way
# out of this script that is no success puts it back, the store included.
set -euo pipefail
umask 022

usage() {
    cat <<'USAGE'
Usage: sudo ./systemd/install.sh [OPTIONS]

Install facelatch from this checkout or unpacked release, or bring it up to date. A second run changes nothing.

  --wheels FOLDER  Offline: take every package from FOLDER, and ask no index.
  --wheel FILE     Install this facelatch-*.whl instead of building one.
  --wait SECONDS   How long a new version may take until it serves the door; then the old one is put back.  [default: 120]
  --dry-run        Say what would be done, and change nothing.
  --roll-back      After an upgrade that was cut off: put back the version and the store from before it.
  --uninstall      Remove services and programs. People, log and configuration stay ...
  --purge          ... unless this is given with it: everything goes, the keys too.
  -h, --help       Show this.
USAGE
}

here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
source_folder=$(dirname "$here")
lock=$source_folder/requirements-product.lock

python=/usr/bin/python3 # and no other on PATH: the packages of apt are for this one
link=/opt/facelatch
command=/usr/local/bin/facelatch
config=/etc/facelatch/facelatch.toml
copy=/var/lib/facelatch-upgrade # the store as it was before the upgrade that is going on
door=facelatch-door.service
eyes=facelatch-eyes.service
gadget=facelatch-gadget.service
cables='facelatch-link@*.service'
keypad=/etc/systemd/system/$door.d/10-keypad.conf
declare -A targets=(
    [$door]=/etc/systemd/system/$door
    [$eyes]=/etc/systemd/system/$eyes
    [$gadget]=/etc/systemd/system/$gadget
    [facelatch-link@.service]=/etc/systemd/system/facelatch-link@.service
    [facelatch-stick@.service]=/etc/systemd/system/facelatch-stick@.service
    [gadget.sh]=/usr/local/lib/facelatch/gadget.sh
    [facelatch.sysusers]=/etc/sysusers.d/facelatch.conf
    [facelatch.tmpfiles]=/etc/tmpfiles.d/facelatch.conf
    [facelatch.rules]=/etc/udev/rules.d/90-facelatch.rules
)
sources=("${!targets[@]}")
sources=("${sources[@]/#/$here/}")

action=install wheels='' wheel='' wait_s=120 dry='' purge=''
machine='' version='' venv='' previous=''
changed='' # something was, or would be
work=''    # a scratch folder
partial='' # a version's folder that is not complete yet
undo=''    # the services are stopped: whatever ends this script now ends in a roll-back

say() { printf '%s\n' "$*"; }
note() { printf '    %s\n' "$*"; }
fail() {
    printf 'install.sh: %s\n' "$*" >&2
    exit 1
}
wrong() {
    printf 'install.sh: %s See --help.\n' "$*" >&2
    exit 2
}
doing() { # TEXT: say what is done; false when it is only said
    changed=yes
    if [[ $dry ]]; then say "- would $*"; else say "- $*"; fi
    [[ ! $dry ]]
}

parse() {
    while (($#)); do
        case $1 in
        --wheels | --wheel | --wait)
            (($# > 1)) || wrong "$1 needs a value."
            case $1 in
            --wheels) wheels=$2 ;;
            --wheel) wheel=$2 ;;
            --wait) wait_s=$2 ;;
            esac
            shift
            ;;
        --dry-run) dry=yes ;;
        --roll-back) action=roll_back_an_interrupted_upgrade ;;
        --uninstall) action=uninstall ;;
        --purge) purge=yes ;;
        -h | --help)
            usage
            exit 0
            ;;
        *) wrong "There is no option $1." ;;
        esac
        shift
    done
    [[ $wait_s =~ ^[1-9][0-9]{0,3}$ ]] || wrong "--wait takes whole seconds, 1 to 9999."
    [[ ! $purge || $action == uninstall ]] || wrong "--purge goes with --uninstall only."
    if [[ $wheels ]]; then
        [[ -d $wheels ]] || wrong "There is no folder $wheels."
        wheels=$(realpath "$wheels")
    fi
    if [[ $wheel ]]; then
        [[ -f $wheel && $wheel == *.whl ]] || wrong "There is no wheel $wheel."
        wheel=$(realpath "$wheel")
    fi
}

# --- what there is

is_pi() { grep -qs '^Raspberry Pi' /proc/device-tree/model; }
is_active() { [[ $(systemctl show -p ActiveState --value "$door") == active ]]; }
in_use() { if [[ -L $link ]]; then readlink -f "$link"; fi; }

check_system() {
    local id release name
    # shellcheck disable=SC1090  # the system's own, or a test's
    read -r id release name < <(. "${FACELATCH_OS_RELEASE:-/etc/os-release}" && echo "${ID:-none}" "${VERSION_ID:-none}" "${PRETTY_NAME:-unknown}")
    case $id:$release in
    debian:12 | debian:13 | raspbian:12 | raspbian:13) ;;
    *) fail "This is $name. facelatch runs on Debian 12 and 13 and on Raspberry Pi OS made of them." ;;
    esac
    machine=$(dpkg --print-architecture)
    case $machine:$release:$(uname -m) in
    amd64:* | arm64:*) ;;
    armhf:12:armv7l) ;;
    armhf:12:*) fail "This is a 32-bit system on a 64-bit kernel, for which pip finds no wheels. Take the 64-bit system." ;;
    armhf:*) fail "No TFLite runtime has a wheel for a 32-bit Debian 13. Take the 64-bit system, or Debian 12." ;;
    *) fail "There are no wheels for $machine. facelatch runs on amd64, arm64 and (Debian 12) armhf." ;;
    esac
    [[ $dry || -d /run/systemd/system ]] || fail "systemd does not run here. Run this on the booted machine."
    say "$name, $machine$(if is_pi; then echo ", $(tr -d '\0' </proc/device-tree/model)"; fi)"
}

choose_source() {
    local found
    if [[ ! $wheel && $wheels ]]; then
        mapfile -t found < <(compgen -G "$wheels/facelatch-*.whl")
        ((${#found[@]} < 2)) || fail "$wheels holds ${#found[@]} wheels of facelatch. Name one with --wheel."
        wheel=${found[0]:-}
    fi
    if [[ $wheel ]]; then
        version=$(sed -nE 's/^facelatch-([^-]+)-.*/\1/p' <<<"${wheel##*/}")
    else
        version=$(sed -nE 's/^version = "(.*)"/\1/p' "$source_folder/pyproject.toml" 2>/dev/null) || true
    fi
    [[ $version ]] || fail "Neither a checkout of facelatch nor a facelatch-*.whl is here. Name one with --wheel."
    venv=$link-$version-$(identity)
    previous=$(in_use)
    say "facelatch $version, from ${wheel:-$source_folder}"
    if [[ -e $link && ! -L $link ]]; then fail "$link is no link. Move it away: that is where the version in use is linked."; fi
    if [[ -e $command && $(readlink "$command") != "$link/bin/facelatch" ]]; then
        fail "$command is another program's. Move it away."
    fi
}

identity() { # of all that decides what the version's folder holds
    local product=(edge models_tflite pyproject.toml README.md LICENSE NOTICE)
    {
        "$python" -V 2>/dev/null || true
        cat "${sources[@]}" "$lock"
        if [[ $wheel ]]; then
            sha256sum <"$wheel"
        else
            cd "$source_folder"
            find "${product[@]}" -type f ! -path '*/__pycache__/*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
        fi
    } | sha256sum | cut -c1-8
}

setting() { # NAME: a setting in force, by the version in $venv
    "$venv/bin/facelatch" config show --json |
        "$venv/bin/python" -c 'import json, sys; s, k = sys.argv[1].split("."); print(json.load(sys.stdin)[s][k])' "$1"
}

# --- steps that touch nothing in use

packages_of_apt() {
    local package wanted=(python3-venv python3-lgpio) missing=() had=()
    if is_pi; then wanted+=(python3-picamera2); fi
    for package in "${wanted[@]}"; do
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
    done
    if ((!${#missing[@]})); then return; fi
    if [[ ! $wheels && ! $dry && ! -e $venv/complete ]]; then apt-get update -q=2 || note "apt could not be brought up to date"; fi
    for package in "${missing[@]}"; do
        # Debian itself has no lgpio and no picamera2: on another board than a Raspberry Pi both can be missing.
        if [[ $(apt-cache policy "$package") == *"Candidate: "[0-9]* ]]; then
            had+=("$package")
        elif [[ $package == python3-venv ]]; then
            fail "apt has no python3-venv. Check its sources and the network, then run this again."
        elif [[ ! -e $venv/complete ]]; then
            note "apt has no $package here"
        fi
    done
    if ((${#had[@]})) && doing "install by apt: ${had[*]}"; then
        DEBIAN_FRONTEND=noninteractive apt-get install -q=2 -y --no-install-recommends "${had[@]}" >"$work/apt" 2>&1 || {
            tail -n 5 "$work/apt" >&2
            fail "apt could not install ${had[*]}. Check the network, or copy the packages over and run this again."
        }
    fi
}

pip() {
    # Settings that would put packages elsewhere; the index, certificates and piwheels of pip's configuration are kept.
    env -u PIP_USER -u PIP_TARGET -u PIP_PREFIX -u PIP_ROOT -u PIP_PYTHON PIP_NO_INPUT=1 \
        "$venv/bin/python" -m pip -qq --disable-pip-version-check --no-cache-dir "$@"
}

packages_locked() { # every one with its digest, and the wheel built with nothing else
    pip install --only-binary :all: --require-hashes -r "$lock" || return
    if [[ ! $wheel ]]; then
        pip wheel --no-index --no-deps --no-build-isolation --wheel-dir "$work" "$source_folder" || return
        wheel=$(compgen -G "$work/facelatch-*.whl")
    fi
    pip install --no-index --no-deps "$wheel"
}

packages_as_they_are() { # the folder is the owner's; 32-bit wheels come from piwheels, whose digests no lock file has
    local name index=() wanted=("${wheel:-$source_folder}")
    if [[ $wheels ]]; then index=(--no-index --find-links "$wheels"); fi
    for name in gpiod lgpio; do
        if compgen -G "$wheels/$name-*.whl" >/dev/null; then wanted+=("$name"); fi
    done
    pip install "${index[@]}" --prefer-binary "${wanted[@]}"
}

environment() {
    if [[ -e $venv/complete ]] || ! doing "make $venv (some minutes on a Pi)"; then return; fi
    local how=packages_locked
    if [[ $wheels || $machine == armhf ]]; then how=packages_as_they_are; fi
    partial=$venv
    rm -rf "$venv"
    "$python" -m venv --system-site-packages "$venv"
    "$how" ||
        fail "The packages could not be installed (pip's message is above). Nothing was changed; check the network or the folder."
    "$venv/bin/python" -c 'import cryptography, cv2, edge.app, edge.models.interpreter as i, numpy; i.load_runtime()' ||
        fail "The packages do not load (the message is above). Nothing was changed."
    "$venv/bin/python" -c 'import lgpio' 2>/dev/null ||
        note 'there is no lgpio for this system: set bolt.driver = "gpiod", bolt.chip and bolt.external_pull'
    install -m 644 -D -t "$venv/systemd" "${sources[@]}"
    : >"$venv/complete"
    partial=
}

may_follow() { # refuse a version that cannot use what is here, before anything is stopped
    if [[ $dry || ! -e $config ]]; then return; fi
    "$venv/bin/facelatch" config check >"$work/check" 2>&1 || {
        cat "$work/check" >&2
        fail "facelatch $version does not accept $config. Nothing was changed."
    }
    local store as=()
    store=$(setting paths.state)/facelatch.db
    if getent passwd facelatch-door >/dev/null; then as=(runuser -u facelatch-door --); fi
    if [[ -e $store ]]; then
        "${as[@]}" "$venv/bin/python" - "$store" <<'PYTHON' || fail "Nothing was changed."
import sys
from pathlib import Path

from edge.errors import FacelatchError
from edge.store.checking import check_tables

try:
    check_tables(Path(sys.argv[1]))
except FacelatchError as error:
    sys.exit(f"install.sh: {error}")
PYTHON
    fi
}

# --- the switch, and the way back

keep_a_copy() { # of a store that nobody writes to
    local state
    state=$(setting paths.state)
    rm -rf "$copy.new"
    install -d -m 700 "$copy.new"
    echo "$previous" >"$copy.new/previous"
    echo "$state" >"$copy.new/state"
    if compgen -G "$state/facelatch.db*" >/dev/null; then cp -a "$state"/facelatch.db* "$copy.new/"; fi
    sync
    mv -T "$copy.new" "$copy"
}

put_the_copy_back() {
    local state file name
    state=$(<"$copy/state")
    if [[ ! -e $copy/facelatch.db ]]; then return; fi
    # A power cut on the way leaves no store but its keys, which every version refuses: never a mixture, never a new one.
    rm -f "$state/facelatch.db" "$state/facelatch.db-wal" "$state/facelatch.db-shm"
    for file in "$copy"/facelatch.db?*; do
        cp -a "$file" "$state/put-back"
        mv -T "$state/put-back" "$state/${file##*/}"
    done
    for file in "$state"/facelatch.db?*; do
        name=${file##*/}
        [[ -e $copy/$name ]] || rm -f "$file"
    done
    cp -a "$copy/facelatch.db" "$state/put-back"
    sync
    mv -T "$state/put-back" "$state/facelatch.db"
    sync
}

use() { # FOLDER: its units and its programs are the system's; nothing is started
    local name
    # Each is complete on the disk before it takes the place of the one in use: a power cut seconds after a plain copy
    # leaves an empty unit, and a lock that does not start.
    for name in "${!targets[@]}"; do
        if [[ -e $1/systemd/$name ]]; then install -m 644 -D "$1/systemd/$name" "${targets[$name]}.new"; fi
    done
    sync
    for name in "${!targets[@]}"; do
        if [[ -e $1/systemd/$name ]]; then
            mv -T "${targets[$name]}.new" "${targets[$name]}"
        else
            rm -f "${targets[$name]}" # a version from before this file
        fi
    done
    SYSTEMD_LOG_LEVEL=warning systemd-sysusers /etc/sysusers.d/facelatch.conf
    if [[ -S /run/udev/control ]]; then
        udevadm control --reload
        udevadm trigger --settle --subsystem-match=gpio --subsystem-match=dma_heap --subsystem-match=tty || true # a machine may have none
    fi
    systemd-tmpfiles --create /etc/tmpfiles.d/facelatch.conf
    ln -sfn "$1" "$link.new"
    mv -T "$link.new" "$link"
    sync
    systemctl daemon-reload
}

as_it_was_put() { # whether the system's files are still those of the version in $venv
    local name
    for name in "${!targets[@]}"; do
        cmp -s "$venv/systemd/$name" "${targets[$name]}" || return 1
    done
}

adopt_the_store() { # one that somebody else made, as `sudo facelatch run` on a bench
    local state
    if [[ $dry ]]; then return; fi
    state=$(setting paths.state 2>/dev/null) || return 0
    if [[ -d $state && $(find "$state" ! -user facelatch-door -print -quit) ]] && doing "give $state to facelatch-door"; then
        chown -R facelatch-door:facelatch-door "$state"
    fi
}

stop() { systemctl stop "$cables" "$eyes" "$door"; }

start() { # and wait until the guardian serves, and still does after its watchdog had time to bite
    local end=$((SECONDS + wait_s)) pid tty
    systemctl reset-failed "$door" "$eyes" 2>/dev/null || true
    systemctl start --no-block "$door" "$eyes" "$gadget"
    # The cables that are plugged in: their ports' own events have passed.
    for tty in /dev/ttyGS[0-9]* /dev/ttyUSB[0-9]*; do
        if [[ -c $tty ]]; then systemctl start --no-block "facelatch-link@${tty##*/}.service" 2>/dev/null || true; fi
    done
    # Five starts in vain: it will not come.
    while ((SECONDS < end && $(systemctl show -p NRestarts --value "$door") < 5)); do
        pid=$(systemctl show -p MainPID --value "$door")
        if is_active; then
            sleep 3
            if is_active && [[ $(systemctl show -p MainPID --value "$door") == "$pid" ]]; then return 0; fi
        fi
        sleep 0.5
    done
    return 1
}

words_of_the_guardian() { journalctl -u "$door" -b -n 15 -o cat --no-pager 2>/dev/null | sed 's/^/    | /'; }

roll_back() {
    local before=$previous
    say "- put back $before, and the store from before"
    stop || true
    put_the_copy_back
    use "$before"
    rm -rf "$copy"
    logger -t facelatch-install "facelatch ${version:-of an upgrade that was cut off} did not come to serve the door: $before and the store from before are back" || true
    if start; then
        say "The version from before serves the door again."
    else
        words_of_the_guardian
        say "The version from before is back and does not serve either. Look: sudo facelatch doctor"
    fi
}

roll_back_an_interrupted_upgrade() {
    [[ -d $copy ]] || fail "No upgrade was cut off: there is no $copy."
    previous=$(<"$copy/previous")
    [[ -d $previous ]] || fail "$previous is gone. The store from before is in $copy."
    if doing "go back to $previous and the store of $(date -r "$copy/previous" '+%F %T'); what was stored since is lost"; then
        roll_back
    fi
}

settle_an_interrupted_upgrade() {
    if [[ $dry || ! -d $copy ]]; then return; fi
    if is_active; then
        say "- an upgrade was cut off, and ended well: remove its copy of the store"
        rm -rf "$copy"
        return
    fi
    say "install.sh: An upgrade was cut off, and the guardian does not serve. The store from before it is in $copy." >&2
    fail "Go back to it with --roll-back; or remove that folder to go on with the store as it is."
}

upgrade() {
    local state
    state=$(setting paths.state)
    if [[ -e $state/facelatch.db ]]; then
        say "- back up the store"
        runuser -u facelatch-door -- "$link/bin/facelatch" backup >"$work/backup" 2>&1 || {
            cat "$work/backup" >&2
            fail "The store could not be backed up. Nothing was changed."
        }
        note "$(<"$work/backup")"
    fi
    say "- stop the lock, keep a copy of the store"
    undo=services
    stop
    keep_a_copy
    say "- switch from $previous to $venv, start the lock"
    undo=everything
    use "$venv"
    configure
    if ! start; then
        words_of_the_guardian
        say "install.sh: facelatch $version did not serve the door within $wait_s s (its words are above)." >&2
        exit 1 # which rolls back
    fi
    undo=
    rm -rf "$copy"
    note "the guardian serves the door"
}

# --- what belongs to the system, not to a version

configure() {
    if [[ ! -e $config ]] && doing "write $config, every setting with its default"; then
        install -d -m 755 "${config%/*}"
        "$venv/bin/facelatch" config template >"$work/template"
        install -m 644 "$work/template" "$config"
    fi
    if [[ $(readlink "$command" 2>/dev/null) != "$link/bin/facelatch" ]] && doing "link the command $command"; then
        install -d -m 755 "${command%/*}"
        ln -sfn "$link/bin/facelatch" "$command"
    fi
    keypad_of_the_configuration
    if ! systemctl is-enabled --quiet "$door" "$eyes" "$gadget" 2>/dev/null; then
        if doing "enable $door, $eyes and $gadget"; then systemctl enable --quiet "$door" "$eyes" "$gadget"; fi
    fi
    if [[ $changed && ! $dry ]]; then sync; fi # the configuration outlives a power cut from here on
}

keypad_of_the_configuration() { # the guardian may read input devices only where the configuration names one
    local device
    if [[ ! -e $config || ! -x $venv/bin/facelatch ]]; then return; fi
    device=$(setting keypad.device 2>/dev/null) || return 0 # a configuration that is refused: doctor says so
    if [[ $device == /dev/* && ! -e $keypad ]]; then
        if doing "let the guardian read input devices: keypad.device is $device"; then
            install -d -m 755 "${keypad%/*}"
            printf '%s\n' "# keypad.device is set in $config; install.sh removes this when it is not." '[Service]' \
                'DeviceAllow=char-input r' 'SupplementaryGroups=input' >"$keypad"
            systemctl daemon-reload
        fi
    elif [[ $device != /dev/* && -e $keypad ]]; then
        if doing "let the guardian read no input devices any more"; then
            rm "$keypad"
            systemctl daemon-reload
        fi
    fi
}

operators() {
    local human=${SUDO_USER:-} number
    number=$(id -u "$human" 2>/dev/null) || number=0
    if [[ ! $human ]] || ((number < 1000 || number == 65534)); then
        if [[ $changed ]]; then note "operators are added with: sudo usermod -aG facelatch-admin NAME"; fi
    elif [[ " $(id -nG "$human") " != *" facelatch-admin "* ]]; then
        if doing "make $human an operator (group facelatch-admin; counts from the next login)"; then
            usermod -aG facelatch-admin "$human"
        fi
    fi
}

tidy() { # versions that are not in use
    local folder
    for folder in "$link"-*-????????; do
        if [[ -e $folder/pyvenv.cfg && $folder != "$venv" ]] && doing "remove $folder"; then rm -rf "$folder"; fi
    done
}

# --- the actions

install_or_upgrade() {
    local works=yes
    check_system
    choose_source
    settle_an_interrupted_upgrade
    packages_of_apt
    environment
    may_follow
    if [[ $previous && $previous != "$venv" ]]; then
        if [[ $dry ]]; then
            configure
            doing "back up the store, stop the lock, switch from $previous to $venv, start, and go back if it does not serve" || true
        else
            changed=yes
            upgrade
        fi
    else
        if [[ ! $previous ]]; then
            if doing "make the users facelatch-door, facelatch-eyes and facelatch-link, the group facelatch-admin, the units"; then use "$venv"; fi
        elif ! as_it_was_put; then
            if doing "put the units and the other files of the version back as they were"; then use "$venv"; fi
        fi
        configure
        adopt_the_store
        if [[ $dry || $changed ]] || ! is_active; then
            if doing "start the lock and wait until it serves the door"; then
                if systemctl is-active --quiet "$door"; then stop; fi
                start || works=
            fi
        fi
    fi
    operators
    if [[ ! $dry ]]; then tidy; fi
    if [[ $dry ]]; then
        say "Nothing was changed."
        return
    fi
    (cd "$work" && "$command" doctor) || true # lgpio leaves a file where it is used
    if [[ ! $works ]]; then
        words_of_the_guardian
        fail "facelatch is installed, and the guardian does not serve yet; it goes on trying. See above, then: sudo facelatch doctor"
    fi
    if [[ $changed ]]; then
        say "facelatch $version is installed ($SECONDS s). Then: sudo facelatch enroll NAME --camera, and sudo facelatch drill"
    else
        say "facelatch $version was installed already. Nothing was changed."
    fi
}

uninstall() {
    local folder name
    if systemctl cat "$door" >/dev/null 2>&1 && doing "stop the lock; the bolt is secured"; then
        systemctl stop "$cables" || true
        systemctl disable --quiet --now "$gadget" "$eyes" "$door" || true
    fi
    for name in "${!targets[@]}"; do
        if [[ -e ${targets[$name]} ]] && doing "remove ${targets[$name]}"; then rm -f "${targets[$name]}"; fi
    done
    if [[ -e $keypad ]] && doing "remove $keypad"; then
        rm -f "$keypad"
        rmdir --ignore-fail-on-non-empty "${keypad%/*}"
    fi
    for name in "$link" "$command"; do
        if [[ -L $name ]] && doing "remove $name"; then rm -f "$name"; fi
    done
    for folder in "$link"-*-????????; do
        if [[ -e $folder/pyvenv.cfg ]] && doing "remove $folder"; then rm -rf "$folder"; fi
    done
    if [[ -d /run/facelatch ]] && doing "remove /run/facelatch"; then rm -rf /run/facelatch; fi
    if [[ $changed && ! $dry ]]; then systemctl daemon-reload; fi
    if [[ $purge ]]; then
        for folder in /var/lib/facelatch /var/lib/facelatch-link "$copy" "${config%/*}"; do
            if [[ -e $folder ]] && doing "remove $folder"; then rm -rf "$folder"; fi
        done
        for name in facelatch-door facelatch-eyes facelatch-link; do
            if getent passwd "$name" >/dev/null && doing "remove the user $name"; then userdel "$name"; fi
        done
        if getent group facelatch-admin >/dev/null && doing "remove the group facelatch-admin"; then groupdel facelatch-admin; fi
    elif [[ $changed ]]; then
        note "kept: /var/lib/facelatch, ${config%/*}, and the users who own them (--purge removes them)"
    fi
    if [[ ! $changed || $dry ]]; then say "Nothing was changed."; fi
}

leave() {
    local code=$?
    trap - EXIT
    trap '' INT TERM HUP
    set +e
    case $undo in
    services)
        rm -rf "$copy.new"
        start
        ;;
    everything) roll_back ;;
    esac
    if [[ $partial ]]; then rm -rf "$partial"; fi
    if [[ $work ]]; then rm -rf "$work"; fi
    exit "$code"
}

main() {
    parse "$@"
    cd /
    if [[ $action == install ]]; then action=install_or_upgrade; fi
    if ((EUID != 0)) && [[ ! $dry ]]; then fail "Root does this: sudo $0 ${*@Q}"; fi
    if [[ ! $dry ]]; then
        trap leave EXIT
        trap 'exit 130' INT TERM HUP
        exec 9>/run/lock/facelatch-install
        flock -n 9 || fail "Another installation is going on."
        work=$(mktemp -d)
    fi
    "$action"
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then main "$@"; fi # the tests take single functions
