'use client'

// What all components of the page share: the person's Taskward client, the cache of its answers, and the server's clock.

import { MutationCache, QueryCache, QueryClient, QueryClientProvider, onlineManager } from '@tanstack/react-query'
import { type ReactNode, createContext, useContext, useEffect, useState } from 'react'
import { type TaskwardClient, createTaskwardClient, readClaims, rememberToken } from 'taskward-client'

import { authClient } from './auth-client'
import { watchConnection } from './connection'
import type { Clock } from './dates'
import { isSignedOut } from './failures'
import type { Limits } from './limits'
import { Lingering } from './lingering'
import { signInPath } from './paths'
import { retries, retryNow } from './retries'
import { rememberTimeZone } from './time-zone'

export interface Person {
  id: string
  name: string
}

interface FromServer {
  person: Person
  serverClock: Clock
  limits: Limits
}

interface Page extends FromServer {
  taskward: TaskwardClient
  lingering: Lingering
}

const PageContext = createContext<Page | undefined>(undefined)

export function usePage(): Page {
  const page = useContext(PageContext)
  if (!page) throw new Error('usePage needs a PageProvider around it')
  return page
}

type Props = FromServer & { taskwardUrl: string; children: ReactNode }

export function PageProvider({ taskwardUrl, children, ...fromServer }: Props) {
  const [page] = useState<Page>(() => ({
    ...fromServer,
    taskward: connect(taskwardUrl, fromServer.person),
    lingering: new Lingering(),
  }))
  const [queries] = useState(createQueries)
  useEffect(() => {
    // "Back" can show the page as it was left, although its person has signed out since: ask the server again.
    const reload = ({ persisted }: PageTransitionEvent) => persisted && location.reload()
    addEventListener('pageshow', reload)
    return () => removeEventListener('pageshow', reload)
  }, [])
  useEffect(() => onlineManager.setEventListener(watchConnection), [])
  useEffect(rememberTimeZone, [])
  useEffect(() => {
    const retry = () => void retryNow(queries)
    const stop = onlineManager.subscribe((online) => online && retry())
    addEventListener('focus', retry)
    document.addEventListener('visibilitychange', retry)
    return () => {
      stop()
      removeEventListener('focus', retry)
      document.removeEventListener('visibilitychange', retry)
    }
  }, [queries])
  return (
    <PageContext value={page}>
      <QueryClientProvider client={queries}>{children}</QueryClientProvider>
    </PageContext>
  )
}

function connect(baseUrl: string, person: Person): TaskwardClient {
  const token = rememberToken(async () => {
    const { data, error } = await authClient.token()
    // 401 means that nobody is signed in. Taskward then answers 401 too, and that leads to sign-in.
    if (error && error.status !== 401) throw new Error('The sign-in service returned no token', { cause: error })
    if (data && readClaims(data.token)?.sub !== person.id) {
      // Somebody else has signed in from another tab. Their tasks must not appear on this page.
      location.reload()
      throw new Error('Somebody else has signed in')
    }
    return data?.token
  })
  // A few quick attempts, and then the page says what is wrong: nobody wants to watch a button for half a minute.
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
      // "always": without a connection too, a request that fails and says so is better than one that waits in silence.
      queries: { ...retries, staleTime: 30_000, networkMode: 'always', refetchOnReconnect: true },
      mutations: { retry: false, networkMode: 'always' },
    },
  })
}
