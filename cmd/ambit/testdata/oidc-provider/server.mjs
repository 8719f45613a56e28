// An authorization server made of npm's oidc-provider, and an API beside it, for the tests of this
// directory. It listens on the socket that it inherits as descriptor 3, writes a line with its
// issuer when it is ready, and keeps everything in memory. The private key of the client «signer» it
// leaves in signer.pem, in the working directory.
//
//     node server.mjs PORT [OPTION...]
//
// The options: require-par (RFC 9126), only-secrets (no public clients), audience (the API takes only
// tokens that are for it, RFC 8707). Without a port it only says whether it is installed: it ends with
// 69 where it is not.
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

// A module beside this file is not wanted: NODE_PATH leads to it, or it is installed with --global.
const globally = join(dirname(process.execPath), '..', 'lib');
const find = () => {
  try {
    return createRequire(import.meta.url).resolve('oidc-provider', { paths: [globally, ...(process.env.NODE_PATH ?? '').split(':')] });
  } catch {
    process.exit(69);
  }
};
const { default: Provider, errors } = await import(pathToFileURL(find()));
const [port, ...options] = process.argv.slice(2);
if (!port) process.exit();

const issuer = `http://127.0.0.1:${port}`;
const scopes = ['things:read', 'things:write', 'things:admin'];
const native = {
  application_type: 'native',
  redirect_uris: ['http://127.0.0.1/callback'],
  grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
};
const secret = 's%e:cret+of/an=app&that-has-more-than-32-bytes';

const key = generateKeyPairSync('ec', { namedCurve: 'P-256' });
writeFileSync('signer.pem', key.privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
const machine = { redirect_uris: [], response_types: [], grant_types: ['client_credentials'] };

const provider = new Provider(issuer, {
  clients: [
    { ...native, client_id: 'tool', token_endpoint_auth_method: 'none' },
    { ...native, client_id: 'basic', client_secret: secret, token_endpoint_auth_method: 'client_secret_basic' },
    { ...native, client_id: 'post', client_secret: secret, token_endpoint_auth_method: 'client_secret_post' },
    { ...machine, client_id: 'machine', client_secret: secret, scope: 'things:read things:write' },
    {
      ...machine, client_id: 'signer', token_endpoint_auth_method: 'private_key_jwt', scope: 'things:read',
      jwks: { keys: [{ ...key.publicKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig' }] },
    },
  ],
  clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', ...options.includes('only-secrets') ? [] : ['none']],
  scopes: ['openid', 'offline_access', ...scopes],
  cookies: { keys: ['for tests'] },
  findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    deviceFlow: { enabled: true },
    introspection: { enabled: true },
    pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: options.includes('require-par') },
    registration: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo(_, resource) {
        if (resource !== `${issuer}/api`) throw new errors.InvalidTarget();
        return { scope: scopes.join(' '), audience: resource };
      },
    },
    revocation: { enabled: true },
  },
});

const escaped = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

// missing are the scopes that a person has not decided about yet, by the resource; '' for the
// server's own.
function missing({ missingOIDCScope, missingResourceScopes }) {
  return Object.entries({ ...missingOIDCScope && { '': missingOIDCScope }, ...missingResourceScopes });
}

// page is what a person decides on: who it is, and a box for each scope.
function page({ prompt, params }) {
  const boxes = missing(prompt.details).flatMap(([, names]) => names)
    .map((name) => `<label><input type="checkbox" name="scope" value="${escaped(name)}" checked> ${escaped(name)}</label>`);
  return `<!DOCTYPE html><html lang="en"><title>${prompt.name}</title><h1>${prompt.name}: ${escaped(params.client_id)}</h1>
<form method="post">${prompt.name === 'login' ? '<input name="username">' : boxes.join('\n')}
<button name="decision" value="deny">No</button><button name="decision" value="allow">Yes</button></form></html>`;
}

// decide makes a grant of what the person left ticked.
async function decide({ prompt, params, session, grantId }, form) {
  if (form.get('decision') !== 'allow') return { error: 'access_denied', error_description: 'the person said no' };
  if (prompt.name === 'login') return { login: { accountId: form.get('username') } };
  const grant = grantId ? await provider.Grant.find(grantId) : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  const ticked = form.getAll('scope');
  for (const [resource, names] of missing(prompt.details)) {
    for (const name of names) {
      const verb = ticked.includes(name) ? 'add' : 'reject';
      if (resource) grant[`${verb}ResourceScope`](resource, name);
      else grant[`${verb}OIDCScope`](name);
    }
  }
  return { consent: { grantId: await grant.save() } };
}

async function interact(request, response) {
  const details = await provider.interactionDetails(request, response);
  if (request.method === 'POST') {
    const form = new URLSearchParams(Buffer.concat(await request.toArray()).toString());
    await provider.interactionFinished(request, response, await decide(details, form), { mergeWithLastSubmission: true });
    return;
  }
  response.setHeader('Content-Type', 'text/html; charset=utf-8').end(page(details));
}

// serve is the API: each request needs one scope (RFC 6750 §3).
const needs = { 'GET /api/things': 'things:read', 'POST /api/things': 'things:write', 'DELETE /api/things': 'things:admin' };
async function serve(request, response) {
  const need = needs[`${request.method} ${request.url}`];
  const sent = (request.headers.authorization ?? '').replace(/^Bearer /, '');
  const token = await provider.AccessToken.find(sent) ?? await provider.ClientCredentials.find(sent);
  const refuse = (status, challenge) => response.writeHead(status, { 'WWW-Authenticate': `Bearer realm="things"${challenge}` }).end();
  if (!request.headers.authorization) return refuse(401, '');
  if (!token || options.includes('audience') && token.aud !== `${issuer}/api`) return refuse(401, ', error="invalid_token"');
  if (need && !token.scopes.has(need)) return refuse(403, `, error="insufficient_scope", scope="${need}"`);
  return response.writeHead(need ? 200 : 404, { 'Content-Type': 'application/json' }).end('{}');
}

const seen = [];
const protocol = provider.callback();
const server = createServer((request, response) => {
  const path = request.url.split('?')[0];
  if (path === '/requests') return response.end(seen.join('\n'));
  seen.push(`${request.method} ${path}`);
  const part = path.startsWith('/interaction/') ? interact : path.startsWith('/api/') ? serve : protocol;
  return Promise.resolve(part(request, response)).catch((error) => response.writeHead(500).end(String(error)));
});
server.listen({ fd: 3 }, () => console.log(issuer));
