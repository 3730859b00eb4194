#!/bin/sh
# gadget.sh up|down: be a USB serial port for whoever the board's OTG port is plugged into (/dev/ttyGS0 here, a modem,
# /dev/ttyACM0, there). Kernel documentation: usb/gadget_configfs, usb/gadget-testing, section 1.
set -eu

configfs=/sys/kernel/config/usb_gadget
gadget=$configfs/facelatch

up() {
    # The second run, or a start after a kill.
    if [ -e "$gadget/UDC" ] && [ -n "$(cat "$gadget/UDC")" ]; then exit 0; fi
    [ -d "$configfs" ] || modprobe libcomposite
    udc=$(ls /sys/class/udc | head -n 1)
    if [ -z "$udc" ]; then
        echo "gadget.sh: This board has no USB port that can be a device, or it is not set to be one (dtoverlay=dwc2)." >&2
        exit 1
    fi
    mkdir -p "$gadget/strings/0x409" "$gadget/configs/c.1/strings/0x409" "$gadget/functions/acm.usb0"
    # The Linux Foundation's ids for a composite gadget; edge/cable/port.py looks for them and for the product's name.
    echo 0x1d6b >"$gadget/idVendor"
    echo 0x0104 >"$gadget/idProduct"
    echo 0x0200 >"$gadget/bcdUSB"
    # A device of several interfaces that belong together: that is how Windows finds its own driver.
    echo 0xef >"$gadget/bDeviceClass"
    echo 0x02 >"$gadget/bDeviceSubClass"
    echo 0x01 >"$gadget/bDeviceProtocol"
    echo facelatch >"$gadget/strings/0x409/manufacturer"
    echo "facelatch lock" >"$gadget/strings/0x409/product"
    # Tells two locks apart, and says nothing of the machine beyond that.
    { echo facelatch usb; cat /etc/machine-id; } | sha256sum | cut -c 1-16 >"$gadget/strings/0x409/serialnumber"
    echo serial >"$gadget/configs/c.1/strings/0x409/configuration"
    # Fed by its own supply, it draws next to nothing from the laptop (mA).
    echo 0xc0 >"$gadget/configs/c.1/bmAttributes"
    echo 2 >"$gadget/configs/c.1/MaxPower"
    [ -e "$gadget/configs/c.1/acm.usb0" ] || ln -s "$gadget/functions/acm.usb0" "$gadget/configs/c.1/"
    echo "$udc" >"$gadget/UDC"
}

down() {
    [ -d "$gadget" ] || exit 0
    echo "" >"$gadget/UDC" || true
    rm -f "$gadget/configs/c.1/acm.usb0"
    rmdir "$gadget/configs/c.1/strings/0x409" "$gadget/configs/c.1" "$gadget/functions/acm.usb0" \
        "$gadget/strings/0x409" "$gadget"
}

case ${1:-} in
up) up ;;
down) down ;;
*)
    echo "gadget.sh up|down" >&2
    exit 2
    ;;
esac
