"""A certificate authority of our own: OpenSSL's, with what X.509 asks for and no more."""

from __future__ import annotations

import ipaddress
import re
import secrets
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

from shared.errors import InklingError

# A home's devices are not visited every year.
CERTIFICATE_DAYS, AUTHORITY_DAYS = 3650, 7300


HOST_NAME = re.compile(
    r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*", re.IGNORECASE
)

# What X.509 asks of each (RFC 5280, section 4.2); a device's certificate must not pass as the broker's.
_AUTHORITY = """\
basicConstraints = critical, CA:true, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
"""
_CERTIFICATE = """\
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = {usage}
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""


class CredentialsError(InklingError, ValueError):
    """Credentials cannot be made as asked."""


class Authority:
    """A certificate authority, in a folder of its own.

    Parameters
    ----------
    folder : with ca.crt and ca.key
    """

    def __init__(self, folder: Path) -> None:
        self.certificate = folder / "ca.crt"
        self.key = folder / "ca.key"

    def create(self) -> None:
        """Make a new one; its folder must be there."""
        _make_key(self.key)
        self._sign(self.certificate, self.key, "Inkling's authority", _AUTHORITY, ["-signkey", str(self.key)])

    def issue(self, folder: Path, stem: str, name: str, usage: str, hosts: list[str] | None = None) -> None:
        """Make a key and a certificate, `folder`/`stem`.key and .crt.

        Parameters
        ----------
        name : the certificate's common name
        usage : "serverAuth" or "clientAuth"
        hosts : the host names and addresses that it is good for
        """
        extensions = _CERTIFICATE.format(usage=usage)
        if hosts:
            extensions += f"subjectAltName = {', '.join(map(describe_host, hosts))}\n"
        key = folder / f"{stem}.key"
        _make_key(key)
        signer = ["-CA", str(self.certificate), "-CAkey", str(self.key)]
        self._sign(folder / f"{stem}.crt", key, name, extensions, signer)

    def _sign(self, certificate: Path, key: Path, name: str, extensions: str, signer: list[str]) -> None:
        days = AUTHORITY_DAYS if certificate == self.certificate else CERTIFICATE_DAYS
        with tempfile.TemporaryDirectory(dir=certificate.parent) as scratch:
            request, configuration = Path(scratch) / "request", Path(scratch) / "configuration"
            # Not the machine's own openssl.cnf, which may add what we do not want.
            configuration.write_text(f"[req]\ndistinguished_name = name\n[name]\n[extensions]\n{extensions}")
            settings = ["-config", str(configuration), "-out", str(request)]
            run_program("openssl", "req", "-new", "-key", str(key), "-subj", f"/CN={name}", *settings)
            terms = ["-days", str(days), "-set_serial", f"0x{secrets.token_hex(16)}", "-sha256"]
            terms += ["-extfile", str(configuration), "-extensions", "extensions"]
            run_program(
                "openssl", "x509", "-req", "-in", str(request), *signer, *terms, "-out", str(certificate)
            )


def describe_host(host: str) -> str:
    """Say a host as X.509's subjectAltName does."""
    with suppress(ValueError):
        address = ipaddress.ip_address(host)
        if not getattr(address, "scope_id", None):  # else it is good on one machine only
            return f"IP:{address}"
    if not HOST_NAME.fullmatch(host):
        raise CredentialsError(
            f"{host!r} is no host name and no IP address: give what devices will connect to"
        )
    return f"DNS:{host}"


def find_host(certificate: Path) -> str:
    """Read the first host that a certificate is good for."""
    text = run_program("openssl", "x509", "-in", str(certificate), "-noout", "-ext", "subjectAltName")
    found = re.search(r"(?:DNS|IP Address):([^,\s]+)", text)
    return found[1] if found else "HOST"


def run_program(program: str, *arguments: str) -> str:
    """Run a program; returns what it printed.

    Raises
    ------
    CredentialsError : with its own words, if it failed
    """
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise CredentialsError(
            f"{program} {arguments[0]} failed: {done.stderr.strip() or done.stdout.strip()}"
        )
    return done.stdout


def _make_key(path: Path) -> None:
    run_program(
        "openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", str(path)
    )
