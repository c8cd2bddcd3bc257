// As little of a Lambda runtime as the handler needs: it takes an invocation, answers it, and takes the next
// (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html). AWS's own runtime for Node.js does more at start.
//
// A payload that is an array is several events at once, which Lambda never gives to one process: so the sample can
// show what it does at 8 concurrent messages without 8 processes.
'use strict';

const http = require('node:http');

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const agent = new http.Agent({ keepAlive: true });

const call = (method, resource, content) => new Promise((resolve, reject) => {
  const path = `/2018-06-01/runtime/${resource}`;
  const headers = content === undefined ? {} : { 'content-length': Buffer.byteLength(content) };
  const calling = http.request({ host, port, path, method, agent, headers }, (response) => {
    const chunks = [];
    response.on('data', (chunk) => chunks.push(chunk));
    response.on('error', reject);
    response.on('end', () => resolve({ headers: response.headers, body: Buffer.concat(chunks).toString() }));
  });
  calling.on('error', reject);
  calling.end(content);
});

const described = (error) => JSON.stringify({ errorType: error.name, errorMessage: error.message });

const run = async () => {
  const { handler } = require('./handler.js');
  for (;;) {
    const { headers, body } = await call('GET', 'invocation/next');
    const id = headers['lambda-runtime-aws-request-id'];
    try {
      const event = JSON.parse(body);
      const answer = Array.isArray(event) ? await Promise.all(event.map(handler)) : await handler(event);
      await call('POST', `invocation/${id}/response`, JSON.stringify(answer));
    } catch (error) {
      await call('POST', `invocation/${id}/error`, described(error));
    }
  }
};

run().catch(async (error) => {
  await call('POST', 'init/error', described(error));
  process.exit(1);
});
