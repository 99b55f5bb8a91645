#!/bin/sh
# Makes what docker-compose.yml expects in deploy/secrets, and keeps what is already there:
#
#   sudo sh deploy/init.sh [HOST]     HOST is the shop's name; `localhost` when left out
#
# The certificate is self-signed, for trying things out. For production, put the chain (leaf first)
# and its key in place of tls-certificate.pem and tls-private-key.pem, and run this again for their
# owner and mode.
#
# Root is needed once: the containers run as uid 10001, Compose hands the files over as they are,
# and both programs refuse a secret that anybody but its owner may read.
set -eu

owner=10001:10001
host=${1:-localhost}
case $host in
  *[!A-Za-z0-9.-]* | '') echo "init.sh: \`$host\` is not a host name" >&2; exit 1 ;;
esac

umask 077
cd "$(dirname "$0")"
mkdir -p secrets/keys
chmod 0711 secrets
cd secrets

# Makes a file from a command's output, whole or not at all.
make() {
  file=$1
  shift
  if [ -e "$file" ]; then
    echo "kept deploy/secrets/$file"
    return
  fi
  "$@" > "$file.draft"
  mv "$file.draft" "$file"
  echo "made deploy/secrets/$file"
}

new_key() {
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256
}

self_signed() {
  openssl req -x509 -new -key tls-private-key.pem -sha256 -days 397 -subj "/CN=$host" \
    -addext "subjectAltName=DNS:$host" -addext "basicConstraints=critical,CA:FALSE" \
    -addext "keyUsage=critical,digitalSignature" -addext "extendedKeyUsage=serverAuth"
}

make assertion-secret openssl rand -hex 32    # edge and core: signs what the edge vouches for
make password-pepper openssl rand -hex 32     # core: lost, no password fits any more
make data-key openssl rand -hex 32            # core: lost, nothing of anybody can be read any more
make index-key openssl rand -hex 32           # core: lost, no name and no address is found any more
make image-link-keys openssl rand -hex 32     # core: signs links to images, for an hour
make keys/signing-key.pem new_key             # core: signs access tokens
make keys/audit-key.pem openssl genpkey -algorithm ed25519  # core: signs the trail's checkpoints
if [ -e tls-certificate.pem ] && [ ! -e tls-private-key.pem ]; then
  echo "init.sh: tls-certificate.pem is there without its tls-private-key.pem" >&2
  exit 1
fi
make tls-private-key.pem new_key              # edge
make tls-certificate.pem self_signed          # edge

chmod 0400 assertion-secret password-pepper data-key index-key image-link-keys tls-private-key.pem
chmod 0444 tls-certificate.pem
# The core adds keys here: `stockade rotate`.
chmod -R u=rwX,go= keys
if [ "$(id -u)" = 0 ]; then
  chown -R "$owner" assertion-secret password-pepper data-key index-key image-link-keys keys \
    tls-private-key.pem tls-certificate.pem
else
  echo "now run: sudo chown -R $owner deploy/secrets/*" >&2
fi
