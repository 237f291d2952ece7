'use client'

import { useSyncExternalStore } from 'react'

import type { Clock } from './dates'
import { usePage } from './page-context'

let local: Clock | undefined

/** The clock of the browser, to the minute. While the page comes alive it is that of the server, so that both agree. */
export function useClock(): Clock {
  const { serverClock } = usePage()
  return useSyncExternalStore(everyMinute, localClock, () => serverClock)
}

function localClock(): Clock {
  const now = Math.floor(Date.now() / 60_000) * 60_000
  if (local?.now !== now) local = { now, timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone }
  return local
}

function everyMinute(tick: () => void) {
  const timer = setInterval(tick, 20_000)
  return () => clearInterval(timer)
}
