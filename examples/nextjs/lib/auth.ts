// Better Auth: accounts and sessions. Taskward trusts the tokens that the jwt plugin signs here.

import { betterAuth } from 'better-auth'
import { nextCookies } from 'better-auth/next-js'
import { jwt } from 'better-auth/plugins/jwt'

import { accounts } from './database'
import { appOrigins, appUrl } from './settings'

export const auth = betterAuth({
  baseURL: appUrl(),
  trustedOrigins: appOrigins(),
  database: accounts,
  emailAndPassword: { enabled: true },
  plugins: [
    jwt({
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
