// The `lib/auth.ts` that an app with Better Auth has.

import { betterAuth } from 'better-auth'
import { jwt } from 'better-auth/plugins'

export const auth = betterAuth({ plugins: [jwt()] })
