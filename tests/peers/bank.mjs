// A bank made of npm oidc-provider, set up as the FTN profile has it. It identifies one person, without asking.
//
//   node bank.mjs 'JSON'    { port, client: { client_id, redirect_uris, jwks }, acr, person: { claim: value } }
//
// Prints `listening` when it serves on 127.0.0.1, and a line for each error it sees, with the rule that was broken.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const { port, client, acr, person } = JSON.parse(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;

const signingKey = {
  ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }),
  kid: 'bank-1',
  use: 'sig',
  alg: 'RS256',
};

const provider = new Provider(issuer, {
  clients: [
    {
      ...client,
      response_types: ['code'],
      grant_types: ['authorization_code'],
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'RS256',
      request_object_signing_alg: 'RS256',
      require_signed_request_object: true,
      require_auth_time: true,
      id_token_signed_response_alg: 'RS256',
      id_token_encrypted_response_alg: 'RSA-OAEP',
      id_token_encrypted_response_enc: 'A128CBC-HS256',
    },
  ],
  jwks: { keys: [signingKey] },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  acrValues: [acr],
  extraParams: ['ftn_spname'],
  claims: { openid: ['sub', 'acr', 'amr', 'auth_time', ...Object.keys(person)] },
  conformIdTokenClaims: false,
  pkce: { required: () => true },
  features: {
    devInteractions: { enabled: false },
    requestObjects: { enabled: true },
    encryption: { enabled: true },
  },
  interactions: { url: (_context, interaction) => `/person/${interaction.uid}` },
  findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, ...person }) }),
  loadExistingGrant: async (context) => {
    const grant = new provider.Grant({
      clientId: context.oidc.client.clientId,
      accountId: context.oidc.session.accountId,
    });
    grant.addOIDCScope('openid');
    await grant.save();
    return grant;
  },
});

for (const event of ['authorization.error', 'grant.error', 'server_error']) {
  provider.on(event, (_context, error) => console.error(event, error.error_description ?? error.stack));
}

const serve = provider.callback();
createServer(async (request, response) => {
  if (!request.url.startsWith('/person/')) return serve(request, response);
  const { prompt } = await provider.interactionDetails(request, response);
  if (prompt.name !== 'login') {
    response.writeHead(500).end(`the bank asks for ${prompt.name}`);
    return undefined;
  }
  const login = { accountId: randomBytes(8).toString('hex'), acr, amr: ['npm'], remember: false };
  return provider.interactionFinished(request, response, { login });
}).listen(port, '127.0.0.1', () => console.log('listening'));
