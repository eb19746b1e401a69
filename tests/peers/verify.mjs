// Runs the Node example of docs/verify-a-token.md.
//
//   node verify.mjs EXAMPLE 'JSON'    the example as a file; { issuer, audience, jwksUri, clock, ... }
//
// Reads tokens from standard input, one a line; prints for each one line: { claims } or { refused: code or text }.
import { createInterface } from 'node:readline/promises';
import { pathToFileURL } from 'node:url';

const { makeVerifier } = await import(pathToFileURL(process.argv[2]));
const { clock, ...settings } = JSON.parse(process.argv[3]);
const verify = makeVerifier(clock ? { ...settings, clock: () => new Date(clock * 1000) } : settings);

for await (const token of createInterface({ input: process.stdin })) {
  try {
    console.log(JSON.stringify({ claims: await verify(token) }));
  } catch (error) {
    console.log(JSON.stringify({ refused: error.code ?? error.message }));
  }
}
