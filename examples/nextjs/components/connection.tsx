'use client'

import { useSyncExternalStore } from 'react'

import { useOnline } from '@/lib/connection'
import { usePage } from '@/lib/page-context'

/** Says that the browser is offline, or that the server does not answer, until that is over. */
export function Connection() {
  const { stream } = usePage()
  const online = useOnline()
  const isAway = useSyncExternalStore(
    stream.subscribe,
    () => stream.isAway,
    () => false,
  )
  return (
    <div role="status">
      {(!online || isAway) && (
        <p className="notice">
          {online ? 'The server cannot be reached.' : 'You are offline.'} You can go on: what you change is kept here,
          and sent when the connection is back.
        </p>
      )}
    </div>
  )
}
