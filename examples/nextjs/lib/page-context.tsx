'use client'

// What all components of the page share: the person's tasks and their Taskward client, and what came from the server.

import { QueryCache, QueryClient, QueryClientProvider, onlineManager } from '@tanstack/react-query'
import { type ReactNode, createContext, useContext, useEffect, useState } from 'react'
import { type TaskwardClient, createTaskwardClient, readClaims, rememberToken } from 'taskward-client'

import { authClient } from './auth-client'
import { watchConnection } from './connection'
import type { Clock } from './dates'
import { isPassing, isSignedOut } from './failures'
import { leaveForGood, onAccountDeleted } from './farewell'
import type { FirstPage } from './first-page'
import type { Limits } from './limits'
import { Lingering } from './lingering'
import { signInPath } from './paths'
import { type OpenTasks, openTasks } from './tasks'
import { rememberTimeZone } from './time-zone'

export interface Person {
  id: string
  name: string
}

interface FromServer {
  person: Person
  first: FirstPage
  serverClock: Clock
  limits: Limits
}

interface Page extends FromServer, OpenTasks {
  taskward: TaskwardClient
  /** The same with much time for each answer: for all that the person stores. */
  patient: TaskwardClient
  lingering: Lingering
  /** The keys of tasks for which a form waits: it tells by itself what the server refuses. */
  awaited: Set<string>
  /** The keys of tasks that this page deletes: nobody needs to be told of it. */
  removed: Set<string>
  /** Connects and sends now, without the rest of a pause. */
  retry: () => void
}

const PageContext = createContext<Page | undefined>(undefined)

export function usePage(): Page {
  const page = useContext(PageContext)
  if (!page) throw new Error('usePage needs a PageProvider around it')
  return page
}

type Props = FromServer & { taskwardUrl: string; children: ReactNode }

export function PageProvider({ taskwardUrl, children, ...fromServer }: Props) {
  const [page] = useState(() => openPage(taskwardUrl, fromServer))
  const [queries] = useState(createQueries)
  useEffect(() => {
    // "Back" can show the page as it was left, although its person has signed out since: ask the server again.
    const reload = ({ persisted }: PageTransitionEvent) => persisted && location.reload()
    addEventListener('pageshow', reload)
    return () => removeEventListener('pageshow', reload)
  }, [])
  useEffect(() => onlineManager.setEventListener(watchConnection), [])
  useEffect(rememberTimeZone, [])
  useEffect(() => onAccountDeleted(fromServer.person.id, () => leaveForGood(page)), [page, fromServer.person.id])
  useEffect(() => {
    const stop = onlineManager.subscribe((online) => online && page.retry())
    addEventListener('focus', page.retry)
    document.addEventListener('visibilitychange', page.retry)
    return () => {
      stop()
      removeEventListener('focus', page.retry)
      document.removeEventListener('visibilitychange', page.retry)
    }
  }, [page])
  return (
    <PageContext value={page}>
      <QueryClientProvider client={queries}>{children}</QueryClientProvider>
    </PageContext>
  )
}

function openPage(taskwardUrl: string, fromServer: FromServer): Page {
  const token = tokenOf(fromServer.person)
  // A few quick attempts, and then the page says what is wrong.
  const retry = { attempts: 3, maxRetryAfterMs: 2000, totalMs: 6000 }
  const taskward = createTaskwardClient({ baseUrl: taskwardUrl, token, retry, timeoutMs: 10_000 })
  const patient = createTaskwardClient({ baseUrl: taskwardUrl, token, retry, timeoutMs: 600_000 })
  const opened = openTasks({
    taskward,
    person: fromServer.person.id,
    first: fromServer.first.tasks,
    onError: leaveIfSignedOut,
  })
  const retryNow = () => void (opened.stream.isLive || opened.tasks.utils.retry())
  return {
    ...fromServer,
    ...opened,
    taskward,
    patient,
    lingering: new Lingering(),
    awaited: new Set(),
    removed: new Set(),
    retry: retryNow,
  }
}

function tokenOf(person: Person) {
  return rememberToken(async () => {
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
}

/** When the session is over, goes to sign-in, which leads back here. */
export function leaveIfSignedOut(error: unknown) {
  if (isSignedOut(error)) location.assign(signInPath(location.pathname + location.search, true))
}

/** For searches. Tasks come with the stream. */
function createQueries(): QueryClient {
  return new QueryClient({
    queryCache: new QueryCache({ onError: leaveIfSignedOut }),
    defaultOptions: {
      queries: {
        staleTime: Infinity,
        // Without a connection too, a request that fails and says so is better than one that waits in silence.
        networkMode: 'always',
        retry: (_failures, error) => isPassing(error),
      },
      mutations: { networkMode: 'always' },
    },
  })
}
