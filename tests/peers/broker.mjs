// npm oidc-provider put to the broker's work, for `make bench`: a signed request object to the bank, its code exchanged
// with a client assertion, the ID token decrypted and verified, an identity token of our own; its records in the store.
//
//   node broker.mjs FILE    what bench/subjects.py wrote
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent, createServer, request as send } from 'node:http';
import { connect } from 'node:net';
import { compactDecrypt, createLocalJWKSet, importJWK, jwtVerify, SignJWT } from 'jose';
import Provider from 'oidc-provider';

const { port, issuer, redirect_uri, store_url, keys, client, bank } = JSON.parse(readFileSync(process.argv[2]));
const signingKey = await importJWK(keys['rp-sig'], 'RS256');
const decryptionKey = await importJWK(keys['rp-enc'], 'RSA-OAEP');
const bankKeys = createLocalJWKSet({ keys: bank.keys });
const agent = new Agent({ keepAlive: true });

// The store: RESP over its socket, answers in the order of the commands. Bulk strings and simple answers are all it needs.
const socket = connect(decodeURIComponent(store_url.replace('unix://', '')));
const waiting = [];
let rest = Buffer.alloc(0);
socket.on('data', (data) => {
  rest = Buffer.concat([rest, data]);
  for (let end = rest.indexOf('\r\n'); end >= 0; end = rest.indexOf('\r\n')) {
    const length = rest[0] === 36 ? Number(rest.subarray(1, end)) : -1; // 36: $
    if (rest.length < end + 2 + (length < 0 ? 0 : length + 2)) return;
    if (rest[0] === 45) throw new Error(rest.subarray(0, end).toString()); // 45: -
    waiting.shift()(length < 0 ? undefined : rest.subarray(end + 2, end + 2 + length).toString());
    rest = rest.subarray(end + 2 + (length < 0 ? 0 : length + 2));
  }
});
function command(...parts) {
  const packed = parts.map((part) => `$${Buffer.byteLength(`${part}`)}\r\n${part}\r\n`).join('');
  socket.write(`*${parts.length}\r\n${packed}`);
  return new Promise((resolve) => waiting.push(resolve));
}
const put = (name, value, seconds) => command('SET', `npm:${name}`, JSON.stringify(value), 'EX', Math.max(1, seconds));
const get = async (name) => JSON.parse((await command('GET', `npm:${name}`)) ?? 'null') ?? undefined;
const take = async (name) => JSON.parse((await command('GETDEL', `npm:${name}`)) ?? 'null') ?? undefined;

class Adapter {
  constructor(model) { this.name = (id) => `${model}:${id}`; }
  async upsert(id, payload, expiresIn = 3600) {
    const saved = [put(this.name(id), payload, expiresIn)];
    if (payload.kind === 'Session') saved.push(put(`uid:${payload.uid}`, id, expiresIn));
    await Promise.all(saved);
  }
  find(id) { return get(this.name(id)); }
  destroy(id) { return command('DEL', `npm:${this.name(id)}`); }
  async consume(id) { return put(this.name(id), { ...(await this.find(id)), consumed: Math.floor(Date.now() / 1000) }, 600); }
  async findByUid(uid) { return this.find(await get(`uid:${uid}`)); }
  async revokeByGrantId() { return undefined; }
}

