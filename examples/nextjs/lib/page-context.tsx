'use client'

// What all components of the page share: Taskward for this person, the cache of its answers, and the server's clock.

import { QueryCache, MutationCache, QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { type ReactNode, createContext, useContext, useEffect, useState } from 'react'
import { type TaskwardClient, createTaskwardClient, readClaims, rememberToken } from 'taskward-client'

import { authClient } from './auth-client'
import type { Clock } from './dates'
import { isSignedOut } from './failures'
import { signInPath } from './paths'

export interface Person {
  id: string
  name: string
}

interface Page {
  taskward: TaskwardClient
  person: Person
  serverClock: Clock
}

const PageContext = createContext<Page | undefined>(undefined)

export function usePage(): Page {
  const page = useContext(PageContext)
  if (!page) throw new Error('usePage is for what is inside a PageProvider')
  return page
}

interface Props {
  taskwardUrl: string
  person: Person
  serverClock: Clock
  children: ReactNode
}

export function PageProvider({ taskwardUrl, person, serverClock, children }: Props) {
  const [page] = useState<Page>(() => ({ taskward: connect(taskwardUrl, person), person, serverClock }))
  const [queries] = useState(createQueries)
  useEffect(() => {
    // "Back" can show a page just as it was left, although its person has signed out since: let the server decide.
    const reload = ({ persisted }: PageTransitionEvent) => persisted && location.reload()
    addEventListener('pageshow', reload)
    return () => removeEventListener('pageshow', reload)
  }, [])
  return (
    <PageContext value={page}>
      <QueryClientProvider client={queries}>{children}</QueryClientProvider>
    </PageContext>
  )
}

function connect(baseUrl: string, person: Person): TaskwardClient {
  const token = rememberToken(async () => {
    const { data, error } = await authClient.token()
    // 401: nobody is signed in. Taskward will say so too, and that leads to sign-in.
    if (error && error.status !== 401) throw new Error('The sign-in service gave no token', { cause: error })
    if (data && readClaims(data.token)?.sub !== person.id) {
      // Somebody else has signed in from another tab. Their tasks do not belong onto this page.
      location.reload()
      throw new Error('Somebody else has signed in')
    }
    return data?.token
  })
  // Nobody wants to look at a button for half a minute: a few quick attempts, and then it is said what is wrong.
  const retry = { attempts: 3, maxRetryAfterMs: 2000, totalMs: 6000 }
  return createTaskwardClient({ baseUrl, token, retry, timeoutMs: 10_000 })
}

function createQueries(): QueryClient {
  const onError = (error: unknown) => {
    if (isSignedOut(error)) location.assign(signInPath(location.pathname + location.search, true))
  }
  return new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      // Taskward's client retries what may be retried. Offline, a failure that is shown is better than silence.
      queries: { retry: false, staleTime: 30_000, networkMode: 'always' },
      mutations: { retry: false, networkMode: 'always' },
    },
  })
}
