import json
import subprocess

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from shared.delivery import Order, read_delivery
from trainer.cli import main
from trainer.errors import BadSettingError
from trainer.signing import load_key, make_key, sign_order, tell_public_key


def test_a_key_is_kept_for_its_owner_alone_and_never_written_over(tmp_path):
    path = tmp_path / "a folder" / "delivery.key"
    made = make_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert tell_public_key(load_key(path)) == tell_public_key(made)
    with pytest.raises(BadSettingError, match="exists: devices trust it"):
        make_key(path)


def test_what_is_signed_is_whole_and_openssl_agrees(tmp_path):
    key = make_key(tmp_path / "delivery.key")
    delivery = read_delivery(sign_order(Order("back", 1, device="desk"), b"", key))
    key.public_key().verify(delivery.signature, delivery.signed)
    with pytest.raises(InvalidSignature):
        key.public_key().verify(delivery.signature, delivery.signed + b" ")
    (tmp_path / "signed").write_bytes(delivery.signed)
    (tmp_path / "signature").write_bytes(delivery.signature)
    command = f"openssl pkeyutl -verify -inkey {tmp_path}/delivery.key -rawin -in {tmp_path}/signed"
    result = subprocess.run(
        [*command.split(), "-sigfile", str(tmp_path / "signature")], capture_output=True, text=True
    )
    assert "Signature Verified Successfully" in result.stdout, result.stderr


@pytest.mark.parametrize(
    "content", [b"", b"junk", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_file_that_is_no_key_is_said(tmp_path, content):
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(BadSettingError, match="no key that can be read"):
        load_key(tmp_path / "key")
    with pytest.raises(BadSettingError, match="keygen"):
        load_key(tmp_path / "missing")


def test_a_key_for_something_else_is_said(tmp_path):
    other = X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key").write_bytes(other)
    with pytest.raises(BadSettingError, match="none for Ed25519"):
        load_key(tmp_path / "key")


def test_keygen_tells_what_devices_know_the_key_by(tmp_path, capsys):
    path = tmp_path / "delivery.key"
    assert main(["keygen", "--signing-key", str(path)]) == 0
    told = capsys.readouterr().out
    public = tell_public_key(load_key(path))
    assert f'keys = ["{public}"]' in told
    assert main(["keygen", "--signing-key", str(path), "--show", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"file": str(path), "public_key": public}


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ("deliver w.npz", "to whom"),
        ("deliver w.npz --device a --all", "to whom"),
        ("deliver --device a", "which weights"),
        ("deliver --follow --all", "--follow is for devices"),
        ("rollback", "which device"),
        ("rollback --device a --wait -1", "--wait must be"),
        ("rollback --device a --signing-key missing", "make one with 'inkling-trainer keygen'"),
    ],
)
def test_what_makes_no_sense_is_said_before_anything_is_sent(arguments, error, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadSettingError, match=error):
        main(arguments.split())


def test_keys_are_of_the_standard(tmp_path):
    """The first test vector of RFC 8032, section 7.1."""
    secret = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    key = Ed25519PrivateKey.from_private_bytes(secret)
    assert tell_public_key(key) == "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
