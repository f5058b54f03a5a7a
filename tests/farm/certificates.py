"""Certificates made on the fly: an authority, and every way in which one can be wrong."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from tests.farm.behaviour import CertificateKind

Key = ec.EllipticCurvePrivateKey
_LONG = 365.0
_BEGAN = -40.0
"""Days from now on."""
_ANOTHER = "somewhere-else.example.net"


@dataclass(frozen=True)
class _Signer:
    certificate: x509.Certificate
    key: Key


class Forge:
    """Makes the certificates of one farm, in a folder of its own: contexts are read from files."""

    def __init__(self, folder: Path) -> None:
        """Make the authority."""
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._made: dict[tuple[str, CertificateKind, float, bool], ssl.SSLContext] = {}
        self._root = self._authority("Farm root", None, _LONG)
        self._middle = self._authority("Farm intermediate", self._root, _LONG)

    @property
    def ca(self) -> str:
        """The authority's certificate as PEM."""
        return _pem(self._root.certificate)

    def context(
        self, host: str, kind: CertificateKind = "good", days: float = 90, *, http2: bool = False
    ) -> ssl.SSLContext:
        """Return what a server of a host shows."""
        key = host, kind, days, http2
        if key not in self._made:
            self._made[key] = self._context(host, kind, days)
            if http2:
                self._made[key].set_alpn_protocols(["h2"])
        return self._made[key]

    def _context(self, host: str, kind: CertificateKind, days: float) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        path = self._folder / f"{len(self._made)}.pem"
        path.write_text(self._chain(host, kind, days) + self._key_text())
        context.load_cert_chain(path)
        return context

    def _chain(self, host: str, kind: CertificateKind, days: float) -> str:
        if kind == "short_chain":
            middle = self._authority("Farm ending", self._root, days)
            return _pem(self._leaf(host, middle, _LONG)) + _pem(middle.certificate)
        name = _ANOTHER if kind == "other_host" else host
        signer = {"self_signed": None, "lone_leaf": self._middle}.get(kind, self._root)
        begins = 1.0 if kind == "future" else _BEGAN
        return _pem(self._leaf(name, signer, -1 if kind == "expired" else days, begins=begins))

    def _leaf(
        self, host: str, signer: _Signer | None, days: float, *, begins: float = _BEGAN
    ) -> x509.Certificate:
        return self._sign(host, self._key, signer, days, begins=begins, is_authority=False)

    def _authority(self, name: str, signer: _Signer | None, days: float) -> _Signer:
        key = ec.generate_private_key(ec.SECP256R1())
        return _Signer(self._sign(name, key, signer, days, begins=_BEGAN, is_authority=True), key)

    def _sign(
        self,
        name: str,
        key: Key,
        signer: _Signer | None,
        days: float,
        *,
        begins: float,
        is_authority: bool,
    ) -> x509.Certificate:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
        by = signer.key if signer else key
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(signer.certificate.subject if signer else subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + timedelta(days=begins))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False
            )
        )
        if is_authority:
            builder = builder.add_extension(_FOR_SIGNING, critical=True)
        else:
            names = x509.SubjectAlternativeName([_general_name(name)])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(by, hashes.SHA256())

    def _key_text(self) -> str:
        form = PrivateFormat.PKCS8
        return self._key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


_FOR_SIGNING = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()
