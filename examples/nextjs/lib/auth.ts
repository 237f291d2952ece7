// Better Auth: accounts and sessions. Taskward trusts the tokens that the jwt plugin signs here.

import { betterAuth } from 'better-auth'
import { APIError } from 'better-auth/api'
import { nextCookies } from 'better-auth/next-js'
import { jwt } from 'better-auth/plugins/jwt'
import { createTaskwardClient } from 'taskward-client'

import { accounts } from './database'
import { appOrigins, appUrl, clientIpHeaders, taskwardInternalUrl } from './settings'

export const auth = betterAuth({
  baseURL: appUrl(),
  trustedOrigins: appOrigins(),
  database: accounts,
  emailAndPassword: { enabled: true },
  // The password is checked before, if the request has one. Without one, the session must be younger than a day.
  user: { deleteUser: { enabled: true, beforeDelete: ({ id }, request) => deletePerson(id, request) } },
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

/**
 * Deletes a person's tasks and then the account, so that no tasks are left behind to which nobody can sign in. If Taskward
 * does not confirm, the account stays; each failure has a code, by which the page says what is left.
 */
async function deletePerson(id: string, request: Request | undefined): Promise<void> {
  try {
    const { token } = await auth.api.getToken({ headers: request?.headers ?? new Headers() })
    await createTaskwardClient({ baseUrl: taskwardInternalUrl(), token }).deleteMyData()
  } catch (error) {
    console.error('The tasks of an account that is to be deleted were not deleted:', error)
    throw new APIError('SERVICE_UNAVAILABLE', { code: 'TASKS_NOT_DELETED', message: 'The tasks were not deleted' })
  }
  try {
    // Sessions and passwords go with the row (ON DELETE CASCADE). Better Auth would delete them first, one table after the
    // other, and a failure in between would leave an account to which nobody can sign in. It finds nothing left to delete.
    const { adapter } = await auth.$context
    await adapter.delete({ model: 'user', where: [{ field: 'id', value: id }] })
  } catch (error) {
    console.error('An account was not deleted, although its tasks were:', error)
    throw new APIError('SERVICE_UNAVAILABLE', { code: 'ACCOUNT_NOT_DELETED', message: 'The account was not deleted' })
  }
}
