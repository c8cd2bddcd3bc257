// The CustomSMSSender function of the Amazon Cognito developer guide, in Node.js, with the AWS SDK v3 in place of v2:
// https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-custom-sms-sender.html
// Keyring, commitment policy and branches are the sample's. Where it says "send an SMS message via a custom provider",
// this sends one: a single HTTP request, without any of the checks and retries that the worker has.
'use strict';

const { buildClient, CommitmentPolicy, KmsKeyringNode } = require('@aws-crypto/client-node');
const { send } = require('./provider.js');

const { decrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_ALLOW_DECRYPT);
const generatorKeyId = process.env.KEY_ALIAS;
const keyIds = [process.env.KEY_ARN];
const keyring = new KmsKeyringNode({ generatorKeyId, keyIds });

exports.handler = async (event) => {
  let plainTextCode;
  if (event.request.code) {
    const { plaintext } = await decrypt(keyring, Buffer.from(event.request.code, 'base64'));
    plainTextCode = plaintext.toString();
  }
  const to = event.request.userAttributes.phone_number;
  if (event.triggerSource === 'CustomSMSSender_SignUp') {
    await send(to, `Your sign-up code is ${plainTextCode}`);
  } else if (event.triggerSource === 'CustomSMSSender_Authentication') {
    await send(to, `Your sign-in code is ${plainTextCode}`);
  } else if (event.triggerSource === 'CustomSMSSender_ForgotPassword') {
    await send(to, `Your password reset code is ${plainTextCode}`);
  } else if (event.triggerSource === 'CustomSMSSender_UpdateUserAttribute') {
    await send(to, `Your verification code is ${plainTextCode}`);
  } else if (event.triggerSource === 'CustomSMSSender_VerifyUserAttribute') {
    await send(to, `Your verification code is ${plainTextCode}`);
  } else if (event.triggerSource === 'CustomSMSSender_ResendCode') {
    await send(to, `Your sign-up code is ${plainTextCode}`);
  } else if (event.triggerSource === 'CustomSMSSender_AdminCreateUser') {
    await send(to, `Your temporary password is ${plainTextCode}`);
  }
  return event;
};
