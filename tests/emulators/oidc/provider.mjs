// An OpenID provider for tests: anybody who names an address is signed in as that person.
// Arguments: the port on 127.0.0.1. Prints `ready` once it answers.
import { Provider } from "oidc-provider";

const port = Number(process.argv[2]);
const claimsOf = address => ({
  email: address,
  email_verified: !address.startsWith("unverified"),
  "https://acme.test/email": address,
});

const provider = new Provider(`http://127.0.0.1:${port}`, {
  claims: { openid: ["sub"], email: ["email", "email_verified", "https://acme.test/email"], profile: [] },
  clients: [],
  conformIdTokenClaims: false,
  cookies: { keys: ["for tests alone"] },
  extraTokenClaims: (ctx, token) => (token.accountId ? claimsOf(token.accountId) : undefined),
  findAccount: (ctx, id) => ({ accountId: id, claims: async () => ({ sub: id, ...claimsOf(id) }) }),
  features: {
    introspection: { enabled: true, allowedPolicy: () => true },
    registration: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: (ctx, client, oneOf) => oneOf ?? undefined,
      useGrantedResource: () => true,
      getResourceServerInfo: (ctx, resource) => ({
        scope: "openid email search",
        audience: resource,
        accessTokenFormat: resource.endsWith("/opaque") ? "opaque" : "jwt",
        accessTokenTTL: 120,
      }),
    },
  },
  issueRefreshToken: async (ctx, client) => client.grantTypeAllowed("refresh_token"),
  rotateRefreshToken: true,
  scopes: ["openid", "email", "profile", "offline_access", "search"],
  ttl: { Interaction: 600, Session: 600, Grant: 600, IdToken: 600, RefreshToken: 600, AccessToken: 120 },
});
provider.listen(port, "127.0.0.1", () => console.log("ready"));
