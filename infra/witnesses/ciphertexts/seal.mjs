// Seals and opens codes with the AWS Encryption SDK for JavaScript, as cognito-local and AWS's own samples do.
//
//   npm install @aws-crypto/client-node@5.0.2      in any folder; NODE_PATH is its node_modules
//   NODE_PATH=… node seal.mjs fixtures > ../../../worker/esdk/tests/fixtures/javascript.json
//     seals every case of cases.json with a data key that the fixture shows; needs no KMS
//   NODE_PATH=… node seal.mjs kms < request.json
//     seals and opens with the library's own KMS keyring; {"endpoint", "key_arn", "seal": [case, …], "open": [base64, …]}
//     is answered with {"sealed": [base64, …], "opened": [{"clear", "context"}, …]}

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

// An import would not look into NODE_PATH.
const require = createRequire(import.meta.url);
const { CommitmentPolicy, EncryptedDataKey, KMS, KeyringNode, KeyringTraceFlag, KmsKeyringNode, buildClient } =
  require('@aws-crypto/client-node');

const KEY_ARN = 'arn:aws:kms:eu-west-1:123456789012:key/8a23102c-9b68-4fed-82ce-523c5363539e';

/** Hands the library a data key, and random bytes in the place of what KMS would have made of it. */
class KnownDataKey extends KeyringNode {
  constructor(dataKey, wrappedKeyLengths) {
    super();
    this.dataKey = dataKey;
    this.wrappedKeyLengths = wrappedKeyLengths;
  }

  async _onEncrypt(material) {
    const trace = { keyNamespace: 'aws-kms', keyName: KEY_ARN };
    // The library wipes the key that it was given.
    material.setUnencryptedDataKey(new Uint8Array(this.dataKey), {
      ...trace,
      flags: KeyringTraceFlag.WRAPPING_KEY_GENERATED_DATA_KEY,
    });
    for (const length of this.wrappedKeyLengths) {
      const wrapped = { providerId: 'aws-kms', providerInfo: KEY_ARN, encryptedDataKey: randomBytes(length) };
      material.addEncryptedDataKey(new EncryptedDataKey(wrapped), KeyringTraceFlag.WRAPPING_KEY_ENCRYPTED_DATA_KEY);
    }
    return material;
  }

  async _onDecrypt() {
    throw new Error('only seals');
  }
}

function kmsKeyring(endpoint, keyArn) {
  const credentials = { accessKeyId: 'witness', secretAccessKey: 'none' };
  const clientProvider = (region) => new KMS({ region, endpoint, credentials });
  return new KmsKeyringNode({ generatorKeyId: keyArn, clientProvider });
}

async function seal({ clear, suite, context, frame_length }, keyring) {
  const suiteId = Number(suite);
  const committed = suiteId >= 0x0400;
  const { encrypt } = buildClient(
    committed ? CommitmentPolicy.REQUIRE_ENCRYPT_ALLOW_DECRYPT : CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT,
  );
  const options = { suiteId, encryptionContext: context, frameLength: frame_length };
  const { result } = await encrypt(keyring, Buffer.from(clear, 'utf8'), options);
  return result.toString('base64');
}

async function openSealed(sealed, keyring) {
  const { decrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_ALLOW_DECRYPT);
  const { plaintext, messageHeader } = await decrypt(keyring, Buffer.from(sealed, 'base64'));
  return { clear: plaintext.toString('utf8'), context: messageHeader.encryptionContext };
}

async function fixtures() {
  const cases = JSON.parse(readFileSync(new URL('cases.json', import.meta.url), 'utf8'));
  // One key for all: what is spliced together from two codes cannot be told by its key then.
  const dataKey = randomBytes(32);
  const codes = [];
  for (const each of cases) {
    // This library opens single blocks, and cannot make them.
    if (each.frame_length === 0) continue;
    codes.push({ ...each, sealed: await seal(each, new KnownDataKey(dataKey, each.wrapped_key_lengths)) });
  }
  const { version } = require('@aws-crypto/client-node/package.json');
  return {
    implementation: `@aws-crypto/client-node ${version} (JavaScript)`,
    key_arn: KEY_ARN,
    data_key: dataKey.toString('hex'),
    codes,
  };
}

async function kms() {
  const request = JSON.parse(readFileSync(0, 'utf8'));
  const keyring = kmsKeyring(request.endpoint, request.key_arn);
  return {
    sealed: await Promise.all(request.seal.map((each) => seal(each, keyring))),
    opened: await Promise.all(request.open.map((sealed) => openSealed(sealed, keyring))),
  };
}

const answer = await { fixtures, kms }[process.argv[2]]();
console.log(JSON.stringify(answer, null, 1));
