"""Authorities and certificates for a test, made by openssl in its folder."""

import shutil
import subprocess

OPENSSL = shutil.which("openssl")
CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
WAIT_SECONDS = 60


class Certificates:
    """For a test case with a `folder`: NAME.pem and NAME.key in it."""

    def openssl(self, *words):
        subprocess.run([OPENSSL, *map(str, words)], check=True, cwd=self.folder,
                       capture_output=True, timeout=WAIT_SECONDS)

    def authority(self, name):
        self.openssl("req", "-x509", *CURVE, "-keyout", f"{name}.key", "-out", f"{name}.pem",
                     "-days", "2", "-subj", f"/CN={name}")

    def certificate(self, name, signer):
        """For the address of this machine, by that authority."""
        self.openssl("req", *CURVE, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj",
                     f"/CN={name}")
        (self.folder / "extension").write_text("subjectAltName=IP:127.0.0.1\n")
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{signer}.pem", "-CAkey",
                     f"{signer}.key", "-CAcreateserial", "-days", "2", "-out", f"{name}.pem",
                     "-extfile", "extension")
