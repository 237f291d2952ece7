'use client'

import { useSyncExternalStore } from 'react'

/** Says that the browser is offline, and that it is back. */
export function Connection() {
  const online = useSyncExternalStore(
    subscribe,
    () => navigator.onLine,
    () => true,
  )
  return (
    <div role="status">
      {!online && <p className="notice">You are offline. You can read what is here; what you type is kept.</p>}
    </div>
  )
}

function subscribe(change: () => void) {
  addEventListener('online', change)
  addEventListener('offline', change)
  return () => {
    removeEventListener('online', change)
    removeEventListener('offline', change)
  }
}
