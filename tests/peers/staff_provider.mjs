// An employer's OpenID Provider made of npm oidc-provider: groups come from userinfo, as it has them by default.
//
//   node staff_provider.mjs 'JSON'    { port, client: { client_id, redirect_uris, jwks }, people: { id: { name, groups } } }
//
// Whoever was named last at /next/<id> is signed in, without asking. Prints `listening` when it serves on 127.0.0.1.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const { port, client, people } = JSON.parse(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;
let next = Object.keys(people)[0];

const signingKey = {
  ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }),
  kid: 'staff-1',
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
      token_endpoint_auth_signing_alg: 'ES256',
      id_token_signed_response_alg: 'RS256',
    },
  ],
  jwks: { keys: [signingKey] },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  claims: { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified'], groups: ['groups'] },
  scopes: ['openid', 'profile', 'email', 'groups'],
  pkce: { required: () => true },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_context, interaction) => `/person/${interaction.uid}` },
  findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
  loadExistingGrant: async (context) => {
    const grant = new provider.Grant({
      clientId: context.oidc.client.clientId,
      accountId: context.oidc.session.accountId,
    });
    grant.addOIDCScope('openid profile email groups');
    await grant.save();
    return grant;
  },
});

for (const event of ['authorization.error', 'grant.error', 'server_error']) {
  provider.on(event, (_context, error) => console.error(event, error.error_description ?? error.stack));
}

const serve = provider.callback();
createServer(async (request, response) => {
  if (request.url.startsWith('/next/')) {
    next = request.url.slice('/next/'.length);
    return response.end('ok');
  }
  if (!request.url.startsWith('/person/')) return serve(request, response);
  const { prompt } = await provider.interactionDetails(request, response);
  if (prompt.name !== 'login') {
    response.writeHead(500).end(`the provider asks for ${prompt.name}`);
    return undefined;
  }
  return provider.interactionFinished(request, response, { login: { accountId: next, remember: false } });
}).listen(port, '127.0.0.1', () => console.log('listening'));
