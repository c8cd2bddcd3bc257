"""Seals and opens codes with the AWS Encryption SDK for Python.

    pip install 'aws-encryption-sdk[MPL]==4.0.7' 'aws-cryptographic-material-providers==1.11.3'
    python seal.py fixtures > ../../../worker/esdk/tests/fixtures/python.json
        seals every case of cases.json with a data key that the fixture shows; needs no KMS
    python seal.py kms < request.json
        seals and opens with the library's own KMS keyring; {"endpoint", "key_arn", "seal": [case, ...], "open": [base64, ...]}
        is answered with {"sealed": [base64, ...], "opened": [{"clear", "context"}, ...]}
"""

import base64
import importlib.metadata
import json
import os
import pathlib
import sys

import boto3
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import (
    CreateAwsKmsKeyringInput,
    EncryptedDataKey,
    OnEncryptOutput,
)
from aws_cryptographic_material_providers.mpl.references import IKeyring
from aws_encryption_sdk import CommitmentPolicy, EncryptionSDKClient
from aws_encryption_sdk.identifiers import AlgorithmSuite

KEY_ARN = "arn:aws:kms:eu-west-1:123456789012:key/8a23102c-9b68-4fed-82ce-523c5363539e"


class KnownDataKey(IKeyring):
    """Hands the library a data key, and random bytes in the place of what KMS would have made of it."""

    def __init__(self, data_key, wrapped_key_lengths):
        self.data_key = data_key
        self.wrapped_key_lengths = wrapped_key_lengths

    def on_encrypt(self, request):
        materials = request.materials
        materials.plaintext_data_key = self.data_key
        materials.encrypted_data_keys = [
            EncryptedDataKey(key_provider_id="aws-kms", key_provider_info=KEY_ARN.encode(), ciphertext=os.urandom(length))
            for length in self.wrapped_key_lengths
        ]
        return OnEncryptOutput(materials=materials)

    def on_decrypt(self, request):
        raise NotImplementedError("only seals")


def kms_keyring(endpoint, key_arn):
    kms = boto3.client(
        "kms", endpoint_url=endpoint, region_name="eu-west-1", aws_access_key_id="witness", aws_secret_access_key="none"
    )
    providers = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())
    return providers.create_aws_kms_keyring(CreateAwsKmsKeyringInput(kms_key_id=key_arn, kms_client=kms))


def seal(case, keyring):
    suite = AlgorithmSuite.get_by_id(int(case["suite"], 16))
    policy = (
        CommitmentPolicy.REQUIRE_ENCRYPT_ALLOW_DECRYPT
        if suite.is_committing()
        else CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT
    )
    sealed, _ = EncryptionSDKClient(commitment_policy=policy).encrypt(
        source=case["clear"].encode(),
        keyring=keyring,
        algorithm=suite,
        encryption_context=case["context"],
        frame_length=case["frame_length"],
    )
    return base64.b64encode(sealed).decode()


def open_sealed(sealed, keyring):
    client = EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_ALLOW_DECRYPT)
    clear, header = client.decrypt(source=base64.b64decode(sealed), keyring=keyring)
    return {"clear": clear.decode(), "context": dict(header.encryption_context)}


def fixtures():
    cases = json.loads(pathlib.Path(__file__).with_name("cases.json").read_text(encoding="utf-8"))
    # One key for all: what is spliced together from two codes cannot be told by its key then.
    data_key = os.urandom(32)
    codes = [case | {"sealed": seal(case, KnownDataKey(data_key, case["wrapped_key_lengths"]))} for case in cases]
    return {
        "implementation": f"aws-encryption-sdk {importlib.metadata.version('aws-encryption-sdk')} (Python)",
        "key_arn": KEY_ARN,
        "data_key": data_key.hex(),
        "codes": codes,
    }


def kms():
    request = json.load(sys.stdin)
    keyring = kms_keyring(request["endpoint"], request["key_arn"])
    return {
        "sealed": [seal(case, keyring) for case in request["seal"]],
        "opened": [open_sealed(sealed, keyring) for sealed in request["open"]],
    }


if __name__ == "__main__":
    answer = {"fixtures": fixtures, "kms": kms}[sys.argv[1]]()
    json.dump(answer, sys.stdout, ensure_ascii=False, indent=1)
    print()
