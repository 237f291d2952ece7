// For server components: who is signed in, and a Taskward client for them. `cache` lasts for one request.

import { headers } from 'next/headers'
import { cache } from 'react'
import { createTaskwardClient } from 'taskward-client'

import { auth } from './auth'
import { taskwardInternalUrl } from './settings'

/** The person who is signed in, if any. */
export const getUser = cache(async () => {
  const session = await auth.api.getSession({ headers: await headers() })
  return session?.user
})

/** One client per request, because a shared client would mix people up. Throws when nobody is signed in. */
export const getTaskward = cache(async () => {
  const { token } = await auth.api.getToken({ headers: await headers() })
  // A page does not wait long for its list: if this fails, the browser tries again.
  return createTaskwardClient({ baseUrl: taskwardInternalUrl(), token, retry: false, timeoutMs: 3000 })
})
