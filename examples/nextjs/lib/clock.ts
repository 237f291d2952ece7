'use client'

import { useSyncExternalStore } from 'react'

import type { Clock } from './dates'
import { usePage } from './page-context'
import { browserTimeZone } from './time-zone'

let local: Clock | undefined

/** The browser's clock, to the minute. While React hydrates the page it is the server's, so that both render the same. */
export function useClock(): Clock {
  const { serverClock } = usePage()
  return useSyncExternalStore(everyMinute, localClock, () => serverClock)
}

function localClock(): Clock {
  const now = Math.floor(Date.now() / 60_000) * 60_000
  if (local?.now !== now) local = { now, timeZone: browserTimeZone() }
  return local
}

function everyMinute(tick: () => void) {
  const timer = setInterval(tick, 20_000)
  return () => clearInterval(timer)
}
