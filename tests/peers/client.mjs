// A client of the broker made of npm openid-client and jose, in two steps with the browser's way between them.
//
//   node client.mjs 'JSON'    { issuer, client_id, redirect_uri, key: a private JWK, scope, idp_hint, profile }
//
// profile: as the broker knows it; "fapi2" pushes its request and binds its token by DPoP, "fapi2-message-signing" signs
// the request, and takes no response or UserInfo that is not signed.
//
// Prints the address to send a browser to; reads the address at which it came back; prints what it then knows:
// { claims, header, userinfo, type: of the access token }. Ends with status 1 and the error's code where openid-client refuses something.
import { createInterface } from 'node:readline/promises';
import { createLocalJWKSet, decodeProtectedHeader, importJWK, jwtVerify } from 'jose';
import * as oidc from 'openid-client';

const { issuer, client_id, redirect_uri, key, scope, idp_hint, profile } = JSON.parse(process.argv[2]);
const fapi = Boolean(profile);
const signing = profile === 'fapi2-message-signing';

async function identify() {
  const signingKey = { key: await importJWK(key, 'ES256'), kid: key.kid };
  const authentication = oidc.PrivateKeyJwt(signingKey);
  const config = await oidc.discovery(
    new URL(issuer),
    client_id,
    {
      id_token_signed_response_alg: 'ES256',
      ...(signing && { authorization_signed_response_alg: 'ES256', userinfo_signed_response_alg: 'ES256' }),
    },
    authentication,
    { execute: [oidc.allowInsecureRequests] },
  );
  oidc.enableNonRepudiationChecks(config);
  if (signing) oidc.useJwtResponseMode(config);
  const options = fapi ? { DPoP: oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair('ES256')) } : {};

  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const expectedState = oidc.randomState();
  const expectedNonce = oidc.randomNonce();
  let parameters = {
    redirect_uri,
    scope,
    idp_hint,
    state: expectedState,
    nonce: expectedNonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  };
  if (signing) {
    ({ searchParams: parameters } = await oidc.buildAuthorizationUrlWithJAR(config, parameters, signingKey));
  }
  const url = fapi
    ? await oidc.buildAuthorizationUrlWithPAR(config, parameters, options)
    : oidc.buildAuthorizationUrl(config, parameters);
  console.log(url.href);

  const lines = createInterface({ input: process.stdin });
  const came = new URL((await lines[Symbol.asyncIterator]().next()).value);
  lines.close();
  const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true };
  const tokens = await oidc.authorizationCodeGrant(config, came, checks, undefined, options);
  const claims = tokens.claims();
  const userinfo = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub, options);

  // Once more by jose alone, as a service would to which the identity token is handed on.
  const keys = await (await fetch(config.serverMetadata().jwks_uri)).json();
  await jwtVerify(tokens.id_token, createLocalJWKSet(keys), { issuer, audience: client_id, algorithms: ['ES256'] });
  console.log(JSON.stringify({ claims, header: decodeProtectedHeader(tokens.id_token), userinfo, type: tokens.token_type }));
}

identify().catch((error) => {
  console.error(error.code ?? '', error.message, error.cause ?? '');
  process.exitCode = 1;
});
