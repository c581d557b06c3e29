"""Certificates for tests: an authority of one's own, and servers' certificates by it, as files."""
import datetime, ipaddress, os, ssl
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

UTC = datetime.timezone.utc


def make_key(kind):
    return ec.generate_private_key(ec.SECP256R1()) if kind == "ec" else rsa.generate_private_key(65537, int(kind))


def name_of(text):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def sign(subject, key, issuer, issuer_key, begins, ends, authority, digest=None):
    certificate = (x509.CertificateBuilder().subject_name(name_of(subject)).issuer_name(name_of(issuer)).public_key(key.public_key())
                   .serial_number(x509.random_serial_number()).not_valid_before(begins).not_valid_after(ends)
                   .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
                   .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
                   .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False))
    if authority:
        uses = dict.fromkeys(("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only",
                              "decipher_only"), False)
        certificate = certificate.add_extension(x509.KeyUsage(digital_signature=True, key_cert_sign=True, crl_sign=True, **uses), critical=True)
    if not authority:
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        certificate = certificate.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return certificate.sign(issuer_key, digest or hashes.SHA256())


def pem(key, phrase=None):
    sealed = serialization.BestAvailableEncryption(phrase) if phrase else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, sealed)


class Certificates:
    """In a folder: authority.pem, and tls.pem with tls.key, which renew() replaces."""

    def __init__(self, folder, kind="ec", **dates):
        os.makedirs(folder, exist_ok=True)
        self.folder, self.kind = folder, kind
        self.certificate, self.key, self.authority = (os.path.join(folder, name) for name in ("tls.pem", "tls.key", "authority.pem"))
        self.authority_key = make_key("ec")
        now = datetime.datetime.now(UTC)
        own = sign("Test authority", self.authority_key, "Test authority", self.authority_key, now - datetime.timedelta(3650),
                   now + datetime.timedelta(3650), True)
        self.write(self.authority, own.public_bytes(serialization.Encoding.PEM))
        self.renew(**dates)

    def write(self, path, data):
        """In one step, as whoever renews certificates does."""
        with open(path + ".new", "wb") as file:
            file.write(data)
        os.chmod(path + ".new", 0o600)
        os.rename(path + ".new", path)

    def make(self, begins=-1, ends=90, kind=None, digest=None):
        """A pair valid from and until so many days from now: (certificate, key) in PEM."""
        key, now = make_key(kind or self.kind), datetime.datetime.now(UTC)
        made = sign("localhost", key, "Test authority", self.authority_key, now + datetime.timedelta(begins), now + datetime.timedelta(ends),
                    False, digest)
        self.serial = made.serial_number
        return made.public_bytes(serialization.Encoding.PEM), pem(key)

    def renew(self, **options):
        certificate, key = self.make(**options)
        self.write(self.certificate, certificate)
        self.write(self.key, key)
        return self.serial

    def arguments(self):
        return ["--tls-certificate", self.certificate, "--tls-key", self.key]

    def context(self, lowest=ssl.TLSVersion.TLSv1_2, highest=ssl.TLSVersion.TLSv1_3, ciphers=None):
        """A client that trusts the authority alone; security level 0, so that it is the server who refuses what is weak."""
        context = ssl.create_default_context(cafile=self.authority)
        context.set_ciphers((ciphers or "DEFAULT") + ":@SECLEVEL=0")
        context.minimum_version, context.maximum_version = lowest, highest
        return context
