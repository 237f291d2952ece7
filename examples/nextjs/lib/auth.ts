// Better Auth: accounts and sessions. Taskward trusts the tokens that the jwt plugin signs here.

import { betterAuth } from 'better-auth'
import { nextCookies } from 'better-auth/next-js'
import { jwt } from 'better-auth/plugins/jwt'

import { accounts } from './database'
import { appOrigins, appUrl, clientIpHeaders } from './settings'

export const auth = betterAuth({
  baseURL: appUrl(),
  trustedOrigins: appOrigins(),
  database: accounts,
  emailAndPassword: { enabled: true },
  // Sign-ins are limited by address. Any client can send X-Forwarded-For, so no header counts but the one that the proxy in
  // front sets. Without one, all clients share a limit.
  advanced: { ipAddress: { ipAddressHeaders: clientIpHeaders() } },
  plugins: [
    jwt({
      // Otherwise each answer about the session has a token, where caches and logs may keep it. The client asks for one.
      disableSettingJwtHeader: true,
      jwt: {
        expirationTime: process.env.JWT_LIFETIME ?? '15m',
        // Taskward only needs the user's id (`sub`). By default every token would contain the user's whole row.
        definePayload: () => ({}),
      },
    }),
    // Lets server actions and server components set cookies. Must be the last plugin.
    nextCookies(),
  ],
})
