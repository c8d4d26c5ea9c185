#!/bin/sh
# Boots a machine of its own: Debian's kernel, busybox as init, and going, in qemu.
#
#     qemu.sh fetch BUILD                  what it boots, cached in BUILD
#     qemu.sh boot BUILD OUT GOING <SCRIPT
#
# SCRIPT is run by the guest's /bin/sh once it is up; what it says is in OUT/serial, with all the
# console. OUT/events has qemu's own words, QMP: WATCHDOG if the hardware has restarted the machine,
# and SHUTDOWN with its reason in any case. The guest is stopped after LIMIT seconds (150). INIT is
# what its inittab says (going, respawned, with a watchdog), MODULE what is loaded (i6300esb, and
# 4 seconds of patience), FILES a directory of more files for it.
set -eu

case $1 in
  fetch)
    build=$2
    [ ! -e "$build/vmlinux" ] || exit 0
    mkdir -p "$build"
    build=$(realpath "$build")
    cd "$build"
    # The package of that name only depends on the one that has the kernel.
    kernel=$(apt-cache depends linux-image-amd64 | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p')
    apt-get -o APT::Sandbox::User=root download -qq "$kernel"
    rm -rf linux
    dpkg -x "$kernel"_*.deb linux
    rm "$kernel"_*.deb
    rm -rf modules
    mkdir modules
    for module in watchdog i6300esb softdog; do
      cp linux/lib/modules/*/kernel/drivers/watchdog/$module.ko modules
    done
    # Unpacked (an xz inside of vmlinuz), the kernel boots twice as fast: qemu knows its PVH entry.
    at=$(LC_ALL=C grep -abom 1 "$(printf '\3757zXZ')" linux/boot/vmlinuz-* | cut -d : -f 1)
    tail -c "+$((at + 1))" linux/boot/vmlinuz-* | xz -dc --single-stream >vmlinux.new 2>/dev/null || :
    [ "$(head -c 4 vmlinux.new | tail -c 3)" = ELF ]
    rm -rf linux
    mv vmlinux.new vmlinux
    exit
    ;;
  boot) ;;
  *) exit 64 ;;
esac

build=$2 out=$3 going=$4
: "${MODULE=i6300esb heartbeat=4}" "${LIMIT:=150}"
: "${INIT:=::respawn:/sbin/going -w /dev/watchdog}"

root=$out/root
for dir in bin sbin dev proc sys run tmp etc/going.d; do mkdir -p "$root/$dir"; done
cp "$(command -v busybox)" "$root/bin/busybox"
ln -s busybox "$root/bin/sh"
ln -s bin/busybox "$root/init"
cp "$going" "$root/sbin/going"
cp "$build"/modules/* "$root/etc"
[ -z "${FILES:-}" ] || cp -a "$FILES/." "$root"
cat >"$root/etc/script"
cat >"$root/etc/boot" <<END
#!/bin/sh
/bin/busybox --install -s /bin
mount -t devtmpfs none /dev
mount -t proc none /proc
mount -t sysfs none /sys
mount -t tmpfs none /run
insmod /etc/watchdog.ko
${MODULE:+insmod /etc/${MODULE%% *}.ko ${MODULE#* }}
cut -d ' ' -f 1 /proc/uptime >/tmp/booted
END
# What a script may say: `expect NAME COMMAND` says `ok NAME` or `NOT NAME`; `soon 'CONDITION'`
# waits for it, 20 seconds at most if it does not say how many. `now` is in hundredths of a second.
cat >"$root/etc/words" <<'END'
now() { read -r t _ </proc/uptime && echo "${t%.*}${t#*.}"; }
state() { sed -n "s/^\(.* \)\{0,1\}$2=\([^ ]*\).*/\2/p" "/run/going/$1" 2>/dev/null; }
soon() {
  end=$(($(now) + ${2:-20} * 100))
  until eval "$1" >/dev/null; do [ "$(now)" -lt $end ] && sleep 0.05 || return 1; done
}
expect() {
  what=$1 && shift
  if "$@"; then echo "ok $what"; else echo "NOT $what"; fi >/dev/console
}
service() { # NAME LINE...
  name=$1 && shift
  printf '%s\n' "$@" >"/etc/going.d/.$name" && mv "/etc/going.d/.$name" "/etc/going.d/$name"
}
going() { pidof going; }
END
cat >"$root/etc/inittab" <<END
::sysinit:/etc/boot
$INIT
::once:/bin/sh -c '. /etc/words && . /etc/script >/dev/console 2>&1'
END
chmod 755 "$root/etc/boot"
(cd "$root" && find . | cpio --quiet -o -H newc) >"$out/initramfs"
rm -rf "$root"

# A monitor on a FIFO that is open for both is never at its end.
mkfifo "$out/monitor"
exec 0<>"$out/monitor"
echo '{"execute": "qmp_capabilities"}' >&0
exec timeout --foreground -k 5 "$LIMIT" qemu-system-x86_64 \
  -accel tcg -m 128 -nodefaults -display none -no-reboot \
  -kernel "$build/vmlinux" -initrd "$out/initramfs" \
  -append 'console=ttyS0 quiet panic=-1 tsc=unstable mitigations=off' \
  -serial "file:$out/serial" -qmp stdio -device i6300esb -action watchdog=poweroff >"$out/events"
