// For server components: who asks, and Taskward on their behalf. `cache` holds for one request of one person.

import { headers } from 'next/headers'
import { cache } from 'react'
import { createTaskwardClient } from 'taskward-client'

import { auth } from './auth'
import { taskwardUrl } from './settings'

/** The person who is signed in, if anybody is. */
export const getUser = cache(async () => {
  const session = await auth.api.getSession({ headers: await headers() })
  return session?.user
})

/** A client of one's own for each request: a shared one would mix people up. Throws where nobody is signed in. */
export const getTaskward = cache(async () => {
  const { token } = await auth.api.getToken({ headers: await headers() })
  // A page does not wait long for its list; where it fails, the browser tries again.
  return createTaskwardClient({ baseUrl: taskwardUrl(), token, retry: false, timeoutMs: 3000 })
})
