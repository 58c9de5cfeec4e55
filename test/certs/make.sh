#!/bin/sh
# Makes these certificates anew, with openssl 3; they are valid until 2124, but for expired.pem.
# NAME.pem is a certificate and its key, ca.pem and stranger-ca.pem authorities' certificates alone.
set -e
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

# NAME AUTHORITY EXTENSION END
sign() {
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/$1.key"
  openssl req -new -key "$work/$1.key" -subj "/CN=wirestack test $1" -out "$work/$1.csr"
  : > "$work/index"
  cat > "$work/conf" <<END
[ca]
database = $work/index
new_certs_dir = $work
rand_serial = yes
unique_subject = no
default_md = sha256
policy = any
x509_extensions = extensions
[any]
commonName = supplied
[extensions]
$3
END
  how="-cert $2.pem"
  [ "$1" = "$2" ] && how=-selfsign
  openssl ca -batch -notext -config "$work/conf" -name ca $how -keyfile "$work/$2.key" \
    -startdate 20240101000000Z -enddate "$4" -in "$work/$1.csr" -out "$1.pem"
}

authority() {
  sign "$1" "$1" "basicConstraints = critical, CA:TRUE" 21240101000000Z
}

# NAME AUTHORITY NAMES END
leaf() {
  sign "$1" "$2" "subjectAltName = $3" "$4"
  cat "$work/$1.key" >> "$1.pem"
}

authority ca
authority stranger-ca
leaf localhost ca DNS:localhost,IP:127.0.0.1 21240101000000Z
leaf client ca DNS:client 21240101000000Z
leaf elsewhere ca DNS:elsewhere.example 21240101000000Z
leaf stranger stranger-ca DNS:localhost,IP:127.0.0.1 21240101000000Z
leaf expired ca DNS:localhost,IP:127.0.0.1 20250101000000Z
