// Better Auth: who somebody is. Taskward trusts the tokens that the jwt plugin signs here.

import { betterAuth } from 'better-auth'
import { nextCookies } from 'better-auth/next-js'
import { jwt } from 'better-auth/plugins/jwt'

import { accounts } from './database'

export const auth = betterAuth({
  baseURL: process.env.BETTER_AUTH_URL ?? 'http://localhost:3000',
  database: accounts,
  emailAndPassword: { enabled: true },
  plugins: [
    jwt({
      jwt: {
        expirationTime: process.env.JWT_LIFETIME ?? '15m',
        // Taskward needs the user's id (`sub`) and no more. By default the whole row would be in every token.
        definePayload: () => ({}),
      },
    }),
    // So that server actions and server components can set cookies. Must be the last one.
    nextCookies(),
  ],
})
