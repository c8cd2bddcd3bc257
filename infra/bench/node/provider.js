// Sends an SMS through Twilio with what Node.js has built in: one POST on a kept connection.
'use strict';

const base = new URL(process.env.TWILIO_BASE_URL);
const { Agent, request } = base.protocol === 'https:' ? require('node:https') : require('node:http');

const account = process.env.TWILIO_ACCOUNT_SID;
const agent = new Agent({ keepAlive: true });
const url = new URL(`/2010-04-01/Accounts/${account}/Messages.json`, base);
const auth = `${account}:${process.env.TWILIO_AUTH_TOKEN}`;

exports.send = (to, body) => new Promise((resolve, reject) => {
  const form = new URLSearchParams({ To: to, From: '+12065550199', Body: body, ValidityPeriod: '180' }).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': Buffer.byteLength(form) };
  const sending = request(url, { method: 'POST', agent, auth, headers }, (response) => {
    response.resume();
    response.on('error', reject);
    response.on('end', () => {
      if (response.statusCode === 201) resolve();
      else reject(new Error(`the provider answered ${response.statusCode}`));
    });
  });
  sending.on('error', reject);
  sending.end(form);
});