const provider = new Provider(issuer, {
  adapter: Adapter,
  clients: [{
    client_id: client.client_id,
    redirect_uris: [client.redirect_uri],
    jwks: { keys: [client.jwk] },
    response_types: ['code'],
    grant_types: ['authorization_code'],
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: 'ES256',
    id_token_signed_response_alg: 'ES256',
  }],
  jwks: { keys: [{ ...keys['id-token-sig'], use: 'sig' }] },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  routes: { authorization: '/authorize', token: '/token', jwks: '/jwks' },
  acrValues: ['http://ftn.ficora.fi/2017/loatest2'],
  extraParams: ['idp_hint'],
  scopes: ['openid', 'profile'],
  claims: { openid: ['sub', 'acr', 'amr', 'auth_time'], profile: ['given_name', 'family_name', 'birthdate'] },
  conformIdTokenClaims: false,
  pkce: { required: () => true },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_context, interaction) => `/identify/${interaction.uid}` },
  findAccount: async (_context, id) => ({ accountId: id, claims: async () => ({ sub: id, ...(await get(`person:${id}`)) }) }),
  loadExistingGrant: async (context) => {
    const grant = new provider.Grant({ clientId: client.client_id, accountId: context.oidc.session.accountId });
    grant.addOIDCScope('openid profile');
    await grant.save();
    return grant;
  },
});
provider.on('server_error', (_context, error) => console.error(error.stack));
for (const event of ['authorization.error', 'grant.error']) provider.on(event, (_context, error) => console.error(event, error.error_detail ?? error.error_description));

const now = () => Math.floor(Date.now() / 1000);
const signed = (claims, audience, seconds) => new SignJWT({ ...claims, iss: bank.client_id, jti: randomBytes(16).toString('hex') })
  .setProtectedHeader({ alg: 'RS256', kid: keys['rp-sig'].kid, typ: 'JWT' })
  .setAudience(audience).setIssuedAt().setExpirationTime(now() + seconds).sign(signingKey);

function post(url, form) {
  const body = new URLSearchParams(form).toString();
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const sent = send(url, { method: 'POST', agent, headers }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('end', () => resolve(JSON.parse(Buffer.concat(parts))));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

async function identify(request, response) {
  const { uid } = await provider.interactionDetails(request, response);
  const state = randomBytes(32).toString('hex');
  const nonce = randomBytes(32).toString('hex');
  const verifier = randomBytes(48).toString('base64url');
  const requestObject = await signed({
    client_id: bank.client_id,
    response_type: 'code',
    redirect_uri,
    scope: 'openid',
    state,
    nonce,
    acr_values: bank.acr_values,
    prompt: 'login',
    ui_locales: 'fi',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  }, bank.issuer, 600);
  await put(`attempt:${state}`, { uid, nonce, verifier }, 600);
  const query = new URLSearchParams({ client_id: bank.client_id, request: requestObject });
  response.writeHead(303, { Location: `${bank.authorization_endpoint}?${query}` }).end();
}

async function finish(request, response, query) {
  const attempt = await take(`attempt:${query.get('state')}`);
  const answer = await post(bank.token_endpoint, {
    grant_type: 'authorization_code',
    code: query.get('code'),
    redirect_uri,
    client_id: bank.client_id,
    code_verifier: attempt.verifier,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await signed({ sub: bank.client_id }, bank.token_endpoint, 300),
  });
  const { plaintext } = await compactDecrypt(answer.id_token, decryptionKey);
  const { payload } = await jwtVerify(new TextDecoder().decode(plaintext), bankKeys, { issuer: bank.issuer, algorithms: ['RS256'] });
  if (payload.nonce !== attempt.nonce) throw new Error('another nonce');
  const id = createHash('sha256').update(payload.sub).digest('hex');
  await put(`person:${id}`, {
    given_name: payload['urn:oid:1.2.246.575.1.14'],
    family_name: payload['urn:oid:2.5.4.4'],
    birthdate: payload['urn:oid:1.3.6.1.5.5.7.9.1'],
  }, 300);
  const login = { accountId: id, acr: payload.acr, amr: payload.amr, remember: false };
  await provider.interactionFinished(request, response, { login });
}

const serve = provider.callback();
createServer({ keepAliveTimeout: 600_000 }, async (request, response) => {
  const [path, query] = request.url.split('?');
  try {
    if (path.startsWith('/identify/')) return await identify(request, response);
    if (path.startsWith('/callback/')) return await finish(request, response, new URLSearchParams(query));
  } catch (error) {
    console.error(error.stack);
    return response.writeHead(500).end();
  }
  return serve(request, response);
}).listen(port, '127.0.0.1', () => console.log('listening'));
