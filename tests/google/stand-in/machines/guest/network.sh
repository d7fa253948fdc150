#!/bin/bash
# What Google's network does around a machine, done in the machine: the metadata server's name and address, the external
# address, and the routes of the VPC.
# Inputs: /var/lib/google-stand-in/network, lines `address A` and `route SUBNET GATEWAY`. What is not there goes.
set -euo pipefail
wanted=/var/lib/google-stand-in/network

grep -q metadata.google.internal /etc/hosts ||
  echo "169.254.169.254 metadata.google.internal # Added by Google" >> /etc/hosts
ip address replace 169.254.169.254/32 dev lo
while read -r kind what gateway; do
  case $kind in
    address) ip address replace "$what/32" dev eth0 ;;
    route) ip route replace "$what" via "$gateway" proto 66 ;;
  esac
done < "$wanted"
ip -4 -o address show dev eth0 | awk '$4 ~ /\/32$/ { sub("/32", "", $4); print $4 }' | while read -r address; do
  grep -qx "address $address" "$wanted" || ip address del "$address/32" dev eth0
done
ip route show proto 66 | cut -d' ' -f1 | while read -r subnet; do
  grep -q "^route $subnet " "$wanted" || ip route del "$subnet" proto 66
done
