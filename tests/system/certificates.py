# SPDX-License-Identifier: Apache-2.0
"""The private CA of a test run and the certificates that backends show: good ones, and each kind of bad one."""

import os
import subprocess

HOST = "dl.files.example"

CONFIG = """
[ca]
default_ca = own
[own]
dir = {directory}
database = {directory}/index.txt
serial = {directory}/serial
new_certs_dir = {directory}/issued
private_key = {directory}/ca.key
certificate = {directory}/ca.pem
default_md = sha256
policy = policy
unique_subject = no
x509_extensions = leaf
[policy]
commonName = supplied
[leaf]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:{host}
"""

# name: (host in the certificate, valid from, valid until); the times are far apart from any test machine's clock
LEAVES = {
    "good": (HOST, "20240101000000Z", "20491231000000Z"),
    "wrong-name": ("www.elsewhere.example", "20240101000000Z", "20491231000000Z"),
    "expired": (HOST, "20240101000000Z", "20240301000000Z"),
    "not-yet": (HOST, "20480101000000Z", "20491231000000Z"),
}


def _openssl(directory, *arguments):
    done = subprocess.run(
        ["openssl", *arguments], cwd=directory, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {' '.join(arguments)}:\n{done.stderr}")


def _new_key():
    return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


def _self_signed(directory, name, subject, *extra):
    _openssl(directory, "req", "-x509", *_new_key(), "-keyout", f"{name}.key", "-out", f"{name}.pem",
             "-days", "3650", "-subj", f"/CN={subject}", *extra)


def _leaf(directory, name):
    host, first, last = LEAVES[name]
    config = os.path.join(directory, f"{name}.cnf")
    with open(config, "w", encoding="utf-8") as file:
        file.write(CONFIG.format(directory=directory, host=host))
    _openssl(directory, "req", "-new", *_new_key(), "-keyout", f"{name}.key", "-out", f"{name}.csr",
             "-subj", f"/CN={host}")
    _openssl(directory, "ca", "-batch", "-notext", "-config", config, "-in", f"{name}.csr",
             "-out", f"{name}.pem", "-startdate", first, "-enddate", last)


def make(directory):
    """NAME.pem and NAME.key for `ca`, each leaf, and `self-signed`; what is there already stays."""
    finished = os.path.join(directory, "finished")
    if os.path.exists(finished):
        return
    os.makedirs(os.path.join(directory, "issued"), exist_ok=True)
    open(os.path.join(directory, "index.txt"), "w", encoding="utf-8").close()
    with open(os.path.join(directory, "serial"), "w", encoding="utf-8") as file:
        file.write("1000\n")
    _self_signed(directory, "ca", "steerd test CA", "-addext", "basicConstraints=critical,CA:TRUE",
                 "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    _self_signed(directory, "self-signed", HOST, "-addext", f"subjectAltName=DNS:{HOST}")
    for name in LEAVES:
        _leaf(directory, name)
    open(finished, "w", encoding="utf-8").close()
